"""Which samples are there, and when they were taken.

In: frames in any order. Out: samples in their place, gaps to the sample, UTC and newtons.
Imported by the client (what to ask for again) and the session; knows no clock and no Bluetooth.
"""
