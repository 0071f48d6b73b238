from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Literal

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)
from playwright.async_api import TimeoutError as PlaywrightTimeout

from pipeline.analysis.types import (
    LiveState,
    Phase,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
)
from pipeline.session.events import BatteryChanged, GapFound, LinkChanged, Marked
from pipeline.sinks.page.web import WebSink
from sensor.samples import Gap
from tests.example_session import FACTS, REPS, SETS, closed_set, rep, session
from tests.pipeline.sinks.emitting import emitted, samples

CHROMIUM = shutil.which("chromium")
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = [
    ViewportSize(width=844, height=390),
    ViewportSize(width=390, height=844),
    ViewportSize(width=1280, height=800),
]

SMALL = [(667, 375), (568, 320), (320, 480), (360, 640), (768, 1024), (1024, 600)]

READS_TEXT = """([selector, , text, pattern]) => {
  const shown = document.querySelector(selector)?.textContent;
  return shown !== undefined && (text === null ? new RegExp(pattern).test(shown) : shown === text);
}"""
READS_DATA = """([selector, name, text, pattern]) => {
  const shown = document.querySelector(selector)?.dataset[name];
  return shown !== undefined && (text === null ? new RegExp(pattern).test(shown) : shown === text);
}"""
COUNT_COLOURS = """() => {
  const canvas = document.querySelector("#chart canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const near = (i, ...colour) => colour.every((c, k) => Math.abs(data[i + k] - c) < 5);
  const count = { pull: 0, release: 0 };
  for (let i = 0; i < data.length; i += 4) {
    if (near(i, 0xff, 0x8f, 0x4a, 0xff)) count.pull++;
    if (near(i, 0x71, 0xa7, 0xff, 0xff)) count.release++;
  }
  return count;
}"""
MEASURE = """() => {
  const style = (element) => getComputedStyle(element);
  const box = (id) => document.getElementById(id).getBoundingClientRect();
  const size = (id) => parseFloat(style(document.getElementById(id)).fontSize);
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = (name) => {
    const hex = style(document.documentElement).getPropertyValue(`--${name}`);
    const [r, g, b] = hex.match(/[0-9a-f]{2}/gi).map((h) => linear(parseInt(h, 16) / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (name) => {
    const [low, high] = [luminance(name), luminance("paper")].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  return {
    reps: size("reps"),
    word: size("word"),
    tempo: size("tempo-0"),
    countRight: Math.max(box("reps").right, box("word").right),
    wordBottom: box("word").bottom,
    tempoRight: box("tempo-3").right,
    peakLeft: box("peak").left,
    peakRight: box("peak").right,
    curveLeft: box("chart").left,
    curveTop: box("chart").top,
    curveBottom: box("chart").bottom,
    wide: document.documentElement.scrollWidth,
    contrast: Math.min(
      ...["ink", "dim", "pull", "release", "hold", "alarm"].map(contrast)),
  };
}"""

SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="chromium is not installed (Debian: apt install chromium)",
)


@dataclass
class Window:
    """A page in Chromium with what it complained of and what it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        self.asked.append(request.url)

    async def text(self, selector: str, text: str | re.Pattern[str]) -> None:
        """Wait until the element says just this, or what the pattern finds."""
        await self._until(READS_TEXT, selector, "", text)

    async def data(self, selector: str, name: str, value: str | re.Pattern[str]) -> None:
        """Wait until the element's data attribute is this, or what the pattern finds."""
        await self._until(READS_DATA, selector, name, value)

    async def _until(
        self, read: str, selector: str, name: str, wanted: str | re.Pattern[str]
    ) -> None:
        # Looks at each frame drawn; playwright's own `expect` looks once a second at last.
        arg = [
            selector,
            name,
            *((wanted, None) if isinstance(wanted, str) else (None, wanted.pattern)),
        ]
        try:
            await self.page.wait_for_function(read, arg=arg, timeout=60_000)
        except PlaywrightTimeout:
            shown = await self.page.locator(selector).all_text_contents()
            pytest.fail(f"{selector} {name} is not {wanted!r} but shows {shown!r}")


@dataclass
class Chromium:
    """One browser for all tests, on one loop."""

    runner: asyncio.Runner
    browser: Browser

    def run(self, test: Coroutine[Any, Any, None]) -> None:
        self.runner.run(test)

    @asynccontextmanager
    async def window(self, size: ViewportSize = SIZES[0]) -> AsyncIterator[Window]:
        context = await self.browser.new_context(viewport=size, color_scheme="dark")
        try:
            yield Window(await context.new_page())
        finally:
            await context.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with asyncio.Runner() as runner:
        playwright = runner.run(async_playwright().start())
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        browser = runner.run(launched)
        yield Chromium(runner, browser)
        runner.run(browser.close())
        runner.run(playwright.stop())


def state(time_s: float, phase: Phase, reps: int, number: int = 1) -> LiveState:
    return LiveState(time_s, 50.0, phase, number, reps, None)


def test_the_page_follows_a_set_from_the_first_pull_to_the_rest(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as view:
            await view.page.goto(sink.url)
            await expect(view.page.locator("#empty")).to_be_visible()
            await view.text("#word", "No band")
            sink.show(FACTS, [emitted(LinkChanged(True, "connected")), emitted(BatteryChanged(15))])
            await view.text("#word", "Ready")
            await view.text("#exercise", "low row, left")
            await view.text("#battery-text", "15 %")
            sink.show(FACTS, [samples(0, 400), emitted(state(5.0, Phase.CONCENTRIC, 0))])
            await view.text("#word", "Pull")
            await view.data("body", "phase", "concentric")
            await expect(view.page.locator("#empty")).to_be_hidden()
            await view.data("#chart", "points", "400")
            for number in (1, 2):
                sink.show(FACTS, [emitted(RepAnnounced(rep(1, number, number * 4.0 - 2)))])
                sink.show(FACTS, [emitted(state(5.0 + number, Phase.ECCENTRIC, number))])
                await view.text("#reps", str(number))
            await view.text("#said", "2 reps")
            await view.text("#word", "Release")
            tempo = [await view.page.locator(f"#tempo-{i}").text_content() for i in range(4)]
            assert tempo == ["1.6", "0.4", "1.6", "0.4"]
            await view.text("#peak", "162")
            unfinished = rep(1, 2, 6.0)._replace(bottom_s=None)
            sink.show(FACTS, [emitted(RepCorrected(unfinished))])
            await view.data("#tempo-1", "known", "false")
            await view.text("#tempo-1", "0.4")  # of the rep before
            sink.show(FACTS, [emitted(RepWithdrawn(rep(1, 1, 2.0).id, 10.0, "a trial pull"))])
            await view.text("#tempo-1", "–")
            sink.show(FACTS, [emitted(RepAnnounced(rep(1, 1, 2.0)))])
            await expect(view.page.locator("#sets tr.now")).to_have_count(1)
            sink.show(FACTS, [samples(400, 1800), emitted(closed_set(1, 2.0))])
            sink.show(FACTS, [emitted(state(27.5, Phase.REST, REPS))])
            await view.text("#word", "Rest")
            await view.text("#clock", re.compile(r"0:0[5-9]"))
            await view.text("#sets tr", re.compile(f"^1{REPS}18 s166 N$"))
            await view.text("#said", f"Set 1 done: {REPS} reps")
            assert view.complaints == []
            assert all(url.startswith(sink.url) for url in view.asked if "socket" not in url)

    chromium.run(run())


def test_the_curve_is_drawn_in_the_colour_of_each_phase(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as view:
            events = session()
            sink.show(FACTS, [one for one in events if one.utc_us <= events[0].utc_us + 20_000_000])
            sink.show(FACTS, [emitted(closed_set(1, 2.0))])
            await view.page.goto(sink.url)
            await view.data("#chart", "points", re.compile(r"\d{3}"))
            seen = await view.page.evaluate(COUNT_COLOURS)
            assert seen["pull"] > 50
            assert seen["release"] > 50

    chromium.run(run())


def test_a_gap_is_shaded_and_a_withdrawn_rep_goes(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as view:
            await view.page.goto(sink.url)
            sink.show(FACTS, [samples(0, 400), emitted(RepAnnounced(rep(1, 1, 0.5)))])
            sink.show(FACTS, [emitted(state(5.0, Phase.REST, 1))])
            await view.data("#chart", "gaps", "0")
            await view.text("#reps", "1")
            sink.show(FACTS, [samples(480, 80), emitted(GapFound(Gap(5.0, 6.0, 80)))])
            await view.data("#chart", "gaps", "1")
            await view.data("#chart", "points", "481")  # and the break in the line
            sink.show(FACTS, [emitted(RepWithdrawn(rep(1, 1, 0.5).id, 7.0, "a trial pull"))])
            sink.show(FACTS, [emitted(state(7.0, Phase.REST, 0))])
            await view.text("#reps", "0")
            await expect(view.page.locator("#sets tr")).to_have_count(0)
            await view.text("#peak", "–")
            await view.data("#chart", "reps", "0")
            sink.show(FACTS, [samples(400, 80, late=True)])
            await view.data("#chart", "points", "560")
            assert view.complaints == []

    chromium.run(run())


def test_the_page_comes_back_by_itself_when_the_server_does(chromium: Chromium) -> None:
    async def run() -> None:
        async with chromium.window() as view:
            async with WebSink() as sink:
                port = int(sink.url.rstrip("/").rpartition(":")[2])
                sink.show(FACTS, [samples(0, 80), emitted(state(1.0, Phase.REST, 3))])
                await view.page.goto(sink.url)
                await view.text("#reps", "3")
                await view.data("body", "page", "open")
            await view.data("body", "page", "lost")
            await view.text("#banners p", re.compile("No connection to forceband"))
            await view.text("#word", "No data")
            async with WebSink(port=port) as sink:
                sink.show(FACTS, [samples(0, 160), emitted(state(2.0, Phase.REST, 4))])
                await view.data("body", "page", "open")
                await view.text("#reps", "4")
                await view.data("#chart", "points", "160")
                await expect(view.page.locator("#banners p")).to_have_count(0)

    chromium.run(run())


def test_a_page_waits_between_sessions_and_shows_the_next_one_by_itself(
    chromium: Chromium,
) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window(SIZES[2]) as view:
            sink.wait("Waiting for a band: switch it on.")
            await view.page.goto(sink.url)
            await view.text("#word", "Waiting")
            await view.text("#banners p.info", "Waiting for a band: switch it on.")
            await view.text("#link-text", "no band yet")
            tare = view.page.locator("#tare")
            await expect(tare).to_be_hidden()

            sink.begin(FACTS, _never)
            sink.notice("warning", "The disk is nearly full.", about="recording")
            sink.show(FACTS, session())
            await view.text("#word", "Done")
            await expect(tare).to_be_visible()
            sink.wait("Waiting for a band: switch it on.")
            await view.text("#word", "Waiting")
            await view.text("#reps", "–")
            await expect(tare).to_be_hidden()
            await expect(view.page.locator("#sets tr")).to_have_count(SETS)

            sink.begin(replace(FACTS, session="the-next"), _never)
            sink.show(replace(FACTS, session="the-next"), [emitted(LinkChanged(True, ""))])
            await view.text("#word", "Ready")
            await expect(view.page.locator("#sets tr")).to_have_count(0)
            await expect(view.page.locator("#banners p")).to_have_count(0)
            await view.data("body", "page", "open")

    chromium.run(run())


def test_a_page_opened_in_mid_session_shows_sets_and_problems(
    chromium: Chromium,
) -> None:
    async def run() -> None:
        events = [one for one in session() if not isinstance(one.event, SetClosed)][:-1]
        async with WebSink() as sink, chromium.window(SIZES[2]) as view:
            sink.show(replace(FACTS, replay_speed=4.0), events)
            sink.show(replace(FACTS, replay_speed=4.0), [emitted(closed_set(1, 2.0))])
            sink.show(replace(FACTS, replay_speed=4.0), [emitted(RepAnnounced(rep(2, 1, 34.0)))])
            sink.notice("error", "The disk is full: nothing more is recorded.", about="recording")
            sink.delivery("influx", 214, "connection refused")
            await view.page.goto(sink.url)
            await view.text("#replay", "replay 4×")
            await expect(view.page.locator("#sets tr")).to_have_count(2)
            await view.text("#banners p.error", "The disk is full: nothing more is recorded.")
            await view.text("#deliveries", "influx: connection refused (214 waiting)")
            sink.notice("ok", "", about="recording")
            await expect(view.page.locator("#banners p")).to_have_count(0)

    chromium.run(run())


def test_buttons_act_and_the_unit_is_remembered(chromium: Chromium) -> None:
    async def run() -> None:
        asked: asyncio.Queue[str] = asyncio.Queue()

        async def carry_out(command: str) -> str:
            await asked.put(command)
            return "Zero is set."

        async with WebSink(commands=carry_out) as sink, chromium.window() as view:
            sink.show(FACTS, [samples(0, 80), emitted(RepAnnounced(rep(1, 1, 0.5)))])
            await view.page.goto(sink.url)
            await view.text("#peak", "166")
            await view.page.locator("#tare").click()
            assert await asked.get() == "tare"
            await view.text("#answer", "Zero is set.")
            await view.page.locator("#mark").press("Enter")
            assert await asked.get() == "mark"
            await view.page.locator("input[value=kg]").check()
            await view.text("#peak", "16.9")
            await view.page.reload()
            await view.text("#peak", "16.9")
            await view.text("#peak-unit", "kg")

    chromium.run(run())


def test_a_page_that_is_only_shown_has_no_buttons(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as view:
            await view.page.goto(sink.url)
            await view.data("body", "page", "open")
            await expect(view.page.locator("#tare")).to_be_hidden()

    chromium.run(run())


def test_text_from_outside_stays_text(chromium: Chromium) -> None:
    async def run() -> None:
        bad = "<img src=x onerror=alert(1)>"
        async with WebSink() as sink, chromium.window() as view:
            await view.page.goto(sink.url)
            sink.show(FACTS, [samples(0, 80), emitted(Marked("note", bad), 0.5)])
            sink.show(FACTS, [emitted(LinkChanged(False, bad))])
            sink.notice("error", bad)
            await view.text("#banners p.error", bad)
            assert await view.page.locator("main img, #banners img").count() == 0
            assert view.complaints == []

    chromium.run(run())


def test_the_page_is_legible_from_afar_on_each_screen(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink(commands=_never) as sink, chromium.window() as view:
            sink.show(FACTS, session()[:-4])
            sink.show(FACTS, [emitted(state(66.0, Phase.ECCENTRIC, 88, 12))])
            await view.page.goto(sink.url)
            await view.text("#word", "Release")
            for width, height in SMALL:
                await view.page.set_viewport_size({"width": width, "height": height})
                measured = await view.page.evaluate(MEASURE)
                assert measured["reps"] >= 160
                assert measured["wide"] <= width
                assert max(measured["countRight"], measured["peakRight"]) <= width - 5
                assert measured["wordBottom"] <= height
            for size, scheme in product(SIZES, SCHEMES):
                await view.page.set_viewport_size(size)
                await view.page.emulate_media(color_scheme=scheme)
                measured = await view.page.evaluate(MEASURE)
                assert measured["reps"] >= 180
                assert measured["word"] >= 46
                assert measured["tempo"] >= 44
                assert measured["contrast"] >= 4.5
                assert measured["wide"] <= size["width"]
                assert measured["wordBottom"] <= size["height"]
                if size["width"] > size["height"]:
                    assert measured["countRight"] <= measured["curveLeft"]
                    assert measured["curveBottom"] <= size["height"]
                    assert measured["tempoRight"] < measured["peakLeft"]
                else:
                    assert measured["countRight"] <= size["width"]
                    assert measured["curveTop"] >= measured["wordBottom"]

    chromium.run(run())


async def _never(_command: str) -> str:
    return ""


def test_a_scanned_address_opens_the_page_and_hides_the_token(
    chromium: Chromium,
) -> None:
    async def run() -> None:
        async with WebSink(host="0.0.0.0") as sink, chromium.window() as view:
            here = "http://127.0.0.1:" + sink.url.rstrip("/").rpartition(":")[2]
            token = sink.entry_url.partition("?")[2]
            await view.page.goto(here)
            await view.text("h1", "This page needs its code")
            await view.page.goto(f"{here}/?{token}")
            await view.data("body", "page", "open")
            assert view.page.url == here + "/"
            assert await view.page.evaluate("document.cookie") == ""

    chromium.run(run())


def test_a_page_whose_code_no_longer_counts_says_so(chromium: Chromium) -> None:
    async def run() -> None:
        async with chromium.window() as view:
            async with WebSink(host="0.0.0.0") as sink:
                port = int(sink.url.rstrip("/").rpartition(":")[2])
                token = sink.entry_url.partition("?")[2]
                await view.page.goto(f"http://127.0.0.1:{port}/?{token}")
                await view.data("body", "page", "open")
            async with WebSink(host="0.0.0.0", port=port):
                await view.data("body", "page", "locked")
                await view.text("#banners p", re.compile("Scan the code"))

    chromium.run(run())
