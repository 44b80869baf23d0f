"""A headless Chromium for the tests of reports: the system's own, driven over a pipe; it never leaves this machine."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
LAPTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def find_chromium() -> str:
    """Return the path of a Chromium; skip where there is none, but fail in CI, which installs one."""
    found = os.environ.get("DIPTYCH_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    reason = "needs Chromium to open pages (apt-get install chromium, or set DIPTYCH_CHROMIUM)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def open_browser() -> Iterator[Any]:
    """Give a browser with a profile of its own."""
    path = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root Chromium refuses its own sandbox.
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


@dataclass
class Watched:
    """A tab whose every word on the console and every request is noted."""

    page: Any
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, file: Path, state: str = "") -> None:
        """Open a page of a report and wait until its scripts are done."""
        self.page.goto("about:blank")
        self.page.goto(file.as_uri() + state)
        if self.page.locator("script[src='assets/rows.js']").count():
            self.until("document.documentElement.dataset.ready !== undefined")

    def until(self, condition: str, timeout_s: float = 60) -> None:
        """Wait until an expression holds. Playwright's own way evaluates text in the page, which its policy refuses."""
        end = time.monotonic() + timeout_s
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"still not so after {timeout_s:g} s: {condition}"
            self.page.wait_for_timeout(10)

    def count(self, selector: str) -> int:
        """Return how many elements there are."""
        return int(self.page.locator(selector).count())

    def run(self, script: str, argument: Any = None) -> Any:
        """Return what a script gives."""
        return self.page.evaluate(script, argument)

    @property
    def foreign(self) -> list[str]:
        """Requests that went to anything but a file."""
        return [address for address in self.requests if not address.startswith(("file:", "about:", "blob:"))]


@contextmanager
def watch(browser: Any, viewport: dict[str, int] | None = None, **options: Any) -> Iterator[Watched]:
    """Give a tab that is being watched."""
    context = browser.new_context(viewport=viewport or LAPTOP, **options)
    tab = Watched(context.new_page())
    tab.page.on("console", lambda message: tab.said.append(f"{message.type}: {message.text}"))
    tab.page.on("pageerror", lambda error: tab.said.append(f"error: {error}"))
    tab.page.on("request", lambda request: tab.requests.append(request.url))
    tab.page.on("dialog", lambda dialog: (tab.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield tab
    context.close()
