"""The band as data.

In: bytes from a band or a recording. Out: notifications, frames, samples in their place and time.
Imported by the simulated band and the pipeline; imports neither.
"""
