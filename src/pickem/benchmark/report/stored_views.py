"""The small images that a run keeps of its networks, as stored under `DIR/runs/STRATEGY/seed-N/views/`.

evaluation-0120.npz   the same crop of the evaluated split, as the network with 120 labels segments it
evaluation-full.npz   the same, of a network trained on all labels
picks-1.npz           the first patch of the first query, as the network of that moment saw it
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from pickem.errors import JournalError


@dataclass(frozen=True)
class EvaluationView:
    """A crop of the evaluated split, as one network segments it."""

    image: NDArray[np.uint8]  # (h, w)
    truth: NDArray[np.uint8]  # (h, w) class index; 255 = unlabelled
    prediction: NDArray[np.uint8]  # (h, w) class index
    jaccard: float  # of the network on the WHOLE split, not on the crop


@dataclass(frozen=True)
class PickView:
    """The first pick of a query, as the network that chose it saw it."""

    image: NDArray[np.uint8]  # (h, w)
    foreground: NDArray[np.float32]  # (h, w) predicted probability of foreground, 1 − p_background
    confidence: NDArray[np.float32]  # (h, w) max_c p (paper, eq. 2)


class ViewFolder:
    """The views of a strategy, by seed. Opens no image before it is asked for."""

    def __init__(self, directory: Path, strategy: str) -> None:
        folders = (directory / "runs" / strategy).glob("seed-*/views")
        self._by_seed = {int(match[1]): path for path in folders if (match := _SEED.match(path.parent.name))}

    @property
    def seeds(self) -> list[int]:
        """Seeds that have views, increasing."""
        return sorted(self._by_seed)

    def evaluations(self, seed: int) -> Mapping[int, Path]:
        """Files of the evaluation views of a seed by number of labelled patches, increasing."""
        return self._numbered(seed, "evaluation")

    def picks(self, seed: int) -> Mapping[int, Path]:
        """Files of the pick views of a seed by query, increasing; the first query is 1."""
        return self._numbered(seed, "picks")

    def full(self, seed: int) -> Path | None:
        """File of the view of a network trained on all labels; None where there is none."""
        path = self._by_seed[seed] / "evaluation-full.npz"
        return path if path.is_file() else None

    def _numbered(self, seed: int, kind: str) -> Mapping[int, Path]:
        folder = self._by_seed.get(seed)
        paths = folder.glob(f"{kind}-*.npz") if folder else ()
        found = {int(match[1]): path for path in paths if (match := _NUMBER.search(path.name))}
        return dict(sorted(found.items()))


def read_evaluation_view(path: Path) -> EvaluationView:
    """Raises JournalError where the file is damaged."""
    arrays = _read(path, ("image", "truth", "prediction", "jaccard"))
    image, truth, prediction = (arrays[name].astype(np.uint8) for name in ("image", "truth", "prediction"))
    return EvaluationView(image, truth, prediction, float(arrays["jaccard"].item()))


def read_pick_view(path: Path) -> PickView:
    """Raises JournalError where the file is damaged."""
    arrays = _read(path, ("image", "foreground", "confidence"))
    foreground, confidence = (arrays[name].astype(np.float32) for name in ("foreground", "confidence"))
    return PickView(arrays["image"].astype(np.uint8), foreground, confidence)


_SEED = re.compile(r"seed-(\d+)$")
_NUMBER = re.compile(r"-(\d+)\.npz$")


def _read(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
    try:
        content = io.BytesIO(path.read_bytes())  # np.load does not close a file that it cannot make out
        archive = np.load(content, allow_pickle=False)
        if not isinstance(archive, NpzFile):
            raise ValueError("a single array, not an archive of arrays")
        arrays = {name: np.asarray(archive[name]) for name in names}
        images = [array.shape for array in arrays.values() if array.ndim > 0]
        if any(len(shape) != 2 or shape != images[0] for shape in images):
            raise ValueError(f"images of different shapes: {images}")
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise JournalError(
            "An image kept by a run cannot be read.",
            got=f"{path}: {error}",
            expected=f"an .npz archive with {', '.join(names)}",
            todo="delete this file; the report is made without it",
        ) from error
    return arrays
