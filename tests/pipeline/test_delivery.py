"""Every event reaches its sink at least once and in order, whatever the sink does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline import delivery
from pipeline.delivery import Delivery, DeliveryStatus
from pipeline.events import ForceSamples, SessionEnded, SetClosed, Told
from pipeline.session import Session
from pipeline.sinks.sink import SessionFacts, SinkUnavailableError
from sensor.recording import Recording
from tests.pipeline.signals import notifications, pulls

FACTS = SessionFacts("session", "band")
ROWS = notifications(pulls(sets=1, reps=3))


class Sink:
    """Keeps what it gets; `away` makes it refuse."""

    name = "kept"
    durable: tuple[type, ...] = (ForceSamples, SetClosed, SessionEnded)

    def __init__(self, refuse: Callable[[int], bool] = lambda call: False) -> None:
        self.got: list[Told] = []
        self.calls = 0
        self._refuse = refuse

    async def deliver(self, facts: SessionFacts, told: Sequence[Told]) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self._refuse(self.calls):
            raise SinkUnavailableError("away", retry_after_s=0.001)
        self.got += told


def wanted() -> list[tuple[int, int]]:
    session = Session()
    told = [t for row, each in enumerate(ROWS, 1) for t in session.receive(each, row)]
    return [(t.row, t.seq) for t in told if isinstance(t.event, Sink.durable)]


def ids(sink: Sink) -> list[tuple[int, int]]:
    return [(told.row, told.seq) for told in sink.got]


async def live(recording: Recording, sink: Sink, statuses: list[DeliveryStatus]) -> None:
    """Record a session with the sink listening."""
    each = Delivery(recording, sink, FACTS, on_status=statuses.append)
    running = asyncio.create_task(each.run())
    session = Session()
    for notification in ROWS:
        row = recording.append(notification)
        each.offer(session.receive(notification, row), row)
        await asyncio.sleep(0)
    each.close()
    await running


@pytest.mark.parametrize("queued", [4000, 3])
@pytest.mark.parametrize(
    "refuse", [lambda call: False, lambda call: call % 3 != 0, lambda call: 5 < call < 60]
)
def test_a_sink_that_comes_and_goes_gets_everything_in_order(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    queued: int,
    refuse: Callable[[int], bool],
) -> None:
    monkeypatch.setattr(delivery, "MAX_QUEUED", queued)
    sink, statuses = Sink(refuse), list[DeliveryStatus]()
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        asyncio.run(live(recording, sink, statuses))
        assert list(dict.fromkeys(ids(sink))) == wanted()
        assert recording.cursors() == {"kept": recording.last_row}
    assert not statuses or statuses[-1].problem is None


def test_what_a_killed_process_left_is_delivered_once(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(ROWS)
        recording.set_cursor("kept", 100)
        sink = Sink()
        asyncio.run(Delivery(recording, sink, FACTS, live_session=False).run())
        assert ids(sink) == [each for each in wanted() if each[0] > 100]
        again = Sink()
        asyncio.run(Delivery(recording, again, FACTS, live_session=False).run())
        assert again.got == []


def test_events_computed_again_are_those_told_live(tmp_path: Path) -> None:
    sink, later = Sink(), Sink()
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        asyncio.run(live(recording, sink, []))
        recording.set_cursor("kept", 0)
        asyncio.run(Delivery(recording, later, FACTS, live_session=False).run())
    assert [(t.row, t.seq, t.utc_us) for t in sink.got] == [
        (t.row, t.seq, t.utc_us) for t in later.got
    ]
    closed = [[t.event for t in s.got if isinstance(t.event, SetClosed)] for s in (sink, later)]
    assert closed[0] == closed[1]


def test_an_error_nobody_foresaw_ends_the_delivery(tmp_path: Path) -> None:
    class Broken(Sink):
        async def deliver(self, facts: SessionFacts, told: Sequence[Told]) -> None:
            raise RuntimeError("a defect")

    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(ROWS)
        with pytest.raises(RuntimeError, match="defect"):
            asyncio.run(Delivery(recording, Broken(), FACTS, live_session=False).run())
        assert recording.cursors() == {}
