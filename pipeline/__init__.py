"""From notifications to reps, sets and sinks; the command line.

In: a source of notifications, or a file. Out: events to sinks, tables, files.
Imported by nobody: here everything is joined.
"""
