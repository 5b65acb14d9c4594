"""Which project this is: a random id, that a copy does not share with what it was copied from.

The id stands in the database, which is copied with it; beside it stand the folder and the inode of the
database's file. A project that was moved is in another folder, one that was restored from a backup has
another inode; where both are others, it is a copy, and gets an id of its own.

The browser keeps unsaved strokes under this id, so a copy must not find those of the original. A project that
was moved to another disk is taken for a copy: what the browser held of it is not found, what was saved is.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path

from pickem.errors import StorageError
from pickem.project.store import Store


def identify(store: Store, folder: Path) -> str:
    """The id of the project in `folder`; a new one for a copy, and for a project that has none yet.

    Where that cannot be kept, the disk is full, say, it holds until the project is closed.
    """
    here = (str(folder.resolve()), (folder / "project.sqlite").stat().st_ino)
    found = _known(store, here)
    if found is None or found[1] != here:
        with suppress(StorageError), store.change() as connection:
            found = _known(store, here)  # asked again: another process may have been quicker
            connection.execute("DELETE FROM identity")
            number = found[0] if found else _new_id()
            connection.execute("INSERT INTO identity VALUES (?, ?, ?)", (number, *here))
            return number
    return found[0] if found else _new_id()


def _known(store: Store, here: tuple[str, int]) -> tuple[str, tuple[str, int]] | None:
    """The id in the database and where the project was then; None for a copy of that project."""
    for row in store.rows("SELECT id, folder, inode FROM identity"):
        there = (row["folder"], row["inode"])
        if there[0] == here[0] or there[1] == here[1]:
            return row["id"], there
    return None


def _new_id() -> str:
    return secrets.token_hex(16)
