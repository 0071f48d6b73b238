"""The coach on the page: its screens at phone and desktop sizes, by touch, by key and as a tree."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, replace

import pytest
from axe_playwright_python.async_playwright import Axe
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
FOCUSED = """() => {
  const { activeElement } = document;
  return activeElement.getAttribute("aria-label") ?? activeElement.textContent;
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


@pytest.mark.parametrize("size", SIZES[1:], ids=lambda size: f"{size['width']}")
def test_no_screen_breaks_a_rule_of_accessibility(chromium: Chromium, size: ViewportSize) -> None:
    async def run() -> None:
        axe = Axe()

        async def broken() -> list[str]:
            found = await axe.run(window.page)
            return [f"{each['id']}: {each['help']}" for each in found.response["violations"]]

        async def handle(command: str) -> str:
            return command

        async with WebSink() as sink, chromium.window(size) as window:
            sink.begin(FACTS, handle, [asdict(Choice("first-steps", "First steps", "3 minutes"))])
            await window.page.goto(sink.url)
            await window.page.get_by_role("button", name="Coach").click()
            assert await broken() == []
            await window.page.keyboard.press("Escape")
            for name, view in SCREENS.items():
                sink.coach(FACTS, [view])
                await window.data("#coach", "screen", name)
                assert await broken() == [], name

    chromium.run(run())


def test_all_of_it_is_reached_by_tab_and_enter_and_a_rep_takes_no_focus(chromium: Chromium) -> None:
    async def run() -> None:
        asked: asyncio.Queue[str] = asyncio.Queue()

        async def handle(command: str) -> str:
            asked.put_nowait(command)
            return "done"

        async def press(name: str) -> str:
            """Go on by Tab until that button has the focus, and press Enter."""
            for _ in range(40):
                await page.keyboard.press("Tab")
                if await page.evaluate(FOCUSED) == name:
                    await page.keyboard.press("Enter")
                    return await asyncio.wait_for(asked.get(), 30)
            raise AssertionError(f"{name} is not reached by Tab")

        async with WebSink() as sink, chromium.window() as window:
            sink.begin(FACTS, handle, [asdict(Choice("first-steps", "First steps", "3 minutes"))])
            page = window.page
            await page.goto(sink.url)
            await page.locator("#choose").wait_for()
            await page.locator("#choose").focus()
            await page.keyboard.press("Enter")
            assert await press("First steps3 minutes") == "coach begin first-steps"
            sink.coach(FACTS, [SET_UP])
            await window.data("#coach", "screen", "setup")
            assert await press("0 of 10") == "coach pain 0"
            sink.coach(FACTS, [WORK])
            await window.data("#coach", "screen", "work")
            assert await page.evaluate(FOCUSED) == "Low row", "where the screen begins"
            assert await press("Skip") == "coach skip"
            sink.coach(FACTS, [replace(WORK, count=5)])
            await window.text("#coach-big", "5")
            assert await page.evaluate(FOCUSED) == "Skip"
            sink.coach(FACTS, [SCREENS["hurt"]])
            await window.data("#coach", "screen", "hurt")
            assert await press("6 of 10") == "coach pain 6"
            sink.coach(FACTS, [replace(SCREENS["hurt"], pain=6)])
            await page.get_by_text("Noted: 6 of 10.").wait_for()
            assert await page.evaluate(FOCUSED) == "6 of 10"
            assert await press("End here") == "coach end"

    chromium.run(run())


def test_the_tree_of_a_screen_tells_what_it_shows(chromium: Chromium) -> None:
    async def run() -> None:
        async with WebSink() as sink, chromium.window() as window:
            await window.page.goto(sink.url)
            sink.coach(FACTS, [SCREENS["hurt"]])
            await window.data("#coach", "screen", "hurt")
            coach = window.page.get_by_role("region", name="Coach")
            tree = await coach.aria_snapshot()
            for line in (
                'heading "Low row"',
                'heading "How much does it hurt?"',
                'group "How much does it hurt?"',
                'button "10 of 10"',
                'group "Where?"',
                'button "shoulder"',
                'navigation "Controls"',
                'button "No pain"',
                'button "End here"',
            ):
                assert line in tree, tree

    chromium.run(run())
