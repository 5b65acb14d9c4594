"""What the network sees of a project: sections, normalised, each volume by what a sample of it said.

The sample is taken once, by `pickem new`, and what it said stays in the database: however often a project is
opened, moved or restored, its networks see the same numbers. A project of before this was kept goes on with
what its newest network was trained on, which its checkpoint says; without a network, it is sampled now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from pickem.geometry import PatchId
from pickem.predictor import Normalisation, PerVolume
from pickem.predictor.settings import NormalisationKind
from pickem.project import rounds
from pickem.project.images import PatchImages
from pickem.project.store import Store
from pickem.volumes import Volume, sample_blocks


class NetworkInputs:
    """The volumes of a project as the network sees them, by name.

    sections: an odd number; so many does the network see at once, the one it segments in the middle. With
    more than one, images have an axis of so many channels before their rows and columns.
    """

    def __init__(self, images: PatchImages, normalisation: PerVolume, sections: int = 1) -> None:
        self.normalisation = normalisation
        self.sections = sections
        self._images = images

    def images(self, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.float32]:
        """Normalised grey values (n, [sections,] h + 2 context, w + 2 context) of patches of one size;
        volumes end in mirrors."""
        return self.normalised(self.grey_values(patches, context), patches)

    def grey_values(self, patches: Sequence[PatchId], context: int = 0) -> NDArray[np.generic]:
        """As `images`, before they are normalised."""
        return self._images.grey_values(patches, context, self.sections)

    def normalised(
        self, images: Sequence[NDArray[np.generic]] | NDArray[np.generic], patches: Sequence[PatchId]
    ) -> NDArray[np.float32]:
        """The grey values ([sections,] h, w) of patches, normalised: (n, [sections,] h, w)."""
        return self.normalisation.normalised(images, [patch.volume for patch in patches])

    def plane(self, name: str, z: int) -> NDArray[np.float32]:
        """What the network sees of a whole section of a volume: ([sections,] h, w), normalised."""
        _, height, width = self._images.volumes[name].shape
        plane: NDArray[np.float32] = self.images([PatchId(name, z, 0, 0, height, width)])[0]
        return plane


@dataclass(frozen=True)
class InputPool:
    """Many patches held as the volumes have them, and normalised when a batch asks for them: a quarter of the
    memory for 8 bits."""

    inputs: NetworkInputs
    patches: Sequence[PatchId]
    grey_values: NDArray[np.generic]  # (n, [sections,] h, w), with context

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, indices: NDArray[np.intp]) -> NDArray[np.float32]:
        return self.inputs.normalised(self.grey_values[indices], [self.patches[i] for i in indices])


def settle_normalisation(
    store: Store, checkpoints: Path, images: PatchImages, kind: NormalisationKind
) -> PerVolume:
    """The normalisation that the database has; where it has none yet, one that it has from now on.

    Reads a sample of the volumes in that case. Raises StorageError, and what reading the volumes raises.
    """
    stored = _stored(store)
    if stored.keys() >= images.volumes.keys():
        return PerVolume(volumes={name: stored[name] for name in images.volumes})
    earlier = _of_newest_network(store, checkpoints)
    for name, volume in images.volumes.items():
        if name not in stored:
            _write(store, name, earlier or measured(volume, kind))
    return PerVolume(volumes=_stored(store))  # another process may have been quicker


def measured(volume: Volume, kind: NormalisationKind) -> Normalisation:
    """What the grey values of a volume say by either rule; a benchmark's training regions by the same."""
    if kind == "deviation":
        return Normalisation.of(PatchImages({"": volume}).samples())
    return Normalisation.robust(sample_blocks(volume))


def _of_newest_network(store: Store, checkpoints: Path) -> Normalisation | None:
    """The one that a network of before was trained on, for all volumes together."""
    latest = rounds.latest_round(store)
    if latest is None or latest.checkpoint is None:
        return None
    try:
        header = json.loads((checkpoints / latest.checkpoint).with_suffix(".json").read_bytes())
        return Normalisation.model_validate(header["normalisation"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):  # damaged: the trainer will say so
        return None


def _stored(store: Store) -> Mapping[str, Normalisation]:
    return {
        row["volume"]: Normalisation(
            mean=row["mean"], deviation=row["deviation"], low=row["low"], high=row["high"]
        )
        for row in store.rows("SELECT * FROM normalisation ORDER BY rowid")
    }


def _write(store: Store, name: str, found: Normalisation) -> None:
    values = (name, found.mean, found.deviation, found.low, found.high)
    with store.change() as connection:
        connection.execute("INSERT OR IGNORE INTO normalisation VALUES (?, ?, ?, ?, ?)", values)
