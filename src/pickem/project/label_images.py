"""labels.ome.zarr: what was painted, as an image on each volume's own grid. Never the truth.

NAME.pickem/labels.ome.zarr/
  zarr.json        a group of labels; says up to which answer it was drawn, and how its files were left
  VOLUME/          a label image per volume

The folder is drawn from the database alone: what was answered since the last time, where its files are just
as they were left then; all of it anew where they are not, be it that the process was killed, that somebody
deleted, damaged or painted something in it, or that the database was put back to an earlier state. Either way
the same images come out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from pickem.acquisition import UNLABELLED
from pickem.durable import storage_error, whole_folder, write_durably
from pickem.errors import PickemError, ProjectLockedError, StorageError, VolumeError
from pickem.geometry import Box, PatchId
from pickem.project.answers import NONE_YET, Answer, answered_since, last_answer, was_given
from pickem.project.classes import label_values
from pickem.project.painting import original, own_box, paint
from pickem.project.project import Project
from pickem.volumes import ImageSpec, OmeZarrImage, create_image, open_image
from pickem.volumes.chunk_storage import read_json
from pickem.volumes.ome_attributes import group_document, labels_attributes

Progress = Callable[[int, int], None]  # done, of how many
FOLDER = "labels.ome.zarr"
_WITHOUT_LIMIT = -1.0


def refresh(project: Project, progress: Progress = lambda *_: None, patience: float = _WITHOUT_LIMIT) -> None:
    """Bring labels.ome.zarr up to date, or draw it anew.

    Waits `patience` seconds for another process that is doing so, and then raises ProjectLockedError.
    Raises StorageError. Killed, it leaves what the next call sets right.
    """
    folder = project.folder / FOLDER
    with _alone(project, patience):
        last = last_answer(project.store)  # asked first: what is answered meanwhile is drawn next time
        drawn = _drawn_up_to(project, folder)
        if drawn == last:
            return
        if drawn is not None:
            with suppress(VolumeError):  # damaged in a way that does not show from outside
                images = {name: open_image(folder / name) for name in project.images.volumes}
                draw_patches(project, images, answered_since(project.store, drawn), progress)
                _mark(project, folder, last)
                return
        with whole_folder(folder) as building:
            images = {name: create_labels(project, name, building / name) for name in project.images.volumes}
            draw_patches(project, images, answered_since(project.store, NONE_YET), progress)
            _mark(project, building, last)


class Upkeep:
    """Keeps labels.ome.zarr up to date beside other work, which no trouble with it may stop."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._tried: Answer | None = None

    def keep(self) -> None:
        """Draw what was answered since the last call. Trouble is noted, and waits for the next answer."""
        last = last_answer(self._project.store)
        if last == self._tried:
            return
        try:
            refresh(self._project, patience=0)
        except ProjectLockedError:
            return
        except PickemError as error:
            with suppress(StorageError):
                self._project.store.note("problem", f"{FOLDER} is not up to date. {error}")
        self._tried = last


def create_labels(
    project: Project, name: str, folder: Path, provenance: Mapping[str, str] | None = None
) -> OmeZarrImage:
    """A label image for the volume called `name`, on its own grid, nothing labelled yet."""
    volume = original(project.images.volumes[name])
    origin = {"project": project.settings.name, "volume": project.settings.volumes[name].path}
    return create_image(
        folder,
        ImageSpec(
            name=name,
            shape=volume.shape,
            dtype=np.dtype(np.uint8),
            voxel_size=volume.voxel_size,
            fill=UNLABELLED,
            values=label_values(project.settings),
            provenance=origin | dict(provenance or {}),
        ),
    )


def draw_patches(
    project: Project,
    images: Mapping[str, OmeZarrImage],
    patches: Iterable[PatchId],
    progress: Progress = lambda *_: None,
) -> None:
    """Draw the labels as they are now wherever these patches lie, in the images of their volumes.

    A file is written once, and no more than what it holds is held.
    """
    places: dict[str, list[Box]] = {name: [] for name in images}
    for patch in patches:
        if patch.volume in places:
            places[patch.volume].append(own_box(patch, project.images.volumes[patch.volume]))
    work = [(name, region) for name, boxes in places.items() for region in _regions(images[name], boxes)]
    for done, (name, region) in enumerate(work, start=1):
        images[name].write(region, paint(project.store, name, project.images.volumes[name], region))
        images[name].update_pyramid(region)
        progress(done, len(work))


def _regions(image: OmeZarrImage, boxes: Iterable[Box]) -> list[Box]:
    """For each shard that any of these boxes touch, the smallest box around what they have in it."""
    found: dict[Box, Box] = {}
    for box in boxes:
        for shard in image.shards(box):
            part = box.intersection(shard)
            found[shard] = found[shard].hull(part) if shard in found else part
    return list(found.values())


class _Mark(BaseModel):
    """What the folder's attributes say of its making."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    answer: Answer
    layout: dict[str, Any]
    files: str


def _mark(project: Project, folder: Path, answer: Answer) -> None:
    mark = _Mark(answer=answer, layout=_layout(project), files=_files(folder))
    provenance = {"project": project.settings.name, **mark.model_dump(mode="json")}
    names = list(project.images.volumes)
    write_durably(folder / "zarr.json", group_document(labels_attributes(names, provenance)))


def _drawn_up_to(project: Project, folder: Path) -> Answer | None:
    """The last answer that the folder shows; None where it has to be drawn anew."""
    try:
        node = read_json(str(folder), "zarr.json") or {}
        mark = _Mark.model_validate(node["attributes"]["pickem"])
    except (VolumeError, ValidationError, KeyError, TypeError):
        return None
    try:
        as_it_was_left = mark.layout == _layout(project) and mark.files == _files(folder)
    except OSError:  # somebody is deleting it just now
        return None
    return mark.answer if as_it_was_left and was_given(project.store, mark.answer) else None


def _layout(project: Project) -> dict[str, Any]:
    """What the images depend on, besides the masks; as it comes back from JSON."""
    volumes = {name: original(volume) for name, volume in project.images.volumes.items()}
    return {
        "classes": list(project.settings.classes),
        "volumes": {
            name: [list(v.shape), None if v.voxel_size is None else list(v.voxel_size)]
            for name, v in volumes.items()
        },
        "factors": {name: source.factor for name, source in project.settings.volumes.items()},
    }


def _files(folder: Path) -> str:
    """A digest of names, sizes and times of all files, save the one that it is written into."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / "zarr.json":
            status = path.stat()
            line = f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


@contextmanager
def _alone(project: Project, patience: float) -> Iterator[None]:
    lock = FileLock(project.folder / "labels.lock")
    try:
        lock.acquire(timeout=patience)
    except Timeout as error:
        raise ProjectLockedError(
            f"Another process is drawing {FOLDER}.", got=project.folder, todo="try again in a moment"
        ) from error
    except OSError as error:
        raise storage_error(project.folder, error) from error
    try:
        yield
    finally:
        lock.release()
