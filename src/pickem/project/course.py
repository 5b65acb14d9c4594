"""How a project went, round by round: how good each network was, and what became of its proposals."""

from __future__ import annotations

from dataclasses import dataclass

from pickem.project.corrections import Corrections
from pickem.project.quality import Quality, course
from pickem.project.store import Store


@dataclass(frozen=True)
class Turn:
    """The network of a round, which had learned from `labelled` patches; None for what is not known of it."""

    round: int
    labelled: int
    quality: Quality | None
    corrections: Corrections | None


def turns(store: Store) -> list[Turn]:
    """The networks that were measured, or whose proposals were corrected, oldest first."""
    quality = {measured.round: measured.quality for measured in course(store)}
    corrections = store.corrections()
    rows = store.rows("SELECT number, labelled FROM rounds ORDER BY number")
    return [
        Turn(number, labelled, quality.get(number), corrections.get(number))
        for number, labelled in rows
        if number in quality or number in corrections
    ]
