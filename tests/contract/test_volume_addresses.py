"""Volumes at an address, from a web server in this process: read in parts, refused with a clear reason."""

from __future__ import annotations

import functools
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from pickem.errors import VolumeFormatError, VolumeNotFoundError
from pickem.geometry import Box, whole
from pickem.volumes import open_volume, recognise
from tests.contract.volume_writers import SHAPE, WRITERS, real_voxels

CHUNKED = [
    *("Zarr 2", "Zarr 3, sharded", "Zarr 3, axes named", "OME-Zarr 0.4", "OME-Zarr 0.5"),
    *("N5", "N5, several levels", "N5, axes named", "precomputed", "precomputed, gzip"),
]
BOX = Box((1, 2, 3), (4, 20, 30))


class _Files(SimpleHTTPRequestHandler):
    """The files of a folder, whole or in part, and a list of what was asked for.

    What lies there as NAME.gz is given out as NAME, with the word that it is compressed.
    """

    asked: list[str]
    absent: int  # the status of what is not there

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = Path(self.translate_path(self.path))
        zipped = path.with_name(f"{path.name}.gz")
        path = zipped if zipped.is_file() else path
        if not path.is_file():
            self.send_error(self.absent)
            return
        content, wanted = path.read_bytes(), self.headers.get("Range")
        whole_size = len(content)
        if wanted:
            first, last = re.fullmatch(r"bytes=(\d*)-(\d*)", wanted).groups()
            start = int(first) if first else whole_size - int(last)
            content = content[start : int(last) + 1 if first and last else None]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{start + len(content) - 1}/{whole_size}")
        else:
            self.send_response(200)
        if path == zipped:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{whole_size}"')  # S3 always sends one
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def serving(folder: Path, absent: int = 404) -> Iterator[tuple[str, list[str]]]:
    """The folder's address while the server runs, and the paths asked of it so far."""
    asked: list[str] = []
    handler = type("Handler", (_Files,), {"asked": asked, "absent": absent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("absent", [404, 403])  # 403: what public S3 buckets say
@pytest.mark.parametrize("name", CHUNKED)
def test_a_volume_at_an_address_is_that_of_the_folder(tmp_path: Path, name: str, absent: int) -> None:
    written = WRITERS[name](tmp_path)
    with serving(tmp_path, absent) as (address, _):
        volume = open_volume(f"{address}/{quote(str(Path(written.location).relative_to(tmp_path)))}")
        assert volume.shape == SHAPE
        assert volume.voxel_size == (written.voxel_size and pytest.approx(written.voxel_size))
        np.testing.assert_array_equal(volume.read(whole(SHAPE)), written.voxels)


def test_only_the_chunks_under_the_box_are_fetched(tmp_path: Path) -> None:
    WRITERS["Zarr 2"](tmp_path)  # chunks of 4 × 8 × 8
    with serving(tmp_path) as (address, asked):
        volume = open_volume(f"{address}/plain.zarr")
        assert not any(re.search(r"\d\.\d\.\d$", path) for path in asked)
        asked.clear()
        np.testing.assert_array_equal(
            volume.read(Box((4, 8, 8), (6, 10, 20))), real_voxels()[4:6, 8:10, 8:20]
        )
        assert sorted(asked) == ["/plain.zarr/1.1.1", "/plain.zarr/1.1.2"]


@pytest.mark.parametrize("absent", [404, 403])
@pytest.mark.parametrize("name", ["none.zarr", "none.n5", "none.n5/raw", "none"])
@pytest.mark.parametrize("before", ["", "n5://", "precomputed://"])
def test_an_address_with_nothing_behind_it(tmp_path: Path, absent: int, name: str, before: str) -> None:
    with serving(tmp_path, absent) as (address, _), pytest.raises(VolumeNotFoundError, match=name):
        open_volume(f"{before}{address}/{name}")


@pytest.mark.parametrize(
    ("name", "before"), [("N5", "n5"), ("precomputed", "precomputed"), ("OME-Zarr 0.5", "zarr")]
)
def test_the_format_may_stand_before_the_address(tmp_path: Path, name: str, before: str) -> None:
    written = WRITERS[name](tmp_path)
    with serving(tmp_path) as (address, _):
        given = f"{before}://{address}/{Path(written.location).relative_to(tmp_path)}/"
        np.testing.assert_array_equal(open_volume(given).read(BOX), written.voxels[BOX.slices])
    assert recognise(given).name.lower().endswith(before)


def test_a_web_page_at_the_address(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_text("<html>Welcome</html>")
    with serving(tmp_path) as (address, _), pytest.raises(VolumeFormatError, match="not JSON"):
        open_volume(address)


@pytest.mark.parametrize("name", ["a.zarr", "image"])
def test_nobody_answers(name: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(VolumeNotFoundError, match="cannot be reached") as caught:
        open_volume(f"http://127.0.0.1:{port}/{name}")
    assert "tensorstore_spec" not in str(caught.value)
    assert "check the address and the network" in str(caught.value)


@pytest.mark.parametrize("name", ["OME-Zarr 0.5", "precomputed"])
def test_the_server_goes_away_after_opening(tmp_path: Path, name: str) -> None:
    written = WRITERS[name](tmp_path)
    with serving(tmp_path) as (address, _):
        volume = open_volume(f"{address}/{Path(written.location).name}")
    with pytest.raises(VolumeNotFoundError, match="cannot be reached"):
        volume.read(BOX)


@pytest.mark.parametrize("name", ["a.tif", "a.h5", "a.npy", "a.mrc", "a.png"])
def test_files_must_be_downloaded_first(name: str) -> None:
    with pytest.raises(VolumeFormatError, match="download the file"):
        open_volume(f"https://example.org/{name}")


@pytest.mark.parametrize("address", ["s3://b/a.zarr", "gs://b/a.zarr"])
def test_a_name_that_no_bucket_has(address: str) -> None:
    with pytest.raises(VolumeFormatError, match="bucket"):
        open_volume(address)


@pytest.mark.parametrize("absent", [404, 403])
def test_a_bucket_of_another_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: int) -> None:
    written = WRITERS["OME-Zarr 0.4"](tmp_path)
    Path(written.location).rename(tmp_path / "our-bucket")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with serving(tmp_path, absent) as (address, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        volume = open_volume("s3://our-bucket")
        np.testing.assert_array_equal(volume.read(BOX), written.voxels[BOX.slices])
