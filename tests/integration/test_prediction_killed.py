"""Killed anywhere (SIGKILL) and started again, `predict` comes out byte for byte as if nothing had been."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from pickem.predictor import ArrayTrainingSet
from tests.conftest import new_tiny_predictor
from tests.fixtures.ome_zarr_reading import valid_label_levels
from tests.fixtures.prediction import files, order, predict_here, workers_here
from tests.fixtures.tiny_project import make_trained_project
from tests.integration.command_line import REPOSITORY
from tests.integration.killing_prediction import CUT

# Renames: metadata of the probabilities, the image; of the labels; metadata that say "complete". Nine blocks,
# and two levels above them in four shards.
POINTS = [("before", 4), ("after", 4), ("segmenting", 4), ("pyramid, level 1", 2), ("before", 5)]


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with workers_here() as client:
        yield client


@pytest.fixture(scope="module")
def given(
    client: Client, tmp_path_factory: pytest.TempPathFactory, demo_patches: ArrayTrainingSet
) -> tuple[Path, Path, Path]:
    """A network, a volume, and what comes out undisturbed."""
    folder = tmp_path_factory.mktemp("given")
    checkpoint, volume, out = folder / "n.safetensors", folder / "v.npy", folder / "seg.ome.zarr"
    new_tiny_predictor(demo_patches).save(checkpoint)
    np.save(volume, np.random.default_rng(0).integers(0, 255, (2, 300, 300), np.uint8))
    predict_here(client, order(checkpoint, volume, out, layout=CUT, probabilities=("axon",)))
    return checkpoint, volume, out


@pytest.mark.parametrize(("event", "number"), POINTS)
def test_killed_and_resumed(
    client: Client, given: tuple[Path, Path, Path], tmp_path: Path, event: str, number: int
) -> None:
    checkpoint, volume, expected = given
    out = tmp_path / "seg.ome.zarr"
    command = [sys.executable, "-m", "tests.integration.killing_prediction"]
    arguments = [checkpoint, volume, out, event, str(number)]
    assert subprocess.run([*command, *arguments], cwd=REPOSITORY, check=False).returncode == -signal.SIGKILL
    predict_here(client, order(checkpoint, volume, out, layout=CUT, probabilities=("axon",), start="resume"))
    probability = "seg-probability-axon.ome.zarr"
    assert files(out) == files(expected)
    assert files(tmp_path / probability) == files(expected.with_name(probability))
    assert {path.name for path in tmp_path.iterdir()} == {"seg.ome.zarr", probability}


# the command, its workers, everything ---------------------------------------------------------------------


def workers_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes in which `pickem predict` computes."""
    found = []
    threads = Path(f"/proc/{process.pid}/task").glob("*/children")
    for child in " ".join(thread.read_text() for thread in threads).split():
        command = Path(f"/proc/{child}/cmdline").read_bytes()
        if b"spawn_main" in command:
            found.append(int(child))
    return found


def started(project: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    """`pickem predict` with two workers, at work that takes some seconds."""
    command = [sys.executable, "-m", "pickem.cli", "predict", str(project)]
    command += [str(project.parent / "large.npy"), "--out", str(out)]
    options = ["--workers", "2", "--threads", "1", "--augment", "flips", "--precision", "fp32", *more]
    return subprocess.Popen(
        [*command, *options],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def folders_of(process: subprocess.Popen[bytes]) -> list[Path]:
    """Where its workers keep their things."""
    return list(Path(tempfile.gettempdir()).glob(f"pickem-workers-{process.pid}-*"))


def shards(out: Path) -> int:
    return sum(path.name.isdigit() for path in out.glob("0/c/*/*/*"))


def wait_for_shards(out: Path, count: int) -> None:
    limit = time.monotonic() + 200
    while shards(out) < count:
        assert time.monotonic() < limit, "nothing is written"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project, and a volume of a dozen blocks, large.npy, beside it."""
    folder = tmp_path_factory.mktemp("large")
    voxels = np.random.default_rng(0).integers(0, 255, (90, 200, 240), np.uint8)
    np.save(folder / "large.npy", voxels)
    return make_trained_project(folder)


@pytest.fixture(scope="module")
def undisturbed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed") / "seg.ome.zarr"
    process = started(project, out)
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    assert len(valid_label_levels(out)) == 1
    return out


def test_a_worker_that_is_killed_is_replaced(project: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "seg.ome.zarr"
    process = started(project, out)
    wait_for_shards(out, 1)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    said, _ = process.communicate(timeout=280)
    assert process.returncode == 0, said
    assert files(out) == files(undisturbed)


def test_what_is_killed_is_tidied_up_by_the_next(project: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "seg.ome.zarr"
    killed = started(project, out)
    wait_for_shards(out, 1)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert folders_of(killed), "which nobody could delete"
    process = started(project, out, "--resume")
    said = process.communicate(timeout=280)[0].decode()
    assert process.returncode == 0, said
    assert files(out) == files(undisturbed)
    assert not folders_of(killed)
    assert not folders_of(process)


def test_ctrl_c_says_how_to_go_on(project: Path, undisturbed: Path, tmp_path: Path) -> None:
    out = tmp_path / "seg.ome.zarr"
    process = started(project, out)
    wait_for_shards(out, 2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: to all of them
    said = process.communicate(timeout=280)[0].decode()
    assert process.returncode == 130, said
    assert "--resume" in said
    assert "Traceback" not in said
    assert 2 <= shards(out) < 12
    process = started(project, out, "--resume")
    said = process.communicate(timeout=280)[0].decode()
    assert process.returncode == 0, said
    assert "is there already" in said
    assert files(out) == files(undisturbed)


@pytest.mark.soak
def test_killed_at_random_thirty_times(project: Path, undisturbed: Path, tmp_path: Path) -> None:
    """A worker, or all processes at once, at any moment; finished, it begins anew."""
    rng = random.Random(int(os.environ.get("PICKEM_SOAK_SEED", "0")))
    kills = {"a worker": 0, "everything": 0}
    finished, usual = 0, 5.0  # volumes; seconds that one takes
    while sum(kills.values()) < int(os.environ.get("PICKEM_SOAK_KILLS", "30")):
        out, began = tmp_path / f"{finished}.ome.zarr", time.monotonic()
        process = started(project, out, "--resume")
        at = began + rng.uniform(0, usual)
        while time.monotonic() < at and process.poll() is None:
            time.sleep(0.05)
        if process.poll() is None:
            workers = workers_of(process)
            if workers and rng.random() < 0.5:
                kills["a worker"] += 1
                os.kill(rng.choice(workers), signal.SIGKILL)
            else:
                kills["everything"] += 1
                os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate(timeout=280)[0].decode()
        too_early = process.returncode == 2 and "could not be started" in said
        assert process.returncode in (0, -signal.SIGKILL) or too_early, said
        assert "Traceback" not in said
        if process.returncode == 0:
            assert files(out) == files(undisturbed)
            finished, usual = finished + 1, time.monotonic() - began
        print(f"killed: {kills}; volumes finished, all identical: {finished}", flush=True)
