"""`pickem label` killed at random moments, server or trainer, while a client goes on labelling.

Every mask that was acknowledged is there, the project opens, and the network goes on learning.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Literal, Self

import pytest

from pickem.predictor import Phase
from pickem.project import rounds
from pickem.project.masks import unpack
from pickem.project.project import open_project
from pickem.project.store import Store
from tests.fixtures.labelling_server import Client, LabelCommand, trainers, wait_until
from tests.fixtures.tiny_project import PRETRAINED, make_tiny_project
from tests.fixtures.tireless_annotator import Sent, TirelessAnnotator, content_of

Victim = Literal["server", "trainer"]
VICTIMS: tuple[Victim, Victim] = ("server", "trainer")
MOMENTS = ("at once", "at work", "after a round")
RESTING = ("starting", "waiting for labels")  # it says so too while it loads what a first round takes
RECIPE = PRETRAINED.model_copy(
    update={
        "first": Phase(learning_rate=1e-3, steps=40),  # long enough to be killed in
        "following": Phase(learning_rate=1e-3, steps=40),
    }
)
LONGEST_WAIT = 1.0  # seconds from the moment to the kill

pytestmark = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds processes under /proc")


class Server:
    """`pickem label` with its trainer, started again whenever it is killed. Use as a context manager."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._command.__exit__()

    def doing(self) -> str:
        """What the trainer is doing, as the page is told."""
        said: str = Client(self.address).read("project")["progress"]["trainer"]["doing"]
        return "starting" if said.startswith("starting") else said

    def kill(self, victim: Victim) -> None:
        """Kill the server, and start it again; or the trainer, which the server has to start again."""
        if victim == "trainer":
            wait_until(self._kill_trainer, "there is a trainer")
            return
        self._command.process.kill()
        self._command.process.wait()
        self._start()

    def _start(self) -> None:
        self._command = LabelCommand(self._project, "--port", 0)
        self.address = self._command.client().address

    def _kill_trainer(self) -> bool:
        for process in trainers(self._project):
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:  # one that ended with the server before
                continue
            return True
        return False


class Kills:
    """Who was killed while the trainer did what, and what became of the masks."""

    def __init__(self) -> None:
        self.kills: Counter[tuple[Victim, str]] = Counter()
        self.acknowledged = 0
        self.unheard_of = 0  # sent when the server died: saved or not, nobody was told
        self.saved_unheard_of = 0
        self.rounds = 0

    def table(self) -> str:
        """As rows of Markdown, in the form of docs/results/labelling.md."""
        rows: list[tuple[str, int]] = []
        for victim in VICTIMS:
            each = sorted((doing, times) for (who, doing), times in self.kills.items() if who == victim)
            rows.append((f"kills of the {victim}", sum(times for _, times in each)))
            rows += [(f"… while the trainer was {doing}", times) for doing, times in each]
        rows += [
            ("masks acknowledged", self.acknowledged),
            ("… lost", 0),  # else nobody would come here
            ("masks on the way when the server died", self.unheard_of),
            ("… that were saved", self.saved_unheard_of),
            ("rounds of training finished", self.rounds),
        ]
        return "\n".join(f"| {name} | {value} |" for name, value in rows)


def new_project(folder: Path) -> Path:
    return make_tiny_project(folder, first_patches=4, per_round=8, recipe=RECIPE)


def kill_many_times(project: Path, times: int, seed: int) -> Kills:
    """Label and kill, and look after each kill whether all is there; then let the network learn once more."""
    chance, done = random.Random(seed), Kills()
    with (
        Server(project) as server,
        TirelessAnnotator(lambda: server.address, random.Random(seed + 1)) as annotator,
    ):
        annotator.goes_on()
        for _ in range(times):
            victim = chance.choice(VICTIMS)
            wait_for(chance.choice(MOMENTS), server, project)
            time.sleep(chance.uniform(0, LONGEST_WAIT))
            done.kills[victim, server.doing()] += 1
            server.kill(victim)
            annotator.goes_on()
            assert_kept(project, annotator)
        wait_for("after a round", server, project)
        annotator.goes_on()
    kept = assert_kept(project, annotator)
    with open_project(project) as opened:
        said = {message for _, kind, message in opened.store.events(10**6) if kind == "problem"}
        assert said <= {"The trainer ended: exit code -9"}
    unheard_of = set(annotator.sent) - set(annotator.acknowledged)
    done.acknowledged, done.unheard_of = len(annotator.acknowledged), len(unheard_of)
    done.saved_unheard_of, done.rounds = len(unheard_of & kept), finished_rounds(project)
    return done


def wait_for(moment: str, server: Server, project: Path) -> None:
    """Return when the trainer is at work, or when it has finished a round since the call."""
    before = finished_rounds(project)
    comes = {
        "at once": lambda: True,
        "at work": lambda: server.doing() not in RESTING,
        "after a round": lambda: finished_rounds(project) > before,
    }
    wait_until(comes[moment], f"the trainer, {moment}")


def assert_kept(project: Path, annotator: TirelessAnnotator) -> set[Sent]:
    """Every acknowledged mask is there, of drafts the newest; and nothing that was not sent. Returns what is
    there."""
    acknowledged = list(annotator.acknowledged)  # asked first: labelling goes on
    with Store(project / "project.sqlite") as store:
        assert [tuple(row) for row in store.rows("PRAGMA integrity_check")] == [("ok",)]
        size = {stored.id: stored.patch for kind in ("query", "audit") for stored in store.patches(kind)}
        kept = {
            Sent(number, revision, state, content_of(unpack(mask, size[number].height, size[number].width)))
            for number, revision, state, mask in store.rows(
                "SELECT patch, revision, state, mask FROM revisions"
            )
        }
    newest = {mask.patch: mask.revision for mask in sorted(kept, key=lambda mask: mask.revision)}
    replaced = {m for m in acknowledged if m.state == "draft" and newest.get(m.patch, 0) > m.revision}
    assert not set(acknowledged) - replaced - kept
    assert kept <= set(annotator.sent)
    return kept


def finished_rounds(project: Path) -> int:
    with Store(project / "project.sqlite") as store:
        latest = rounds.latest_round(store)
    return latest.number + 1 if latest else 0


def test_killed_while_labelling(tmp_path: Path) -> None:
    done = kill_many_times(new_project(tmp_path), 5, seed=143)
    assert {victim for victim, _ in done.kills} == set(VICTIMS)


@pytest.mark.soak
def test_killed_while_labelling_many_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = int(os.environ.get("PICKEM_SOAK_REPEATS", "100"))
    seed = int(os.environ.get("PICKEM_SOAK_SEED", "0"))
    done = kill_many_times(new_project(tmp_path), times, seed)
    with capsys.disabled():
        print(f"\n\n| seed {seed} | |\n|---|---|\n{done.table()}\n")
