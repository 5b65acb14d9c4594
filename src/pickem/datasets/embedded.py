"""The demo: six SEM images of rat spinal cord with axon and myelin labelled, inside the package (MIT).

Split by animal, so that no animal is on both sides:

    test   trains on rats 2, 3 and 4 (five images), evaluates on rat 6
    dev    trains on rats 2 and 3 (four images),    evaluates on rat 4
"""

from __future__ import annotations

import shutil
from importlib import resources
from pathlib import Path

from pickem.datasets.dataset import Dataset, LabelledVolume, Part, SplitParts
from pickem.durable import storage_error
from pickem.volumes import open_volume

_TRAIN = ("rat2-data5", "rat3-data9", "rat3-data10", "rat3-data11")
_RAT_4, _RAT_6 = "rat4-data12", "rat6-data15"


def open_demo() -> Dataset:
    """The embedded demo. Pixel sizes are left open: they differ between animals and not all are published."""
    folder = _folder()
    names = (*_TRAIN, _RAT_4, _RAT_6)
    volumes = {
        name: LabelledVolume(open_volume(folder / f"{name}.tif"), open_volume(folder / f"{name}_labels.tif"))
        for name in names
    }
    return Dataset(
        name="demo",
        title="SEM, rat spinal cord, six images; embedded",
        classes=("axon", "myelin"),
        volumes=volumes,
        splits={
            "test": SplitParts(_whole(*_TRAIN, _RAT_4), _whole(_RAT_6)),
            "dev": SplitParts(_whole(*_TRAIN), _whole(_RAT_4)),
        },
        annotation="original",
        licence="MIT",
        citation=(
            "A. Zaimi et al.: AxonDeepSeg: automatic axon and myelin segmentation from microscopy data using "
            "convolutional neural networks. Scientific Reports 8:3816, 2018. doi:10.1038/s41598-018-22181-4. "
            "Data: doi:10.5281/zenodo.5498378"
        ),
        label_values=((1,), (2,)),
    )


def copy_demo(target: Path) -> Path:
    """Copy images, labels, licence and citation into the folder `target`, and return it.

    Raises StorageError where it cannot be written.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in sorted(_folder().iterdir()):
            shutil.copyfile(path, target / path.name)
    except OSError as error:
        raise storage_error(target, error) from error
    return target


def _folder() -> Path:
    return Path(str(resources.files("pickem.datasets") / "demo"))


def _whole(*names: str) -> tuple[Part, ...]:
    return tuple(Part(name) for name in names)
