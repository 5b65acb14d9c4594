"""Opening the page in the person's browser, without the token in a command line.

What a program was started with, everybody on the machine can read (`ps`). So the browser is given a file that
sends it on to the page, in a folder that nobody else may enter, as Jupyter does.
"""

from __future__ import annotations

import html
import os
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_data_path

PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<title>pickem</title>
<p>The labelling page is at <a href="{address}">this address</a>.</p>
"""


def open_page(address: str, folder: Path) -> None:
    """Open `address` in the browser by way of a file in `folder`; where that cannot be written, do nothing.

    Returns when the browser's program does: at once, or when it is closed.
    """
    with suppress(OSError):
        webbrowser.open(write_redirect(address, folder).as_uri())


def write_redirect(address: str, folder: Path) -> Path:
    """A page in `folder` that sends whoever opens it on to `address`; only this user may read it."""
    path = folder / "open.html"
    with open(path, "w", encoding="utf-8", opener=_for_oneself) as file:
        file.write(PAGE.format(address=html.escape(address)))
    return path


@contextmanager
def private_folder() -> Iterator[Path]:
    """A new folder that only this user may enter, gone when the block ends.

    In the user's data folder, as browsers in a sandbox may not see a temporary one.
    """
    home = user_data_path("pickem")
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        home = Path(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix="open-", dir=home, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _for_oneself(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
