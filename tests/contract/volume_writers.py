"""One small volume in every format, written by other people's code.

Each writer stores the voxels in a folder, and says where `open_volume` finds them and what it should find.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import mrcfile
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray
from PIL import Image

from pickem.datasets import open_dataset
from pickem.geometry import Box
from pickem.volumes import VoxelSize

SHAPE = (6, 23, 31)


@dataclass(frozen=True)
class Written:
    """What was stored, and where."""

    location: Path | str
    voxels: NDArray[Any]  # (z, y, x)
    voxel_size: VoxelSize | None = None  # nm, where the file says it


Writer = Callable[[Path], Written]


def real_voxels() -> NDArray[np.uint8]:
    """Six neighbouring windows of one real image, none like another; shape SHAPE."""
    image = open_dataset("demo").volumes["rat3-data9"].image
    z, height, width = SHAPE
    windows = [Box((0, 40 * i, 50 * i), (1, 40 * i + height, 50 * i + width)) for i in range(z)]
    return np.concatenate([image.read(window) for window in windows])


def tiff_stack(folder: Path) -> Written:
    voxels = real_voxels()
    tifffile.imwrite(folder / "stack.tif", voxels, photometric="minisblack")
    return Written(folder / "stack.tif", voxels)


def compressed_tiff_stack(folder: Path) -> Written:
    voxels = real_voxels().astype(np.uint16) * 257
    tifffile.imwrite(folder / "lzw.tiff", voxels, photometric="minisblack", compression="lzw", predictor=True)
    return Written(folder / "lzw.tiff", voxels)


def big_tiff(folder: Path) -> Written:
    voxels = real_voxels().astype(np.float32) / 255
    tifffile.imwrite(folder / "big.tif", voxels, bigtiff=True, tile=(16, 16), photometric="minisblack")
    return Written(folder / "big.tif", voxels)


def big_endian_tiff(folder: Path) -> Written:
    voxels = real_voxels().astype(np.int16) - 128
    tifffile.imwrite(folder / "motorola.tif", voxels, byteorder=">", photometric="minisblack")
    return Written(folder / "motorola.tif", voxels)


def imagej_stack(folder: Path) -> Written:
    voxels = real_voxels().astype(np.uint16) * 100
    tifffile.imwrite(folder / "imagej.tif", voxels, imagej=True, metadata={"axes": "ZYX"})
    return Written(folder / "imagej.tif", voxels)


def imagej_hyperstack(folder: Path) -> Written:
    voxels = real_voxels()
    tifffile.imwrite(
        folder / "hyperstack.tif",
        voxels[None, :, None],
        imagej=True,
        resolution=(1 / 0.004, 1 / 0.008),  # pixels per µm, x then y
        metadata={"axes": "TZCYX", "unit": "um", "spacing": 0.05},
    )
    return Written(folder / "hyperstack.tif", voxels, (50.0, 8.0, 4.0))


def pillow_multipage(folder: Path) -> Written:
    voxels = real_voxels()
    first, *others = (Image.fromarray(section) for section in voxels)
    first.save(folder / "pages.tif", save_all=True, append_images=others)
    return Written(folder / "pages.tif", voxels)


def tiff_folder(folder: Path) -> Written:
    voxels = real_voxels()
    for z, section in enumerate(voxels, start=7):  # 7 … 12: text order would put 10 before 7
        tifffile.imwrite(folder / f"section{z}.tif", section)
    return Written(folder, voxels)


def png_folder(folder: Path) -> Written:
    voxels = real_voxels()
    for z, section in enumerate(voxels, start=7):
        Image.fromarray(section).save(folder / f"{z}.png")
    (folder / "notes.txt").write_text("other files do not matter")
    return Written(folder, voxels)


def png_folder_16_bits(folder: Path) -> Written:
    voxels = real_voxels().astype(np.uint16) * 257
    for z, section in enumerate(voxels):
        Image.fromarray(section).save(folder / f"{z:02}.PNG")
    return Written(folder, voxels)


def npy(folder: Path) -> Written:
    voxels = real_voxels()
    np.save(folder / "volume.npy", voxels)
    return Written(folder / "volume.npy", voxels)


def npy_big_endian_columns_first(folder: Path) -> Written:
    voxels = real_voxels().astype(np.float32) / 255
    np.save(folder / "fortran.npy", np.asfortranarray(voxels.astype(">f4")))
    return Written(folder / "fortran.npy", voxels)


def hdf5_only_dataset(folder: Path) -> Written:
    voxels = real_voxels()
    with h5py.File(folder / "one.h5", "w") as file:
        dataset = file.create_dataset("volumes/raw", data=voxels, chunks=(2, 8, 8), compression="gzip")
        dataset.attrs["element_size_um"] = [0.05, 0.008, 0.004]
        file["offsets"] = np.zeros((5, 3))  # a table, and no volume
    return Written(folder / "one.h5", voxels, (50.0, 8.0, 4.0))


def hdf5_named_dataset(folder: Path) -> Written:
    voxels = real_voxels().astype(np.int16) - 128
    with h5py.File(folder / "two.hdf5", "w") as file:
        file.create_dataset("raw", data=voxels, dtype=">i2")
        file["labels"] = voxels > 0
    return Written(f"{folder}/two.hdf5:/raw", voxels)


def mrc_int16(folder: Path) -> Written:
    voxels = real_voxels().astype(np.int16) - 128
    with mrcfile.new(folder / "volume.mrc", voxels) as file:
        file.voxel_size = (40.0, 80.0, 500.0)  # Å, x then y then z
    return Written(folder / "volume.mrc", voxels, (50.0, 8.0, 4.0))


def mrc_signed_bytes(folder: Path) -> Written:
    voxels = (real_voxels().astype(np.int16) - 128).astype(np.int8)
    with mrcfile.new(folder / "bytes.rec", voxels) as file:
        file.set_extended_header(np.zeros(640, np.uint8))
    return Written(folder / "bytes.rec", voxels)


def mrc_of_imod(folder: Path) -> Written:
    """Unsigned bytes under the number of the signed ones, as IMOD's words 39 and 40 say."""
    voxels = real_voxels()
    with mrcfile.new(folder / "imod.st", voxels.view(np.int8)) as file:
        words = np.zeros(21, np.int32)
        words[10] = 1146047817
        file.header.extra2 = words.tobytes()
    return Written(folder / "imod.st", voxels)


def zarr_2(folder: Path) -> Written:
    voxels = real_voxels()
    zarr.create_array(folder / "plain.zarr", data=voxels, chunks=(4, 8, 8), zarr_format=2)
    return Written(folder / "plain.zarr", voxels)


def zarr_3_sharded(folder: Path) -> Written:
    voxels = real_voxels().astype(np.uint16) * 257
    zarr.create_array(folder / "sharded", data=voxels, chunks=(2, 8, 8), shards=(4, 16, 32), zarr_format=3)
    return Written(folder / "sharded", voxels)


def zarr_3_named_axes(folder: Path) -> Written:
    voxels = real_voxels()
    zarr.create_array(
        folder / "named.zarr", data=voxels.T, chunks=(8, 8, 4), dimension_names=("x", "y", "z"), zarr_format=3
    )
    return Written(folder / "named.zarr", voxels)


def ome_zarr_04(folder: Path) -> Written:
    voxels = real_voxels()
    write_ome_zarr(folder / "a.ome.zarr", voxels[None, None], "tczyx", zarr_format=2)
    return Written(folder / "a.ome.zarr", voxels, (50.0, 8.0, 4.0))


def ome_zarr_05(folder: Path) -> Written:
    voxels = real_voxels().astype(np.float32) / 255
    write_ome_zarr(folder / "b.ome.zarr", voxels, "zyx", zarr_format=3)
    return Written(folder / "b.ome.zarr", voxels, (50.0, 8.0, 4.0))


def ome_zarr_of_another_order(folder: Path) -> Written:
    voxels = real_voxels()
    write_ome_zarr(folder / "c.zarr", np.moveaxis(voxels[None], (0, 1), (3, 2)), "yxzc", zarr_format=3)
    return Written(folder / "c.zarr", voxels, (50.0, 8.0, 4.0))


def write_ome_zarr(
    path: Path, array: NDArray[Any], axes: str, zarr_format: int, unit: str | None = "micrometer"
) -> None:
    """A pyramid of two levels; 50 × 8 × 4 nm per voxel, said half by the level and half by the image."""
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    halved = tuple(slice(None, None, 2) if axis in "yx" else slice(None) for axis in axes)
    for name, level in (("s0", array), ("s1", array[halved])):
        group.create_array(name, data=level, chunks=tuple(min(8, n) for n in level.shape))
    sizes = {"z": 0.025, "y": 0.004, "x": 0.002}

    def scale(factor: int) -> list[dict[str, object]]:
        scales = [sizes.get(axis, 1) * (factor if axis in "yx" else 1) for axis in axes]
        return [{"type": "scale", "scale": scales}]

    types = {"t": "time", "c": "channel"}
    multiscales = [
        {
            "axes": [
                {"name": axis, "type": types.get(axis, "space")}
                | ({"unit": unit} if unit and axis in "zyx" else {})
                for axis in axes
            ],
            "datasets": [
                {"path": "s0", "coordinateTransformations": scale(1)},
                {"path": "s1", "coordinateTransformations": scale(2)},
            ],
            "coordinateTransformations": [
                {"type": "scale", "scale": [2 if axis in "zyx" else 1 for axis in axes]}
            ],
        }
    ]
    if zarr_format == 2:
        group.attrs["multiscales"] = [m | {"version": "0.4"} for m in multiscales]
    else:
        group.attrs["ome"] = {"version": "0.5", "multiscales": multiscales}


def n5_gzip(folder: Path) -> Written:
    voxels = real_voxels()
    size = {"pixelResolution": {"unit": "um", "dimensions": [0.004, 0.008, 0.05]}}
    write_n5(folder / "a.n5" / "volumes" / "raw", voxels, "gzip", **size)
    (folder / "a.n5" / "attributes.json").write_text('{"n5": "2.5.1"}')
    return Written(folder / "a.n5" / "volumes" / "raw", voxels, (50.0, 8.0, 4.0))


def n5_pyramid(folder: Path) -> Written:
    voxels = real_voxels().astype(np.uint16) * 257
    write_n5(folder / "b.n5" / "s0", voxels, "raw")
    write_n5(folder / "b.n5" / "s1", voxels[:, ::2, ::2], "raw")
    group = {"n5": "2.5.1", "resolution": [4, 8, 50], "units": ["nm", "nm", "nm"], "downsamplingFactors": []}
    (folder / "b.n5" / "attributes.json").write_text(json.dumps(group))
    return Written(folder / "b.n5", voxels, (50.0, 8.0, 4.0))


def n5_named_axes(folder: Path) -> Written:
    voxels = real_voxels().astype(np.float32) / 255
    order = {"axes": ["z", "c", "y", "x"], "units": ["um", "", "nm", "nm"], "resolution": [0.05, 1, 8, 4]}
    write_n5(folder / "any name", np.moveaxis(voxels[None], (0, 1, 2, 3), (2, 3, 1, 0)), "xz", **order)
    return Written(folder / "any name", voxels, (50.0, 8.0, 4.0))


_N5_COMPRESSION = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}


def write_n5(path: Path, array: NDArray[Any], packed: str, **attributes: object) -> None:
    """An N5 dataset by its specification: blocks of big-endian values, the last axis of `array` first."""
    block = (16, 16, 4, 4)[: array.ndim]
    path.mkdir(parents=True)
    dataset = {
        "dimensions": array.shape[::-1],
        "blockSize": block,
        "dataType": array.dtype.name,
        "compression": {"type": packed},
    }
    (path / "attributes.json").write_text(json.dumps(dataset | attributes))
    for index in np.ndindex(*(-(-n // side) for n, side in zip(array.shape[::-1], block, strict=True))):
        places = [slice(i * side, (i + 1) * side) for i, side in zip(index, block, strict=True)]
        part = array[tuple(reversed(places))]
        header = struct.pack(f">HH{part.ndim}I", 0, part.ndim, *part.shape[::-1])  # mode 0: all of equal size
        file = path.joinpath(*map(str, index))
        file.parent.mkdir(parents=True, exist_ok=True)
        content = part.astype(part.dtype.newbyteorder(">")).tobytes()
        file.write_bytes(header + _N5_COMPRESSION[packed](content))


def precomputed(folder: Path) -> Written:
    voxels = real_voxels()
    write_precomputed(folder / "image", voxels)
    return Written(folder / "image", voxels, (50.0, 8.0, 4.0))


def precomputed_gzipped(folder: Path) -> Written:
    """As CloudVolume writes into a folder."""
    voxels = real_voxels().astype(np.uint16) * 257
    write_precomputed(folder / "zipped", voxels, pack=gzip.compress, ending=".gz")
    return Written(folder / "zipped", voxels, (50.0, 8.0, 4.0))


def precomputed_copied_gzipped(folder: Path) -> Written:
    """As a copy from a bucket, which gave its files out as "content-encoding: gzip"."""
    voxels = real_voxels().astype(np.float32) / 255
    write_precomputed(folder / "copied", voxels, pack=gzip.compress)
    return Written(folder / "copied", voxels, (50.0, 8.0, 4.0))


def write_precomputed(
    path: Path,
    voxels: NDArray[Any],
    pack: Callable[[bytes], bytes] = bytes,
    ending: str = "",
    channels: int = 1,
    **scale: object,
) -> None:
    """A precomputed image by its specification, (z, y, x), that does not begin at voxel 0."""
    offset, side, key = (5, 7, 11), (16, 16, 4), "4_8_50"
    finest = {
        "key": key,
        "size": voxels.shape[::-1],
        "resolution": [4, 8, 50],
        "voxel_offset": offset,
        "chunk_sizes": [side],
        "encoding": "raw",
    }
    info = {"type": "image", "data_type": voxels.dtype.name, "num_channels": channels}
    (path / key).mkdir(parents=True)
    (path / "info").write_text(json.dumps({**info, "scales": [finest | scale]}))
    for index in np.ndindex(*(-(-n // s) for n, s in zip(voxels.shape[::-1], side, strict=True))):
        places = [slice(i * s, (i + 1) * s) for i, s in zip(index, side, strict=True)]
        chunk = voxels[tuple(reversed(places))]
        starts = [place.start + o for place, o in zip(places, offset, strict=True)]
        name = "_".join(f"{start}-{start + n}" for start, n in zip(starts, chunk.shape[::-1], strict=True))
        content = chunk.astype(chunk.dtype.newbyteorder("<")).tobytes()
        (path / key / f"{name}{ending}").write_bytes(pack(content * channels))


WRITERS: dict[str, Writer] = {
    "tiff stack": tiff_stack,
    "compressed tiff": compressed_tiff_stack,
    "BigTIFF, tiled": big_tiff,
    "big-endian tiff": big_endian_tiff,
    "ImageJ stack": imagej_stack,
    "ImageJ hyperstack": imagej_hyperstack,
    "Pillow's pages": pillow_multipage,
    "folder of tiff": tiff_folder,
    "folder of png": png_folder,
    "folder of 16-bit png": png_folder_16_bits,
    "npy": npy,
    "npy, big-endian": npy_big_endian_columns_first,
    "HDF5": hdf5_only_dataset,
    "HDF5 by name": hdf5_named_dataset,
    "MRC": mrc_int16,
    "MRC of signed bytes": mrc_signed_bytes,
    "MRC of IMOD": mrc_of_imod,
    "Zarr 2": zarr_2,
    "Zarr 3, sharded": zarr_3_sharded,
    "Zarr 3, axes named": zarr_3_named_axes,
    "OME-Zarr 0.4": ome_zarr_04,
    "OME-Zarr 0.5": ome_zarr_05,
    "OME-Zarr, other order": ome_zarr_of_another_order,
    "N5": n5_gzip,
    "N5, several levels": n5_pyramid,
    "N5, axes named": n5_named_axes,
    "precomputed": precomputed,
    "precomputed, gzip": precomputed_gzipped,
    "precomputed, gzip copied": precomputed_copied_gzipped,
}
