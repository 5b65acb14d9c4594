"""Segmenting a whole volume, block by block: what `pickem predict` does, from top to bottom.

    check ──► ask a worker ──► create or resume ──► blocks ──► pyramid ──► complete ──► TIFF, if asked for

Killed anywhere, the same order with `start="resume"` does what is missing, and the same files come out.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from distributed import Client
from numpy.typing import NDArray
from pydantic import ValidationError

import pickem
from pickem.blockwise import output, worker
from pickem.blockwise.blocks import Layout, plan
from pickem.blockwise.job import Job, NetworkAddress, VolumeAddress
from pickem.blockwise.tasks import Failure, answer, each_done, reason
from pickem.errors import BlocksFailedError, CheckpointError, ClusterError, ConfigError
from pickem.geometry import Box
from pickem.predictor.description import read_description
from pickem.volumes import LabelValue, Volume, open_image
from pickem.volumes.resampled import Grid
from pickem.volumes.tiff_writer import write_stack

Start = Literal["new", "resume", "overwrite"]
Connect = Callable[[], AbstractContextManager[Client]]
TIFF_ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True)
class Order:
    """What a person wants: which volume, segmented by which network, where to.

    `out` ends in .ome.zarr or .zarr, or in .tif: then an OME-Zarr image stands beside it while it is made.
    `values` are background and classes, in the order of the network's outputs. `provenance` is written into
    the result. `layout` replaces the one that suits the network.
    """

    volume: VolumeAddress
    network: NetworkAddress
    out: Path
    values: tuple[LabelValue, ...]
    probabilities: tuple[str, ...] = ()  # to be written: of the first foreground classes, by name
    start: Start = "new"
    provenance: Mapping[str, object] = field(default_factory=dict)
    layout: Layout | None = None

    @property
    def labels(self) -> Path:
        """The image that is written block by block."""
        return self.out.with_name(f"{self.out.name}.ome.zarr") if self.is_tiff else self.out

    @property
    def is_tiff(self) -> bool:
        """Whether a TIFF stack is wanted."""
        return self.out.suffix.lower() in TIFF_ENDINGS

    @property
    def probability_folders(self) -> tuple[Path, ...]:
        """An image beside the labels for each class whose probabilities are wanted."""
        stem = self.out.name.removesuffix(".zarr").removesuffix(".ome")
        return tuple(
            self.out.with_name(f"{stem}-probability-{_in_a_name(name)}.ome.zarr")
            for name in self.probabilities
        )


@dataclass(frozen=True)
class At:
    """Where a prediction stands: voxels done of how many. The first of a stage says what was done before."""

    stage: str  # segmenting, pyramid, level 1 …, TIFF
    done: int
    total: int


Progress = Callable[[At], None]


def predict(order: Order, connect: Connect, progress: Progress = lambda _: None) -> None:
    """Segment a volume. `connect` gives the workers; it is called when all that can be checked was.

    Raises VolumeError, CheckpointError, OtherResultError, StorageError, ClusterError, and BlocksFailedError
    when all but some blocks are done. Whatever it raises, `start="resume"` goes on from there.
    """
    volume = order.volume.open()
    _check(order, volume)
    if order.is_tiff and order.start == "resume" and order.out.exists() and not order.labels.exists():
        return
    begun = _begun(order)
    if begun is not None and begun.complete:
        network = _as_begun(order.network, begun)
        asked = _identity(order, volume, network, network.precision)
        output.check_same(begun.identity, asked, order.labels)
    else:
        with connect() as client:
            job = _begin(order, volume, begun, client)
            _segment(job, client, progress)
            _build_pyramids(job, client, progress)
        output.mark_complete(order.labels)
    if order.is_tiff:
        _write_tiff(order, progress)


def _check(order: Order, volume: Volume) -> None:
    """All that can be known to be wrong before a worker is there."""
    found = read_description(order.network.checkpoint)
    if found.classes != len(order.values):
        raise CheckpointError(
            "The network knows other classes.",
            got=f"{found.classes - 1} foreground classes in {order.network.checkpoint.name}",
            expected=", ".join(value.name for value in order.values[1:]),
            todo="give the network of this project",
        )
    if order.is_tiff and order.probabilities:
        raise ConfigError(
            "Probabilities are written as OME-Zarr, beside a segmentation that is OME-Zarr too.",
            got=order.out,
            todo=f"--out {order.out.with_suffix('.ome.zarr')}",
        )
    if not order.is_tiff and order.out.suffix.lower() != ".zarr":
        raise ConfigError(
            "The name of the result does not say what it is to be.",
            got=order.out.name,
            expected="a name that ends in .ome.zarr, or in .tif",
        )
    if order.start == "new":
        for path in (order.out, order.labels, *order.probability_folders):
            output.check_free(path)
    scale, (_, height, width) = order.volume.scale, volume.shape
    if height < scale[0] or width < scale[1]:
        raise ConfigError(
            "The volume is smaller than one pixel that the network sees.",
            got=f"{height} × {width} pixels",
            expected=f"at least {scale[0]:g} × {scale[1]:g}",
            todo="check the voxel sizes of the volume and of the project",
        )


def _begun(order: Order) -> output.Begun | None:
    if order.start == "resume":
        return output.read_begun(order.labels)
    if order.start == "overwrite":
        for path in {order.out, order.labels, *order.probability_folders}:
            output.check_replaceable(path)
    return None


def _begin(order: Order, volume: Volume, begun: output.Begun | None, client: Client) -> Job:
    """Settle what the workers decide, and create the images, or find them as they were left."""
    network = order.network if begun is None else _as_begun(order.network, begun)
    able = answer(client, worker.examine, network)
    if able.versions["pickem"] != pickem.__version__:
        raise ClusterError(
            "The workers have another version of pickem.",
            got=able.versions["pickem"],
            expected=pickem.__version__,
            todo="install the same one in both environments",
        )
    asked = _identity(order, volume, network, able.precision)
    grid = Grid(volume.shape, order.volume.scale)
    layout = begun.layout if begun else order.layout or plan(grid, able.reach, able.window)
    job = Job(
        volume=order.volume,
        shape=volume.shape,
        network=network,
        precision=able.precision,
        reach=able.reach,
        layout=layout,
        labels=order.labels,
        probabilities=order.probability_folders,
    )
    if begun is not None:
        output.check_same(begun.identity, asked, order.labels)
        return job
    if order.start == "overwrite":
        for path in {order.out, order.labels, *order.probability_folders}:
            output.remove(path)
    here = {"python": platform.python_version(), "dask": version("dask")}
    provenance = {
        **order.provenance,
        "checkpoint": network.checkpoint.name,
        "sha256": network.sha256,
        "volume": order.volume.location,
        "versions": able.versions | here,
        "job": asked,
        "layout": layout.model_dump(mode="json"),
    }
    output.create(job, order.values, volume.voxel_size, provenance)
    return job


def _segment(job: Job, client: Client, progress: Progress) -> None:
    labels, *_ = output.open_images(job)
    left = output.blocks_left(job, labels)
    total = _voxels([*job.layout.blocks(job.shape)])
    done = total - _voxels(left)
    progress(At("segmenting", done, total))
    failures: list[Failure] = []
    for outcome in each_done(client, worker.segment_block, [job], left):
        if isinstance(outcome, Failure):
            failures.append(outcome)
        else:
            done += outcome.size
            progress(At("segmenting", done, total))
    if failures:
        raise _failed(failures)


def _build_pyramids(job: Job, client: Client, progress: Progress) -> None:
    """Level by level, as each is made from the one below."""
    for number, image in enumerate(output.open_images(job)):
        of_image = f" of probability {number}" if number else ""
        for level in range(1, len(image.levels)):
            stage = f"pyramid{of_image}, level {level}"
            left = output.coarse_left(image, level)
            done, total = 0, _voxels(left)
            progress(At(stage, done, total))
            failures: list[Failure] = []
            for outcome in each_done(client, worker.build_block, [job, number, level], left):
                if isinstance(outcome, Failure):
                    failures.append(outcome)
                else:
                    done += outcome.size
                    progress(At(stage, done, total))
            if failures:
                raise _failed(failures)


def _write_tiff(order: Order, progress: Progress) -> None:
    if not order.labels.exists():
        return
    labels = open_image(order.labels)
    depth, height, width = labels.shape

    def sections() -> Iterator[NDArray[Any]]:
        progress(At("TIFF", 0, depth * height * width))
        for z, section in enumerate(output.sections(labels), start=1):
            progress(At("TIFF", z * height * width, depth * height * width))
            yield section

    write_stack(order.out, sections(), labels.shape, labels.voxel_size)
    output.remove(order.labels)


def _identity(order: Order, volume: Volume, network: NetworkAddress, precision: str) -> output.Json:
    settings = {
        "network": network.sha256,
        "normalisation": network.normalisation.description(),
        "precision": precision,
        "views": network.views,
        "voxel_size": volume.voxel_size,
        "scale": order.volume.scale,
        "probabilities": order.probabilities,
        **({"smoothing": network.smoothing} if network.smoothing else {}),
    }
    return output.identity(volume, settings)


def _as_begun(network: NetworkAddress, begun: output.Begun) -> NetworkAddress:
    """The network as it was when a result was begun: with what a sample of the volume said then, when perhaps
    not all could be read, and in the same precision where no other one is asked for."""
    settled = network.model_dump()
    settled["normalisation"] = begun.identity.get("normalisation", settled["normalisation"])
    if network.precision == "auto":
        settled["precision"] = begun.identity.get("precision")
    try:
        return NetworkAddress.model_validate(settled)
    except ValidationError:  # of another version: what differs is said when the two are compared
        return network


def _failed(failures: list[Failure]) -> BlocksFailedError:
    shown = [f"z, y, x from {f.box.start} to {f.box.stop}: {reason(f.error)}" for f in failures[:10]]
    more = [f"and {len(failures) - 10} more"] if len(failures) > 10 else []
    return BlocksFailedError(
        f"{len(failures)} blocks could not be segmented; all others are."
        if len(failures) > 1
        else "One block could not be segmented; all others are.",
        got="\n            ".join([*shown, *more]),
        todo="mend what these lines say, then start the same command again, with --resume",
    )


def _voxels(boxes: list[Box]) -> int:
    return sum(box.size for box in boxes)


def _in_a_name(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)
