"""What is to count as an object, and how a volume is cut into blocks to find them."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pickem.blockwise.components import Connectivity, Holes
from pickem.errors import ConfigError
from pickem.geometry import Shape3
from pickem.volumes import VoxelSize

CHUNK: Shape3 = (32, 128, 128)  # of the label image; blocks hold whole ones
BLOCK: Shape3 = (128, 512, 512)
SizeUnit = Literal["voxels", "nm3"]


class ObjectSettings(BaseModel):
    """`min_voxels`: smaller objects are left out. `neck`: objects are split where they are thinner than this
    share of the thinner part's thickness; None = they are not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connectivity: Connectivity = 26
    holes: Holes = "keep"
    min_voxels: int = Field(1, ge=1)
    neck: float | None = Field(None, gt=0, lt=1)
    block: Shape3 = BLOCK

    @model_validator(mode="after")
    def _whole_chunks(self) -> Self:
        if min(self.block) < 1 or any(b > c and b % c for b, c in zip(self.block, CHUNK, strict=True)):
            raise ValueError(
                f"a block is smaller than a chunk, {CHUNK}, or a multiple of it, along each axis"
            )
        return self

    @property
    def chunk(self) -> Shape3:
        """Of the label image."""
        z, y, x = (min(b, c) for b, c in zip(self.block, CHUNK, strict=True))
        return z, y, x

    @property
    def shard(self) -> Shape3:
        """Of the label image: blocks hold whole ones, so that no two blocks write one file."""
        return self.chunk[0], *self.block[1:]


def in_voxels(size: float, unit: SizeUnit, voxel_size: VoxelSize | None) -> int:
    """The fewest voxels that are `size` or more, one at least.

    Raises ConfigError for a negative size, and for nm³ where the voxel size is not known.
    """
    if not 0 <= size < math.inf:
        raise ConfigError(
            "The least size of an object makes no sense.", got=f"{size:g}", expected="0 or a positive number"
        )
    if unit == "voxels":
        return max(1, math.ceil(size))
    if voxel_size is None:
        raise ConfigError(
            "A size in nm³ means nothing where the voxel size is not known.",
            got="no voxel size in the file",
            expected="nm along z,y,x",
            todo="give --voxel-size as well, or the size in voxels",
        )
    return max(1, math.ceil(size / math.prod(voxel_size) * (1 - 1e-12)))
