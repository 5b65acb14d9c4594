"""The pages about strategies say what is true: the example works as printed, and no strategy is left out."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pickem.cli.main import app
from pickem.strategies import catalogue, strategy
from pickem.strategies.catalogue import BUILT_IN

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def example() -> dict[str, str]:
    """The files printed in the how-to: name → contents."""
    page = (DOCS / "how-to" / "write-a-strategy.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def built(example: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has installed the example, its three files as printed, side by side."""
    source, target = tmp_path_factory.mktemp("softmax-entropy"), tmp_path_factory.mktemp("installed")
    for name, contents in example.items():
        (source / name).write_text(contents, encoding="utf-8")
    offline = ("--no-index", "--no-build-isolation", "--no-deps", "--quiet", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", target, source]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return target


@pytest.fixture
def installed(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, importable for the rest of the test."""
    monkeypatch.syspath_prepend(built)
    monkeypatch.delitem(sys.modules, "softmax_entropy", raising=False)
    importlib.invalidate_caches()
    return built


def test_the_example_has_under_20_lines(example: dict[str, str]) -> None:
    lines = [line for line in example["softmax_entropy.py"].splitlines() if line.strip()]
    assert len(lines) < 20


def test_the_installed_example_is_listed_and_made(installed: Path) -> None:
    assert type(strategy("softmax-entropy")).__name__ == "SoftmaxEntropy"
    listing = CliRunner().invoke(app, ["strategies"], env={"COLUMNS": "160"})
    assert "Patches drawn by a softmax over their mean entropy" in listing.output
    assert catalogue()["softmax-entropy"].origin == "softmax-entropy"


def test_the_example_passes_its_own_contract_test(
    installed: Path, example: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "test_softmax_entropy.py").write_text(example["test_softmax_entropy.py"], encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "test_softmax_entropy.py"]
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\d\d passed", run.stdout)


def test_every_strategy_has_its_entry_in_the_reference() -> None:
    page = (DOCS / "reference" / "strategies.md").read_text(encoding="utf-8")
    assert re.findall(r"^## `(.+)`$", page, re.MULTILINE) == list(BUILT_IN)
    assert re.findall(r"^\| \[`(.+?)`\]", page, re.MULTILINE) == list(BUILT_IN)
    for entry in page.split("\n## ")[1:]:
        for part in ("*Source:*", "*Cost:*", "*Good"):
            assert part in entry, f"{entry.splitlines()[0]} lacks {part}"
