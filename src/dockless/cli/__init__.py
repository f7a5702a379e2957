"""The command line: the composition root, and the only place that prints or exits."""

from dockless.cli.main import main

__all__ = ["main"]
