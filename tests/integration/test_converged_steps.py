"""How many steps full supervision needs: tried by doubling, and the same if it was stopped on the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pickem.benchmark import Progress, benchmark
from pickem.benchmark.full_supervision import stages
from pickem.benchmark.profile import load_profile
from tests.fixtures.tiny_dataset import write_tiny_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = write_tiny_dataset(tmp_path_factory.mktemp("tiny") / "data").parent
    run(made, made / "out")
    return made


def run(folder: Path, out: Path, watch: Callable[[Progress], None] = lambda _: None) -> None:
    benchmark(
        str(folder / "tiny.toml"),
        out,
        strategies=["full-converged"],
        rounds=1,
        profile=load_profile(str(folder / "profile.toml")),
        watch=watch,
    )


def tried(out: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads((out / "initial" / "converged-steps.json").read_text())
    return found


@pytest.mark.parametrize("kept", [True, False], ids=["weights kept", "weights lost"])
def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(
    folder: Path, tmp_path: Path, kept: bool
) -> None:
    whole, out = tried(folder / "out"), tmp_path / "out"

    def stop_in_the_second_stage(progress: Progress) -> None:
        if progress.stage == "training" and (out / "initial" / "converged-steps.json").exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, out, stop_in_the_second_stage)
    assert tried(out) == {name: values[:1] for name, values in whole.items()}
    if not kept:
        for path in (out / "initial" / "dev").glob("weights-*"):
            path.unlink()
    run(folder, out)
    assert tried(out) == whole
    score = "runs/full-converged/seed-000/evaluation-000.json"
    first, again = (json.loads((each / score).read_text()) for each in (folder / "out", out))
    assert again["jaccard"] == first["jaccard"]
    assert again["steps"] == first["steps"]
    assert first["steps"] in whole["steps"]


def test_the_stages_of_the_training_are_told_as_one(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = int(tried(folder / "out")["steps"][0])
    search = {"steps": [first, 2 * first, 4 * first], "jaccard": [0.1, 0.2, 0.2]}
    (out / "initial").mkdir(parents=True)
    (out / "initial" / "converged-steps.json").write_text(json.dumps(search))
    heard: list[Progress] = []
    run(folder, out, heard.append)
    training = [(each.done, each.total) for each in heard if each.stage == "training"]
    assert training == [(step, 2 * first) for step in range(1, 2 * first + 1)]


def test_stages_double() -> None:
    assert stages(10, 10) == [10]
    assert stages(10, 80) == [10, 10, 20, 40]
