"""What is taken is brought to the disk, and what the sinks get does not depend on their cursors."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.delivery import delivery as delivery_module
from pipeline.delivery import recorder as recorder_module
from pipeline.delivery.delivery import Delivery
from pipeline.delivery.recorder import Recorder
from pipeline.session.session import Session
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from tests.pipeline.delivery.test_delivery import FACTS, ROWS, Sink, wanted


def recorder_of(recording: Recording, *deliveries: Delivery) -> Recorder:
    return Recorder(
        recording,
        Session(),
        FACTS,
        live_sinks=[],
        deliveries=deliveries,
        now_us=lambda: 1,
        notice=lambda level, text: None,
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
