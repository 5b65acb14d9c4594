"""`pickem pretrain`: a start without labels beforehand, stopped, continued, and used by the first network."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from pickem.cli.step_progress import StepProgress
from pickem.project.project import open_project
from pickem.project.round import Learning, due
from tests.fixtures.tiny_project import PRETRAINED, make_tiny_project, make_trained_project, paint_queue
from tests.integration.command_line import Outcome, pickem_here


def learned(project: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((project / "checkpoints" / "pretrained.json").read_text())
    return found


def first_weights(project: Path) -> bytes:
    """Those of the first network."""
    with open_project(project) as opened:
        paint_queue(opened, 4)
        assert due(opened) == "train"
        Learning(opened, opened.predictor("cpu"), lambda *_: None).train()
        return (opened.checkpoints / "round-0000.safetensors").read_bytes()


def pretrain(project: Path, *more: object) -> Outcome:
    return pickem_here("pretrain", project, "--device", "cpu", *more)


def test_the_first_network_starts_from_it(tmp_path: Path) -> None:
    project = make_tiny_project(tmp_path)  # whose recipe does without
    done = pretrain(project, "--steps", 3)
    assert done.returncode == 0, done.stderr
    assert "3 steps" in done.stdout
    assert "masked" in str(learned(project)["pretraining"])
    without = make_tiny_project(tmp_path / "without")
    assert first_weights(project) != first_weights(without)


def test_ctrl_c_keeps_what_was_learned_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_tiny_project(tmp_path, recipe=PRETRAINED)
    shown = StepProgress.__call__
    steps: list[int] = []

    def shown_until(progress: StepProgress, done: int, total: int) -> None:
        steps.append(done)
        shown(progress, done, total)
        if done == 5 and steps[0] == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(StepProgress, "__call__", shown_until)
    stopped = pretrain(project, "--steps", 8)
    assert stopped.returncode == 130
    assert "5 of 8 steps" in stopped.stdout
    assert learned(project)["steps"] == 5
    steps.clear()
    assert pretrain(project, "--steps", 8).returncode == 0
    assert steps == [6, 7, 8]
    assert learned(project)["steps"] == 8
    again = pretrain(project, "--steps", 8)
    assert again.returncode == 0
    assert "8 steps are done already" in again.stdout


def test_another_task_begins_anew(tmp_path: Path) -> None:
    project = make_tiny_project(tmp_path, recipe=PRETRAINED)
    assert pretrain(project, "--steps", 3).returncode == 0
    assert pretrain(project, "--task", "denoising").returncode == 0
    assert learned(project)["steps"] == 2
    assert "denoising" in str(learned(project)["pretraining"])


def test_a_damaged_start_is_replaced(tmp_path: Path) -> None:
    project = make_tiny_project(tmp_path, recipe=PRETRAINED)
    (project / "checkpoints").mkdir(exist_ok=True)
    (project / "checkpoints" / "pretrained.safetensors").write_bytes(b"cut short")
    (project / "checkpoints" / "pretrained.json").write_text("{}")
    assert pretrain(project).returncode == 0
    assert learned(project)["steps"] == 2


@pytest.mark.parametrize(("what", "words"), [("network", "a network already"), ("start", "another one")])
def test_where_there_is_nothing_to_pretrain(tmp_path: Path, what: str, words: str) -> None:
    project = (
        make_trained_project(tmp_path)
        if what == "network"
        else make_tiny_project(tmp_path, start="start.safetensors")
    )
    refused = pretrain(project)
    assert refused.returncode == 2
    assert words in refused.stderr
    assert "Traceback" not in refused.stderr


def test_not_beside_a_server(tmp_path: Path) -> None:
    project = make_tiny_project(tmp_path, recipe=PRETRAINED)
    with open_project(project) as opened, opened.lock():
        refused = pretrain(project)
    assert refused.returncode == 2
    assert "Another server" in refused.stderr
