"""The wire format: bytes to frames, Info, commands and responses, and back.

In: payloads. Out: frozen values that give the same bytes again; a FrameError for what is no such.
Imported by everything that knows a band; imports only samples and errors.
"""
