"""Calibrating a band that is within reach: known weights hang from it one after the other.

In: a band's notifications and what hangs from it. Out: levels, a line through them, and the
calibration in the band or the configuration. Imported by commands.
"""
