"""Bad input on the command line: a clear message, exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from filelock import FileLock

from tests.integration.command_line import pickem, pickem_here, rows

Arguments = Callable[..., list[object]]


@pytest.fixture
def arguments(tiny_dataset: Path, tmp_path: Path) -> Arguments:
    """The arguments of a benchmark that would work, with some of them replaced."""

    def build(**changes: object) -> list[object]:
        options = {
            "dataset": tiny_dataset,
            "profile": tiny_dataset.parent / "profile.toml",
            "strategies": "random",
            "out": tmp_path / "out",
            "rounds": 1,
        } | changes
        dataset = options.pop("dataset")
        return [
            "benchmark",
            dataset,
            *(part for name, value in options.items() for part in (f"--{name.replace('_', '-')}", value)),
        ]

    return build


def refused(command: list[object], *words: str) -> None:
    result = pickem_here(*command)
    assert result.returncode == 2, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ") or "Usage:" in result.stderr
    for word in words:
        assert word in result.stderr


def nothing_made(out: Path) -> None:
    assert not out.exists()


def test_unknown_dataset(arguments: Arguments, tmp_path: Path) -> None:
    refused(arguments(dataset="vcn"), "vcn", "vnc")
    nothing_made(tmp_path / "out")


def test_unknown_strategy(arguments: Arguments, tmp_path: Path) -> None:
    refused(arguments(strategies="random,entropi"), "entropi", "entropy")
    nothing_made(tmp_path / "out")


def test_no_strategy(arguments: Arguments, tmp_path: Path) -> None:
    refused(arguments(strategies=","), "No strategy was named")
    nothing_made(tmp_path / "out")


def test_unknown_profile(arguments: Arguments) -> None:
    refused(arguments(profile="fats"), "fats", "fast")


def test_profile_with_an_unknown_key(arguments: Arguments, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nlearning = 3\n')
    refused(arguments(profile=tmp_path / "mine.toml"), "learning", "first")


def test_profile_that_is_not_toml(arguments: Arguments, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("name = \n")
    refused(arguments(profile=tmp_path / "mine.toml"), "not valid TOML")


@pytest.mark.parametrize(("option", "value"), [("rounds", 0), ("seeds", 0), ("jobs", 0), ("rounds", -3)])
def test_counts_below_one(arguments: Arguments, option: str, value: int, tmp_path: Path) -> None:
    refused(arguments(**{option: value}), option, str(value))
    nothing_made(tmp_path / "out")


def test_missing_image(arguments: Arguments, tiny_dataset: Path, tmp_path: Path) -> None:
    (tiny_dataset.parent / "training.tif").unlink()
    refused(arguments(), "training.tif")
    nothing_made(tmp_path / "out")


def test_corrupted_image(arguments: Arguments, tiny_dataset: Path, tmp_path: Path) -> None:
    path = tiny_dataset.parent / "training.tif"
    path.write_bytes(path.read_bytes()[:200])
    refused(arguments(), "training.tif")
    nothing_made(tmp_path / "out")


def test_labels_of_another_shape(arguments: Arguments, tiny_dataset: Path, tmp_path: Path) -> None:
    path = tiny_dataset.parent / "training_labels.tif"
    tifffile.imwrite(path, tifffile.imread(path)[:-8])
    refused(arguments(), "shape", f"pickem data verify {tiny_dataset}")
    nothing_made(tmp_path / "out")


def test_image_smaller_than_a_patch(arguments: Arguments, tiny_dataset: Path, tmp_path: Path) -> None:
    for name in ("training.tif", "training_labels.tif"):
        path = tiny_dataset.parent / name
        tifffile.imwrite(path, tifffile.imread(path)[:20])
    refused(arguments(), "smaller than a patch", "32 × 32")
    nothing_made(tmp_path / "out")


def test_no_foreground(arguments: Arguments, tiny_dataset: Path, tmp_path: Path) -> None:
    path = tiny_dataset.parent / "testing_labels.tif"
    tifffile.imwrite(path, np.zeros_like(tifffile.imread(path)))
    refused(arguments(), "no label of axon, myelin", f"pickem data verify {tiny_dataset}")
    nothing_made(tmp_path / "out")


def test_nan_in_the_image(arguments: Arguments, tiny_dataset: Path, tmp_path: Path) -> None:
    path = tiny_dataset.parent / "training.tif"
    image = tifffile.imread(path).astype(np.float32)
    image[3, 4] = np.nan
    tifffile.imwrite(path, image)
    refused(arguments(), "NaN")
    nothing_made(tmp_path / "out")


@pytest.mark.parametrize("name", ["training.tif", "testing.tif"])
def test_image_with_one_value_throughout(
    arguments: Arguments, tiny_dataset: Path, tmp_path: Path, name: str
) -> None:
    path = tiny_dataset.parent / name
    tifffile.imwrite(path, np.full_like(tifffile.imread(path), 17))
    refused(arguments(), "one value throughout", "17", name)
    nothing_made(tmp_path / "out")


def test_more_labels_than_the_pool_has(arguments: Arguments, tmp_path: Path) -> None:
    refused(arguments(rounds=40), "pool is too small", "40 patches")
    nothing_made(tmp_path / "out")


def test_folder_made_with_another_configuration(
    arguments: Arguments, tiny_dataset: Path, tmp_path: Path
) -> None:
    assert pickem_here(*arguments()).returncode == 0
    before = rows(tmp_path / "out")
    changed = tiny_dataset.parent / "changed.toml"
    text = (tiny_dataset.parent / "profile.toml").read_text()
    changed.write_text(text.replace("batch_size = 4", "batch_size = 3"))
    refused(arguments(profile=changed), "other settings", "training")
    refused(arguments(split="dev"), "other settings", "split")
    assert rows(tmp_path / "out") == before


def test_folder_is_a_file(arguments: Arguments, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    refused(arguments(), "file")
    assert (tmp_path / "out").read_text() == "mine"


def test_two_processes_in_one_folder(arguments: Arguments, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"):
        refused(arguments(), "Another process")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]


def test_two_processes_in_one_folder_that_was_begun(arguments: Arguments, tmp_path: Path) -> None:
    assert pickem_here(*arguments()).returncode == 0
    with FileLock(tmp_path / "out" / ".lock"):
        refused(arguments(), "Another process")


def test_damaged_journal(arguments: Arguments, tmp_path: Path) -> None:
    assert pickem_here(*arguments()).returncode == 0
    record = tmp_path / "out" / "runs" / "random" / "seed-000" / "evaluation-000.json"
    record.write_text("{")
    refused(arguments(), "evaluation-000.json", "delete this file")
    record.unlink()
    assert pickem_here(*arguments()).returncode == 0


def test_damaged_settings_of_a_folder(arguments: Arguments, tmp_path: Path) -> None:
    """What both commands advise works."""
    assert pickem_here(*arguments()).returncode == 0
    before = rows(tmp_path / "out")
    settings = tmp_path / "out" / "run.toml"
    settings.write_text("dataset = ")
    remedy = "delete it and start the same benchmark command again"
    refused(["report", tmp_path / "out"], "run.toml", remedy)
    refused(arguments(), "run.toml", remedy)
    settings.unlink()
    assert pickem_here(*arguments()).returncode == 0
    assert rows(tmp_path / "out") == before
    assert pickem_here("report", tmp_path / "out").returncode == 0


def test_unknown_device(arguments: Arguments) -> None:
    refused(arguments(device="tpu"), "tpu")


# A user without rights, and a full disk, are made by the process itself: the tests may run as root.
UNDER = "tests.integration.under_pressure"


def test_no_permission(arguments: Arguments, tmp_path: Path) -> None:
    result = pickem("no-permission", tmp_path / "out", *arguments(), module=UNDER)
    assert result.returncode == 2, result.stderr
    assert "permission" in result.stderr
    assert "Traceback" not in result.stderr


def test_full_disk_leaves_journal_and_checkpoints_whole(arguments: Arguments, tmp_path: Path) -> None:
    """The disk fills up in the middle of a run; with space again, the run goes on to the same end."""
    command = arguments(rounds=3)
    undisturbed = arguments(rounds=3, out=tmp_path / "undisturbed")
    assert pickem_here(*undisturbed).returncode == 0
    full = pickem("full-disk", 6, *command, module=UNDER)
    assert full.returncode == 2, full.stderr
    assert "disk is full" in full.stderr
    assert "Traceback" not in full.stderr
    assert not list((tmp_path / "out").rglob("*.partial"))
    assert pickem_here(*command).returncode == 0
    scores = [row["jaccard"] for row in rows(tmp_path / "out")]
    assert scores == [row["jaccard"] for row in rows(tmp_path / "undisturbed")]
