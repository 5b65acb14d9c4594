"""`python -m pickem.cli`, the same as the `pickem` script."""

from __future__ import annotations

from pickem.cli.start import run

if __name__ == "__main__":
    run()
