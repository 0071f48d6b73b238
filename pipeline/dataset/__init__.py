"""An open data set of sessions whose truth is known, and the judge of whoever counts their reps.

In: a number of sessions and a seed; or truth and answers. Out: files; or scores. Imported only by
commands, tests and benchmarks.
"""
