"""Whether somebody is there to be asked."""

from __future__ import annotations

import sys


def is_answered() -> bool:
    """Whether a person reads what is asked (on standard error) and can type an answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()
