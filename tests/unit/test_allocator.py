"""Freed memory stays in the process that asked for it to stay."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

GLIBC = platform.libc_ver()[0] == "glibc"
CHILD = """
import sys, torch
from pickem.predictor import keep_freed_memory
told = keep_freed_memory() if sys.argv[1] == "keep" else None
del_me = torch.ones(50_000_000)  # 200 MB
del del_me
pages = int(open("/proc/self/statm").read().split()[1])
print(told, pages * 4096 // 2**20)
"""


def resident_after_freeing(mode: str) -> tuple[str, int]:
    """What was told to the allocator, and the resident memory in MiB."""
    done = subprocess.run([sys.executable, "-c", CHILD, mode], capture_output=True, text=True, check=True)
    told, resident = done.stdout.split()
    return told, int(resident)


@pytest.mark.skipif(not GLIBC, reason="other C libraries are left alone")
def test_freed_memory_is_kept() -> None:
    _, given_back = resident_after_freeing("leave")
    told, kept = resident_after_freeing("keep")
    assert told == "True"
    assert kept > given_back + 150
