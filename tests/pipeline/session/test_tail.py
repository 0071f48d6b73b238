"""What the band remembered of a session's end, appended afterwards: as if it had come in time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.delivery.tail import open_tail
from pipeline.files.samples import read_session
from pipeline.session.events import Emitted, GapFound, SessionEnded
from pipeline.session.facts import SessionFacts
from pipeline.session.session import MOST_TAILS, Session
from pipeline.sinks.influx.lines import lines
from pipeline.sinks.mqtt.messages import event_message
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification
from sensor.source import HostClock
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Opcode, Response, Status
from tests.pipeline.signals import UTC0_US, frames, info, mark, pulls

FACTS = SessionFacts("s", "band")
FRAMES = frames(pulls(sets=2, reps=5))
BEFORE = 460
"""Frames that came: the link was lost between two reps of the second set."""
ENDED_US = UTC0_US + 100_000 * len(FRAMES)
FETCHED_US = ENDED_US + 60_000_000


Fetched = tuple[list[Emitted], list[Emitted]]
Points = dict[tuple[str, str], dict[str, str]]


def started() -> list[Notification]:
    start = Response(Opcode.START, Status.OK, bytes(4))
    return [
        Notification(UTC0_US, bytes(info()), Channel.INFO),
        Notification(UTC0_US, b"up", Channel.LINK),
        Notification(UTC0_US, bytes(start), Channel.RESPONSE),
    ]


def live(count: int = len(FRAMES)) -> list[Notification]:
    return [
        Notification(UTC0_US + 100_000 * (k + 1), bytes(each))
        for k, each in enumerate(FRAMES[:count])
    ]


def without_its_end(before: int = BEFORE) -> list[Notification]:
    """A session whose band was out of reach when it ended."""
    lost = Notification(UTC0_US + 100_000 * before + 3_000_000, b"down: silent", Channel.LINK)
    return [*started(), *live(before), lost, Notification(ENDED_US, b"", Channel.END)]


def remembered(first: int = BEFORE, *, told: bool = True) -> list[Notification]:
    """What was fetched a minute later, in resent frames of up to 56 samples, and the end again."""
    tail = mark(kind="tail", first=FRAMES[first].first_sample, until_us=ENDED_US, told=told)
    resent = [
        ForceFrame(
            some[0].first_sample,
            some[0].device_us,
            1,
            Flag.RESENT,
            np.concatenate([each.counts for each in some]),
        )
        for some in (FRAMES[k : k + 7] for k in range(first, len(FRAMES), 7))
    ]
    return [
        replace(tail, received_us=FETCHED_US),
        Notification(FETCHED_US, bytes(info()), Channel.INFO),
        *(Notification(FETCHED_US + 20_000 * k, bytes(each)) for k, each in enumerate(resent)),
        Notification(ENDED_US, b"", Channel.END),
    ]


def in_time() -> list[Notification]:
    """The same session with its band there to the end."""
    stop = Response(Opcode.STOP, Status.OK, (8 * len(FRAMES)).to_bytes(4, "little"))
    return [
        *started(),
        *live(),
        Notification(ENDED_US, bytes(stop), Channel.RESPONSE),
        Notification(ENDED_US, b"", Channel.END),
    ]


def recorded(path: Path, rows: list[Notification]) -> Recording:
    with Recording.create(path, {"session": "s", "device": "band"}) as recording:
        recording.extend(rows)
    return Recording.open(path, write=True)


def told_of(recording: Recording) -> list[Emitted]:
    """What a sink is told, row by row."""
    session = Session()
    return [each for row, some in recording.rows() for each in session.receive(some, row)]


def stored(*told: list[Emitted]) -> Points:
    """What a database holds after these points: fields by series and time, the later ones count."""
    points: Points = {}
    for emitted in told:
        for each in emitted:
            for line in lines(FACTS, each):
                series, fields, time_us = re.split(r"(?<!\\) (?=(?:[^\"]|\"[^\"]*\")*$)", line)
                pairs = re.findall(r'(\w+)=("[^"]*"|[^,]*)', fields)
                points.setdefault((series, time_us), {}).update(pairs)
    return points


def clock(at_us: int) -> HostClock:
    """The computer's, at a moment."""
    return HostClock(utc_ns=at_us * 1000, monotonic_ns=lambda: 0)


@pytest.fixture
def fetched(tmp_path: Path) -> Fetched:
    """What was told at the first end, and in the end."""
    with recorded(tmp_path / "a.forceband", without_its_end()) as recording:
        first = told_of(recording)
        recording.extend(remembered())
        return first, told_of(recording)


@pytest.mark.parametrize("before", [320, 450, 460, 465, 500])
def test_a_session_whose_end_was_fetched_reads_as_if_it_had_come_in_time(
    tmp_path: Path, before: int
) -> None:
    rows = [*without_its_end(before), *remembered(before)]
    with recorded(tmp_path / "fetched.forceband", rows) as recording:
        read = read_session(recording)
    with recorded(tmp_path / "whole.forceband", in_time()) as recording:
        whole = read_session(recording)
    assert [each.reps for each in whole.analysis.sets] == [5, 5]
    assert read.analysis.reps == whole.analysis.reps
    assert read.analysis.sets == whole.analysis.sets
    assert read.analysis.gaps == []
    assert (read.time_s == whole.time_s).all()
    assert (read.force_n == whole.force_n).all()
    assert read.started_utc_us == whole.started_utc_us
    assert (read.missing, read.bad_frames) == (0, 0)


def test_no_id_is_told_twice_with_another_content(fetched: Fetched) -> None:
    contents: dict[str, bytes] = {}
    for each in [*fetched[0], *fetched[1]]:
        message = event_message("forceband", FACTS, each)
        if message is not None:
            assert contents.setdefault(f"{each.seq}", message.payload) == message.payload
    ends = [each for each in [*fetched[0], *fetched[1]] if isinstance(each.event, SessionEnded)]
    assert len({each.seq for each in ends}) == 2
    assert [each.row for each in fetched[1]] == sorted(each.row for each in fetched[1])


def test_a_database_that_was_told_of_the_first_end_comes_to_hold_what_it_would_have_held(
    tmp_path: Path, fetched: Fetched
) -> None:
    with recorded(tmp_path / "whole.forceband", in_time()) as recording:
        whole = stored(told_of(recording))
    found = stored(fetched[0], fetched[1])

    def of(points: Points, measurement: str) -> Points:
        return {key: each for key, each in points.items() if key[0].split(",")[0] == measurement}

    def without_flags(points: Points) -> Points:
        return {key: {**each, "flags": ""} for key, each in points.items()}

    assert without_flags(of(found, "force")) == without_flags(of(whole, "force"))
    void = {key for key, each in of(found, "set").items() if each["reps"] == "0i"}
    assert len(void) == 1
    assert {k: v for k, v in of(found, "set").items() if k not in void} == of(whole, "set")
    gaps = [each for key, each in of(found, "link").items() if "event=gap" in key[0]]
    assert [(each["gap_ms"], each["missing"]) for each in gaps] == [("0.0", "0i")]
    assert of(whole, "rep").items() <= of(found, "rep").items()


def test_what_the_band_no_longer_remembered_is_a_gap_to_the_sample(tmp_path: Path) -> None:
    with recorded(tmp_path / "a.forceband", without_its_end()) as recording:
        recording.extend(remembered(BEFORE + 50))
        read = read_session(recording)
        told = told_of(recording)
    assert [gap.missing for gap in read.analysis.gaps] == [400]
    gaps = [each.event.gap for each in told if isinstance(each.event, GapFound)]
    assert [(gap.missing, gap.end_s > gap.start_s) for gap in gaps] == [(0, False), (400, True)]
    assert read.missing == 400


def test_a_fetch_that_was_cut_short_leaves_the_rest_a_gap_without_a_count(tmp_path: Path) -> None:
    rows = remembered()
    with recorded(tmp_path / "a.forceband", without_its_end()) as recording:
        recording.extend([*rows[:6], rows[-1]])
        read = read_session(recording)
        tail = open_tail(recording, clock(at_us=FETCHED_US))
    assert [gap.missing for gap in read.analysis.gaps] == [None]
    assert read.analysis.gaps[0].end_s == pytest.approx(len(FRAMES) / 10, abs=0.2)
    assert tail is not None
    assert tail.told
    assert tail.until == pytest.approx(8 * len(FRAMES), abs=2)


@pytest.mark.parametrize("rows", [in_time(), [*without_its_end(), *remembered()]])
def test_where_the_end_is_there_nothing_is_fetched(
    tmp_path: Path, rows: list[Notification]
) -> None:
    with recorded(tmp_path / "a.forceband", rows) as recording:
        assert open_tail(recording, clock(at_us=FETCHED_US)) is None


@pytest.mark.parametrize(
    ("later_s", "ended", "wanted"),
    [(5, True, True), (110, True, True), (125, True, False), (5, False, True), (100, False, False)],
)
def test_an_end_is_looked_for_while_the_band_may_remember_some_of_it(
    tmp_path: Path, later_s: float, ended: bool, wanted: bool
) -> None:
    rows = without_its_end() if ended else without_its_end()[:-1]
    with recorded(tmp_path / "a.forceband", rows) as recording:
        tail = open_tail(recording, clock(at_us=ENDED_US + round(later_s * 1e6)))
    assert (tail is not None) == wanted
    if tail is not None:
        until_s = len(FRAMES) / 10 + (0 if ended else later_s)
        assert tail.until == pytest.approx(80 * until_s, abs=2)
        assert tail.remembered.boot_id == info().boot_id


def test_a_computer_whose_clock_was_set_still_finds_the_end(tmp_path: Path) -> None:
    with recorded(tmp_path / "a.forceband", without_its_end()) as recording:
        recording.set_facts({"utc_shift_us": 3_600_000_000})
        tail = open_tail(recording, clock(at_us=ENDED_US + 3_605_000_000))
    assert tail is not None


def test_marks_that_make_no_sense_are_counted_and_bounded() -> None:
    session = Session()
    senseless = [
        mark(kind="tail"),
        mark(kind="tail", first="x", until_us=0, told=True),
        mark(kind="tail", first=0, until_us=1e400, told=True),
    ]
    often = [mark(kind="tail", first=0, until_us=0, told=True)] * (MOST_TAILS + 2)
    for row, each in enumerate([*started(), *live(3), *senseless, *often], 1):
        session.receive(each, row)
    assert session.bad_frames == len(senseless) + 2
