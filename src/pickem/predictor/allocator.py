"""Keeping freed memory in the process, so that each step does not have to ask the system for it again.

glibc hands blocks above a threshold back to the system as soon as they are freed. A training step frees and
allocates the same few hundred megabytes again and again, and the system clears every page anew.
"""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1  # from malloc.h
_M_MMAP_MAX = -4
_NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let glibc keep what this process frees; returns whether it could be told so.

    For processes that train or predict on the CPU: the resident memory then stays at its peak. Other C
    libraries than glibc have other rules, and are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, _NEVER))
