"""Work on whole volumes, of any size, block by block."""

from __future__ import annotations
