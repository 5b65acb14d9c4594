"""The program printed in the how-to about one's own network runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "own-network.md"


def test_the_printed_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    exec(compile(program, str(PAGE), "exec"), {})
    entropies = [float(number) for number in re.findall(r"\d\.\d*", capsys.readouterr().out)]
    assert len(entropies) == 8
    assert all(0 < entropy < 1.1 for entropy in entropies)
