"""Arrays (NumPy, HDF5, MRC, Zarr) that are no grey volume, or damaged: refused, saying what was found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import mrcfile
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from pickem.errors import PickemError, VolumeFormatError, VolumeNotFoundError
from pickem.geometry import whole
from pickem.volumes import open_volume
from tests.contract.volume_writers import WRITERS, real_voxels, write_n5, write_ome_zarr, write_precomputed


def _npy(path: Path, array: NDArray[Any]) -> None:
    np.save(path, array)


def _hdf5(path: Path, array: NDArray[Any]) -> None:
    with h5py.File(path, "w") as file:
        file["raw"] = array


def _mrc(path: Path, array: NDArray[Any]) -> None:
    mrcfile.new(path, array).close()


def _zarr(path: Path, array: NDArray[Any]) -> None:
    zarr.create_array(path, data=array)


def _n5(path: Path, array: NDArray[Any]) -> None:
    write_n5(path, array, "gzip")


SAVERS: dict[str, Callable[[Path, NDArray[Any]], None]] = {
    "a.npy": _npy,
    "a.h5": _hdf5,
    "a.mrc": _mrc,
    "a.zarr": _zarr,
    "a.n5": _n5,
}


def _refusal(location: Path | str, kind: type[PickemError] = VolumeFormatError) -> str:
    """The message of the refusal, at opening where the header tells, else when the voxels are read."""

    def read_all() -> None:
        volume = open_volume(location)
        volume.read(whole(volume.shape))

    with pytest.raises(kind) as caught:
        read_all()
    message = str(caught.value)
    assert "got:" in message
    return message


@pytest.mark.parametrize("name", SAVERS)
@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((2, 6, 23, 31), np.uint8), "31"),
        (np.zeros((6, 23, 31), np.complex64), "complex64"),
        (np.zeros((23, 31, 3), np.uint8), "3)"),
    ],
    ids=["four axes", "complex", "colours"],
)
def test_arrays_of_other_axes_or_types(tmp_path: Path, name: str, array: NDArray[Any], said: str) -> None:
    SAVERS[name](tmp_path / name, array)
    message = _refusal(tmp_path / name)
    assert name in message
    assert said in message


@pytest.mark.parametrize("name", ["a.npy", "a.h5", "a.zarr", "a.n5"])
@pytest.mark.parametrize("array", [np.zeros((2, 3), np.int64), np.zeros((0, 5), np.uint8)])
def test_arrays_of_labels_and_of_nothing(tmp_path: Path, name: str, array: NDArray[Any]) -> None:
    SAVERS[name](tmp_path / name, array)
    assert name in _refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npy", "a.h5", "a.mrc"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95])
def test_a_file_cut_short(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    SAVERS[name](path, real_voxels().astype(np.int16))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert name in _refusal(path)


@pytest.mark.parametrize("name", ["a.npy", "a.h5", "a.mrc"])
def test_a_web_page_under_the_name_of_an_image(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<html>404, page not found</html>" * 100)
    assert "to do:" in _refusal(tmp_path / name)


def test_python_objects_are_never_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{}]], dtype=object))
    assert "objects" in _refusal(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("word", "value", "said"),
    [(0, -1, "-1"), (0, 0, "empty"), (3, 99, "99"), (16, 3, "(3, 2, 3)"), (23, -1, "negative")],
)
def test_an_mrc_header_that_makes_no_sense(tmp_path: Path, word: int, value: int, said: str) -> None:
    """Columns, mode, axis of the columns, bytes of extended header."""
    _mrc(tmp_path / "a.mrc", real_voxels().astype(np.int16))
    header = bytearray((tmp_path / "a.mrc").read_bytes())
    header[4 * word : 4 * word + 4] = value.to_bytes(4, "little", signed=True)
    (tmp_path / "a.mrc").write_bytes(header)
    assert said in _refusal(tmp_path / "a.mrc")


def test_of_two_hdf5_datasets_one_must_be_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["raw"] = real_voxels()
        file["exported/data"] = real_voxels()
    message = _refusal(tmp_path / "a.h5")
    assert "/raw (6, 23, 31) uint8" in message
    assert f"name it: {tmp_path}/a.h5:/exported/data" in message
    assert open_volume(f"{tmp_path}/a.h5:/exported").source.endswith(":/exported/data")


def test_an_hdf5_dataset_that_is_not_there(tmp_path: Path) -> None:
    _hdf5(tmp_path / "a.h5", real_voxels())
    assert "/raw (6, 23, 31) uint8" in _refusal(f"{tmp_path}/a.h5:/row", VolumeNotFoundError)


def test_hdf5_without_a_volume(tmp_path: Path) -> None:
    h5py.File(tmp_path / "a.h5", "w").close()
    assert "no dataset at all" in _refusal(tmp_path / "a.h5")
    _hdf5(tmp_path / "b.h5", np.zeros(7))
    assert "/raw (7,) float64" in _refusal(tmp_path / "b.h5")


@pytest.mark.parametrize(("axes", "size"), [("czyx", 3), ("tzyx", 2), ("cyx", 3)])
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_several_channels_or_times(tmp_path: Path, axes: str, size: int, zarr_format: int) -> None:
    array = np.zeros((size, *(6 for _ in axes[1:])), np.uint8)
    write_ome_zarr(tmp_path / "a.ome.zarr", array, axes, zarr_format)
    message = _refusal(tmp_path / "a.ome.zarr")
    assert f"axes ({', '.join(axes)}), shape ({size}, 6" in message


def test_axes_that_are_not_those_of_the_array(tmp_path: Path) -> None:
    for number, axes in enumerate(("zyx", "zy", "zzyx", "wzyx")):
        path = tmp_path / f"{number}.zarr"
        write_ome_zarr(path, np.zeros((1, 6, 6, 6), np.uint8), "czyx", zarr_format=3)
        node = json.loads((path / "zarr.json").read_text())
        node["attributes"]["ome"]["multiscales"][0]["axes"] = [{"name": axis} for axis in axes]
        (path / "zarr.json").write_text(json.dumps(node))
        assert f"axes ({', '.join(axes)})" in _refusal(path)


@pytest.mark.parametrize(
    "multiscales",
    [
        [],
        [{}],
        [{"axes": [], "datasets": []}],
        [{"axes": "zyx", "datasets": [{"path": 3}]}],
        {"a": 1},
        "text",
    ],
)
def test_metadata_that_are_not_the_standards(tmp_path: Path, multiscales: object) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=2)
    group.attrs["multiscales"] = multiscales
    assert "a.zarr" in _refusal(tmp_path / "a.zarr")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_zarr_group_without_an_image(tmp_path: Path, zarr_format: int) -> None:
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=zarr_format)
    group.create_array("raw", data=real_voxels())
    assert "give the path of one image or array inside it" in _refusal(tmp_path / "a.zarr")
    assert open_volume(tmp_path / "a.zarr" / "raw").shape == (6, 23, 31)


def test_zarr_files_that_are_no_json(tmp_path: Path) -> None:
    _zarr(tmp_path / "a.zarr", real_voxels())
    for content in ("{", "<html>", "[1, 2]", "", '{"node_type": "array"}', '{"attributes": [1]}'):
        (tmp_path / "a.zarr" / "zarr.json").write_text(content)
        assert "a.zarr" in _refusal(tmp_path / "a.zarr")


def test_a_level_that_is_missing(tmp_path: Path) -> None:
    write_ome_zarr(tmp_path / "a.zarr", real_voxels(), "zyx", zarr_format=3)
    (tmp_path / "a.zarr" / "s0").rename(tmp_path / "elsewhere")
    assert "a.zarr/s0" in _refusal(tmp_path / "a.zarr", VolumeNotFoundError)


CHUNKED = ["Zarr 2", "Zarr 3, sharded", "OME-Zarr 0.4", "OME-Zarr 0.5", "N5", "N5, several levels"]


@pytest.mark.parametrize("name", [*CHUNKED, "precomputed", "precomputed, gzip", "precomputed, gzip copied"])
def test_a_chunk_cut_short(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    chunks = [
        path
        for path in sorted(Path(written.location).rglob("*"))
        if path.is_file()
        and path.suffix != ".json"
        and path.name != "info"
        and not path.name.startswith(".")
        and "s1" not in path.parts
    ]
    chunks[0].write_bytes(chunks[0].read_bytes()[:20])
    assert Path(written.location).name in _refusal(written.location)


@pytest.mark.parametrize("name", ["none.npy", "none.h5", "none.h5:/raw", "none.mrc", "none.zarr", "none.n5"])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    assert "none" in _refusal(f"{tmp_path}/{name}", VolumeNotFoundError)


def test_an_empty_folder_named_zarr(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    assert "no Zarr array or group" in _refusal(tmp_path / "a.zarr", VolumeNotFoundError)


def test_of_several_n5_datasets_one_must_be_named(tmp_path: Path) -> None:
    for name in ("volumes/raw", "volumes/labels/ids/s0"):
        _n5(tmp_path / "a.n5" / name, real_voxels())
    message = _refusal(tmp_path / "a.n5")
    assert "got:      volumes/labels/ids, volumes/raw" in message
    assert f"name it: {tmp_path}/a.n5/volumes/labels/ids" in message
    assert f"name it: {tmp_path}/a.n5/volumes/labels/ids" in _refusal(tmp_path / "a.n5" / "volumes")
    assert open_volume(tmp_path / "a.n5" / "volumes" / "labels" / "ids").shape == (6, 23, 31)
    assert "rwa" in _refusal(tmp_path / "a.n5" / "volumes" / "rwa", VolumeNotFoundError)


def test_an_empty_folder_named_n5(tmp_path: Path) -> None:
    (tmp_path / "a.n5").mkdir()
    assert "is no N5 dataset" in _refusal(tmp_path / "a.n5")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"compression": {"type": "lz4"}}, "lz4"),
        ({"compression": "gzip"}, "compression"),
        ({"dataType": "object"}, "object"),
        ({"dataType": "uint64"}, "uint64"),
        ({"dimensions": [31, 23]}, "blockSize"),
        ({"dimensions": 5}, "dimensions"),
        ({"blockSize": [0, 16, 4]}, "blockSize"),
        ({"axes": ["x", "y", "y"]}, "axes"),
        ({"axes": ["x", "y", "c"]}, "axes (x, y, c), shape (31, 23, 6)"),
        ({"axes": [{"name": "x"}]}, "axes"),
        ({"units": "nm"}, "units"),
    ],
)
def test_n5_attributes_that_make_no_sense(tmp_path: Path, attributes: dict[str, object], said: str) -> None:
    write_n5(tmp_path / "a.n5", real_voxels(), "raw", **attributes)
    assert said in _refusal(tmp_path / "a.n5")


@pytest.mark.parametrize("channels", [2, 3])
def test_precomputed_of_several_channels(tmp_path: Path, channels: int) -> None:
    write_precomputed(tmp_path / "image", real_voxels(), channels=channels)
    assert f"axes (x, y, z, c), shape (31, 23, 6, {channels})" in _refusal(tmp_path / "image")


@pytest.mark.parametrize(
    ("scale", "said"),
    [
        ({"encoding": "jxl"}, "raw, jpeg, png"),
        ({"encoding": "compressed_segmentation"}, "compressed_segmentation"),
        ({"size": [31, 23]}, "size"),
        ({"size": [0, 23, 6]}, "empty"),
        ({"chunk_sizes": []}, "chunk size"),
        ({"resolution": ["a", 8, 50]}, "resolution"),
        ({"voxel_offset": [0.5, 0, 0]}, "voxel_offset"),
        ({"key": 3}, "key"),
    ],
)
def test_an_info_that_makes_no_sense(tmp_path: Path, scale: dict[str, object], said: str) -> None:
    write_precomputed(tmp_path / "image", real_voxels(), **scale)
    assert said in _refusal(tmp_path / "image")


@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_precomputed_segmentations_of_many_objects(tmp_path: Path, dtype: type[np.unsignedinteger]) -> None:
    write_precomputed(tmp_path / "image", real_voxels().astype(dtype))
    assert dtype.__name__ in _refusal(tmp_path / "image")


@pytest.mark.parametrize("content", ["{", '{"@type": "neuroglancer_skeletons"}', '{"scales": [3]}'])
def test_an_info_that_is_none_of_an_image(tmp_path: Path, content: str) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "info").write_text(content)
    assert "image" in _refusal(tmp_path / "image")


def test_precomputed_chunks_that_nobody_here_can_unpack(tmp_path: Path) -> None:
    write_precomputed(tmp_path / "image", real_voxels(), ending=".br")
    assert ".br" in _refusal(tmp_path / "image")


@pytest.mark.parametrize("address", ["ftp://host/a.zarr", "n5:///data/a.n5", "precomputed://file:///a"])
def test_addresses_of_another_kind(address: str) -> None:
    assert "https://" in _refusal(address, VolumeNotFoundError)
