"""A browser, a server on a tiny project, and its page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.fixtures.labelling_page import CHROMIUM, LIMIT
from tests.fixtures.labelling_server import TOKEN, Client, serving
from tests.fixtures.tiny_project import make_tiny_project


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_tiny_project(tmp_path)


@pytest.fixture
def client(project: Path) -> Iterator[Client]:
    """A server without a trainer: what the page does, nothing else."""
    with serving(project) as client:
        yield client


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page of a server, each time with storage of its own; no script may fail.

    Further arguments are those of a browser's context.
    """
    contexts = []

    def opened(client: Client, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LIMIT)
        page.on("pageerror", lambda error: pytest.fail(f"the page's script failed: {error}"))
        page.goto(f"{client.address}/?token={TOKEN}")
        page.wait_for_selector("body[data-patch-id]")
        return page

    yield opened
    for context in contexts:
        context.close()
