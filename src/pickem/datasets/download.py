"""One file over HTTP, continued where an earlier attempt stopped.

NAME.partial             what has come so far; kept when the connection breaks or the process is killed
NAME.partial.version     its ETag or date: half of one version is never joined to half of another
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pickem.durable import storage_error
from pickem.errors import DownloadError

OnBytes = Callable[[int, int | None], None]  # bytes here, bytes in all where the server says so

_CHUNK = 1 << 16  # bytes; what is lost at most when the connection breaks
_CONNECT_S, _SILENCE_S = 10.0, 60.0
_RETRIES = Retry(total=3, backoff_factor=0.1, status_forcelist=(502, 503, 504), raise_on_status=False)


class ResumingDownloader:
    """A downloader for `pooch.retrieve` that resumes with HTTP ranges.

    partial: where what has come so far is kept; it is moved to pooch's file once complete.

    Does not look at what the file holds: pooch compares its hash.
    """

    def __init__(self, partial: Path, on_bytes: OnBytes) -> None:
        self._partial = partial
        self._version = partial.with_name(partial.name + ".version")
        self._on_bytes = on_bytes

    def __call__(self, url: str, output_file: str, pooch: object) -> None:  # noqa: ARG002  (pooch's interface)
        """Download `url` to `output_file`.

        Raises DownloadError where the server cannot be reached, refuses, or stops before the end, and
        StorageError where the file cannot be written.
        """
        try:
            with requests.Session() as session:
                for scheme in ("http://", "https://"):
                    session.mount(scheme, HTTPAdapter(max_retries=_RETRIES))
                self._complete(session, url)
            self._partial.replace(output_file)
            self._version.unlink(missing_ok=True)
        except requests.RequestException as error:
            raise DownloadError(
                "The connection failed.",
                got=f"{url}: {error}",
                todo="start the same command again: it continues where this stopped; or give a --mirror",
            ) from error
        except DownloadError:
            raise
        except OSError as error:
            raise storage_error(self._partial, error) from error

    def _complete(self, session: requests.Session, url: str) -> None:
        """Bring `partial` to its full length."""
        with session.get(
            url, headers=self._headers(), stream=True, timeout=(_CONNECT_S, _SILENCE_S)
        ) as response:
            if response.status_code != requests.codes.requested_range_not_satisfiable:
                self._receive(url, response)
                return
        self._partial.unlink(missing_ok=True)  # longer than the file, or of another version: from the start
        self._version.unlink(missing_ok=True)
        with session.get(
            url, headers=self._headers(), stream=True, timeout=(_CONNECT_S, _SILENCE_S)
        ) as response:
            self._receive(url, response)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}  # a range of compressed bytes could not be continued
        if self._partial.exists() and self._version.exists():
            headers["Range"] = f"bytes={self._partial.stat().st_size}-"
            headers["If-Range"] = self._version.read_text("utf-8")
        return headers

    def _receive(self, url: str, response: requests.Response) -> None:
        if not response.ok:
            raise DownloadError(
                "The server does not give this file.",
                got=f"{url}: {response.status_code} {response.reason}",
                expected="200 OK",
                todo="check the address, try again later, or give another place with --mirror",
            )
        here = self._partial.stat().st_size if response.status_code == requests.codes.partial_content else 0
        total = _total_bytes(response, here)
        if here == 0:
            self._partial.unlink(missing_ok=True)
            self._remember_version(response)
        with self._partial.open("ab") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                here += len(chunk)
                self._on_bytes(here, total)
        if total is not None and here != total:
            raise DownloadError(
                "The download stopped before its end.",
                got=f"{here} bytes of {url}",
                expected=f"{total} bytes",
                todo="start the same command again: it continues where this stopped",
            )

    def _remember_version(self, response: requests.Response) -> None:
        etag = response.headers.get("ETag", "")
        version = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
        if version:
            self._version.write_text(version, "utf-8")
        else:
            self._version.unlink(missing_ok=True)


def _total_bytes(response: requests.Response, here: int) -> int | None:
    """Length of the whole file; None where the server does not say."""
    if response.status_code != requests.codes.partial_content:
        length = response.headers.get("Content-Length")
        return int(length) if length else None
    given = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", given)
    if found is None or int(found[1]) != here:
        raise DownloadError(
            "The server sent another part of the file than was asked for.",
            got=f"Content-Range: {given or '(none)'}",
            expected=f"bytes {here}-…",
            todo="give another place with --mirror",
        )
    return None if found[2] == "*" else int(found[2])
