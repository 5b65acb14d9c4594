"""How long an annotator waits: the next patch after submit, and the queue after a round's labels.

    python -m benchmarks.labelling

The real server and trainer on VNC's training half, the page in a real browser (Debian's Chromium). Ground
truth is submitted through the API for the first round; while the network trains, patches are submitted in
the page with "nothing here", and the time until the page shows the next patch is taken inside the page.

Writes the table of docs/results/labelling.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import requests
import tifffile
from playwright.sync_api import Page, sync_playwright

from benchmarks.marked import write_table
from pickem.datasets import open_dataset

CHROMIUM = "/usr/bin/chromium"  # Debian's
PORT, TOKEN = 8799, "benchmark"
SUBMITS = 60
TIMED_SUBMIT = """
    () => new Promise((resolve) => {
        const body = document.body, before = body.dataset.patchId, started = performance.now();
        new MutationObserver((_, observer) => {
            if (body.dataset.patchId !== before) {
                observer.disconnect();
                requestAnimationFrame(() => resolve(performance.now() - started));
            }
        }).observe(body, { attributes: true });
        document.getElementById("nothing").click();
    })
"""


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        masks = write_volume(home)
        pickem = [sys.executable, "-m", "pickem.cli"]
        subprocess.run(
            [*pickem, "new", home / "vnc.pickem", home / "vnc.tif", "--class", "mitochondrion"], check=True
        )
        server = subprocess.Popen(
            [*pickem, "label", home / "vnc.pickem", "--no-browser", "--port", str(PORT), "--token", TOKEN]
        )
        try:
            lines = measure(Annotator(masks))
        finally:
            server.terminate()
            server.wait()
    write_table("waits", "python -m benchmarks.labelling", ["", ""], lines)


def write_volume(home: Path) -> np.ndarray:
    """VNC's training half as a TIFF stack; returns its labels (z, y, x)."""
    (region,) = open_dataset("vnc").split("test").train
    tifffile.imwrite(home / "vnc.tif", region.image.read(region.region))
    return np.asarray(region.labels.read(region.region), np.uint8)


def measure(annotator: Annotator) -> list[tuple[str, str]]:
    """The rows of the table."""
    annotator.wait_for_server()
    annotator.paint(20)
    started = time.monotonic()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        first = submits(page, SUBMITS // 3)
        training = annotator.progress()["trainer"]["doing"]
        annotator.wait_for_network(20)
        first_round = time.monotonic() - started
        annotator.paint(annotator.progress()["network"]["labelled"] + 20 + SUBMITS // 3)
        started = time.monotonic()
        labelled = annotator.progress()["labelled"]
        second = submits(page, 2 * SUBMITS // 3)
        annotator.wait_for_network(labelled)
        later_round = time.monotonic() - started
        browser.close()
    waits = np.array(first + second)
    return [
        ("next patch on screen after submit, median", f"{np.median(waits):.0f} ms"),
        ("… 95th percentile", f"{np.percentile(waits, 95):.0f} ms"),
        ("… of submits, while the trainer was " + training, str(len(waits))),
        ("first network and ranked queue after the 20th label", f"{first_round:.0f} s"),
        ("queue ranked by the next network after a round's labels", f"{later_round:.0f} s"),
    ]


def submits(page: Page, count: int) -> list[float]:
    """Milliseconds from submit to the next patch, `count` times."""
    if page.url == "about:blank":
        page.goto(f"http://127.0.0.1:{PORT}/?token={TOKEN}")
        page.wait_for_selector("body[data-patch-id]")
    waits = []
    for _ in range(count):
        waits.append(float(page.evaluate(TIMED_SUBMIT)))
        page.wait_for_timeout(700)  # faster than a person
    return waits


class Annotator:
    """Paints the ground truth through the API."""

    def __init__(self, truth: np.ndarray) -> None:
        self._truth = truth
        self._session = requests.Session()
        self._session.headers.update({"X-Pickem": "1", "X-Pickem-Token": TOKEN})
        self._address = f"http://127.0.0.1:{PORT}/api"

    def wait_for_server(self) -> None:
        """Return when the server answers."""
        for _ in range(600):
            try:
                self._session.get(f"{self._address}/project", timeout=5)
            except requests.ConnectionError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("the server does not answer")

    def progress(self) -> dict[str, Any]:
        """Where the project stands."""
        answer: dict[str, Any] = self._session.get(f"{self._address}/project", timeout=60).json()["progress"]
        return answer

    def paint(self, labelled: int) -> None:
        """Submit patches until so many are labelled."""
        while self.progress()["labelled"] < labelled:
            p = self._session.get(f"{self._address}/next", timeout=60).json()
            window = self._truth[p["z"], p["y"] : p["y"] + p["height"], p["x"] : p["x"] + p["width"]]
            self._session.put(
                f"{self._address}/patches/{p['id']}/mask",
                params={"revision": p["revision"], "state": "submitted", "seconds": 30},
                data=window.tobytes(),
                timeout=60,
            ).raise_for_status()

    def wait_for_network(self, labelled: int) -> None:
        """Return when a network has learned from so many labels and has ranked the queue."""
        while True:
            network = self.progress()["network"]
            if network and network["ranked"] and network["labelled"] >= labelled:
                return
            time.sleep(0.2)


if __name__ == "__main__":
    main()
