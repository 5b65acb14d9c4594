"""Downloads, against a real HTTP server on this machine that also misbehaves."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.datasets import find_source
from pickem.datasets.fetch import PROVENANCE, fetch
from pickem.datasets.sources import RemoteFile, Source
from pickem.errors import DownloadError

PARTS = ("training", "training_groundtruth", "testing", "testing_groundtruth")


@dataclass
class Server:
    """What the server holds, how it behaves, and what it was asked."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None  # bytes of a body, then the connection is closed
    ranges: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range header


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server(files={f"/{part}.tif": tiff_stack(seed) for seed, part in enumerate(PARTS)})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.requests.append((self.path, asked))
            body = state.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            start = int(re.match(r"bytes=(\d+)-", asked).group(1)) if asked and state.ranges else 0  # type: ignore[union-attr]
            if start >= len(body):
                self.send_error(416)
                return
            etag = f'"{hashlib.sha256(body).hexdigest()}"'
            if self.headers.get("If-Range", etag) != etag:
                start = 0
            self.send_response(206 if start else 200)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body) - start))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            self.wfile.write(body[start:][: state.cut_after])

        def log_message(self, *arguments: object) -> None:
            """The tests look at `state.requests` instead."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


def tiff_stack(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (4, 256, 256), np.uint8)
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric="minisblack")
    return buffer.getvalue()


def source_on(server: Server, *, known_hashes: bool = True) -> Source:
    """EPFL's dataset as this server has it."""
    files = tuple(
        RemoteFile(
            f"{server.address}/{part}.tif",
            f"{part}.tif",
            hashlib.sha256(server.files[f"/{part}.tif"]).hexdigest() if known_hashes else None,
        )
        for part in PARTS
    )
    return replace(find_source("epfl"), files=files)


def quietly(source: Source, folder: Path, mirror: str | None = None) -> Path:
    return fetch(source, folder, mirror, lambda *_: None)


def assert_whole(folder: Path, server: Server) -> None:
    assert {p.name for p in folder.iterdir()} == {f"{part}.tif" for part in PARTS} | {PROVENANCE}
    for part in PARTS:
        assert (folder / f"{part}.tif").read_bytes() == server.files[f"/{part}.tif"]
    assert not folder.with_name(f"{folder.name}.partial").exists()


def test_a_whole_download_with_its_provenance(server: Server, tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    folder = fetch(source_on(server), tmp_path / "epfl", None, lambda *at: told.append(at))
    assert_whole(folder, server)
    size = len(server.files["/training.tif"])
    assert told[-1] == ("testing_groundtruth.tif", size, size)
    provenance = json.loads((folder / PROVENANCE).read_text())
    assert [line["sha256"] for line in provenance["files"]] == [
        hashlib.sha256(server.files[f"/{part}.tif"]).hexdigest() for part in PARTS
    ]
    assert provenance["licence"]


def test_what_is_here_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    quietly(source_on(server), tmp_path / "epfl")
    server.requests.clear()
    quietly(source_on(server), tmp_path / "epfl")
    assert server.requests == []


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = 200_000
    with pytest.raises(DownloadError, match=r"continues where this stopped"):
        quietly(source_on(server), tmp_path / "epfl")
    assert not (tmp_path / "epfl").exists()
    server.cut_after = None
    server.requests.clear()
    quietly(source_on(server), tmp_path / "epfl")
    assert server.requests[0] == ("/training.tif", f"bytes={3 * 65536}-")
    assert_whole(tmp_path / "epfl", server)


def test_a_server_without_ranges_starts_anew(server: Server, tmp_path: Path) -> None:
    server.cut_after, server.ranges = 200_000, False
    with pytest.raises(DownloadError):
        quietly(source_on(server), tmp_path / "epfl")
    server.cut_after = None
    quietly(source_on(server), tmp_path / "epfl")
    assert_whole(tmp_path / "epfl", server)


def test_half_of_one_version_is_never_joined_to_half_of_another(server: Server, tmp_path: Path) -> None:
    server.cut_after = 200_000
    with pytest.raises(DownloadError):
        quietly(source_on(server), tmp_path / "epfl")
    server.cut_after = None
    server.files["/training.tif"] = tiff_stack(99)
    quietly(source_on(server), tmp_path / "epfl")
    assert_whole(tmp_path / "epfl", server)


def test_a_corrupted_file_is_refused_and_can_be_fetched_again(server: Server, tmp_path: Path) -> None:
    source = source_on(server)
    good = server.files["/testing.tif"]
    server.files["/testing.tif"] = good[:-1] + b"?"
    with pytest.raises(DownloadError, match="not the right one") as raised:
        quietly(source, tmp_path / "epfl")
    assert source.files[2].sha256 in str(raised.value)
    assert not (tmp_path / "epfl").exists()
    server.files["/testing.tif"] = good
    server.requests.clear()
    quietly(source, tmp_path / "epfl")
    assert [path for path, _ in server.requests] == ["/testing.tif", "/testing_groundtruth.tif"]
    assert_whole(tmp_path / "epfl", server)


def test_without_a_known_hash_what_came_is_recorded(server: Server, tmp_path: Path) -> None:
    folder = quietly(source_on(server, known_hashes=False), tmp_path / "epfl")
    lines = json.loads((folder / PROVENANCE).read_text())["files"]
    assert {line["verified_against"] for line in lines} == {None}
    assert all(len(line["sha256"]) == 64 for line in lines)


def test_without_a_known_hash_rubbish_is_still_not_installed(server: Server, tmp_path: Path) -> None:
    server.files["/testing.tif"] = b"<html>moved</html>"
    with pytest.raises(Exception, match=r"testing\.tif"):
        quietly(source_on(server, known_hashes=False), tmp_path / "epfl")
    assert not (tmp_path / "epfl").exists()


def test_a_mirror_serves_the_same_paths(server: Server, tmp_path: Path) -> None:
    source = source_on(server)
    elsewhere = replace(
        source, files=tuple(replace(f, url=f"http://127.0.0.1:9/{f.path}") for f in source.files)
    )
    with pytest.raises(DownloadError, match="connection failed"):
        quietly(elsewhere, tmp_path / "epfl")
    assert_whole(quietly(elsewhere, tmp_path / "epfl", server.address + "/"), server)


@pytest.mark.parametrize("root", ["Lucchi++", "Other"])
def test_an_archive_is_unpacked(root: str, server: Server, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in PARTS:
            archive.writestr(f"Lucchi++/{part}.tif", server.files[f"/{part}.tif"])
    server.files["/data.zip"] = buffer.getvalue()
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    file = RemoteFile(f"{server.address}/data.zip", "data.zip", sha256, root)
    source = replace(find_source("lucchi++"), files=(file,))
    if root == "Other":
        with pytest.raises(DownloadError, match="does not hold"):
            quietly(source, tmp_path / "lucchi++")
        assert not (tmp_path / "lucchi++").exists()
    else:
        assert_whole(quietly(source, tmp_path / "lucchi++"), server)


def test_an_archive_cannot_write_outside_its_folder(server: Server, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../evil.txt", "x")
    server.files["/data.zip"] = buffer.getvalue()
    file = RemoteFile(f"{server.address}/data.zip", "data.zip", None, "Lucchi++")
    with pytest.raises(DownloadError):
        quietly(replace(find_source("lucchi++"), files=(file,)), tmp_path / "inner" / "lucchi++")
    assert not list(tmp_path.glob("evil.txt"))
    assert not list((tmp_path / "inner").glob("evil.txt"))


def test_a_strange_folder_in_the_place_is_left_alone(server: Server, tmp_path: Path) -> None:
    (tmp_path / "epfl").mkdir()
    (tmp_path / "epfl" / "mine.txt").write_text("mine")
    with pytest.raises(DownloadError, match="move it away"):
        quietly(source_on(server), tmp_path / "epfl")
    assert (tmp_path / "epfl" / "mine.txt").read_text() == "mine"


def test_the_real_vnc_files_are_described_by_hash_and_size_of_the_list() -> None:
    files = find_source("vnc").files
    assert len(files) == 40
    assert all(re.fullmatch(r"[0-9a-f]{64}", f.sha256 or "") for f in files)
