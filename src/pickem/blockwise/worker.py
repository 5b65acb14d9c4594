"""What a worker does: it opens volume, network and result by their addresses, and segments block after block.

    thread 1   read ─────► wait ──► write       read …
    thread 2        read ─────► wait ──► write
    network              ██████ ██████ ██████ ██████

A worker has two threads for tasks and one for the network, so that reading and writing go on beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

import pickem
from pickem.blockwise.blocks import Reach, reflected, window
from pickem.blockwise.job import Job, NetworkAddress
from pickem.errors import CheckpointError
from pickem.geometry import Box, blocks
from pickem.predictor import keep_freed_memory
from pickem.predictor.description import read_description
from pickem.predictor.settings import PrecisionName
from pickem.volumes import OmeZarrImage, Volume, open_image

if TYPE_CHECKING:  # they load PyTorch, which whoever hands out the work does not need
    from pickem.predictor import NetworkPredictor

_ROOM = 5 * 2**28  # bytes for the network's numbers: 2 GiB less libraries and blocks
_MAPS_HELD = 12  # of the finest level at once, measured
_SLAB = 2**26  # voxels of the volume that are read at once
_BYTES = {"fp32": 4, "bf16": 2}
_opening = threading.RLock()
_network_thread = ThreadPoolExecutor(1, "network")  # always the same: each would keep memory of its own


@dataclass(frozen=True)
class Ability:
    """What a worker says of itself and a network, before anything is begun."""

    versions: dict[str, str]
    reach: Reach
    precision: Literal["fp32", "bf16"]
    window: int  # pixels that fit into its memory


def examine(address: NetworkAddress) -> Ability:
    """Load a network, and say what it takes to run it here. Raises CheckpointError and ConfigError."""
    with _opening:
        predictor = _predictor(address, address.precision)
    precision = predictor.backend.precision
    network = read_description(address.checkpoint).network
    return Ability(
        versions={"pickem": pickem.__version__} | {name: version(name) for name in ("torch", "tensorstore")},
        reach=Reach(
            stride=predictor.network.stride,
            halo=predictor.network.halo,
            border=predictor.border,
            neighbours=network.channels // 2,
            smoothing=address.smoothing,
        ),
        precision=precision,
        window=_ROOM // (_MAPS_HELD * network.feature_maps * _BYTES[precision]),
    )


def segment_block(job: Job, block: Box) -> None:
    """Segment one block and write it: probabilities first, so that where the labels are, all is.

    Raises VolumeError where the volume cannot be read, StorageError, and CheckpointError where the network
    is another one by now.
    """
    opened = _opened(job)
    seen = window(block, job.grid, job.reach)
    planes = [*_with_neighbours(_read(opened.volume, seen.read, job), job.reach.neighbours)]
    first, last = block.start[0], block.stop[0]
    segmented = opened.predictor.segment(
        lambda section: planes[section - first + job.reach.smoothing],
        range(first, last),
        job.shape[0],
        job.network.views,
        job.reach.smoothing,
        range(1, 1 + len(job.probabilities)),
    )
    sections = [_network_thread.submit(next, segmented).result() for _ in range(first, last)]
    origin = (block.start[0], *seen.read.start[1:])
    for number, image in enumerate(opened.probabilities):
        voxels = np.stack([section.probabilities[number] for section in sections])
        _write(image, job, block, voxels, origin)
    _write(opened.labels, job, block, np.stack([section.labels for section in sections]), origin)


def build_block(job: Job, image: int, level: int, box: Box) -> None:
    """Make a box of a coarser level of the labels (image 0) or of a probability (from 1)."""
    opened = _opened(job)
    (opened.labels, *opened.probabilities)[image].build_block(level, box)


def _read(volume: Volume, box: Box, job: Job) -> NDArray[np.generic]:
    """The voxels of a box of the working grid, which is continued at its border and its ends."""
    places = [reflected(*axis) for axis in zip(box.start, box.stop, volume.shape, strict=True)]
    z, y, x = (int(axis.min()) for axis in places)
    z_end, y_end, x_end = (int(axis.max()) + 1 for axis in places)
    inside = Box((z, y, x), (z_end, y_end, x_end))
    voxels = np.concatenate(list(_slabs(volume, inside, job)))
    return voxels[np.ix_(places[0] - z, places[1] - y, places[2] - x)]


def _with_neighbours(voxels: NDArray[np.generic], neighbours: int) -> Iterator[NDArray[np.generic]]:
    """What the network is shown of each section: it alone (h, w), or between its neighbours, of which the
    first and the last `neighbours` sections are some: (1 + 2 neighbours, h, w)."""
    if not neighbours:
        yield from voxels
        return
    for first in range(len(voxels) - 2 * neighbours):
        yield voxels[first : first + 1 + 2 * neighbours]


def _slabs(volume: Volume, box: Box, job: Job) -> Iterator[NDArray[np.generic]]:
    """The voxels of a box of the working grid, a few sections at a time: the own grid may have many more."""
    y, x = job.volume.scale
    sections = max(1, int(_SLAB / (box.shape[1] * y * box.shape[2] * x)))
    for slab in blocks(box, (sections, *box.shape[1:]), (0, 0, 0), box):
        yield volume.read(slab.write)


def _write(
    image: OmeZarrImage, job: Job, block: Box, voxels: NDArray[np.uint8], origin: tuple[int, int, int]
) -> None:
    for shard in image.shards(block):
        image.write(shard, job.grid.enlarge(voxels, origin, shard))


@dataclass(frozen=True)
class _Opened:
    volume: Volume
    predictor: NetworkPredictor
    labels: OmeZarrImage
    probabilities: tuple[OmeZarrImage, ...]


def _opened(job: Job) -> _Opened:
    with _opening:
        return _open(job)


@lru_cache(maxsize=1)
def _open(job: Job) -> _Opened:
    predictor = _predictor(job.network, job.precision)
    return _Opened(
        job.volume.open_working(),
        predictor,
        open_image(job.labels),
        tuple(open_image(folder) for folder in job.probabilities),
    )


@lru_cache(maxsize=1)
def _predictor(address: NetworkAddress, precision: PrecisionName) -> NetworkPredictor:
    from pickem.predictor import resolve_backend, use_threads
    from pickem.predictor.loading import load_predictor

    keep_freed_memory()
    if address.threads is not None:
        _network_thread.submit(use_threads, address.threads).result()
    if read_description(address.checkpoint).sha256 != address.sha256:
        raise CheckpointError(
            "The network is not the one with which this was begun.",
            got=f"{address.checkpoint}: weights of another hash",
            expected=address.sha256,
            todo="put the right file back, or begin anew with --overwrite",
        )
    return load_predictor(
        address.checkpoint, resolve_backend(address.device, precision), address.normalisation
    )
