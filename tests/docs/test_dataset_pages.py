"""The pages about datasets say what is true: the TOML loads as printed, and no dataset is left out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pickem.cli.main import app
from pickem.datasets import Dataset, open_dataset, sources
from pickem.geometry import Box
from tests.fixtures.stand_ins import scene, write_volume

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = DOCS / "how-to" / "own-dataset.md"
REFERENCE = DOCS / "reference" / "datasets.md"
SHAPE = (3, 512, 40)  # rows as the example's parts name them


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The TOML file printed in the how-to, with images and labels where it says that they are."""
    (printed,) = re.findall(r"^```toml\n(.*?)^```", HOW_TO.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for seed, paths in enumerate(tomllib.loads(printed)["volumes"].values()):
        image, mask = scene(SHAPE, np.random.default_rng(seed))
        labels = mask.astype(np.uint8)
        labels[:, :, :20] *= 2
        write_volume(tmp_path / paths["image"], image, ending=".png")
        write_volume(tmp_path / paths["labels"], labels, ending=".png")
    path = tmp_path / "mitochondria.toml"
    path.write_text(printed, encoding="utf-8")
    return path


@pytest.fixture
def opened(example: Path) -> Dataset:
    """The dataset printed in the how-to, opened."""
    return open_dataset(str(example))


def test_the_example_has_the_classes_and_splits_that_it_prints(opened: Dataset) -> None:
    assert opened.classes == ("mitochondrion", "nucleus")
    assert [region.volume for region in opened.split("test").evaluate] == ["second"]
    (train,), (evaluate,) = opened.split("dev").train, opened.split("dev").evaluate
    assert train.region == Box((0, 0, 0), (3, 230, 40))
    assert evaluate.region == Box((0, 355, 0), (3, 512, 40))


def test_the_gap_of_the_example_is_as_wide_as_the_page_says(opened: Dataset) -> None:
    (train,), (evaluate,) = opened.split("dev").train, opened.split("dev").evaluate
    assert opened.voxel_size is not None
    rows = evaluate.region.start[1] - train.region.stop[1]
    assert f"{rows} rows at {opened.voxel_size[1]:.0f} nm are {rows * opened.voxel_size[1] / 1000} µm" in (
        HOW_TO.read_text("utf-8")
    )


def test_the_example_passes_the_check_that_the_page_advises(example: Path) -> None:
    checked = CliRunner().invoke(app, ["data", "verify", str(example)])
    assert checked.exit_code == 0, checked.output


def test_every_key_is_in_the_table() -> None:
    page = HOW_TO.read_text("utf-8")
    (printed,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    for key in tomllib.loads(printed):
        assert f"`{key}" in table


def test_every_dataset_is_in_the_reference() -> None:
    page = REFERENCE.read_text("utf-8")
    for source in sources().values():
        assert f"[`{source.name}`]" in page
        assert f"\n## `{source.name}`\n" in page
        (row,) = [line for line in page.splitlines() if line.startswith(f"| [`{source.name}`]")]
        assert " × ".join(f"{size:g}" for size in source.voxel_size) in row
        assert source.licence.split(" by its source")[0] in row
        assert all(name in row for name in source.classes)
    assert "\n## `demo`\n" in page


def test_the_reference_says_which_hashes_are_known() -> None:
    downloaded = [source for source in sources().values() if source.files]
    hashed = {source.name for source in downloaded if all(file.sha256 for file in source.files)}
    assert hashed == {"vnc", "lucchi++"}
    assert "all files of `vnc`, the archive of `lucchi++`" in REFERENCE.read_text("utf-8")


def test_the_mirror_addresses_are_those_asked_for() -> None:
    printed = dict(re.findall(r"`URL/([^`]+)` of `([^`]+)`", REFERENCE.read_text("utf-8")))
    assert set(printed.values()) == {source.name for source in sources().values() if source.files}
    for path, name in printed.items():
        assert path in {file.path for file in sources()[name].files}
