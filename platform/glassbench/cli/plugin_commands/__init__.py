"""The subcommands of `glassbench plugins`."""
