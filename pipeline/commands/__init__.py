"""The subcommands of `forceband`, one file each.

In: arguments. Out: data on stdout, words for people on stderr, an exit code.
Imported only by `__main__`, the one that is asked for; each imports what it needs when it runs.
"""
