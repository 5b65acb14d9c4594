"""Opening a project's database: what is refused, what is brought up to date, what a failed write leaves."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from pickem.errors import PickemError, ProjectDamagedError, ProjectVersionError, StorageError
from pickem.geometry import PatchId
from pickem.project import database, rounds
from pickem.project.corrections import Corrections
from pickem.project.database import connect, storage_errors, transaction
from pickem.project.masks import pack
from pickem.project.quality import course
from pickem.project.schema import STEPS, VERSION
from pickem.project.store import NewMask, Store
from pickem.project.uncertainty import stored_uncertainty
from tests.fixtures.tiny_project import answer, selection

EVENT = "INSERT INTO events (at, kind, message) VALUES ('', '', '')"


def new_database(folder: Path) -> Path:
    path = folder / "project.sqlite"
    connect(path).close()
    return path


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_database_is_durable_and_up_to_date(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "project.sqlite")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2, "FULL"
        assert version_of(connection) == VERSION


def test_a_step_is_taken_once_and_what_is_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next version of pickem adds a step; one step more, taken twice, would fail."""
    path = tmp_path / "project.sqlite"
    with Store(path) as store:
        store.note("kept", "from the older version")
    step = "ALTER TABLE events ADD COLUMN more TEXT;"
    monkeypatch.setattr(database, "STEPS", (*database.STEPS, step))
    monkeypatch.setattr(database, "VERSION", VERSION + 1)
    for _ in range(2):
        with closing(connect(path)) as connection:
            assert version_of(connection) == VERSION + 1
            assert tuple(connection.execute("SELECT kind, more FROM events").fetchone()) == ("kept", None)


def test_a_step_that_fails_is_not_half_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = new_database(tmp_path)
    step = "ALTER TABLE events ADD COLUMN more TEXT; INSERT INTO no_such_table VALUES (1);"
    with monkeypatch.context() as later:
        later.setattr(database, "STEPS", (*database.STEPS, step))
        later.setattr(database, "VERSION", VERSION + 1)
        with pytest.raises(StorageError):
            connect(path)
    with closing(connect(path)) as connection:
        assert version_of(connection) == VERSION
        assert "more" not in [row["name"] for row in connection.execute("PRAGMA table_info(events)")]


def test_a_project_of_the_first_version_keeps_everything(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in STEPS[0].split(";"):
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        old.execute(
            "INSERT INTO patches VALUES (1, 'v', 0, 0, 0, 2, 2, 'query'), (2, 'v', 9, 0, 0, 2, 2, 'audit')"
        )
        old.execute(
            "INSERT INTO rounds VALUES (0, 'then', '2026-11-20T10:00:00', 'then', 0, 20, 'r', 0.5, 9)"
        )
        old.execute("INSERT INTO proposals VALUES (1, 0, ?)", (pack(np.ones((2, 2), np.uint8)),))
        old.execute("INSERT INTO audit_counts VALUES (0, 2, 1, 3, 4, 4)")
        old.execute("INSERT INTO quality VALUES (0, 0.6, 0.5, 0.7, 1)")
    with Store(path) as store:
        assert store.proposed_by(1) == 0
        proposal = store.proposal(1)
        assert proposal is not None
        assert (proposal == 1).all()
        assert stored_uncertainty(store, 1) is None
        answer(store, 2, np.ones((2, 2), np.uint8), "submitted")
        assert [at.number for at in rounds.to_measure(store)] == [0], "on which masks, nobody remembers"
        assert [measured.quality.jaccard for measured in course(store)] == [0.6]
        store.save(1, NewMask(0, np.eye(2, dtype=np.uint8), "submitted", "background", 1.0, proposed_by=0))
        assert store.corrections() == {0: Corrections(1, changed=2, foreground=4)}


def test_what_was_saved_before_there_were_names_has_none(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in ";".join(STEPS[:2]).split(";"):
            old.execute(statement)
        old.execute("PRAGMA user_version = 2")
        old.execute("INSERT INTO patches VALUES (1, 'v', 0, 0, 0, 2, 2, 'query')")
        mask = pack(np.ones((2, 2), np.uint8))
        old.execute(
            "INSERT INTO revisions VALUES (1, 1, 1, 'submitted', ?, 4, 'background', 1.5, NULL, "
            "'2026-11-20T10:00:00.000+00:00')",
            (mask,),
        )
    with Store(path) as store:
        newest = store.newest(1)
        assert newest is not None
        assert (newest.annotator, newest.seconds) == ("", 1.5)
        assert newest.mask is not None
        assert newest.mask.all()
        store.save(1, NewMask(1, newest.mask, "submitted", "background", 2.0, annotator="Ana"))
        assert [(r.annotator, r.revision) for _, r in store.history(5)] == [("Ana", 2)]


def test_many_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    """The page and the trainer start together; whoever comes second finds the step taken."""
    for attempt in range(5):
        path = tmp_path / f"{attempt}.sqlite"
        with ThreadPoolExecutor(4) as threads:
            for connection in threads.map(connect, [path] * 4):
                assert version_of(connection) == VERSION
                connection.close()


def test_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = new_database(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(ProjectVersionError, match="pip install --upgrade") as raised:
        connect(path)
    assert f"format {VERSION + 1}" in str(raised.value)
    with closing(sqlite3.connect(path)) as connection:
        assert version_of(connection) == VERSION + 1


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    path.write_bytes(b"my thesis, not a database " * 100)
    with pytest.raises(ProjectDamagedError, match=r"project\.sqlite"):
        connect(path)
    assert path.read_bytes() == b"my thesis, not a database " * 100


def test_a_damaged_database_says_so(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    with Store(path) as store:
        store.replace_queue(selection([PatchId("v", z, 0, 0, 16, 16) for z in range(2000)]), None)
    data = bytearray(path.read_bytes())
    data[len(data) // 4 :] = os.urandom(len(data) - len(data) // 4)
    path.write_bytes(data)
    with pytest.raises(ProjectDamagedError, match="backup"), Store(path) as store:
        store.queue()


def test_a_bug_is_not_told_as_a_damaged_database(tmp_path: Path) -> None:
    """Whoever restores a sound database from a backup loses what was painted since."""
    with Store(tmp_path / "project.sqlite") as store:
        with pytest.raises(sqlite3.IntegrityError, match=r"events\.at"), store.change() as connection:
            connection.execute("INSERT INTO events (kind, message) VALUES ('', '')")
        assert store.events(5) == []


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened") as raised:
        connect(tmp_path)
    assert str(tmp_path) in str(raised.value)
    assert isinstance(raised.value, OSError)


def test_a_read_only_database_says_so(tmp_path: Path) -> None:
    path = new_database(tmp_path)
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(StorageError, match="read-only") as raised,
        storage_errors(path),
    ):
        connection.execute(EVENT)
    assert raised.value.todo is not None


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user")
def test_another_users_project_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """A process that owns nothing opens a file that it may read and not write."""
    path = new_database(tmp_path)
    script = (
        "import os, sys; from pathlib import Path; from pickem.errors import StorageError\n"
        "from pickem.project.database import connect\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: connect(Path(sys.argv[1]))\n"
        "except StorageError as error: print(error)\n"
    )
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    said = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert "read-only" in said.stdout or "cannot be opened" in said.stdout, said.stdout


def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "project.sqlite"
    patches = [PatchId("v", z, 0, 0, 16, 16) for z in range(5000)]
    with Store(path) as store:
        store.replace_queue(selection(patches[:3]), None)
        with store.change() as connection:
            pages = int(connection.execute("PRAGMA page_count").fetchone()[0])
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StorageError, match="disk is full") as raised:
            store.replace_queue(selection(patches), None)
        assert "free some space" in str(raised.value)
        assert [queued.stored.patch for queued in store.queue()] == patches[:3]
        connection.execute("PRAGMA max_page_count = 1000000")
        store.replace_queue(selection(patches), None)
    with Store(path) as store:
        assert len(store.queue()) == len(patches)


def test_a_busy_database_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    path = new_database(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Store(path) as store, pytest.raises(StorageError, match="busy"):
            store.note("event", "refused")
        other.execute("ROLLBACK")
    with Store(path) as store:
        assert store.events(5) == []
        store.note("event", "now")
        assert len(store.events(5)) == 1


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    """A reader keeps a database without write-ahead log from committing. Were the transaction left open, the
    next change would take itself for a part of it, and never reach the disk."""
    path = tmp_path / "plain.sqlite"
    with (
        closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as writer,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        writer.execute("CREATE TABLE kept (value)")
        with transaction(writer):
            writer.execute("INSERT INTO kept VALUES (1)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM kept").fetchall()
        with pytest.raises(sqlite3.OperationalError, match="locked"), transaction(writer):
            writer.execute("INSERT INTO kept VALUES (2)")
        assert not writer.in_transaction
        reader.execute("ROLLBACK")
        with transaction(writer):
            writer.execute("INSERT INTO kept VALUES (3)")
        assert [row[0] for row in reader.execute("SELECT value FROM kept")] == [1, 3]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no")])
def test_whatever_interrupts_a_transaction_undoes_it(tmp_path: Path, error: BaseException) -> None:
    def interrupted(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.execute(EVENT)
            raise error

    with closing(connect(new_database(tmp_path))) as connection:
        with pytest.raises(type(error)):
            interrupted(connection)
        assert connection.execute("SELECT count(*) FROM events").fetchone()[0] == 0


def test_errors_of_pickem_pass_through_unchanged(tmp_path: Path) -> None:
    error = PickemError("Mine.")
    with pytest.raises(PickemError) as raised, storage_errors(tmp_path):
        raise error
    assert raised.value is error
