"""Where a session's notifications come from: a radio or a recording.

In: a transport or a recording. Out: something to iterate, and commands for the band.
Imported by commands and checkup; imports only `sensor`.
"""
