"""A browser for tests of the page: Debian's Chromium, or another that is installed, or a skip.

with browsing() as browser, opened(browser, service.port) as page:
    drop(page, {"portrait.png": content})
"""

from __future__ import annotations

import shutil
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

PATIENCE = 20_000
"""Milliseconds to wait for what a page is to show."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",  # tests may run as root, in a container
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser without a window, until the block ends."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is installed")
    with playwright.sync_playwright() as driver, launched(driver.chromium, path) as browser:
        yield browser


@contextmanager
def launched(kind: Any, path: str | None = None, *options: str) -> Iterator[Any]:
    """Another browser of that kind, with further options."""
    path = path or next(filter(None, map(shutil.which, NAMES)))
    browser = kind.launch(executable_path=path, args=[*OPTIONS, *options])
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def opened(browser: Any, port: int, *pardoned: str, **options: Any) -> Iterator[Any]:
    """The page of a service, until the block ends.

    Nothing may go wrong in it or be asked of another address; errors that say one of ``pardoned``
    are what a test is about.
    """
    faults: list[str] = []
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    own = f"http://127.0.0.1:{port}/"

    def fault(text: str) -> None:
        if not any(each in text for each in pardoned):
            faults.append(text)

    def asked(url: str) -> None:
        if not url.startswith((own, f"blob:{own}", "data:")):
            faults.append(f"asked for {url}")

    page.on("pageerror", lambda error: fault(str(error)))
    page.on("console", lambda told: fault(told.text) if told.type == "error" else None)
    page.on("request", lambda request: asked(request.url))
    page.goto(own)
    yield page
    context.close()
    assert faults == []


_DROP = """(files) => {
  const transfer = new DataTransfer();
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  for (const [name, text] of files) transfer.items.add(new File([bytes(text)], name));
  return transfer;
}"""


def packed(files: Mapping[str, bytes]) -> list[list[str]]:
    """Files as a browser's functions take them: names and base64."""
    return [[name, b64encode(content).decode()] for name, content in files.items()]


def drop(page: Any, files: Mapping[str, bytes]) -> None:
    """Drop files on the page."""
    handle = page.evaluate_handle(_DROP, packed(files))
    page.dispatch_event("body", "drop", {"dataTransfer": handle})


def done(page: Any, count: int) -> None:
    """Wait until so many photographs have their scores."""
    page.get_by_role("status").get_by_text(f"{count} photographs done").wait_for()


def shown_scores(page: Any) -> list[float]:
    """The scores of the faces of the photograph that is shown."""
    page.wait_for_selector(".face")
    return [float(text) for text in page.locator(".face .score b:not(.none)").all_inner_texts()]
