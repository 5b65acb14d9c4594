"""The pages about strategies say what is true: the example works as printed, and no strategy is left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pickem.cli.main import app
from pickem.strategies import catalogue, strategy
from pickem.strategies.catalogue import BUILT_IN
from tests.fixtures.distribution import install

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def example() -> dict[str, str]:
    """The files printed in the how-to: name → contents."""
    page = (DOCS / "how-to" / "write-a-strategy.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```", page, re.MULTILINE | re.DOTALL))


@pytest.fixture
def installed(example: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where the example is installed as its own pyproject.toml says."""
    project = tomllib.loads(example["pyproject.toml"])["project"]
    points = {
        name: target.split(":")[1] for name, target in project["entry-points"]["pickem.strategies"].items()
    }
    module = install(tmp_path, monkeypatch, project["name"], points, example["power_entropy.py"])
    assert all(
        target.split(":")[0] == module for target in project["entry-points"]["pickem.strategies"].values()
    )
    (tmp_path / "test_power_entropy.py").write_text(example["test_power_entropy.py"], encoding="utf-8")
    return tmp_path


def test_the_example_has_under_20_lines(example: dict[str, str]) -> None:
    lines = [line for line in example["power_entropy.py"].splitlines() if line.strip()]
    assert len(lines) < 20


def test_the_installed_example_is_listed_and_made(installed: Path) -> None:
    assert type(strategy("power-entropy")).__name__ == "PowerEntropy"
    listing = CliRunner().invoke(app, ["strategies"], env={"COLUMNS": "160"})
    assert "Patches drawn in proportion to their mean entropy" in listing.output
    assert catalogue()["power-entropy"].origin == "power-entropy"


def test_the_example_passes_its_own_contract_test(installed: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "test_power_entropy.py"]
    run = subprocess.run(
        command,
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed)},
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
