"""Asking for a patch by hand: a place where the result is wrong becomes the next patch to be labelled.

A place lies on the volume's own grid. The patch is the one of the tiling that holds it, so that two places
close to each other ask for one patch, and none ever comes near a control patch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pickem.errors import AnsweredError, ConfigError, PlaceError, nearest_names
from pickem.geometry import PatchId
from pickem.project.painting import original
from pickem.project.project import Project
from pickem.project.store import Revision, StoredPatch, now
from pickem.project.where import inside
from pickem.volumes import Rescaled

Place = tuple[float, float, float]  # (z, y, x)
LengthUnit = Literal["voxels", "nm"]
Answered = Literal["refuse", "reopen"]  # what to do with a patch that was submitted or skipped


@dataclass(frozen=True)
class AskedFor:
    """A patch that now is the next one. `before`: what had been saved of it."""

    stored: StoredPatch
    before: Revision | None


def volume_named(project: Project, name: str | None) -> str:
    """The volume of that name, or the only one. Raises ConfigError."""
    names = list(project.images.volumes)
    if name is None and len(names) > 1:
        raise ConfigError(
            "The project has several volumes.", got="no --volume", expected=f"one of: {', '.join(names)}"
        )
    if name is not None and name not in names:
        raise ConfigError("The project has no such volume.", got=name, todo=nearest_names(name, names))
    return name or names[0]


def patch_at(project: Project, volume: str, place: Place, unit: LengthUnit) -> PatchId:
    """The patch to label at a place of the volume's own grid; 0 is the middle of the first voxel.

    Raises PlaceError for places outside of the volume, too near a control patch, or left out by the mask, and
    ConfigError for nm where the voxel size is not known.
    """
    image = original(project.images.volumes[volume])
    if unit == "nm":
        if image.voxel_size is None:
            raise ConfigError(
                "A place in nm means nothing where the voxel size is not known.",
                got=f"no voxel size of {volume}",
                todo="give the place in voxels",
            )
        place = _triple([p / size for p, size in zip(place, image.voxel_size, strict=True)])
    if not all(math.isfinite(p) for p in place):
        raise PlaceError("The place is not understood.", got=place, expected="three numbers")
    z, y, x = (math.floor(p + 0.5) for p in place)
    if not all(0 <= i < n for i, n in zip((z, y, x), image.shape, strict=True)):
        raise PlaceError(
            f"The place lies outside of {volume}.",
            got=f"voxel {z}, {y}, {x}",
            expected=f"z, y, x below {', '.join(map(str, image.shape))}",
            todo="check the order z,y,x, and --in",
        )
    return _checked(project, volume, (z, y, x))


def ask_for(project: Project, patch: PatchId, answered: Answered) -> AskedFor:
    """Put a patch before all others, to be served next; it stays there until it is answered.

    Pages that are open show it after the patches that they have loaded. Raises AnsweredError for a patch that
    was submitted or skipped, unless it is to be reopened: then what was painted is served to be corrected,
    and counts until it is submitted anew.
    """
    store = project.store
    with store.change() as connection:
        number = store.add(patch)
        stored, newest = store.patch(number), store.newest(number)
        is_answered = bool(store.rows(_ANSWERED, number)) and patch not in store.asked()
        if newest and is_answered and answered == "refuse":
            raise AnsweredError(
                f"This place is in patch {number}, which was {newest.state} already"
                f"{f' by {newest.annotator}' if newest.annotator else ''}.",
                got=f"{patch.volume}, z {patch.z}, y {patch.y}, x {patch.x}",
                todo="open it again with --reopen, to correct it",
            )
        last = int(store.rows("SELECT coalesce(max(id), 0) FROM revisions")[0][0])
        connection.execute(
            "REPLACE INTO asked (patch, after, at) VALUES (?, ?, ?)",
            (number, last if is_answered else 0, now()),
        )
        return AskedFor(stored, newest)


def _checked(project: Project, volume: str, voxel: tuple[int, int, int]) -> PatchId:
    """The patch that holds a voxel of the volume's own grid."""
    seen = project.images.volumes[volume]
    factor = seen.factor if isinstance(seen, Rescaled) else 1
    z, (y, x) = voxel[0], (min(i // factor, n - 1) for i, n in zip(voxel[1:], seen.shape[1:], strict=True))
    candidates = project.candidates()
    patch = candidates.covering(volume, z, y, x)
    if not candidates.allows(patch):
        raise PlaceError(
            "This place is kept for measuring the quality: a control patch is there, or near.",
            got=f"voxel {', '.join(map(str, voxel))}",
            todo="choose a place further away, or some sections on: nothing is learned from here",
        )
    if not inside([patch], project.masks):
        raise PlaceError(
            f"The mask of {volume} leaves this place out.",
            got=f"voxel {', '.join(map(str, voxel))}",
            expected="a patch of which half lies where the mask is not 0",
        )
    return patch


_ANSWERED = "SELECT 1 FROM revisions WHERE patch = ? AND state IN ('submitted', 'skipped')"


def _triple(values: list[float]) -> Place:
    z, y, x = values
    return z, y, x
