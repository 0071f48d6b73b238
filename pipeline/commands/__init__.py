"""The subcommands of `forceband`, one file each."""
