"""Calling a function on blocks in processes: what comes back, and what is said when one of them dies."""

from __future__ import annotations

import os
from functools import partial

import pytest

from pickem.blockwise.mapping import processes
from pickem.errors import VolumeFormatError, WorkerError

REFUSED = VolumeFormatError("It is refused.", got="a", expected="b", todo="c")


def work(worst: str, number: int) -> int:
    """Numbers up to 2 are done; what happens to the others is `worst`."""
    if number > 2 and worst == "dies":
        os._exit(9)
    if number > 2 and worst == "refuses":
        raise REFUSED
    return number


def test_processes_do_all_and_say_what_went_wrong() -> None:
    with processes(2) as run:
        assert sorted(run(partial(work, "is done"), range(5))) == [0, 1, 2, 3, 4]
        with pytest.raises(VolumeFormatError) as refused:
            list(run(partial(work, "refuses"), range(5)))
        assert str(refused.value) == str(REFUSED)
        with pytest.raises(WorkerError, match="--resume"):
            list(run(partial(work, "dies"), range(5)))
