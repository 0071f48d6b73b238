"""Real screenshots for the documents: `make screenshots` runs the demo and looks at its page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent.parent / "docs" / "images"
Pictures = dict[str, tuple[int, int, float, str]]
"""By name: width and height of the page, after how many s it is taken, and once what is seen."""

LIVE: Pictures = {"live-page": (1280, 800, 75.0, "body")}
"""Into the second set, so that the page has something to tell."""
COACHED = "six-minute-upper-back"
COACH: Pictures = {
    "coach-set": (1280, 800, 12.0, "#coach[data-screen=work]"),
    "coach-phone-change": (390, 844, 12.0, "#coach[data-screen=rest]"),
}
"""In that programme's first set, and at the change to another grip."""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main() -> None:
    """Start a demo, wait for what is to be seen, and take the pictures."""
    _demo(LIVE, ["--seed", "4"])
    _demo(COACH, ["--program", COACHED])


def _demo(pictures: Pictures, flags: list[str]) -> None:
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
                _take(match[1], pictures)
            finally:
                demo.terminate()


def _take(url: str, pictures: Pictures) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pages = {}
        for name, (width, height, *_) in pictures.items():
            pages[name] = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark"
            )
            pages[name].goto(url)
        began = time.monotonic()
        for name, (*_, at_s, sight) in sorted(pictures.items(), key=lambda each: each[1][2]):
            wait_s = max(at_s - (time.monotonic() - began), 0)
            pages[name].wait_for_timeout(wait_s * 1000)
            pages[name].locator(sight).wait_for(timeout=0)
            pages[name].screenshot(path=IMAGES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
