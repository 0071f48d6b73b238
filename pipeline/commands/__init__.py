"""The subcommands of `forceband`, one file each.

In: arguments. Out: data on stdout, words for people on stderr, an exit code.
Imported only by `__main__`, and only the one that is asked for; import what they need when they run.
"""
