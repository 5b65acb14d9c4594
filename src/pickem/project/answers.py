"""How far the answers have got: the last one, and which patches were answered since."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from pickem.geometry import PatchId
from pickem.project.store import Store


class Answer(BaseModel):
    """A mask that was submitted, or a patch that was skipped. Answers are kept for ever, so that one names a
    state of the database."""

    model_config = ConfigDict(frozen=True)

    number: int  # of its revision in the whole project; 0 = none yet
    at: str


NONE_YET = Answer(number=0, at="")


def last_answer(store: Store) -> Answer:
    """The newest answer."""
    rows = store.rows(
        "SELECT id, at FROM revisions WHERE state IN ('submitted', 'skipped') ORDER BY id DESC LIMIT 1"
    )
    return Answer(number=rows[0]["id"], at=rows[0]["at"]) if rows else NONE_YET


def was_given(store: Store, answer: Answer) -> bool:
    """Whether the database holds this answer: not where it was put back to an earlier state since."""
    rows = store.rows("SELECT at FROM revisions WHERE id = ?", answer.number)
    return answer == NONE_YET or bool(rows and rows[0]["at"] == answer.at)


def answered_since(store: Store, answer: Answer) -> list[PatchId]:
    """The patches that were submitted or skipped after an answer."""
    rows = store.rows(
        "SELECT p.* FROM patches p WHERE EXISTS (SELECT 1 FROM revisions r WHERE r.patch = p.id "
        "AND r.state IN ('submitted', 'skipped') AND r.id > ?) ORDER BY p.volume, p.z, p.y, p.x",
        answer.number,
    )
    return [PatchId(row["volume"], row["z"], row["y"], row["x"], row["height"], row["width"]) for row in rows]
