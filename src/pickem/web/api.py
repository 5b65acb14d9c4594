"""The API of the labelling page. What was painted is on the disk when the answer comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Literal
from urllib.parse import unquote

import numpy as np
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from numpy.typing import NDArray

from pickem.acquisition import UNLABELLED
from pickem.errors import InvalidMaskError, UnknownPatchError
from pickem.geometry import PatchId, whole
from pickem.project.annotators import ALONE, annotator_name
from pickem.project.classes import COLOURS
from pickem.project.effort import Stopwatch
from pickem.project.leases import Clock, Leases
from pickem.project.passed_over import passed_over
from pickem.project.project import Project
from pickem.project.serving import next_patch
from pickem.project.store import NewMask, StoredPatch
from pickem.project.uncertainty import stored_uncertainty
from pickem.web.messages import (
    ClassInfo,
    HistoryEntry,
    LeaseInfo,
    PatchInfo,
    Problem,
    ProgressInfo,
    ProjectInfo,
    Saved,
    Window,
)
from pickem.web.news import News
from pickem.web.standing import standing
from pickem.web.supervisor import Supervisor

EVENT_SECONDS = 1.0
PERCENTILES = (0.5, 99.5)  # of the grey values shown, to black and white

OCTETS = "application/octet-stream"
_PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem} for status in (401, 403, 404, 409, 413, 422, 507)
}
router = APIRouter(prefix="/api", responses=_PROBLEMS)

CONTROL = "a control patch, drawn at random: it measures how good the network is"
AGAIN = "a control patch that was skipped, once more: without it the estimate is that of the easier ones"


class Desk:
    """What the server holds while it runs: the open project, its trainer, and who is at work.

    `shared`: whether other machines reach the server.
    """

    def __init__(self, project: Project, supervisor: Supervisor, clock: Clock, *, shared: bool) -> None:
        self.project = project
        self.id = project.id  # asked before the first request, which is to change nothing
        self.supervisor = supervisor
        self.clock = clock
        self.leases = Leases(project.store, clock)
        self.shared = shared
        stopwatch = Stopwatch(project.store)
        self.news = News(lambda: standing(project.store, supervisor.activity, self.leases, stopwatch))
        self.ending = asyncio.Event()  # set when the server ends, for answers that would go on for ever

    def progress(self) -> ProgressInfo:
        """Where the project stands."""
        return self.news.now()

    def patch_info(self, stored: StoredPatch, annotator: str) -> PatchInfo:
        """All that an annotator's page needs to show a patch."""
        project, patch = self.project, stored.patch
        box = patch.box.grow(
            (0, project.settings.margin, project.settings.margin),
            whole(project.images.volumes[patch.volume].shape),
        )
        queued, newest = project.store.queued(stored.id), project.store.newest(stored.id)
        state = newest.state if newest else "open"
        if state == "skipped" and stored in passed_over(project.store):
            state = "open"  # once more
        blind, holder = stored.kind == "audit", self.leases.held().get(stored.id)
        reason = AGAIN if state == "open" and newest else CONTROL
        return PatchInfo(
            id=stored.id,
            volume=patch.volume,
            z=patch.z,
            y=patch.y,
            x=patch.x,
            height=patch.height,
            width=patch.width,
            kind=stored.kind,
            reason=reason if blind else (queued.reason if queued else "labelled before"),
            state=state,
            revision=newest.revision if newest else 0,
            proposed_by=None if blind else project.store.proposed_by(stored.id),
            unpainted="background" if blind else (newest or project.settings).unpainted,
            image=Window(
                top=patch.y - box.start[1],
                left=patch.x - box.start[2],
                height=box.shape[1],
                width=box.shape[2],
            ),
            sections=project.images.sections_around(patch),
            seconds=newest.seconds if newest else 0.0,
            held_by=None if holder == annotator else holder,
        )


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _annotator(
    name: Annotated[str | None, Header(alias="X-Pickem-Annotator", max_length=400)] = None,
) -> str:
    return ALONE if name is None else annotator_name(unquote(name))


OnDesk = Annotated[Desk, Depends(_desk)]
By = Annotated[str, Depends(_annotator)]  # who asks; percent-encoded UTF-8 in the header
Number = Annotated[int, Query(ge=0, le=2**53)]


@router.get("/project")
def project(desk: OnDesk) -> ProjectInfo:
    """The project: name, classes, where it stands."""
    settings = desk.project.settings
    return ProjectInfo(
        name=settings.name,
        id=desk.id,
        classes=[
            ClassInfo(index=i, name=name, colour=COLOURS[i - 1])
            for i, name in enumerate(settings.classes, start=1)
        ],
        unpainted=settings.unpainted,
        shared=desk.shared,
        progress=desk.progress(),
    )


@router.get("/next")
def following(desk: OnDesk, annotator: By, skip_ahead: Number | None = None) -> PatchInfo:
    """The patch to work on now; with `skip_ahead`, the one after that patch, to be loaded beforehand.

    It is leased to the annotator: no other is served it while they give signs.
    """
    every = desk.project.settings.audit_every
    found = next_patch(desk.project.store, every, skip_ahead, annotator, desk.clock)
    if found is None:
        raise UnknownPatchError("No patch is waiting: the network is about to choose the next ones.")
    return desk.patch_info(found, annotator)


@router.post("/patches/{number}/lease")
def lease(desk: OnDesk, annotator: By, number: int) -> LeaseInfo:
    """The annotator is at work on a patch: lease it where it is free, and prolong their leases."""
    hold = desk.leases.keep(_checked(number), annotator)
    return LeaseInfo(held=hold.held, by=hold.by)


@router.post("/rename", status_code=204)
def rename(desk: OnDesk, annotator: By, to: Annotated[str, Query(max_length=400)]) -> None:
    """The annotator goes by another name from now on; what is leased to them stays theirs."""
    desk.leases.hand_over(annotator, annotator_name(to))


@router.post("/leave", status_code=204)
def leave(desk: OnDesk, annotator: By) -> None:
    """The annotator has closed the page: what is leased to them is free in a moment."""
    desk.leases.release(annotator)


@router.get("/patches/{number}")
def patch(desk: OnDesk, annotator: By, number: int) -> PatchInfo:
    """One patch."""
    return desk.patch_info(desk.project.store.patch(_checked(number)), annotator)


@router.get("/patches/{number}/image", response_class=Response)
def image(desk: OnDesk, number: int, dz: Annotated[int, Query(ge=-(2**31), le=2**31)] = 0) -> Response:
    """Grey values with surroundings, uint8, row by row, `dz` sections further on.

    Stretched alike in all sections, so that going through them does not flicker.
    """
    stored = desk.project.store.patch(_checked(number))
    before, behind = desk.project.images.sections_around(stored.patch)
    if not before <= dz <= behind:
        raise UnknownPatchError("The volume has no such section.", got=dz, expected=f"{before} to {behind}")
    grey = _eight_bits(desk.project, stored.patch, dz)
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(grey.tobytes(), media_type=OCTETS, headers=headers)


@router.get("/patches/{number}/proposal", response_class=Response)
def proposal(desk: OnDesk, number: int, by: Number | None = None) -> Response:
    """What a network would paint, uint8 class indices, row by row: that of round `by`, else the newest.

    Audit patches have none.
    """
    stored = desk.project.store.patch(_checked(number))
    mask = desk.project.store.proposal(stored.id, by) if stored.kind == "query" else None
    if mask is None:
        raise UnknownPatchError("There is no proposal for this patch.", got=number)
    return Response(mask.tobytes(), media_type=OCTETS)


@router.get("/patches/{number}/uncertainty", response_class=Response)
def uncertainty(desk: OnDesk, number: int, by: Number | None = None) -> Response:
    """How unsure the network of a proposal is, uint8, row by row: 0 = certain, 255 = any class as likely.

    That of round `by`, else of the newest. Audit patches and proposals of long ago have none.
    """
    stored = desk.project.store.patch(_checked(number))
    levels = stored_uncertainty(desk.project.store, stored.id, by) if stored.kind == "query" else None
    if levels is None:
        raise UnknownPatchError("It is not known how unsure the network is of this patch.", got=number)
    return Response(levels.tobytes(), media_type=OCTETS)


@router.get("/patches/{number}/mask", response_class=Response, responses={204: {"description": "none yet"}})
def mask(desk: OnDesk, number: int) -> Response:
    """The newest saved mask, uint8, row by row; 255 = not labelled."""
    newest = desk.project.store.newest(_checked(number))
    if newest is None or newest.mask is None:
        return Response(status_code=204)
    return Response(newest.mask.tobytes(), media_type=OCTETS, headers={"X-Revision": str(newest.revision)})


@router.put("/patches/{number}/mask")
async def save_mask(
    desk: OnDesk,
    annotator: By,
    request: Request,
    number: int,
    revision: Number,
    state: Literal["draft", "submitted"],
    unpainted: Literal["background", "unlabelled"] = "background",
    seconds: Annotated[float, Query(ge=0, le=1e7, allow_inf_nan=False)] = 0.0,
    proposed_by: Number | None = None,
) -> Saved:
    """Save a mask (the body: uint8, row by row) on top of a revision. On the disk when this answers.

    `proposed_by`: the round whose network's proposal was shown.
    """
    body = await request.body()

    def save() -> Saved:
        stored = desk.project.store.patch(_checked(number))
        painted = _as_mask(body, stored, len(desk.project.settings.classes))
        new = NewMask(revision, painted, state, unpainted, seconds, proposed_by, annotator)
        with desk.project.store.change():
            saved = desk.project.store.save(stored.id, new)
            desk.leases.keep(stored.id, annotator)
        return Saved(revision=saved, progress=desk.progress())

    return await asyncio.to_thread(save)


@router.post("/patches/{number}/skip")
def skip(desk: OnDesk, annotator: By, number: int) -> Saved:
    """Leave a patch out: nothing is learned from it, and it is not served again, save a control patch, once,
    after all others."""
    store = desk.project.store
    newest = store.newest(_checked(number))
    base, unpainted, seconds = (
        (newest.revision, newest.unpainted, newest.seconds)
        if newest
        else (0, desk.project.settings.unpainted, 0.0)
    )
    new = NewMask(base, None, "skipped", unpainted, seconds, annotator=annotator)
    return Saved(revision=store.save(number, new), progress=desk.progress())


@router.get("/history")
def history(desk: OnDesk, limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> list[HistoryEntry]:
    """The patches worked on last, newest first."""
    return [
        HistoryEntry(
            id=stored.id,
            state=newest.state,
            kind=stored.kind,
            foreground=newest.foreground,
            updated=newest.at.isoformat(),
            annotator=newest.annotator,
        )
        for stored, newest in desk.project.store.history(limit)
    ]


@router.get("/events", response_class=StreamingResponse)
async def events(desk: OnDesk, request: Request) -> StreamingResponse:
    """Server-sent events: where the project stands, whenever that changes."""

    async def stream() -> AsyncIterator[str]:
        last = ""
        while not desk.ending.is_set() and not await request.is_disconnected():
            now = (await asyncio.to_thread(desk.news.latest)).model_dump_json()
            if now != last:
                last = now
                yield f"data: {now}\n\n"
            with suppress(TimeoutError):
                await asyncio.wait_for(desk.ending.wait(), EVENT_SECONDS)

    return StreamingResponse(stream(), media_type="text/event-stream")


def _checked(number: int) -> int:
    """SQLite's integers end at 2⁶³."""
    if not 0 <= number < 2**63:
        raise UnknownPatchError("This project has no such patch.", got=number)
    return number


def _as_mask(body: bytes, stored: StoredPatch, classes: int) -> NDArray[np.uint8]:
    expected = (stored.patch.height, stored.patch.width)
    if len(body) != expected[0] * expected[1]:
        raise InvalidMaskError(
            "The mask has another size than its patch.",
            got=f"{len(body)} bytes",
            expected=f"{expected[0]} × {expected[1]} bytes, one a pixel",
        )
    painted = np.frombuffer(body, np.uint8).reshape(expected)
    unknown = sorted({int(v) for v in np.unique(painted)} - {*range(classes + 1), UNLABELLED})
    if unknown:
        raise InvalidMaskError(
            "The mask holds values that are no class.",
            got=unknown[:10],
            expected=f"0 to {classes}, or {UNLABELLED} for not labelled",
        )
    return painted


def _eight_bits(project: Project, patch: PatchId, dz: int) -> NDArray[np.uint8]:
    """As they are where they are eight bits already; else stretched between two percentiles of the patch's
    own section."""
    grey, _ = project.images.surroundings(patch, project.settings.margin, dz)
    if grey.dtype == np.uint8:
        return np.ascontiguousarray(grey)
    own = project.images.surroundings(patch, project.settings.margin, 0)[0] if dz else grey
    low, high = np.percentile(own.astype(np.float32), PERCENTILES)
    stretched = (grey.astype(np.float32) - low) / max(high - low, 1e-6) * 255
    shown: NDArray[np.uint8] = np.clip(stretched, 0, 255).astype(np.uint8)
    return shown
