"""The coach on the page: its screens at phone and desktop sizes, by touch, by key and as a tree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest
from playwright.async_api import ViewportSize, async_playwright, expect

from pipeline.coach.cues import Cue, CueWithdrawn
from pipeline.coach.library import load
from pipeline.coach.plan import plan_of
from pipeline.coach.view import Guide, Screen, View
from pipeline.delivery.coaching import Choice
from pipeline.sinks.page.web import WebSink
from tests.dashboards.test_live_page import ARGS, CHROMIUM, SIZES, Chromium
from tests.dashboards.test_live_page import pytestmark as needs_chromium
from tests.example_session import FACTS
from tests.pipeline.sinks.emitting import samples

pytestmark = needs_chromium

LIBRARY = load()
PLAN = plan_of(LIBRARY.programme("first-steps"), LIBRARY, sets=2)
SET_UP = View(Screen.SETUP, 10.0, PLAN, 0, PLAN.blocks[0])
READY = replace(SET_UP, screen=Screen.READY)
WORK = replace(READY, screen=Screen.WORK, count=4, guide=Guide(9.0, 10.0, 11.0, 14.0, 14.2))
REST = replace(
    READY, screen=Screen.REST, until_s=40.0, change="next", place=1, block=PLAN.blocks[1]
)
SCREENS = {
    "setup": SET_UP,
    "ready": READY,
    "work": WORK,
    "rest": REST,
    "paused": replace(WORK, screen=Screen.PAUSED, until_s=5.0),
    "lost": replace(WORK, screen=Screen.LOST),
    "hurt": replace(WORK, screen=Screen.HURT),
    "done": replace(WORK, screen=Screen.DONE),
}
SMALL = ViewportSize(width=360, height=640)
FITS = """() => {
  const keys = [...document.querySelectorAll("#coach-keys button")];
  const inside = keys.every((key) => {
    const box = key.getBoundingClientRect();
    return key.scrollWidth <= key.clientWidth
      && box.width >= 48 && box.height >= 48 && box.left >= 0 && box.top >= 0
      && box.right <= innerWidth + 0.5 && box.bottom <= innerHeight + 0.5;
  });
  return inside && document.documentElement.scrollWidth <= innerWidth;
}"""
BOXES = """() => ["coach-word", "coach-last", "coach-keys"].map((id) => {
  const box = document.getElementById(id).getBoundingClientRect();
  return [box.left, box.top];
}).flat()"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with asyncio.Runner() as runner:
        playwright = runner.run(async_playwright().start())
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        browser = runner.run(launched)
        yield Chromium(runner, browser)
        runner.run(browser.close())
        runner.run(playwright.stop())


@pytest.mark.parametrize("size", [*SIZES, SMALL], ids=lambda size: f"{size['width']}")
def test_every_screen_fits_with_all_its_keys_within_reach(
    chromium: Chromium, size: ViewportSize
) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window(size) as window:
            await window.page.goto(sink.url)
            for name, view in SCREENS.items():
                sink.coach(FACTS, [view])
                await window.data("#coach", "screen", name)
                assert await window.page.evaluate(FITS), name
            assert window.complaints == []

    chromium.run(run())


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size['width']}")
def test_word_scores_and_keys_stay_in_their_places(chromium: Chromium, size: ViewportSize) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window(size) as window:
            await window.page.goto(sink.url)
            places = []
            for name in ("ready", "work", "rest", "paused", "lost"):
                sink.coach(FACTS, [SCREENS[name]])
                await window.data("#coach", "screen", name)
                places.append(await window.page.evaluate(BOXES))
            for each in places:
                assert each == pytest.approx(places[0], abs=1.5)

    chromium.run(run())


def test_a_programme_is_chosen_and_led_by_touch_and_by_key(chromium: Chromium) -> None:
    async def run() -> None:
        asked: list[str] = []

        async def handle(command: str) -> str:
            asked.append(command)
            heard.set()
            return "done"

        async def next_asked() -> str:
            await asyncio.wait_for(heard.wait(), 30)
            heard.clear()
            return asked[-1]

        heard = asyncio.Event()
        async with WebSink() as sink, chromium.window() as window:
            sink.begin(FACTS, handle, [asdict(Choice("first-steps", "First steps", "3 minutes"))])
            page = window.page
            await page.goto(sink.url)
            await page.get_by_role("button", name="Coach").click()
            await page.get_by_role("button", name="First steps").click()
            assert await next_asked() == "coach begin first-steps"
            sink.coach(FACTS, [SET_UP])
            await page.get_by_role("button", name="2 of 10").click()
            assert await next_asked() == "coach pain 2"
            sink.coach(FACTS, [WORK])
            await window.data("#coach", "screen", "work")
            for key, wish in ((" ", "pause"), ("s", "skip"), ("t", "tap"), ("Escape", "stop")):
                await page.keyboard.press(key)
                assert await next_asked() == f"coach {wish}"
            await page.get_by_role("button", name="Stop").click()
            assert await next_asked() == "coach stop"
            sink.coach(FACTS, [SCREENS["hurt"]])
            await page.get_by_role("button", name="shoulder").click()
            await page.get_by_role("button", name="6 of 10").click()
            assert await next_asked() == "coach pain 6 shoulder"
            await page.get_by_role("button", name="End here").click()
            assert await next_asked() == "coach end"

    chromium.run(run())


def test_cues_are_given_when_they_are_due_and_not_if_they_were_taken_back(
    chromium: Chromium,
) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as window:
            await window.page.goto(sink.url)
            sink.show(FACTS, [samples(0, 800)])
            sink.coach(FACTS, [WORK])
            await window.data("#coach", "screen", "work")
            now = Cue(1, "more", 10.0, "3 more", "9. 3 more.", "", 20.0, 34, 20.0)
            gone = Cue(2, "rest", 10.6, "gone", "Gone.", "down", 9.0, 70, 20.0)
            soon = Cue(3, "enough", 11.2, "rest", "Enough. Rest.", "end", 60.0, 70, 20.0)
            sink.coach(FACTS, [now, gone, soon, CueWithdrawn(2, 10.1)])
            await window.text("#coach-cue", "3 more")
            await window.text("#coach-said", "9. 3 more.")
            await window.text("#coach-said", "Enough. Rest.")
            await window.data("body", "tones", "1")
            await window.text("#coach-cue", "rest")

    chromium.run(run())


def test_a_screen_reader_finds_title_keys_and_what_is_said(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as window:
            await window.page.goto(sink.url)
            sink.coach(FACTS, [READY])
            coach = window.page.get_by_role("region", name="Coach")
            await expect(coach.get_by_role("heading", name="Low row")).to_be_visible()
            for name in ("Stop", "Pause", "Skip", "Voice"):
                await expect(coach.get_by_role("button", name=name)).to_be_visible()
            await expect(coach.get_by_role("img", name="How to do it: Low row")).to_be_visible()
            await expect(coach.get_by_role("navigation", name="Controls")).to_be_visible()
            assert await window.page.locator("#coach-said").get_attribute("aria-live") == "polite"

    chromium.run(run())


def test_who_opens_the_page_in_the_middle_sees_the_screen(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as window:
            sink.coach(FACTS, [WORK])
            await window.page.goto(sink.url)
            await window.data("#coach", "screen", "work")
            await window.text("#coach-big", "4")

    chromium.run(run())
