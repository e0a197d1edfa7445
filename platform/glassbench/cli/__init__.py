"""The command line: parse, call, print."""

import importlib

from glassbench.system.child_python import leave_current_folder


def main() -> None:
    """Run the command line and exit with its code; nothing else is imported before the search path is safe."""
    leave_current_folder()
    importlib.import_module("glassbench.cli.app").main()


__all__ = ["main"]
