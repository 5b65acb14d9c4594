"""The table of objects: a row each, in Parquet or CSV.

Positions are voxel indices, and nm where the voxel size is known; index 0, and so 0 nm, is the middle of the
first voxel. Bounding boxes are half-open, in voxels.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pickem.blockwise.surface import area_per_crossing
from pickem.blockwise.unfinished import Plan
from pickem.blockwise.union import Objects
from pickem.durable import write_durably


def object_table(objects: Objects, plan: Plan, names: Mapping[int, str]) -> pa.Table:
    """A row an object; nm are null where the voxel size is not known. `names`: of classes, by value."""
    where, size = objects.extents, plan.voxel_size
    centres = where.sums / np.maximum(where.voxels, 1)[:, None]
    first = np.stack(np.unravel_index(where.first, plan.shape), axis=1) if len(objects) else where.low
    columns: dict[str, pa.Array] = {
        "object": pa.array(np.arange(1, len(objects) + 1)),
        "class": pa.array(objects.classes),
        "class_name": pa.array([names.get(value) for value in objects.classes.tolist()], pa.string()),
        "voxels": pa.array(where.voxels),
    }
    unknown = pa.nulls(len(objects), pa.float64())
    columns["volume_nm3"] = pa.array(where.voxels * math.prod(size)) if size else unknown
    area = objects.crossings @ area_per_crossing(plan.shape, size) if size else None
    columns["surface_nm2"] = unknown if area is None else pa.array(area)
    for axis, name in enumerate("zyx"):
        columns[f"{name}"] = pa.array(centres[:, axis])
    for axis, name in enumerate("zyx"):
        columns[f"{name}_nm"] = pa.array(centres[:, axis] * size[axis]) if size else unknown
    for axis, name in enumerate("zyx"):
        columns[f"{name}_from"] = pa.array(where.low[:, axis])
        columns[f"{name}_to"] = pa.array(where.high[:, axis])
    for axis, name in enumerate("zyx"):
        columns[f"first_{name}"] = pa.array(first[:, axis])
    columns["at_border"] = pa.array(objects.border)
    return pa.table(columns).replace_schema_metadata({"pickem": json.dumps(plan.document)})


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet, or CSV where the name says so; whole or not at all. Raises StorageError."""
    buffer = io.BytesIO()
    if path.suffix.lower() == ".csv":
        pyarrow.csv.write_csv(table, buffer)
    else:
        pyarrow.parquet.write_table(table, buffer)
    write_durably(path, buffer.getvalue())
