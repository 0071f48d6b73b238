"""What is taken is brought to the disk, and what the sinks get does not depend on their cursors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.analysis.types import RepAnnounced
from pipeline.delivery import delivery as delivery_module
from pipeline.delivery import recorder as recorder_module
from pipeline.delivery.delivery import Delivery
from pipeline.delivery.recorder import Recorder
from pipeline.session.events import Emitted, Marked
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel
from tests.leaping import leap
from tests.pipeline.delivery.test_delivery import FACTS, ROWS, Sink, wanted

NOW_US = 1_800_000_000_000_000


def recorder_of(recording: Recording | None, *deliveries: Delivery, **more: Any) -> Recorder:
    options: dict[str, Any] = {"live_sinks": [], "notice": lambda level, text: None, **more}
    return Recorder(
        recording, Session(), FACTS, deliveries=deliveries, now_us=lambda: NOW_US, **options
    )


def test_the_log_is_brought_to_the_disk_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "WATCH_EVERY_S", 0.02)
    monkeypatch.setattr(recorder_module, "SYNC_EVERY_S", 0.05)
    with Recording.create(tmp_path / "a.forceband", {}) as recording:

        async def main() -> None:
            recorder = recorder_of(recording)
            for row in ROWS[:50]:
                recorder.take(row)
            synced, loop, sync = asyncio.Event(), asyncio.get_running_loop(), recording.sync

            def told() -> None:
                sync()
                loop.call_soon_threadsafe(synced.set)

            monkeypatch.setattr(recording, "sync", told)
            syncing = asyncio.create_task(recorder.keep_synced())
            await asyncio.wait_for(synced.wait(), 20)
            syncing.cancel()

        asyncio.run(main())
        # a copy of the one file, as a power cut leaves it, holds the rows
        copy = tmp_path / "copy.forceband"
        copy.write_bytes(recording.path.read_bytes())
    with Recording.open(copy) as kept:
        assert [each for _, each in kept.rows()] == ROWS[:50]


def test_a_cursor_that_cannot_be_noted_ends_no_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:

        def full(sink: str, row: int) -> None:
            raise RecordingError("the disk is full", recording.path)

        monkeypatch.setattr(recording, "set_cursor", full)
        sink = Sink()
        deliver = Delivery(recording, sink, FACTS)

        async def main() -> None:
            running = asyncio.create_task(deliver.run())
            recorder = recorder_of(recording, deliver)
            for row in ROWS:
                recorder.take(row)
                await asyncio.sleep(0)
            deliver.close()
            await asyncio.wait_for(running, 60)

        asyncio.run(main())
    assert [(each.row, each.seq) for each in sink.got] == wanted()


def test_a_queue_that_overflows_is_computed_again_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "MAX_QUEUED", 20)
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        sink = Sink()
        deliver = Delivery(recording, sink, FACTS)
        recorder = recorder_of(recording, deliver)
        for row in ROWS:
            recorder.take(row)
        assert len(deliver._queue) <= 20

        async def main() -> None:
            deliver.close()
            await asyncio.wait_for(deliver.run(), 60)

        asyncio.run(main())
    assert [(each.row, each.seq) for each in sink.got] == wanted()


def test_what_is_sent_again_is_whole_and_in_order(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        sink = Sink()
        deliver = Delivery(recording, sink, FACTS)

        async def main() -> None:
            running = asyncio.create_task(deliver.run())
            recorder = recorder_of(recording, deliver)
            for row in ROWS[:100]:
                recorder.take(row)
                await asyncio.sleep(0)
            deliver.again()
            before = len(sink.got)
            for row in ROWS[100:]:
                recorder.take(row)
                await asyncio.sleep(0)
            deliver.close()
            await asyncio.wait_for(running, 60)
            again = [(each.row, each.seq) for each in sink.got[before:]]
            # what was under way when it was asked for may come first
            assert again[-len(wanted()) :] == wanted()

        asyncio.run(main())
        assert recording.cursors()[sink.name] == len(ROWS)


class Noting:
    """Notes something as soon as it hears of a rep."""

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.heard: list[int] = []

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        self.heard += [each.row for each in emitted]
        if any(isinstance(each.event, RepAnnounced) for each in emitted) and self.recorder:
            self.recorder.mark("label", "a rep")


def test_what_a_sink_notes_of_an_event_comes_after_it_for_everybody(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        sink, noting = Sink(), Noting()
        deliver = Delivery(recording, sink, FACTS)
        recorder = recorder_of(recording, deliver, live_sinks=[noting])
        noting.recorder = recorder

        async def main() -> None:
            running = asyncio.create_task(deliver.run())
            for row in ROWS:
                recorder.take(row)
                await asyncio.sleep(0)
            deliver.close()
            await asyncio.wait_for(running, 60)

        asyncio.run(main())
        rows = [each for _, each in recording.rows()]
    assert len(rows) > len(ROWS)
    assert noting.heard == sorted(noting.heard)
    session = Session()
    again = [each for row, what in enumerate(rows, 1) for each in session.receive(what, row)]
    assert [(each.row, each.seq) for each in sink.got] == [
        (each.row, each.seq) for each in again if isinstance(each.event, sink.durable)
    ]


class Shown:
    """A live sink that keeps what it is shown."""

    def __init__(self) -> None:
        self.got: list[Emitted] = []

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        assert facts == FACTS
        self.got += emitted


def test_what_a_person_marks_stands_in_the_log_and_is_shown_and_delivered(tmp_path: Path) -> None:
    sink, shown = Sink(), Shown()
    sink.durable = (Marked,)
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        deliver = Delivery(recording, sink, FACTS)
        recorder = recorder_of(recording, deliver, live_sinks=[shown])
        recorder.take(ROWS[0])
        recorder.mark("label", "left hand")
        deliver.close()
        asyncio.run(deliver.run())
        recorder.end()
        assert recorder.row == recording.last_row == 3
        assert recording.ended
    with Recording.open(recording.path) as kept:
        rows = [each for _, each in kept.rows()]
    assert [each.channel for each in rows] == [Channel.INFO, Channel.MARK, Channel.END]
    assert json.loads(rows[1].payload) == {"kind": "label", "text": "left hand"}
    assert [each.received_us for each in rows[1:]] == [NOW_US, NOW_US]
    for emitted in (shown.got, sink.got):
        marked = [each for each in emitted if isinstance(each.event, Marked)]
        assert [(each.row, each.utc_us, each.event) for each in marked] == [
            (2, NOW_US, Marked("label", "left hand"))
        ]


def test_a_replay_is_numbered_as_its_rows_and_written_nowhere() -> None:
    recorder = recorder_of(None)
    for row in ROWS[:3]:
        recorder.take(row)
    recorder.watch()
    recorder.finish()
    assert (recorder.row, recorder.not_recorded) == (3, 0)
    leap(recorder.keep_synced())


def test_a_computer_that_slept_says_so_and_for_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asleep_s = [100.0]
    monkeypatch.setattr(recorder_module, "suspended_s", lambda: asleep_s[0])
    told: list[tuple[str, str]] = []
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recorder = recorder_of(recording, notice=lambda level, text: told.append((level, text)))
        for slept_s in (0.0, 1.9, 2.0, 63.0):
            asleep_s[0] += slept_s
            recorder.watch_clock()
        marks = [json.loads(each.payload) for _, each in recording.rows()]
    assert [(each["kind"], each["text"].split(" for ")[1]) for each in marks] == [
        ("suspended", "2 s"),
        ("suspended", "1 min 3 s"),
    ]
    assert [level for level, _ in told] == ["warning", "warning"]
    assert "slept for 1 min 3 s" in told[1][1]


@pytest.mark.parametrize(("step_us", "way"), [(3_600_000_000, "forward"), (-5_000_000, "back")])
def test_a_clock_that_is_set_is_marked_once_and_all_is_sent_again(
    tmp_path: Path, step_us: int, way: str
) -> None:
    sink, told, shift_us = Sink(), list[tuple[str, str]](), [0]
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        deliver = Delivery(recording, sink, FACTS)
        recorder = recorder_of(
            recording,
            deliver,
            notice=lambda level, text: told.append((level, text)),
            clock_shift_us=lambda: shift_us[0],
        )

        async def main() -> None:
            running = asyncio.create_task(deliver.run())
            for row in ROWS[:50]:
                recorder.take(row)
            await asyncio.sleep(1)
            for shift_us[0] in (499_999, step_us, step_us + 400_000):
                recorder.watch_clock()
            await asyncio.sleep(1)
            deliver.close()
            await running

        leap(main())
        assert recording.utc_shift_us == step_us
        marks = [each for _, each in recording.rows() if each.channel is Channel.MARK]
        assert recording.cursors() == {sink.name: recording.last_row}
    (mark,) = (json.loads(each.payload) for each in marks)
    assert (mark["kind"], mark["shift_us"]) == ("clock", step_us)
    assert f"was set {way} by" in mark["text"]
    ((level, text),) = told
    assert level == "warning"
    assert mark["text"] in text
    once = [(each.row, each.seq) for each in sink.got][: len(sink.got) // 2]
    assert [(each.row, each.seq) for each in sink.got] == once * 2
    half = len(once)
    moved = {b.utc_us - a.utc_us for a, b in zip(sink.got[:half], sink.got[half:], strict=True)}
    assert moved == {step_us}


def test_the_log_is_synced_every_five_seconds_and_its_file_and_clock_watched_every_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced_s, watched_s = list[float](), list[float]()

    async def at_once(function: Callable[[], None]) -> None:
        function()

    monkeypatch.setattr(asyncio, "to_thread", at_once)
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recorder = recorder_of(recording)

        def sync() -> None:
            synced_s.append(asyncio.get_running_loop().time())
            raise RecordingError("the disk is full", recording.path)

        monkeypatch.setattr(recording, "sync", sync)
        monkeypatch.setattr(recorder, "watch", lambda: watched_s.append(-1))
        monkeypatch.setattr(
            recorder,
            "watch_clock",
            lambda: watched_s.append(asyncio.get_running_loop().time()),
        )

        async def main() -> None:
            syncing = asyncio.create_task(recorder.keep_synced())
            await asyncio.sleep(20.5)
            syncing.cancel()

        leap(main())
    assert synced_s == pytest.approx([5, 10, 15, 20])
    assert watched_s[::2] == [-1] * 20
    assert watched_s[1::2] == pytest.approx(range(1, 21))


def test_a_file_that_is_deleted_while_it_is_written_is_made_again(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    with Recording.create(tmp_path / "a.forceband", {}, keep=True) as recording:
        recorder = recorder_of(recording, notice=lambda level, text: told.append((level, text)))
        for row in ROWS[:30]:
            recorder.take(row)
        recorder.watch()
        assert told == []
        recording.path.unlink()
        recorder.watch()
        ((level, text),) = told
        assert level == "error"
        assert str(recording.path) in text
        recorder.take(ROWS[30])
        first = recording.path
        first.unlink()
        recorder.finish()
        assert recording.path != first
        assert recorder.not_recorded == 0
    with Recording.open(recording.path) as kept:
        assert [each for _, each in kept.rows()] == ROWS[:31]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.5, "0.5 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h 1 min 1 s"),
        (59.96, "1 min"),
        (75.26, "1 min 15 s"),
        (0, "0 s"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert recorder_module._duration(seconds) == said
