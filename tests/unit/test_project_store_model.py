"""The store against a plain model of it, over random sequences of what a person and a trainer do."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pickem.errors import RevisionConflictError
from pickem.geometry import PatchId
from pickem.project.store import Kind, NewMask, State, Store
from tests.fixtures.tiny_project import selection

PATCHES = [PatchId(volume, z, 0, 0, 2, 2) for volume in "vw" for z in range(4)]
AUDIT = [PatchId("v", 9, 0, x, 2, 2) for x in (2, 0)]
MASKS = st.lists(st.sampled_from([0, 1, 2, 255]), min_size=4, max_size=4).map(
    lambda values: np.array(values, np.uint8).reshape(2, 2)
)


@dataclass
class Model:
    """What a store should remember: per patch, its revisions in the order in which they were saved."""

    kinds: dict[PatchId, Kind] = field(default_factory=dict)  # in the order in which they were numbered
    queue: list[PatchId] = field(default_factory=list)
    saved: list[tuple[PatchId, int, State, bytes | None]] = field(default_factory=list)

    def newest(self, patch: PatchId) -> int:
        return max((revision for p, revision, *_ in self.saved if p == patch), default=0)

    def answers(self, patch: PatchId) -> list[tuple[State, bytes | None]]:
        return [(state, mask) for p, _, state, mask in self.saved if p == patch and state != "draft"]

    def submitted(self, kind: Kind) -> dict[PatchId, bytes]:
        first = dict.fromkeys(p for p, _, state, _ in self.saved if state == "submitted")
        found = {p: self.answers(p)[-1] for p in first if self.kinds[p] == kind}
        return {p: mask for p, (state, mask) in found.items() if state == "submitted" and mask is not None}


class StoreMachine(RuleBasedStateMachine):
    """Each rule does the same to the store and to the model; the invariants compare what they remember."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "project.sqlite")
        self.store.reserve_audit(AUDIT)
        self.model = Model(kinds=dict.fromkeys(AUDIT, "audit"))

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @property
    def numbers(self) -> dict[PatchId, int]:
        return {patch: number for number, patch in enumerate(self.model.kinds, start=1)}

    @rule(picks=st.lists(st.sampled_from(PATCHES), unique=True))
    def rank(self, picks: list[PatchId]) -> None:
        self.store.replace_queue(selection(picks), None)
        self.model.kinds |= {patch: "query" for patch in picks if patch not in self.model.kinds}
        self.model.queue = picks

    @rule(data=st.data(), mask=MASKS, state=st.sampled_from(["draft", "submitted", "skipped"]))
    def save(self, data: st.DataObject, mask: np.ndarray, state: State) -> None:
        patch = data.draw(st.sampled_from(list(self.model.kinds)))
        kept = None if state == "skipped" else mask
        base = self.model.newest(patch)
        revision = self.store.save(self.numbers[patch], NewMask(base, kept, state, "background", 1.0))
        assert revision == base + 1
        self.model.saved = [row for row in self.model.saved if row[0] != patch or row[2] != "draft"]
        self.model.saved.append((patch, revision, state, None if kept is None else kept.tobytes()))

    @rule(data=st.data(), mask=MASKS, off=st.integers(-3, 3).filter(bool))
    def save_from_a_stale_window(self, data: st.DataObject, mask: np.ndarray, off: int) -> None:
        patch = data.draw(st.sampled_from(list(self.model.kinds)))
        base = self.model.newest(patch) + off
        with pytest.raises(RevisionConflictError):
            self.store.save(self.numbers[patch], NewMask(base, mask, "submitted", "background", 1.0))

    @precondition(lambda self: self.model.saved)
    @rule()
    def close_and_open_again(self) -> None:
        self.store.close()
        self.store = Store(Path(self.folder.name) / "project.sqlite")

    @invariant()
    def same_patches(self) -> None:
        found = {s.patch: (s.id, s.kind) for kind in ("query", "audit") for s in self.store.patches(kind)}
        assert found == {p: (self.numbers[p], kind) for p, kind in self.model.kinds.items()}

    @invariant()
    def same_queue(self) -> None:
        waiting = [patch for patch in self.model.queue if not self.model.answers(patch)]
        assert [queued.stored.patch for queued in self.store.queue()] == waiting
        assert self.store.queue_length() == len(self.model.queue)
        open_audit = [patch for patch in AUDIT if not self.model.answers(patch)]
        assert [stored.patch for stored in self.store.open_audit()] == open_audit

    @invariant()
    def same_labels(self) -> None:
        for kind in ("query", "audit"):
            found = [(s.patch, mask.tobytes()) for s, mask in self.store.submitted(kind).items()]
            assert found == list(self.model.submitted(kind).items())
            assert self.store.count(kind, "submitted") == len(found)

    @invariant()
    def same_answers(self) -> None:
        answered = {patch for patch in self.model.kinds if self.model.answers(patch)}
        assert set(self.store.answered()) == answered
        drafts = [p for p, _, state, _ in self.model.saved if state == "draft" and p not in answered]
        assert [stored.patch for stored, _ in self.store.begun()] == drafts[::-1]

    @invariant()
    def same_history(self) -> None:
        newest = {patch: (revision, state) for patch, revision, state, _ in self.model.saved}
        order = dict.fromkeys(patch for patch, *_ in reversed(self.model.saved))
        found = [(s.patch, (r.revision, r.state)) for s, r in self.store.history(100)]
        assert found == [(patch, newest[patch]) for patch in order]


StoreMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=25)
TestStore = StoreMachine.TestCase
