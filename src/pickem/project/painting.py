"""What was painted, as voxels: any box of a volume, on the volume's own grid, from the database alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.geometry import Box, PatchId, whole
from pickem.project.masks import unpack
from pickem.project.schema import LAST_ANSWER
from pickem.project.store import Store
from pickem.volumes import Rescaled, Volume


def original(volume: Volume) -> Volume:
    """The volume as it lies on disk, of one that is labelled at a coarser pixel size; else itself."""
    return volume.original if isinstance(volume, Rescaled) else volume


def own_box(patch: PatchId, volume: Volume) -> Box:
    """A patch's box on the volume's own grid."""
    (z0, y0, x0), (z1, y1, x1) = patch.box.start, patch.box.stop
    f = _factor(volume)
    return Box((z0, y0 * f, x0 * f), (z1, y1 * f, x1 * f))


def own_section(z: int, volume: Volume) -> Box:
    """The box of a whole section on the volume's own grid."""
    _, height, width = original(volume).shape
    return Box((z, 0, 0), (z + 1, height, width))


def paint(store: Store, name: str, volume: Volume, box: Box) -> NDArray[np.uint8]:
    """The labels in `box` of the volume called `name`, counted on its own grid: class index, 255 = not
    labelled.

    Patches are laid over each other in the order of their first submission, control patches last; what one
    leaves unlabelled, one below may show.
    """
    under = _under(box, volume)
    labels = np.full(under.shape, UNLABELLED, np.uint8)
    for patch, mask in _masks(store, name, under):
        common = patch.box.intersection(under)
        window = labels[common.relative_to(under.start).slices]
        shown = mask[None][common.relative_to(patch.box.start).slices]
        window[shown != UNLABELLED] = shown[shown != UNLABELLED]
    return on_own_grid(labels, volume, box)


def on_own_grid(labels: NDArray[np.uint8], volume: Volume, box: Box) -> NDArray[np.uint8]:
    """The labels in `box` of a volume's own grid, from those of the working grid that lie under it.

    Edges that the working grid leaves out are not labelled.
    """
    f, under = _factor(volume), _under(box, volume)
    top, left = box.start[1] - under.start[1] * f, box.start[2] - under.start[2] * f
    fine = labels.repeat(f, axis=1).repeat(f, axis=2)[:, top : top + box.shape[1], left : left + box.shape[2]]
    found = np.full(box.shape, UNLABELLED, np.uint8)
    found[:, : fine.shape[1], : fine.shape[2]] = fine
    return found


def _under(box: Box, volume: Volume) -> Box:
    """The box of the working grid that covers `box` of the volume's own."""
    f = _factor(volume)
    (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
    return Box((z0, y0 // f, x0 // f), (z1, -(-y1 // f), -(-x1 // f))).intersection(whole(volume.shape))


def _masks(store: Store, name: str, box: Box) -> list[tuple[PatchId, NDArray[np.uint8]]]:
    """The newest submitted masks that touch `box`, in the order in which to lay them over each other."""
    (z0, y0, x0), (z1, y1, x1) = box.start, box.stop
    rows = store.rows(
        f"SELECT p.*, r.mask FROM patches p JOIN revisions r ON r.id = {LAST_ANSWER} "
        "WHERE r.state = 'submitted' AND p.volume = ? AND p.z >= ? AND p.z < ? "
        "AND p.y + p.height > ? AND p.y < ? AND p.x + p.width > ? AND p.x < ? "
        "ORDER BY p.kind = 'audit', "
        "(SELECT min(id) FROM revisions WHERE patch = p.id AND state = 'submitted')",
        *(name, z0, z1, y0, y1, x0, x1),
    )
    return [
        (
            PatchId(name, row["z"], row["y"], row["x"], row["height"], row["width"]),
            unpack(row["mask"], row["height"], row["width"]),
        )
        for row in rows
    ]


def _factor(volume: Volume) -> int:
    return volume.factor if isinstance(volume, Rescaled) else 1
