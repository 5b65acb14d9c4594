"""Where the files of an array in chunks lie: a folder, or an address on the web, S3 or Google's storage.

Everything that is said to tensorstore's storage, and everything it answers, passes through here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tensorstore as ts

from pickem.durable import storage_error
from pickem.errors import VolumeError, VolumeFormatError, VolumeNotFoundError, VolumeUnreachableError
from pickem.geometry import Shape3

Driver = Literal["zarr", "zarr3", "n5", "neuroglancer_precomputed"]  # tensorstore's names; "zarr" is Zarr 2
AbsentChunks = Literal["fill value", "error"]

# Others write the format before an address: precomputed://gs://bucket/image
_URL = re.compile(r"(?:(?P<prefix>precomputed|n5|zarr)://)?(?P<address>(?:https?|s3|gs)://.+)")
_ZSTD_LEVEL = 3
_PATIENCE_S = 60  # for what opening reads
_RETRIES = {"max_retries": 4, "initial_delay": "200ms", "max_delay": "2s"}  # two seconds in all
_UNREACHABLE = ("UNAVAILABLE", "ABORTED", "DEADLINE_EXCEEDED")
_FORBIDDEN = ("PERMISSION_DENIED", "UNAUTHENTICATED")


def is_url(location: str) -> bool:
    """Whether `location` is an address (http, https, s3, gs), the format before it or not, and not a path."""
    return _URL.fullmatch(location) is not None


def format_before(url: str) -> str | None:
    """The format that stands before an address: "precomputed", "n5" or "zarr", if any."""
    match = _URL.fullmatch(url)
    return match["prefix"] if match else None


def open_array(location: str, driver: Driver, absent_chunks: AbsentChunks) -> ts.TensorStore:
    """The array at `location`, for reading; its metadata is read, and no chunk.

    `absent_chunks` says what reading one gives. Raises what tensorstore raises, so call
    it inside `explained`.
    """
    spec = {
        "driver": driver,
        "kvstore": _storage(location),
        "fill_missing_data_reads": absent_chunks == "fill value",
    }
    store: ts.TensorStore = ts.open(spec, context=_context(), read=True).result(timeout=_PATIENCE_S)
    return store


def open_files(files: Mapping[str, bytes], driver: Driver) -> ts.TensorStore:
    """The array that these files, by name, are, for reading; an absent chunk is the fill value. Raises as
    `open_array`."""
    context = _context()
    memory = ts.KvStore.open({"driver": "memory"}, context=context).result()
    for name, content in files.items():
        memory[name] = content
    spec = {"driver": driver, "kvstore": {"driver": "memory"}, "fill_missing_data_reads": True}
    store: ts.TensorStore = ts.open(spec, context=context, read=True).result(timeout=_PATIENCE_S)
    return store


def read_json(location: str, key: str) -> dict[str, Any] | None:
    """The JSON object in the file `key` at `location`; None where there is no such file.

    A file that may not be read counts as absent: public S3 buckets say "forbidden" of what they do not have.
    """
    content = _read(location, key)
    if content is None:
        return None
    try:
        found = json.loads(content)
    except ValueError as error:
        raise _damaged(location, f"{key} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise _damaged(location, f"{key} holds no object")
    return found


def has_file(location: str, key: str) -> bool:
    """Whether the file `key` is at `location` and may be read. For small files: it is fetched."""
    return _read(location, key) is not None


def _read(location: str, key: str) -> bytes | None:
    with explained(location):
        store = ts.KvStore.open(_storage(location), context=_context()).result(timeout=_PATIENCE_S)
        try:
            answer = store.read(key).result(timeout=_PATIENCE_S)
        except ValueError as error:
            if str(error).startswith(_FORBIDDEN):
                return None
            raise
    return bytes(answer.value) if answer.state == "value" else None


@contextmanager
def explained(location: str) -> Iterator[None]:
    """Turn what tensorstore raises into VolumeNotFoundError and VolumeFormatError."""
    try:
        yield
    except TimeoutError as error:
        raise _unreachable(location, f"no answer for {_PATIENCE_S} s") from error
    except ValueError as error:
        if isinstance(error, VolumeFormatError):
            raise
        why = re.sub(r" *\[\w+=.*", "", str(error), flags=re.DOTALL)
        if why.startswith(_UNREACHABLE):
            raise _unreachable(location, why) from error
        if why.startswith(("NOT_FOUND", *_FORBIDDEN)):
            raise VolumeNotFoundError(
                "There is no such image, or it may not be read.",
                got=f"{location}: {why}",
                todo="check the path or the address, and the permission to read it",
            ) from error
        raise _damaged(location, why) from error


def create_array(
    location: str, shape: Shape3, dtype: np.dtype[Any], fill: float, chunk: Shape3, shard: Shape3
) -> ts.TensorStore:
    """A new Zarr 3 array with axes (z, y, x) at `location`, for reading and writing, nothing written yet.

    A file holds a shard of compressed chunks, each with a checksum, and is replaced whole, flushed to the
    disk; one with nothing but fill values is not there. Raises what tensorstore raises, so call it inside
    `explained_writing`.
    """
    codecs = [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {"name": "zstd", "configuration": {"level": _ZSTD_LEVEL}},
        {"name": "crc32c"},
    ]
    spec = {
        "driver": "zarr3",
        "kvstore": _storage(location),
        "metadata": {
            "shape": shape,
            "data_type": dtype.name,
            "fill_value": fill,
            "dimension_names": ["z", "y", "x"],
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": shard}},
            "codecs": [
                {"name": "sharding_indexed", "configuration": {"chunk_shape": chunk, "codecs": codecs}}
            ],
        },
    }
    store: ts.TensorStore = ts.open(spec, context=_context(), create=True).result(timeout=_PATIENCE_S)
    return store


def open_array_to_write(location: str) -> ts.TensorStore:
    """The Zarr 3 array at `location`, for reading and writing. Raises what tensorstore raises."""
    spec = {"driver": "zarr3", "kvstore": _storage(location)}
    store: ts.TensorStore = ts.open(spec, context=_context(), open=True).result(timeout=_PATIENCE_S)
    return store


@contextmanager
def explained_writing(location: str) -> Iterator[None]:
    """Turn what tensorstore raises into StorageError where the system refuses, and else as `explained`."""
    try:
        with explained(location):
            yield
    except VolumeError as error:
        code = re.search(r"os_error_code='(\d+)'", str(error.__cause__))
        if code is None:
            raise
        refused = OSError(int(code[1]), os.strerror(int(code[1])))
        raise storage_error(Path(location), refused) from error.__cause__


def is_absent(error: ValueError) -> bool:
    """Whether tensorstore says that something it wanted to read is not there."""
    return str(error).startswith("NOT_FOUND")


def _storage(location: str) -> dict[str, Any]:
    url = _URL.fullmatch(location)
    if url is None:
        return {"driver": "file", "path": f"{Path(location).resolve()}/"}  # which takes no `..`
    storage: dict[str, Any] = ts.KvStore.Spec(url["address"].rstrip("/") + "/").to_json()
    endpoint = os.environ.get(
        "AWS_ENDPOINT_URL"
    )  # S3 of another provider, which tensorstore does not look up
    if storage["driver"] == "s3" and endpoint:
        storage |= {"endpoint": endpoint, "aws_region": os.environ.get("AWS_REGION", "us-east-1")}
    return storage


def _context() -> ts.Context:
    settings: dict[str, Any] = {f"{kind}_request_retries": _RETRIES for kind in ("http", "s3", "gcs")}
    if not _has_aws_credentials():
        # Without this, the search for credentials costs seconds before a public bucket is read.
        settings["aws_credentials"] = {"type": "anonymous"}
    return ts.Context(settings)


def _has_aws_credentials() -> bool:
    named = any(os.environ.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"))
    return named or (Path.home() / ".aws" / "credentials").exists()


def _unreachable(location: str, why: str) -> VolumeUnreachableError:
    return VolumeUnreachableError(
        "The image cannot be reached.",
        got=f"{location}: {why}",
        todo="check the address and the network; then try again",
    )


def _damaged(location: str, why: str) -> VolumeFormatError:
    return VolumeFormatError(
        "The image cannot be read.",
        got=f"{location}: {why}",
        expected="a whole image",
        todo="copy or fetch it again",
    )
