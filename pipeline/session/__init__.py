"""A session, pure: notifications in, events out; no clock, no I/O.

In: notifications from a band or a recording. Out: events, the same ones each time.
Imported by whatever shows, sends or stores events; imports only `analysis` and `sensor`.
"""
