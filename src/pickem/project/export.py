"""What leaves a project: the labels, the network, the course of its quality."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pickem.durable import write_durably
from pickem.errors import ConfigError
from pickem.predictor.settings import DeviceName
from pickem.project.course import turns
from pickem.project.exported_images import Form, replaced_image, write_sections
from pickem.project.label_images import create_labels, draw_patches, refresh
from pickem.project.painting import on_own_grid, original, own_section, paint
from pickem.project.predicting import newest_checkpoint
from pickem.project.project import Project
from pickem.volumes import Volume
from pickem.volumes.tiff_writer import write_stack

_MOST = 2**28  # probabilities of a section, which is segmented in one piece: with its neighbours', some 8 GB


def export_labels(project: Project, folder: Path, form: Form = "tiff") -> Iterator[Path]:
    """An image (z, y, x) uint8 per volume, on its own grid: class index, 255 = not labelled.

    Control patches are in it: they are labels as good as any. Made from the database; the project's own
    labels.ome.zarr is brought up to date afterwards.
    """
    for name, volume in project.images.volumes.items():
        if form == "tiff":
            own = original(volume)
            painted = _painted(project, name, volume)
            yield write_stack(folder / f"{name}-labels.tif", painted, own.shape, own.voxel_size)
        else:
            path = folder / f"{name}-labels.ome.zarr"
            with replaced_image(path) as building:
                image = create_labels(project, name, building)
                draw_patches(project, {name: image}, project.store.answered())
            yield path
    refresh(project)


def export_model(project: Project, folder: Path) -> Iterator[Path]:
    """The newest network: weights (safetensors) and description (JSON)."""
    checkpoint = newest_checkpoint(project)
    for path in (checkpoint.with_suffix(".json"), checkpoint):
        target = folder / f"{project.settings.name}-model{path.suffix}"
        write_durably(target, path.read_bytes())
        yield target


def export_segmentation(
    project: Project,
    folder: Path,
    progress: Callable[[int, int], None],
    device: DeviceName = "auto",
    form: Form = "tiff",
) -> Iterator[Path]:
    """What the newest network sees everywhere: an image (z, y, x) uint8 of class indices per volume, on its
    own grid.

    `progress` is called with sections done and sections in all. Raises ConfigError where sections are too
    large, before anything is written.
    """
    checkpoint = newest_checkpoint(project)
    _check_sections(project, folder, form)
    predictor = project.predictor(device)
    predictor.load_weights(checkpoint)
    total = sum(shape[0] for shape in project.shapes.values())
    done = itertools.count(1)

    def sections(name: str, volume: Volume) -> Iterator[NDArray[np.uint8]]:
        depth = volume.shape[0]
        predicted = predictor.predict_sections(lambda z: project.inputs.plane(name, z), range(depth), depth)
        for z, probability in enumerate(predicted):
            segmented = probability.argmax(axis=0).astype(np.uint8)
            progress(next(done), total)  # before the last `yield`, from which the writer never comes back
            yield on_own_grid(segmented[None], volume, own_section(z, volume))[0]

    for name, volume in project.images.volumes.items():
        if form == "tiff":
            path = folder / f"{name}-segmentation.tif"
            own = original(volume)
            yield write_stack(path, sections(name, volume), own.shape, own.voxel_size)
        else:
            provenance = {"checkpoint": checkpoint.name, "sha256": _sha256(checkpoint)}
            path = folder / f"{name}-segmentation.ome.zarr"
            with replaced_image(path) as building:
                write_sections(create_labels(project, name, building, provenance), sections(name, volume))
            yield path


def _check_sections(project: Project, folder: Path, form: Form) -> None:
    classes = len(project.settings.classes) + 1
    ending = "tif" if form == "tiff" else "ome.zarr"
    for name, (_, height, width) in project.shapes.items():
        if classes * height * width > _MOST:
            raise ConfigError(
                f"The sections of {name} are too large to be segmented in one piece.",
                got=f"{height} × {width} pixels, {classes} classes with the background",
                expected=f"at most {_MOST // classes} pixels; in blocks, any number",
                todo=f"pickem predict {project.folder} {name} --out {folder / name}-segmentation.{ending}",
            )


def export_curve(project: Project, folder: Path) -> Iterator[Path]:
    """quality.csv: of each round's network, what the audit patches said, and what its proposals took.

    `proposals` counts those that a submitted mask was painted on, `changed` is the share of them that had to
    be changed (see `pickem.project.corrections`). Empty where nothing is known.
    """
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(
        [*("round", "labelled_patches", "audit_patches", "jaccard", "low", "high"), *("proposals", "changed")]
    )
    for turn in turns(project.store):
        q, c = turn.quality, turn.corrections
        measured = [q.patches, *_figures(q.jaccard, q.low, q.high)] if q else [0, "", "", ""]
        corrected = [c.patches, *_figures(c.share)] if c else [0, ""]
        writer.writerow([turn.round, turn.labelled, *measured, *corrected])
    path = folder / "quality.csv"
    write_durably(path, table.getvalue().encode())
    yield path


def _figures(*values: float | None) -> list[str]:
    return ["" if value is None else f"{value:.4f}" for value in values]


def _painted(project: Project, name: str, volume: Volume) -> Iterator[NDArray[np.uint8]]:
    for z in range(volume.shape[0]):
        yield paint(project.store, name, volume, own_section(z, volume))[0]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
