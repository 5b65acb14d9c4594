"""In which folders and files each public dataset is found, and the splits of each.

vnc        stack1/raw/*.tif + stack1/mitochondria/*.png          (as in the repository, or without stack1)
epfl       training.tif, training_groundtruth.tif, testing.tif, testing_groundtruth.tif
lucchi++   the same four files, or Train_In/, Train_Out/, Test_In/, Test_Out/ of PNG sections
mira       images/ + labels/, a file a section
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pickem.datasets.dataset import LabelledVolume, Part, SplitParts
from pickem.datasets.sources import Source
from pickem.errors import DatasetNotFoundError
from pickem.volumes import open_volume

Volumes = dict[str, LabelledVolume]
Pair = tuple[str, str]  # paths of image and labels, relative to the dataset's folder

# For each dataset its layouts; for each layout the volumes and where image and labels of each lie.
_TWO_STACKS = {
    "training": ("training.tif", "training_groundtruth.tif"),
    "testing": ("testing.tif", "testing_groundtruth.tif"),
}
_SECTION_FOLDERS = {"training": ("Train_In", "Train_Out"), "testing": ("Test_In", "Test_Out")}
LAYOUTS: dict[str, tuple[dict[str, Pair], ...]] = {
    "vnc": (
        {"vnc": ("stack1/raw", "stack1/mitochondria")},
        {"vnc": ("raw", "mitochondria")},
    ),
    "epfl": (_TWO_STACKS, _SECTION_FOLDERS),
    "lucchi++": (_TWO_STACKS, _SECTION_FOLDERS),
    "mira": ({"mira": ("images", "labels")},),
}


def open_layout(source: Source, folder: Path) -> Volumes:
    """The volumes of a dataset in whichever of its layouts `folder` has.

    Raises DatasetNotFoundError, saying what was looked for and how to get it.
    """
    for layout in LAYOUTS[source.name]:
        paths = [folder / path for pair in layout.values() for path in pair]
        if all(path.exists() for path in paths):
            return {
                name: LabelledVolume(
                    open_volume(folder / image, source.voxel_size),
                    open_volume(folder / labels, source.voxel_size),
                )
                for name, (image, labels) in layout.items()
            }
    looked_for = " or ".join(
        ", ".join(path for pair in layout.values() for path in pair) for layout in LAYOUTS[source.name]
    )
    raise DatasetNotFoundError(
        f"The dataset {source.name} is not on this machine.",
        got=f"nothing complete in {folder}",
        expected=looked_for,
        todo=source.by_hand
        or f"pickem data fetch {source.name}, or name its folder's parent with --data-dir",
    )


def splits(name: str, volumes: Volumes) -> dict[str, SplitParts]:
    """The paper's test split, and the dev split inside its training part."""
    return _SPLITS[name](volumes)


def _halves_along_y(volumes: Volumes) -> dict[str, SplitParts]:
    """First half of the rows trains, second half tests (paper). Inside the first half: 9/16 train and 5/16
    evaluate, with 1/8 between them, so that hardly a mitochondrion is on both sides."""
    ((name, volume),) = volumes.items()
    half = volume.image.shape[1] // 2
    height = volume.image.shape[1]
    return {
        "test": SplitParts((Part(name, y=(0, half)),), (Part(name, y=(half, height)),)),
        "dev": SplitParts((Part(name, y=(0, half * 9 // 16)),), (Part(name, y=(half * 11 // 16, half)),)),
    }


def _two_stacks(volumes: Volumes) -> dict[str, SplitParts]:
    """The training stack trains, the testing stack tests (paper). Inside the training stack: the first 100
    of 165 sections train and the last 45 evaluate, with 20 sections (0.1 µm) between them."""
    sections = volumes["training"].image.shape[0]
    train, evaluate = sections * 100 // 165, sections * 120 // 165
    return {
        "test": SplitParts((Part("training"),), (Part("testing"),)),
        "dev": SplitParts((Part("training", z=(0, train)),), (Part("training", z=(evaluate, sections)),)),
    }


_SPLITS: dict[str, Callable[[Volumes], dict[str, SplitParts]]] = {
    "vnc": _halves_along_y,
    "mira": _halves_along_y,
    "epfl": _two_stacks,
    "lucchi++": _two_stacks,
}
