"""Real screenshots for the documents: `make screenshots` runs the demo and looks at its page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
WATCH_S = 75
"""Into the second set, so that the page has something to tell."""
VIEWS = {"live-page": (1280, 800), "live-page-phone": (844, 390)}
COACHED = "six-minute-upper-back"
COACH_S = {"set": 12.0, "change": 27.0}
"""When in that programme a set, and the change to another grip, can be seen."""
COACH_VIEWS = {"coach": (1280, 800), "coach-phone": (390, 844)}
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main() -> None:
    """Start a demo, wait for the second set, and take the pictures."""
    _demo(_take, ["--seed", "4"])
    _demo(_take_coach, ["--program", COACHED])


def _demo(take: Callable[[str], None], flags: list[str]) -> None:
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "-m", "pipeline", "demo", "--data", data]
        command += ["--http-port", "0", "--mqtt-port", "0", *flags]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as demo:
            try:
                assert demo.stderr is not None
                said = ""
                while "Ctrl-C" not in said:
                    said += demo.stderr.readline()
                match = re.search(r"live page +(\S+)", said)
                assert match is not None, said
                take(match[1])
            finally:
                demo.terminate()


def _take(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pages = {}
        for name, (width, height) in VIEWS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark"
            )
            page.goto(url)
            pages[name] = page
        next(iter(pages.values())).wait_for_timeout(WATCH_S * 1000)
        IMAGES.mkdir(exist_ok=True)
        for name, page in pages.items():
            page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


def _take_coach(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pages = {}
        for name, (width, height) in COACH_VIEWS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark"
            )
            page.goto(url)
            pages[name] = page
        began = time.monotonic()
        for moment, at_s in COACH_S.items():
            wait_s = max(at_s - (time.monotonic() - began), 0)
            next(iter(pages.values())).wait_for_timeout(wait_s * 1000)
            for name, page in pages.items():
                page.screenshot(path=IMAGES / f"{name}-{moment}.png")
        browser.close()


if __name__ == "__main__":
    main()
