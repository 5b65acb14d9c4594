"""The pictures of the labelling page in docs/images: the real page, on the embedded images.

    python docs/generate_screenshots.py

The ground truth paints the first patches through the API; the network learns from them; then the page is
opened in Chromium and used with mouse and keys. Takes a few minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import requests
import tifffile
from numpy.typing import NDArray
from playwright.sync_api import Page, ViewportSize, sync_playwright

IMAGES = Path(__file__).parent / "images"
CHROMIUM = "/usr/bin/chromium"  # Debian's
ADDRESS, TOKEN = "http://127.0.0.1:8797", "screenshots"
SIZE: ViewportSize = {"width": 1280, "height": 800}
NAMES = ("rat2-data5", "rat3-data9", "rat3-data10", "rat3-data11")
PAINTED = 20
LEAST_SHOWN = 0.4  # of a patch, axons and myelin


def main() -> None:
    """Make all pictures."""
    pickem = [sys.executable, "-m", "pickem.cli"]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        project = home / "axons.pickem"
        subprocess.run([*pickem, "data", "fetch", "demo", "--data-dir", home], check=True)
        images = [home / "demo" / f"{name}.tif" for name in NAMES]
        subprocess.run([*pickem, "new", project, *images, "--class", "axon", "--class", "myelin"], check=True)
        server = subprocess.Popen(
            [*pickem, "label", project, "--no-browser", "--port", ADDRESS.rsplit(":")[-1], "--token", TOKEN]
        )
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                take_pictures(browser.new_page(viewport=SIZE), home / "demo")
                ask_for_a_name(browser.new_page(viewport=SIZE))
                browser.close()
        finally:
            server.terminate()
            server.wait()


def take_pictures(page: Page, truth: Path) -> None:
    """From the first stroke to the network's proposal."""
    session = requests.Session()
    session.headers.update({"X-Pickem": "1", "X-Pickem-Token": TOKEN})
    wait_for(lambda: answers(session))
    page.goto(f"{ADDRESS}/?token={TOKEN}")
    page.wait_for_selector("body[data-patch-id]")
    page.wait_for_timeout(1000)
    draw_a_stroke(page)
    page.screenshot(path=IMAGES / "label-first-patch.png")
    page.keyboard.press("?")
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / "label-help.png")
    page.keyboard.press("Escape")
    paint(session, truth)
    page.reload()
    page.wait_for_timeout(3000)
    page.screenshot(path=IMAGES / "label-training.png")
    wait_for(lambda: has_ranked(session))
    while not worth_a_picture(session.get(f"{ADDRESS}/api/next").json(), truth):
        paint(session, truth, 1)
    page.reload()
    page.wait_for_selector("body[data-patch-id]")
    page.wait_for_timeout(2000)
    page.screenshot(path=IMAGES / "label-proposal.png")
    page.keyboard.press("y")
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / "label-uncertainty.png")
    page.keyboard.press("y")
    page.keyboard.press("a")
    page.wait_for_timeout(500)
    page.screenshot(path=IMAGES / "label-taken-over.png")


def ask_for_a_name(page: Page) -> None:
    """What a second person sees first, while the first is at work."""
    page.goto(f"{ADDRESS}/?token={TOKEN}")
    page.wait_for_selector("#who[open]")
    page.keyboard.type("Ana")
    page.screenshot(path=IMAGES / "label-name.png")


def draw_a_stroke(page: Page) -> None:
    """A wavy line with the brush across the middle of the patch."""
    box = page.locator("#canvas").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 120, y)
    page.mouse.down()
    for step in range(25):
        page.mouse.move(x - 120 + 10 * step, y + 40 * float(np.sin(step / 3)))
    page.mouse.up()
    page.wait_for_selector("body[data-saved=yes]")


def paint(session: requests.Session, truth: Path, count: int = PAINTED) -> None:
    """Submit the ground truth of the next patches."""
    painted = 0
    while painted < count:
        p = session.get(f"{ADDRESS}/api/next").json()
        answer = session.put(
            f"{ADDRESS}/api/patches/{p['id']}/mask",
            params={"revision": p["revision"], "state": "submitted", "seconds": 40},
            data=truth_of(p, truth).tobytes(),
        )
        answer.raise_for_status()
        painted += 1 if count == 1 or p["kind"] == "query" else 0


def worth_a_picture(patch: dict[str, Any], truth: Path) -> bool:
    """Whether a patch comes with a proposal and shows more than the resin beside the tissue."""
    return patch["kind"] == "query" and bool((truth_of(patch, truth) > 0).mean() > LEAST_SHOWN)


def truth_of(patch: dict[str, Any], truth: Path) -> NDArray[np.uint8]:
    """The mask that a perfect annotator would paint."""
    y, x = patch["y"], patch["x"]
    labels = tifffile.imread(truth / f"{patch['volume']}_labels.tif")
    return labels[y : y + patch["height"], x : x + patch["width"]].astype(np.uint8)


def answers(session: requests.Session) -> bool:
    """Whether the server is up."""
    try:
        return session.get(f"{ADDRESS}/api/project").ok
    except requests.ConnectionError:
        return False


def has_ranked(session: requests.Session) -> bool:
    """Whether the first network has ranked the queue."""
    progress: dict[str, Any] = session.get(f"{ADDRESS}/api/project").json()["progress"]
    return bool(progress["network"] and progress["network"]["ranked"])


def wait_for(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    while not condition():
        time.sleep(0.5)


if __name__ == "__main__":
    main()
