"""`python -m pickem.cli`: the same as the `pickem` command."""

from __future__ import annotations

from pickem.cli.main import run

run()
