"""`pickem label` as a person runs it: a server, a trainer beside it, and what is left when either dies."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pickem.geometry import whole
from pickem.predictor import Phase
from pickem.project.store import Store
from pickem.volumes import open_volume
from tests.fixtures.labelling_server import (
    LIMIT,
    TOKEN,
    Client,
    LabelCommand,
    place,
    serving,
    trainers,
    wait_until,
)
from tests.fixtures.tiny_project import RECIPE, SHAPE, make_tiny_project, truth
from tests.integration.command_line import pickem

FIRST, PER_ROUND = 3, 2
PATCH = (32, 32)
LONG = RECIPE.model_copy(update={"first": Phase(learning_rate=1e-3, steps=600)})  # seconds of training


def new_project(folder: Path, **changes: object) -> Path:
    return make_tiny_project(folder, first_patches=FIRST, per_round=PER_ROUND, **changes)


def progress(page: Client) -> dict[str, Any]:
    found: dict[str, Any] = page.read("project")["progress"]
    return found


def network_of(page: Client, labelled: int) -> dict[str, Any]:
    """How things stand once a network that learned from so many patches has ranked the queue."""

    def there() -> dict[str, Any] | None:
        now = progress(page)
        network = now["network"]
        return now if network and network["ranked"] and network["labelled"] >= labelled else None

    return wait_until(there, f"a network from {labelled} patches")


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


# one server for what changes little ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelCommand]:
    with LabelCommand(new_project(tmp_path_factory.mktemp("label")), "--port", 0) as command:
        command.client()
        yield command


def test_the_address_that_is_printed_opens_the_page(running: LabelCommand) -> None:
    stranger = Client(running.client().address, {})
    welcome = stranger.ask("GET", f"/?token={TOKEN}")
    assert welcome.status_code == 303
    page = stranger.ask("GET", "/")  # with the cookie of the answer before
    assert page.status_code == 200
    assert "<html" in page.text
    assert TOKEN not in page.text


def test_strangers_are_refused(running: LabelCommand) -> None:
    page = running.client()
    save = f"/api/patches/{page.read('next')['id']}/mask?revision=0&state=submitted"
    refused = {
        "no token": Client(page.address, {"X-Pickem": "1"}).ask("GET", "/api/project"),
        "a wrong token": Client(page.address, {"X-Pickem-Token": "no"}).ask("GET", "/api/project"),
        "another host": page.ask("GET", "/api/project", headers={"Host": "evil.example"}),
        "another origin": page.ask("PUT", save, headers={"Origin": "http://evil.example"}),
        "a form": Client(page.address, {"X-Pickem-Token": TOKEN}).ask("PUT", save, data=bytes(32 * 32)),
    }
    for why, answer in refused.items():
        assert answer.status_code in (401, 403), why
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert progress(page)["labelled"] == 0


def test_a_second_server_on_the_project_is_refused(running: LabelCommand) -> None:
    second = pickem("label", running.project, "--no-browser", "--port", 0)
    assert second.returncode == 2
    assert "Another server is at work on this project." in second.stderr
    assert "Traceback" not in second.stderr
    assert progress(running.client())["queue"]  # the first goes on


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = pickem("label", project, "--no-browser", "--port", port)
    assert refused.returncode == 2
    assert "cannot be served at this address" in refused.stderr
    assert f"127.0.0.1:{port}" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not trainers(project)


def test_the_browser_finds_the_page_however_long_it_takes_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text(
        f"#!{sys.executable}\n"
        "import os, re, stat, sys, urllib.parse\n"
        "from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener, url2pathname\n"
        "file = url2pathname(urllib.parse.urlsplit(sys.argv[1]).path)\n"
        "modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (file, os.path.dirname(file))]\n"
        "address = re.search('href=\"(.*?)\"', open(file).read())[1]\n"
        "opener = build_opener(HTTPCookieProcessor(), ProxyHandler({}))\n"
        f"page = opener.open(address, timeout={LIMIT / 4}).read()\n"
        f"open({str(tmp_path / 'seen')!r}, 'w').write(f'{{modes}} {{sys.argv}} {{file}}')\n"
        f"open({str(tmp_path / 'page.html')!r}, 'wb').write(page)\n"
    )
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with LabelCommand(new_project(tmp_path), "--port", 0, "--browser") as running:
        wait_until((tmp_path / "page.html").exists, "the page is opened")
        running.process.send_signal(signal.SIGINT)
        running.process.wait()
    assert b"<html" in (tmp_path / "page.html").read_bytes()
    seen = (tmp_path / "seen").read_text()
    assert seen.startswith(f"{[0o600, 0o700]} "), "others on the machine cannot read the file"
    assert TOKEN not in seen, "nor find the token in the list of processes"
    assert not list((tmp_path / "data").rglob("*.html")), "and it goes with the server"


# the trainer -----------------------------------------------------------------------------------------------


def test_a_network_learns_ranks_and_proposes(tmp_path: Path) -> None:
    with LabelCommand(new_project(tmp_path), "--port", 0) as command:
        page = command.client()
        page.paint(FIRST)
        now = network_of(page, FIRST)
        assert now["network"]["labelled"] == FIRST
        served = page.read("next")
        assert served["proposed_by"] is not None
        assert "among the first" not in served["reason"]  # but the network's own reason
        assert set(np.unique(page.pixels(served["id"], "proposal", PATCH))) <= {0, 1}
        while progress(page)["labelled"] < FIRST + PER_ROUND:
            page.paint(1)
        network_of(page, FIRST + PER_ROUND)
        wait_until(lambda: drawn(command.project) == painted(command.project), "the labels are drawn")


def drawn(project: Path) -> int:
    """Labelled voxels in labels.ome.zarr as it is now."""
    if not (project / "labels.ome.zarr").exists():
        return 0
    image = open_volume(project / "labels.ome.zarr" / "discs")
    return int((image.read(whole(image.shape)) != 255).sum())


def painted(project: Path) -> int:
    """Labelled voxels in the database."""
    canvas = np.zeros(SHAPE, bool)
    with Store(project / "project.sqlite") as store:
        for stored in store.submitted("query") | store.submitted("audit"):
            canvas[stored.patch.box.slices] = True
    return int(canvas.sum())


def test_a_killed_trainer_is_started_again_and_labelling_goes_on(tmp_path: Path) -> None:
    project = new_project(tmp_path, recipe=LONG)
    with LabelCommand(project, "--port", 0) as command:
        page = command.client()
        page.paint(FIRST)
        wait_until(lambda: progress(page)["trainer"]["doing"] == "training", "the trainer trains")
        (first,) = trainers(project)
        kill(first)
        page.paint(1)
        assert progress(page)["labelled"] == FIRST + 1
        wait_until(lambda: "exit code -9" in str(progress(page)["trainer"]["problem"]), "the page is told")
        network_of(page, FIRST)
        (second,) = trainers(project)
        assert second != first
        assert progress(page)["trainer"]["problem"] is None
    with Store(project / "project.sqlite") as store:
        problems = [message for _, kind, message in store.events(10) if kind == "problem"]
    assert problems == ["The trainer ended: exit code -9"]


# the end ---------------------------------------------------------------------------------------------------


def test_nothing_that_was_acknowledged_is_lost_with_the_server(tmp_path: Path) -> None:
    project = new_project(tmp_path)
    with LabelCommand(project, "--port", 0) as command:
        page = command.client()
        page.paint(1)
        begun = page.read(f"next?skip_ahead={page.read('next')['id']}")  # it would not come by itself
        page.save(begun, state="draft")
        kill(command.process.pid)
        wait_until(lambda: not trainers(project), "the trainer ends with its server")
    with LabelCommand(project, "--port", 0) as again:
        page = again.client()
        served = page.read("next")
        assert served["id"] == begun["id"]
        assert (served["state"], served["revision"]) == ("draft", 1)
        assert np.array_equal(page.pixels(served["id"], "mask", PATCH), truth(place(served)))
        assert progress(page)["labelled"] == 1


@pytest.mark.parametrize(("asked", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_asked_to_end_it_ends_cleanly(tmp_path: Path, asked: signal.Signals, code: int) -> None:
    project = new_project(tmp_path, recipe=LONG)
    with LabelCommand(project, "--port", 0) as command:
        page = command.client()
        page.paint(FIRST)
        wait_until(lambda: progress(page)["trainer"]["doing"] == "training", "the trainer trains")
        with page.ask("GET", "/api/events", stream=True):  # as an open page does
            command.process.send_signal(asked)
            assert command.process.wait(LIMIT) == code
        wait_until(lambda: not trainers(project), "the trainer ends with its server")
        assert "Traceback" not in command.said
        assert "ERROR" not in command.said
    with serving(project) as page:  # the lock is free and the project whole
        assert progress(page)["labelled"] == FIRST
