"""Opening the project's SQLite file so that nothing acknowledged is ever lost.

Every write is one transaction, flushed to the disk before it returns (`synchronous = FULL`). The journal is a
write-ahead log, so that readers never wait for the trainer; on a network file system, where the shared memory
of a write-ahead log does not work, it is a rollback journal.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pickem.errors import ProjectDamagedError, ProjectVersionError, StorageError
from pickem.project.filesystem import is_network
from pickem.project.schema import STEPS, VERSION

RETRY_SECONDS = 0.02
BUSY_SECONDS = 10.0  # how long a write waits for another process's


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the database at `path`, created or brought up to date where need be.

    Usable from any thread, one at a time. Raises ProjectVersionError for a database of a later pickem,
    ProjectDamagedError for a file that is no database, StorageError where it cannot be written.
    """
    with storage_errors(path):
        connection = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.row_factory = sqlite3.Row
            _set_journal(connection, "DELETE" if is_network(path) else "WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the statements inside, or none; on disk when it ends."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")  # which a reader can keep from happening, in a rollback journal
    except BaseException:
        if connection.in_transaction:  # a full disk rolls back by itself
            connection.execute("ROLLBACK")
        raise


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into pickem's, each with what to do; what only a bug can raise stays as it is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _storage_error(path, error) from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # IntegrityError, say: the file is sound
            raise
        raise ProjectDamagedError(
            "The project's database cannot be read.",
            got=f"{path}: {error}",
            expected="the SQLite file that pickem wrote",
            todo="restore project.sqlite from a backup; the masks are in it",
        ) from error


def _storage_error(path: Path, error: sqlite3.OperationalError) -> StorageError:
    what, todo = {
        "SQLITE_FULL": ("The disk is full.", "free some space; what was saved before is safe"),
        "SQLITE_READONLY": ("The project is read-only.", "copy it to where you may write"),
        "SQLITE_CANTOPEN": ("The project's database cannot be opened.", "check the path and its permissions"),
        "SQLITE_BUSY": ("Another process keeps the project's database busy.", "try again in a moment"),
        "SQLITE_IOERR": ("The disk does not answer as it should.", "check the disk or the network drive"),
    }.get("_".join(error.sqlite_errorname.split("_")[:2]), ("The project cannot be written.", "see above"))
    return StorageError(what, got=f"{path}: {error}", todo=todo)


def _set_journal(connection: sqlite3.Connection, mode: Literal["DELETE", "WAL"]) -> None:
    """Choose the journal; SQLite does not wait by itself for others who are doing the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > VERSION:
        raise ProjectVersionError(
            "This project was made by a later version of pickem.",
            got=f"{path}: format {version}",
            expected=f"format {VERSION} or earlier",
            todo="pip install --upgrade pickem",
        )
    if version == VERSION:
        return
    with transaction(connection):
        for step in STEPS[_version(connection) :]:  # asked again: another process may have been quicker
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
