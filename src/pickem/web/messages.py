"""What the API says, as the page reads it. The OpenAPI schema is made from these."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class Answer(BaseModel):
    """Base of everything that the API sends."""

    model_config = {"frozen": True}


class Problem(Answer):
    """What went wrong, for the person."""

    message: str


class ClassInfo(Answer):
    """A foreground class and the colour in which the page paints it."""

    index: int
    name: str
    colour: str


class NetworkInfo(Answer):
    """The newest network: how many labelled patches it has learned from, when it was finished, and whether
    the queue has been ranked by it."""

    name: str
    labelled: int
    trained_at: str
    ranked: bool


class TrainerInfo(Answer):
    """What the trainer is doing now, and, a sentence each, what it cannot read and passes over."""

    doing: str
    done: int
    total: int
    seconds_left: float | None
    problem: str | None
    passed_over: list[str]


class QualityInfo(Answer):
    """Estimated Jaccard with its 95 % interval, from audit patches alone."""

    jaccard: float
    low: float
    high: float
    patches: int


class TurnInfo(Answer):
    """A network of the course: its quality, and which share of its proposals had to be changed, of how many
    patches; None where that is not known."""

    network: str
    labelled: int
    quality: QualityInfo | None
    changed: float | None
    proposals: int


class PaceInfo(Answer):
    """How long a patch takes a person in this project, breaks left out, and by which formula: seconds a
    patch, an object, and a pixel of contour, fitted to the times of so many `patches`."""

    seconds_each: float
    next_patches: int
    next_seconds: float
    patches: int
    patch: float
    object: float
    contour: float


class AnnotatorInfo(Answer):
    """Somebody who has labelled patches, or is at work now."""

    name: str
    labelled: int
    at_work: bool


class ProgressInfo(Answer):
    """Where the project stands."""

    labelled: int
    submitted_today: int
    skipped: int
    queue: int
    audit_done: int
    audit_total: int
    audit_skipped: int  # of them; the estimate knows nothing of those
    seconds: float  # a person's time so far, control patches included
    audit_seconds: float  # and on control patches
    pace: PaceInfo | None  # None: too few patches to say
    network: NetworkInfo | None
    trainer: TrainerInfo
    quality: QualityInfo | None
    course: list[TurnInfo]
    advice: str
    annotators: list[AnnotatorInfo]


class ProjectInfo(Answer):
    """What stays the same while the page is open, and where the project stands.

    `shared`: whether other machines reach the server, so that everybody should have a name.
    """

    name: str
    id: str  # tells projects of one name apart, a copy from its original
    classes: list[ClassInfo]
    unpainted: Literal["background", "unlabelled"]
    shared: bool
    progress: ProgressInfo


class Window(Answer):
    """Where the patch lies in the image that is delivered with its surroundings, and the image's size."""

    top: int
    left: int
    height: int
    width: int


class PatchInfo(Answer):
    """A patch to work on, or worked on already."""

    id: int
    volume: str
    z: int
    y: int
    x: int
    height: int
    width: int
    kind: Literal["query", "audit"]
    reason: str
    state: Literal["open", "draft", "submitted", "skipped"]
    revision: int
    proposed_by: int | None  # the round whose network has a proposal for it; None: there is no proposal
    unpainted: Literal["background", "unlabelled"]
    image: Window
    sections: tuple[int, int]
    seconds: float
    held_by: str | None  # another annotator who is at work on it


class LeaseInfo(Answer):
    """Whether an annotator may work on a patch; otherwise who is at work on it, or has answered it."""

    held: bool
    by: str


class Saved(Answer):
    """The revision that a mask became."""

    revision: int
    progress: ProgressInfo


class HistoryEntry(Answer):
    """A patch that was worked on."""

    id: int
    state: Literal["draft", "submitted", "skipped"]
    kind: Literal["query", "audit"]
    foreground: int
    updated: str
    annotator: str
