"""The command line: parse, call, print."""

from glassbench.cli.app import main

__all__ = ["main"]
