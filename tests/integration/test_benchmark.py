"""A benchmark from the command line and from Python: what it writes, and what it promises of it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from pickem.benchmark import Progress, Prospect, benchmark
from pickem.benchmark.journal import EvaluationRecord
from pickem.strategies import catalogue
from tests.fixtures.distribution import WITHOUT_A_NUMBER, install
from tests.fixtures.tiny_dataset import write_tiny_dataset
from tests.integration.command_line import pickem_here, rows, without_times

EVERY = [*catalogue(), "full-matched", "full-converged"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_dataset(tmp_path_factory.mktemp("tiny") / "data").parent


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    """Every strategy of the catalogue and both kinds of full supervision, through the command line."""
    result = pickem_here(
        *("benchmark", folder / "tiny.toml", "--profile", folder / "profile.toml"),
        *("--strategies", ",".join(EVERY), "--out", folder / "out"),
    )
    assert result.returncode == 0, result.stderr
    assert "left" in result.stdout
    assert "data loaded: 40 patches in the pool; runs: 18, rounds in all: 50" in result.stdout
    assert "pickem report" in result.stdout
    return folder / "out"


def test_every_strategy_has_a_whole_curve(out: Path) -> None:
    for name in catalogue():
        curve = [row for row in rows(out) if row["strategy"] == name]
        assert [int(row["labelled_patches"]) for row in curve] == [4, 7, 10]
        assert [int(row["round"]) for row in curve] == [0, 1, 2]
        scores = np.array([float(row["jaccard"]) for row in curve])
        assert (scores > 0.1).all()
        np.testing.assert_allclose(
            scores,
            [(float(r["jaccard_axon"]) + float(r["jaccard_myelin"])) / 2 for r in curve],
            atol=1e-5,
        )
        effort = [float(row["effort_seconds"]) for row in curve]
        assert effort == sorted(effort)


def test_correcting_proposals_costs_no_more_than_painting(out: Path) -> None:
    for row in rows(out):
        if row["effort_seconds"]:
            assert 0 < float(row["correction_seconds"]) <= float(row["effort_seconds"])


def test_every_part_of_a_round_is_timed(out: Path) -> None:
    for row in rows(out):
        queried = row["round"] in "01" and row["labelled_patches"]
        for column in ("train_s", "evaluate_s", *(["score_s"] if queried else [])):
            assert float(row[column]) >= 0


def test_journals_without_the_time_of_evaluation_are_read(folder: Path, tmp_path: Path) -> None:
    command = (
        *("benchmark", folder / "tiny.toml", "--profile", folder / "profile.toml"),
        *("--strategies", "random", "--rounds", 1, "--out", tmp_path / "out"),
    )
    assert pickem_here(*command).returncode == 0
    path = tmp_path / "out" / "runs" / "random" / "seed-000" / "evaluation-000.json"
    record = json.loads(path.read_text())
    del record["evaluate_seconds"], record["cpu"]
    path.write_text(json.dumps(record))
    again = pickem_here(*command)
    assert again.returncode == 0, again.stderr
    assert [row["evaluate_s"] for row in rows(tmp_path / "out")] == [""]


def test_all_strategies_of_a_seed_start_alike(out: Path) -> None:
    first = [row for row in rows(out) if row["round"] == "0" and row["labelled_patches"]]
    assert len({(row["jaccard"], row["labelled_pixels"], row["train_s"]) for row in first}) == 1


def test_full_supervision_is_a_row_of_its_own(out: Path) -> None:
    by_name = {row["strategy"]: row for row in rows(out)}
    for name in ("full-matched", "full-converged"):
        assert by_name[name]["labelled_patches"] == ""
        assert by_name[name]["effort_seconds"] == ""
    assert int(by_name["full-matched"]["steps"]) == 12 + 4 + 4
    assert int(by_name["full-converged"]["steps"]) in (20, 40)


def test_every_pick_has_a_place_and_a_reason_and_none_is_picked_twice(out: Path) -> None:
    picks = rows(out, "picks.csv")
    for name in catalogue():
        own = [row for row in picks if row["strategy"] == name]
        assert [(row["round"], row["order"]) for row in own] == [(r, o) for r in "01" for o in "012"]
        assert len({(row["volume"], row["z"], row["y"], row["x"]) for row in own}) == 6
        assert all(row["reason"] and np.isfinite(float(row["utility"])) for row in own)


def test_the_folder_says_how_it_was_made(out: Path) -> None:
    run = tomllib.loads((out / "run.toml").read_text())
    assert run["dataset"] == "tiny"
    assert run["settings"]["device"] in ("cpu", "cuda")
    assert run["settings"]["precision"] == "fp32"
    assert run["rounds"] == 3
    assert "rounds" not in run["settings"]
    assert run["classes"] == ["axon", "myelin"]
    (machine,) = run["machines"]
    assert machine["versions"]["torch"]
    assert machine["cores"] >= 1
    for record in out.rglob("evaluation-*.json"):
        measured = json.loads(record.read_text())
        assert (measured["cpu"], measured["gpu"]) == (machine["cpu"], machine.get("gpu"))
        older = json.dumps({name: value for name, value in measured.items() if name != "gpu"})
        assert EvaluationRecord.model_validate_json(older).gpu is None


def test_every_machine_that_went_on_with_a_folder_is_kept(folder: Path, tmp_path: Path) -> None:
    def continued() -> list[dict[str, object]]:
        result = pickem_here(
            *("benchmark", folder / "tiny.toml", "--profile", folder / "profile.toml"),
            *("--strategies", "random", "--rounds", 1, "--out", tmp_path / "out"),
        )
        assert result.returncode == 0, result.stderr
        machines: list[dict[str, object]] = tomllib.loads(description.read_text())["machines"]
        return machines

    description = tmp_path / "out" / "run.toml"
    (here,) = continued()
    elsewhere = here | {"cpu": "another processor", "gpu": "another GPU"}
    run = tomllib.loads(description.read_text())
    description.write_text(tomli_w.dumps(run | {"machines": [elsewhere]}))
    assert continued() == [elsewhere, here]
    assert continued() == [elsewhere, here]
    del elsewhere["gpu"]
    versions = elsewhere.pop("versions")  # as folders of before name the last machine
    del run["machines"]
    description.write_text(tomli_w.dumps(run | {"hardware": elsewhere, "versions": versions}))
    assert continued() == [elsewhere | {"versions": versions}, here]


def test_a_report_can_be_made_of_it(out: Path) -> None:
    result = pickem_here("report", out)
    assert result.returncode == 0, result.stderr
    page = (out / "report" / "report.html").read_text("utf-8")
    assert "entropy" in page
    assert "machines 1.cpu" in page
    assert "fewer than 5 seeds" in page or "fewer than five seeds" in page.lower()


def test_five_lines_of_python_do_the_same(folder: Path, out: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    results = benchmark(
        str(folder / "tiny.toml"),
        tmp_path / "out",
        strategies=["entropy"],
        profile=str(folder / "profile.toml"),
        watch=seen.append,
    )
    assert results == tmp_path / "out" / "results.csv"
    expected = [row for row in rows(out) if row["strategy"] == "entropy"]
    assert without_times(rows(tmp_path / "out")) == without_times(expected)
    assert [p.round for p in seen if p.stage is None] == [0, 1, 2]
    assert {p.stage for p in seen} == {None, "pretraining", "training", "evaluating", "scoring"}


def test_tables_are_written_for_new_rounds_and_at_the_end(folder: Path, tmp_path: Path) -> None:
    results, seen = tmp_path / "out" / "results.csv", list[tuple[str, int, bool]]()

    def look(progress: Progress) -> None:
        if progress.stage is None:
            seen.append((progress.strategy, progress.round, results.exists()))
            results.unlink(missing_ok=True)

    for rounds in (1, 1, 2):
        benchmark(
            str(folder / "tiny.toml"),
            tmp_path / "out",
            strategies=["full-matched", "random", "entropy"],
            rounds=rounds,
            profile=str(folder / "profile.toml"),
            watch=look,
        )
        assert len(rows(tmp_path / "out")) == 1 + 2 * rounds
        results.unlink()
    first = [("full-matched", 0, True), ("random", 0, True), ("entropy", 0, True)]
    replayed = [(name, number, False) for name, number, _ in first]
    more = [("full-matched", 0, True), *[(n, r, r == 1) for n in ("random", "entropy") for r in (0, 1)]]
    assert seen == [*first, *replayed, *more]


def test_what_is_journalled_is_known_before_it_goes_on(folder: Path, tmp_path: Path) -> None:
    prospects: list[Prospect] = []
    for strategies, rounds in ((["random"], 2), (["random", "entropy"], 3)):
        benchmark(
            str(folder / "tiny.toml"),
            tmp_path / "out",
            strategies=strategies,
            rounds=rounds,
            profile=str(folder / "profile.toml"),
            begin=prospects.append,
        )
    assert [(each.evaluations, each.journalled) for each in prospects] == [(2, 0), (6, 2)]


def test_a_strategy_whose_utilities_are_no_numbers_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "odd-picks", {"odd": "WithoutANumber"}, WITHOUT_A_NUMBER)
    for _ in range(2):
        refused = pickem_here(
            *("benchmark", folder / "tiny.toml", "--profile", folder / "profile.toml"),
            *("--strategies", "odd", "--rounds", 2, "--out", tmp_path / "out"),
        )
        assert refused.returncode == 2
        assert "The strategy odd cannot pick. The utility of a pick is not a finite number." in refused.stderr
        assert "nan for " in refused.stderr


def test_the_dev_split_stays_inside_the_training_part(folder: Path, tmp_path: Path) -> None:
    result = pickem_here(
        *("benchmark", folder / "tiny.toml", "--profile", folder / "profile.toml", "--split", "dev"),
        *("--strategies", "random", "--rounds", 2, "--out", tmp_path / "out"),
    )
    assert result.returncode == 0, result.stderr
    assert {row["split"] for row in rows(tmp_path / "out")} == {"dev"}
    assert all(int(row["y"]) + 32 <= 120 for row in rows(tmp_path / "out", "picks.csv"))
