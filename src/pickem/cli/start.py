"""Entry point of the `pickem` command.

Imports nothing at first: every process that `pickem` starts imports the module it was itself started from,
and those that work on blocks need not know the network, nor hold PyTorch in memory.
"""

from __future__ import annotations


def run() -> None:
    """Run the command line: exit code 0, or 2 for bad input."""
    from pickem.cli.main import run as run_command_line

    run_command_line()
