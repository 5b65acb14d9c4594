"""What a worker has to know to segment any block of a volume. Addresses, never voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pickem.blockwise.blocks import Layout, Reach
from pickem.geometry import Shape3
from pickem.predictor.normalisation import Normalisation
from pickem.predictor.settings import DeviceName, PrecisionName, Views
from pickem.volumes import Rescaled, Volume, VoxelSize, open_volume, read_by_section
from pickem.volumes.resampled import Grid, Resampled, Scale


class VolumeAddress(BaseModel):
    """Where a volume lies, how large its voxels are (nm), and how many pixels the network sees as one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    location: str  # absolute, as every worker sees it
    voxel_size: VoxelSize | None = None  # replaces what the file says
    scale: Scale = (1.0, 1.0)

    def open(self) -> Volume:
        """The volume on its own grid. Raises as `open_volume`."""
        return open_volume(self.location, self.voxel_size)

    def open_working(self) -> Volume:
        """The volume on the grid that the network sees; the same as in its training where that is a whole
        number of pixels."""
        volume = read_by_section(self.open())
        y, x = self.scale
        if y == x and y == int(y):
            return volume if y == 1 else Rescaled(volume, int(y))
        return Resampled(volume, self.scale)


class NetworkAddress(BaseModel):
    """A network, and how to run it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checkpoint: Path  # absolute, as every worker sees it
    sha256: str
    normalisation: Normalisation  # of the volume's grey values, on the grid that the network sees
    device: DeviceName = "auto"
    precision: PrecisionName = "auto"
    views: Views = "one"
    smoothing: int = 0  # sections to each side that a section's probabilities are averaged with
    threads: int | None = None  # of a worker; None = as PyTorch chooses


class Job(BaseModel):
    """A volume to segment into `labels`; `probabilities` are images beside it, one a class, or none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    volume: VolumeAddress
    shape: Shape3
    network: NetworkAddress
    precision: Literal["fp32", "bf16"]  # settled
    reach: Reach
    layout: Layout
    labels: Path
    probabilities: tuple[Path, ...] = ()

    @property
    def grid(self) -> Grid:
        """The volume's own grid and the network's."""
        return Grid(self.shape, self.volume.scale)
