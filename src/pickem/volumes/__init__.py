"""Open electron-microscopy images of any format as volumes."""

from __future__ import annotations

from pickem.volumes.class_names import class_names
from pickem.volumes.continuity import discontinuous
from pickem.volumes.grey_values import GreyValues, sample_grey_values
from pickem.volumes.ome_attributes import LabelValue
from pickem.volumes.ome_zarr_writer import ImageSpec, OmeZarrImage, create_image, open_image
from pickem.volumes.opening import open_volume, recognise
from pickem.volumes.rescaled import Rescaled, rescale_factor
from pickem.volumes.sampling import sample_blocks
from pickem.volumes.section_cache import read_by_section
from pickem.volumes.volume import ArrayVolume, Volume, VoxelSize

__all__ = [
    "ArrayVolume",
    "GreyValues",
    "ImageSpec",
    "LabelValue",
    "OmeZarrImage",
    "Rescaled",
    "Volume",
    "VoxelSize",
    "class_names",
    "create_image",
    "discontinuous",
    "open_image",
    "open_volume",
    "read_by_section",
    "recognise",
    "rescale_factor",
    "sample_blocks",
    "sample_grey_values",
]
