"""Who works on which patch: nobody is served what another has, and what is left is free again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from pickem.errors import InvalidNameError, UnknownPatchError
from pickem.geometry import PatchId
from pickem.project.annotators import annotator_name, labelled_by
from pickem.project.leases import LASTS, LEAVING, Hold, Leases
from pickem.project.serving import next_patch
from pickem.project.store import NewMask, State, Store
from tests.fixtures.tiny_project import selection

MASK = np.ones((2, 2), np.uint8)
QUERIES = [PatchId("v", 0, 0, x, 2, 2) for x in range(0, 24, 2)]
AUDIT = [PatchId("v", 9, 0, x, 2, 2) for x in range(0, 12, 2)]
TICK = timedelta(milliseconds=1)


class Hands:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 25, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def go(self, by: timedelta) -> None:
        self.at += by


class Office:
    """A project's database and its clock, and what annotators do at it."""

    def __init__(self, path: Path, clock: Hands) -> None:
        self.store = Store(path)
        self.clock = clock
        self.leases = Leases(self.store, clock)

    def next(self, annotator: str, skip_ahead: int | None = None, audit_every: int = 1000) -> int | None:
        found = next_patch(self.store, audit_every, skip_ahead, annotator, self.clock)
        return found.id if found else None

    def save(self, annotator: str, number: int, state: State = "submitted") -> None:
        newest = self.store.newest(number)
        mask = None if state == "skipped" else MASK
        base = newest.revision if newest else 0
        self.store.save(number, NewMask(base, mask, state, "background", 1.0, annotator=annotator))


@pytest.fixture
def open_office(tmp_path: Path) -> Iterator[Callable[[], Office]]:
    """Opens the same office again and again, with the same clock."""
    opened: list[Office] = []
    clock = Hands()

    def office() -> Office:
        opened.append(Office(tmp_path / "project.sqlite", clock))
        return opened[-1]

    with Store(tmp_path / "project.sqlite") as store:
        store.reserve_audit(AUDIT)
        store.replace_queue(selection(QUERIES), None)
    yield office
    for each in opened:
        each.store.close()


@pytest.fixture
def office(open_office: Callable[[], Office]) -> Office:
    return open_office()


def test_nobody_is_served_what_another_has_or_has_next(office: Office) -> None:
    ana = office.next("Ana")
    ahead = office.next("Ana", skip_ahead=ana)
    ben = office.next("Ben")
    assert len({ana, ahead, ben, office.next("Ben", skip_ahead=ben)}) == 4
    assert office.leases.held() == {ana: "Ana", ahead: "Ana", ben: "Ben", 10: "Ben"}


def test_ones_own_is_found_again_also_by_another_server(open_office: Callable[[], Office]) -> None:
    before = open_office()
    ana, ben = before.next("Ana"), before.next("Ben")
    before.store.close()
    after = open_office()
    assert (after.next("Ana"), after.next("Ben")) == (ana, ben)


def test_a_lease_ends_without_a_sign_and_goes_on_with_one(office: Office) -> None:
    ana = office.next("Ana")
    assert ana is not None
    office.clock.go(LASTS - TICK)
    assert office.next("Ben") != ana
    assert office.leases.keep(ana, "Ana").held
    office.clock.go(LASTS - TICK)
    assert office.next("Cem") != ana
    office.clock.go(TICK)
    assert office.next("Dora") == ana
    assert office.leases.keep(ana, "Ana") == Hold(held=False, by="Dora")


def test_a_sign_for_one_patch_prolongs_the_one_loaded_ahead(office: Office) -> None:
    ana = office.next("Ana")
    assert ana is not None
    office.next("Ana", skip_ahead=ana)
    office.clock.go(LASTS / 2)
    office.leases.keep(ana, "Ana")
    office.clock.go(LASTS / 2 + TICK)
    assert list(office.leases.held().values()) == ["Ana", "Ana"]


def test_who_leaves_may_come_back_for_a_moment(office: Office) -> None:
    ana = office.next("Ana")
    office.leases.release("Ana")
    office.clock.go(LEAVING - TICK)
    assert office.next("Ben") != ana
    assert office.next("Ana") == ana  # a page that was loaded again
    office.clock.go(LEAVING)
    assert office.next("Cem") != ana
    office.leases.release("Ana")
    office.clock.go(LEAVING)
    assert office.next("Dora") == ana


@pytest.mark.parametrize("state", ["submitted", "skipped"])
def test_an_answer_ends_the_lease_whoever_gives_it(office: Office, state: State) -> None:
    ana = office.next("Ana")
    assert ana is not None
    office.save("Ben", ana, state)  # with a lease that ran out, and the page still open
    assert office.leases.held() == {}
    assert office.leases.keep(ana, "Ana") == Hold(held=False, by="Ben")
    assert office.leases.held() == {}


def test_what_others_have_begun_comes_last(office: Office) -> None:
    begun = office.next("Ana")
    assert begun is not None
    office.save("Ana", begun, "draft")
    office.clock.go(LASTS)
    served = []
    while (number := office.next("Ben")) is not None:
        served.append(number)
        office.save("Ben", number)
    assert served[-1] == begun
    assert len(served) == len(QUERIES) + len(AUDIT)


def test_what_one_has_begun_is_found_again_though_it_left_the_queue(office: Office) -> None:
    begun = office.next("Ana")
    assert begun is not None
    office.save("Ana", begun, "draft")
    office.clock.go(2 * LASTS)
    office.store.replace_queue(selection(QUERIES[5:]), None)
    assert office.next("Ben") != begun
    assert office.next("Ana") == begun


def test_a_mask_from_before_there_were_names_is_anybodys_to_go_on_with(office: Office) -> None:
    begun = office.store.queue()[3].stored.id
    office.save("", begun, "draft")
    assert office.next("Ana") == begun
    assert office.next("Ben") != begun


def test_a_leased_patch_that_left_the_queue_is_not_served_again(office: Office) -> None:
    left = office.next("Ana")
    office.store.replace_queue(selection(QUERIES[5:]), None)
    assert office.next("Ana") not in (left, None)


def test_every_fifth_patch_is_of_the_audit_whoever_asks(office: Office) -> None:
    """Patches count when they are served: many who ask before anybody has answered get no more than their
    share of the audit."""
    audit = {stored.id for stored in office.store.open_audit()}
    names = ["Ana", "Ben", "Cem", "Dora", "Eva", "Finn", "Gül"]
    first = [office.next(name, audit_every=5) for name in names]
    ahead = [office.next(name, number, 5) for name, number in zip(names, first, strict=True)]
    assert [number in audit for number in first + ahead] == [turn % 5 == 4 for turn in range(14)]


def test_a_name_that_is_changed_keeps_what_it_has(office: Office) -> None:
    ana = office.next("me")
    office.leases.hand_over("me", "Ana")
    assert office.next("me") != ana
    assert office.next("Ana") == ana


def test_a_lease_that_a_wrong_clock_wrote_does_not_last(office: Office) -> None:
    office.clock.go(timedelta(days=4000))
    ana = office.next("Ana")
    office.clock.go(-timedelta(days=4000))
    assert office.next("Ben") == ana


def test_an_unknown_patch_is_leased_to_nobody(office: Office) -> None:
    with pytest.raises(UnknownPatchError):
        office.leases.keep(999, "Ana")


def test_a_database_that_cannot_be_written_still_serves(office: Office) -> None:
    """On a full disk painting goes on, in the browser; it says there that nothing is saved."""
    office.store.rows("PRAGMA query_only = ON")
    assert office.next("Ana") == office.next("Ben") is not None
    assert office.leases.held() == {}


def test_a_patch_counts_for_whoever_submitted_it_last(office: Office) -> None:
    first, second, third, audit = 7, 8, 9, 1
    for name, number in (("Ana", first), ("Ben", second), ("Ana", third), ("Ben", first), ("Ben", audit)):
        office.save(name, number)
    office.save("Ana", third, "skipped")
    office.save("Cem", second, "draft")
    assert labelled_by(office.store) == {"Ben": 3}


@pytest.mark.parametrize(
    ("typed", "name"), [(" Ana  María ", "Ana María"), ("me", "me"), ("阿娜 😀", "阿娜 😀")]
)
def test_a_name_is_stored_without_needless_spaces(typed: str, name: str) -> None:
    assert annotator_name(typed) == name


@pytest.mark.parametrize("typed", ["", "   ", "x" * 41, "a\x00b", "a\u200bb", "\u202eana"])
def test_a_name_that_cannot_be_seen_is_refused(typed: str) -> None:
    with pytest.raises(InvalidNameError, match="1 to 40 characters"):
        annotator_name(typed)


# any sequence of what annotators do ----------------------------------------------------------------------

NAMES = st.sampled_from(["Ana", "Ben", "Cem"])


class LeaseMachine(RuleBasedStateMachine):
    """Annotators come, paint, leave or are forgotten, in any order; each remembers what they were served."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "project.sqlite"
        self.office = Office(self.path, Hands())
        self.office.store.reserve_audit(AUDIT[:2])
        self.office.store.replace_queue(selection(QUERIES[:6]), None)
        self.mine: dict[int, tuple[str, datetime]] = {}  # patch: whose, and until when
        self.answered: list[int] = []

    def sign(self, annotator: str, number: int) -> None:
        until = self.office.clock() + LASTS
        live = {n: (by, end) for n, (by, end) in self.mine.items() if end > self.office.clock()}
        self.mine = live | {n: (by, until) for n, (by, _) in live.items() if by == annotator}
        self.mine[number] = (annotator, until)

    def holder(self, number: int) -> str | None:
        by, until = self.mine.get(number, (None, self.office.clock()))
        return by if until > self.office.clock() else None

    @rule(annotator=NAMES, ahead=st.booleans())
    def ask(self, annotator: str, ahead: bool) -> None:
        now = next((n for n in self.mine if self.holder(n) == annotator), None) if ahead else None
        number = self.office.next(annotator, now, audit_every=3)
        if number is None:
            assert all(self.holder(n) or n in self.answered or n == now for n in range(1, 9))
            return
        assert self.holder(number) in (None, annotator)
        assert number != now
        assert number not in self.answered
        self.sign(annotator, number)

    @rule(annotator=NAMES, state=st.sampled_from(["draft", "submitted", "skipped"]))
    def save(self, annotator: str, state: State) -> None:
        number = next((n for n in self.mine if self.holder(n) == annotator), None)
        if number is None:
            return
        if state == "skipped" and number in {stored.id for stored in self.office.store.patches("audit")}:
            return  # it would come once more, of which test_project_serving.py is
        self.office.save(annotator, number, state)
        if state == "draft":
            self.office.leases.keep(number, annotator)
            self.sign(annotator, number)
        else:
            self.answered.append(number)
            del self.mine[number]

    @rule(annotator=NAMES)
    def leave(self, annotator: str) -> None:
        self.office.leases.release(annotator)
        soon = self.office.clock() + LEAVING
        for number, (by, until) in self.mine.items():
            if by == annotator:
                self.mine[number] = (by, min(until, soon))

    @rule(by=st.sampled_from([LEAVING, 2 * LEAVING, LASTS - TICK, LASTS]))
    def wait(self, by: timedelta) -> None:
        self.office.clock.go(by)

    @rule()
    def restart_the_server(self) -> None:
        self.office.store.close()
        self.office = Office(self.path, self.office.clock)

    def teardown(self) -> None:
        self.office.clock.go(LASTS)  # all have gone; one comes and finishes
        while (number := self.office.next("Zoe", audit_every=3)) is not None:
            self.office.save("Zoe", number)
            self.answered.append(number)
        assert sorted(self.answered) == list(range(1, 9))
        self.office.store.close()
        self.folder.cleanup()


LeaseMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25)
TestLeases = LeaseMachine.TestCase
