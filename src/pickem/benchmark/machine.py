"""On what a benchmark was measured: two machines differ in their times and in the last digits of a number."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from pickem.predictor.settings import DeviceName

_MEASURED_WITH = ("pickem", "torch", "numpy", "scipy", "scikit-learn")


class Machine(BaseModel):
    """A machine at work on a benchmark, with the versions of what decides about a number."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    gpu: str | None = None  # where the networks run on one; missing in folders of earlier versions
    cores: int
    system: str
    versions: dict[str, str]

    @classmethod
    def here(cls, device: DeviceName) -> Self:
        """The machine of this process, whose networks run on `device`."""
        from pickem.predictor import gpu_name  # here, as reports are made without PyTorch

        return cls(
            cpu=cpu_name(),
            gpu=gpu_name(device),
            cores=os.cpu_count() or 1,
            system=platform.system(),
            versions={name: _version(name) for name in _MEASURED_WITH},
        )


def cpu_name() -> str:
    """The processor's name, as results have to give it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
