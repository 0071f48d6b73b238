"""The recording: an append-only log in one SQLite file.

In: notifications, facts and cursors. Out: the same rows, in order, also while they are written.
Imported by the pipeline; imports only samples and errors.
"""
