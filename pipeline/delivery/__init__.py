"""From the log to everybody who listens, each event at least once and in order.

In: notifications and their events. Out: rows in the recording, calls of sinks, cursors.
Imported by the composition root, checkup and commands; imports sinks and session.
"""
