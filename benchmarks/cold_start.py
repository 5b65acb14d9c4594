"""From nothing to the first patch on the screen: a new project, and one with 1,000 labels opened again.

    python -m benchmarks.cold_start

VNC's training half as a TIFF stack, the commands as a person types them, the page in a real browser (Debian's
Chromium, which runs already, as a person's does). Takes half a minute. Writes a table of
docs/results/labelling.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import requests
from playwright.sync_api import BrowserContext, sync_playwright

from benchmarks.labelling import CHROMIUM, PORT, TOKEN, write_volume
from benchmarks.marked import write_table
from pickem.geometry import PatchId
from pickem.project.project import open_project
from pickem.project.store import NewMask

PICKEM = [sys.executable, "-m", "pickem.cli"]
LABELS = 1000
LIMIT = 120_000  # milliseconds


def main() -> None:
    """Measure and write the page."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        masks = write_volume(home)
        project = home / "vnc.pickem"
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        person = browser.new_context(viewport={"width": 1280, "height": 800})  # the same both times
        started = time.monotonic()
        subprocess.run([*PICKEM, "new", project, home / "vnc.tif", "--class", "mitochondrion"], check=True)
        made = time.monotonic() - started
        opened = first_patch(project, person)
        label_everything(project, masks)
        again = first_patch(project, person)
        browser.close()
    rows = [
        ["`pickem new`", f"{made:.1f} s"],
        ["`pickem label`, to the first patch in the page", f"{opened:.1f} s"],
        ["both", f"{made + opened:.1f} s"],
        [f"`pickem label` on a project with {LABELS:,} labels", f"{again:.1f} s"],
    ]
    write_table("cold start", "python -m benchmarks.cold_start", ["", ""], rows)


def first_patch(project: Path, person: BrowserContext) -> float:
    """Seconds from the command to the patch in the page."""
    started = time.monotonic()
    options = ["--no-browser", "--port", str(PORT), "--token", TOKEN]
    server = subprocess.Popen([*PICKEM, "label", project, *options], stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{PORT}/?token={TOKEN}"
        while True:
            try:
                requests.get(address, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.02)
        page = person.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-patch-id]", timeout=LIMIT)
        took = time.monotonic() - started
        page.close()
        return took
    finally:
        server.terminate()
        server.wait()


def label_everything(project: Path, masks: np.ndarray) -> None:
    """Submit LABELS true masks, of patches that overlap by half."""
    with open_project(project) as opened:
        size = opened.settings.patch
        ((name, shape),) = opened.shapes.items()
        places = [
            (z, y, x)
            for z in range(shape[0])
            for y in range(0, shape[1] - size + 1, size // 2)
            for x in range(0, shape[2] - size + 1, size // 2)
        ]
        with opened.store.change():  # one transaction: only what is read again counts here
            for z, y, x in places[:LABELS]:
                number = opened.store.add(PatchId(name, z, y, x, size, size))
                if opened.store.newest(number) is None:
                    mask = np.ascontiguousarray(masks[z, y : y + size, x : x + size])
                    opened.store.save(number, NewMask(0, mask, "submitted", "background", 30.0))


if __name__ == "__main__":
    main()
