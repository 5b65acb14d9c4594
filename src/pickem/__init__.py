"""pickem picks 'EM: which patches of an electron-microscopy volume are worth a person's time to label."""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("pickem")
