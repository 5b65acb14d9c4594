"""What the trainer says of its progress: a time left is an estimate from what was done since it began."""

from __future__ import annotations

import json

import pytest

from pickem.project.trainer import Reporter


def test_the_time_left_is_not_reckoned_from_what_was_done_another_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A survey goes on at 120,000; the same stage comes again after its end."""
    report = Reporter()
    report("looking through the volume", 120_000, 1_000_000)
    report("scoring", 20, 20)
    report("scoring", 32, 2000)
    report("scoring", 2000, 2000)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["done"], line["seconds_left"]) for line in lines] == [
        (120_000, None),
        (20, None),
        (32, None),
        (2000, 0),
    ]
