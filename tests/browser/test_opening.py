"""The file by which `pickem label` opens the browser leads to the page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import sync_playwright

from pickem.cli.browser import write_redirect
from tests.fixtures.labelling_server import TOKEN, serving
from tests.fixtures.tiny_project import make_tiny_project

CHROMIUM = "/usr/bin/chromium"  # Debian's
LIMIT = 120_000  # milliseconds; a busy machine must not decide a test


def test_the_file_leads_to_the_page_and_leaves_no_token_in_the_address(tmp_path: Path) -> None:
    """From a file, which is another site to the browser than the page is."""
    with serving(make_tiny_project(tmp_path)) as client, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(write_redirect(f"{client.address}/?token={TOKEN}", tmp_path).as_uri())
        page.wait_for_selector("body[data-patch-id]", timeout=LIMIT)
        assert page.url.startswith(f"{client.address}/")
        assert TOKEN not in page.url
        browser.close()
