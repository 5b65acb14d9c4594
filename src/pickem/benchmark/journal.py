"""What a run has done so far, on disk: a file per finished piece of work.

    DIR/
      initial/seed-000/                  shared by all strategies of a seed
        weights.safetensors, weights.json
        evaluation.json
      runs/entropy/seed-000/
        evaluation-000.json              scores of the network trained on the initial set
        picks-000.json                   what it then picked, and why
        weights-001.safetensors, .json   the network of round 1; the one before it is deleted
        evaluation-001.json
        …

A file is written under a temporary name and renamed, so it is there whole or not at all. Everything between
two files is deterministic: a process killed anywhere does its last piece again, with the same result.

A record of a labelled round is never changed. Full supervision takes its steps from a run's number of rounds:
where that grows, `runs/full-matched/…/evaluation-000.json` is written anew, `initial/converged-steps.json` is
begun again, and `runs/full-converged/…/evaluation-000.json` is written anew where other steps come out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pickem.acquisition import Selection
from pickem.durable import write_durably
from pickem.errors import JournalError
from pickem.geometry import PatchId


class EvaluationRecord(BaseModel):
    """The scores of one round's network and what it cost to come there."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    labelled_patches: int | None  # None = all labels of the training volume
    labelled_pixels: int  # distinct
    effort_seconds: float | None
    correction_seconds: float | None = None  # the same with proposals to correct; missing in older journals
    foreground_share: float  # of the labelled pixels
    jaccard: float
    jaccard_by_class: tuple[float, ...]
    precision: float
    recall: float
    best_threshold: float | None = (
        None  # these two are a diagnosis, for two classes; missing in older journals
    )
    best_threshold_jaccard: float | None = None
    steps: int
    final_loss: float
    train_seconds: float
    evaluate_seconds: float | None = None  # this and the next two are missing in older journals, too
    cpu: str | None = None  # the processor at work
    gpu: str | None = None  # the device of the networks, where it is not the processor


class Pick(BaseModel):
    """One picked patch, with what the strategy said of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    volume: str
    z: int
    y: int
    x: int
    height: int
    width: int
    utility: float
    reason: str

    @property
    def patch(self) -> PatchId:
        """The patch that was picked."""
        return PatchId(self.volume, self.z, self.y, self.x, self.height, self.width)


class PicksRecord(BaseModel):
    """The picks at the end of one round, best first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    picks: tuple[Pick, ...]
    score_seconds: float
    correction_seconds: float | None = None  # to correct what the network proposes for them

    @classmethod
    def of(cls, selection: Selection, score_seconds: float, correction_seconds: float) -> PicksRecord:
        """The record of a strategy's selection."""
        rows = zip(selection.patches, selection.utilities, selection.reasons, strict=True)
        picks = tuple(
            Pick(
                volume=p.volume,
                z=p.z,
                y=p.y,
                x=p.x,
                height=p.height,
                width=p.width,
                utility=utility,
                reason=reason,
            )
            for p, utility, reason in rows
        )
        return cls(picks=picks, score_seconds=score_seconds, correction_seconds=correction_seconds)


class RunJournal:
    """The records of one run (a strategy and a seed) in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def evaluation(self, round_number: int) -> EvaluationRecord | None:
        """Scores of a round; None where it has not been evaluated."""
        return read_record(self._evaluation_file(round_number), EvaluationRecord)

    def write_evaluation(self, round_number: int, record: EvaluationRecord) -> None:
        """Record that a round was trained and evaluated."""
        write_record(self._evaluation_file(round_number), record)

    def picks(self, round_number: int) -> PicksRecord | None:
        """Picks at the end of a round; None where there are none yet."""
        return read_record(self._picks_file(round_number), PicksRecord)

    def write_picks(self, round_number: int, record: PicksRecord) -> None:
        """Record what was picked at the end of a round."""
        write_record(self._picks_file(round_number), record)

    def evaluations(self) -> list[EvaluationRecord]:
        """All rounds evaluated so far, from round 0 on."""
        return _while_there(self.evaluation)

    def all_picks(self) -> list[PicksRecord]:
        """All picks so far, from round 0 on."""
        return _while_there(self.picks)

    def weights(self, round_number: int) -> Path:
        """Where the checkpoint of a round lies, if it is there."""
        return self.folder / f"weights-{round_number:03d}.safetensors"

    def forget_weights(self, round_number: int) -> None:
        """Delete the checkpoint of a round that is no longer needed."""
        for path in (self.weights(round_number).with_suffix(".json"), self.weights(round_number)):
            path.unlink(missing_ok=True)

    def _evaluation_file(self, round_number: int) -> Path:
        return self.folder / f"evaluation-{round_number:03d}.json"

    def _picks_file(self, round_number: int) -> Path:
        return self.folder / f"picks-{round_number:03d}.json"


Record = TypeVar("Record", bound=BaseModel)


def write_record(path: Path, record: BaseModel) -> None:
    """Write a record durably."""
    write_durably(path, record.model_dump_json(indent=1).encode())


def read_record(path: Path, kind: type[Record]) -> Record | None:
    """Read a record; None where there is none. Raises JournalError where it is damaged."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise JournalError(
            "A file of the journal is damaged.",
            got=f"{path}: {error.errors()[0]['msg']}",
            todo="delete this file; the run does this piece of work again",
        ) from error


def _while_there(read: Callable[[int], Record | None]) -> list[Record]:
    records: list[Record] = []
    while (record := read(len(records))) is not None:
        records.append(record)
    return records
