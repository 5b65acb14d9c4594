"""A benchmark averages over neighbouring sections where those of what it evaluates go on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from pickem.benchmark import Prospect, load_profile
from pickem.benchmark.tasks import Plan, Worker
from tests.fixtures.sections import drifting, unrelated

DATASET = """
name = "sections"
classes = { bright = 1 }

[volumes.sections]
image = "sections.tif"
labels = "labels.tif"

[split.test]
train = [{ volume = "sections", z = [0, 2] }]
evaluate = [{ volume = "sections", z = [2, 5] }, { volume = "sections", z = [5, 8] }]
"""


@pytest.mark.parametrize(("sections", "smoothing"), [(drifting, 1), (unrelated, 0)])
def test_the_profile_says_how_far_and_the_sections_whether(
    tmp_path: Path, sections: Callable[[int], NDArray[np.uint8]], smoothing: int
) -> None:
    stack = sections(8)
    tifffile.imwrite(tmp_path / "sections.tif", stack, photometric="minisblack")
    tifffile.imwrite(tmp_path / "labels.tif", (stack > 128).astype(np.uint8), photometric="minisblack")
    (tmp_path / "sections.toml").write_text(DATASET)
    profile = load_profile("auto")
    assert profile.measuring.smoothing == 1
    plan = Plan(str(tmp_path / "sections.toml"), None, "test", profile, 1, tmp_path / "out")
    worker = Worker.start(plan)
    experiment = worker.experiment
    assert Prospect.of(worker, []).apart == (smoothing == 0), "which the command line then says"
    assert experiment.profile.measuring.smoothing == smoothing
    without = profile.model_copy(update={"measuring": profile.measuring.without_smoothing()})
    assert experiment.profile == (profile if smoothing else without)
