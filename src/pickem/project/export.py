"""What leaves a project: the labels, the network, the course of its quality."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.durable import storage_error, write_durably
from pickem.errors import NoResultsError, PickemError
from pickem.geometry import Box
from pickem.predictor.backend import DeviceName
from pickem.project import rounds
from pickem.project.course import turns
from pickem.project.project import Project
from pickem.volumes import Rescaled, Volume


def export_labels(project: Project, folder: Path) -> Iterator[Path]:
    """A compressed TIFF stack (z, y, x) uint8 per volume, on its own grid: class index, 255 = not labelled.

    Audit patches are in it: they are labels as good as any. Written section by section.
    """
    for name, volume in project.images.volumes.items():
        yield _write_stack(folder / f"{name}-labels.tif", _sections(project, name, volume), volume)


def export_model(project: Project, folder: Path) -> Iterator[Path]:
    """The newest network: weights (safetensors) and description (JSON)."""
    checkpoint = _newest_checkpoint(project)
    for path in (checkpoint.with_suffix(".json"), checkpoint):
        target = folder / f"{project.settings.name}-model{path.suffix}"
        write_durably(target, path.read_bytes())
        yield target


def export_segmentation(
    project: Project, folder: Path, progress: Callable[[int, int], None], device: DeviceName = "auto"
) -> Iterator[Path]:
    """What the newest network sees everywhere: a TIFF stack (z, y, x) uint8 of class indices per volume.

    `progress` is called with sections done and sections in all.
    """
    checkpoint = _newest_checkpoint(project)
    predictor = project.predictor(device)
    predictor.load_weights(checkpoint)
    total = sum(shape[0] for shape in project.shapes.values())
    done = itertools.count(1)

    def sections(volume: Volume) -> Iterator[NDArray[np.uint8]]:
        _, height, width = volume.shape
        for z in range(volume.shape[0]):
            plane = volume.read(Box((z, 0, 0), (z + 1, height, width)))[0]
            segmented = predictor.predict_plane(plane).argmax(axis=0).astype(np.uint8)
            progress(next(done), total)  # before the last `yield`, from which the writer never comes back
            yield _on_own_grid(segmented, volume)

    for name, volume in project.images.volumes.items():
        yield _write_stack(folder / f"{name}-segmentation.tif", sections(volume), volume)


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


def _newest_checkpoint(project: Project) -> Path:
    latest = rounds.latest_round(project.store)
    if latest is None or latest.checkpoint is None:
        raise NoResultsError(
            "This project has no trained network yet.",
            got=f"{project.store.count('query', 'submitted')} labelled patches",
            expected=f"{project.settings.first_patches} patches and a round of training",
            todo=f"pickem label {project.folder}",
        )
    return project.checkpoints / latest.checkpoint


def _write_stack(path: Path, sections: Iterator[NDArray[np.uint8]], volume: Volume) -> Path:
    """Write sections on a volume's own grid one by one, the file whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with tifffile.TiffWriter(partial, bigtiff=True) as file:
                file.write(
                    sections,
                    shape=volume.original.shape if isinstance(volume, Rescaled) else volume.shape,
                    dtype=np.uint8,
                    photometric="minisblack",
                    compression="zlib",
                    metadata={"axes": "ZYX"},
                )
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except PickemError:  # a volume that cannot be read
        raise
    except OSError as error:
        raise storage_error(path, error) from error
    return path


def _sections(project: Project, name: str, volume: Volume) -> Iterator[NDArray[np.uint8]]:
    by_section: dict[int, list[tuple[slice, slice, NDArray[np.uint8]]]] = {}
    painted = project.store.submitted("query") | project.store.submitted("audit")
    for stored, mask in painted.items():
        if stored.patch.volume == name:
            _, rows, columns = stored.patch.box.slices
            by_section.setdefault(stored.patch.z, []).append((rows, columns, mask))
    for z in range(volume.shape[0]):
        section = np.full(volume.shape[1:], UNLABELLED, np.uint8)
        for rows, columns, mask in by_section.get(z, ()):
            window = section[rows, columns]
            window[mask != UNLABELLED] = mask[mask != UNLABELLED]
        yield _on_own_grid(section, volume)


def _on_own_grid(section: NDArray[np.uint8], volume: Volume) -> NDArray[np.uint8]:
    """A section of the working grid as one of the volume on disk; edges that the working grid left out are
    not labelled."""
    if not isinstance(volume, Rescaled):
        return section
    fine = np.full(volume.original.shape[1:], UNLABELLED, np.uint8)
    repeated = section.repeat(volume.factor, axis=0).repeat(volume.factor, axis=1)
    fine[: repeated.shape[0], : repeated.shape[1]] = repeated
    return fine
