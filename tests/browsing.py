"""A browser for tests of the page: Debian's Chromium, or the one that Playwright finds, or a skip.

with browsing() as browser:
    page = browser.new_page()
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",  # tests may run as root, in a container
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


@contextmanager
def browsing(*options: str) -> Iterator[Any]:
    """A browser without a window, until the block ends."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=[*OPTIONS, *options])
        try:
            yield browser
        finally:
            browser.close()
