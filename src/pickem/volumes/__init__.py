"""Open electron-microscopy images of any format as volumes."""

from __future__ import annotations

from pickem.volumes.opening import open_volume, recognise
from pickem.volumes.rescaled import Rescaled, rescale_factor
from pickem.volumes.volume import ArrayVolume, Volume, VoxelSize

__all__ = ["ArrayVolume", "Rescaled", "Volume", "VoxelSize", "open_volume", "recognise", "rescale_factor"]
