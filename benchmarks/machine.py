"""On what a measurement was made, and the environment in which peers are measured."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pickem.benchmark.machine import cpu_name

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
PEERS = ROOT / ".venv-bench" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
_VERSIONS = ("numpy", "scipy", "scikit-learn", "torch", "scikit-activeml", "baal")


def described_machine() -> str:
    """Processor, cores, system, the versions that matter (where installed) and the date, in one line."""
    versions = [f"Python {platform.python_version()}"]
    for package in _VERSIONS:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    cores = os.cpu_count()
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return f"{cpu_name()}, {cores} cores, {platform.system()}, {', '.join(versions)}, {today.isoformat()}"


def run_among_peers(module: str, *arguments: str, threads: int = 1) -> str:
    """What `python -m MODULE ARGUMENTS` prints, in a fresh process of the peers' environment.

    pickem is installed there too, so that both sides run on the same libraries.
    """
    if not PEERS.exists():
        sys.exit("The peers are not installed. Run: make bench")
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    finished = subprocess.run(
        [PEERS, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **limits},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return finished.stdout
