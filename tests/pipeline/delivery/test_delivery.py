"""Every event reaches its sink at least once and in order, whatever the sink does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.analysis.types import SetClosed
from pipeline.delivery import delivery
from pipeline.delivery.delivery import Delivery, DeliveryStatus, waiting_rows
from pipeline.session.events import Emitted, ForceSamples, SessionEnded
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.sink import Rejected, SinkUnavailableError
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Notification
from tests.leaping import leap
from tests.pipeline.signals import notifications, pulls

FACTS = SessionFacts("session", "band")
ROWS = notifications(pulls(sets=1, reps=3))
SAMPLES = ForceSamples(0, np.zeros(1), np.zeros(1), np.zeros(1, np.int64), 0, False)


class Sink:
    """Keeps what it gets; `away` makes it refuse."""

    name = "kept"
    unit = "events"
    durable: tuple[type, ...] = (ForceSamples, SetClosed, SessionEnded)

    def __init__(self, refuse: Callable[[int], bool] = lambda call: False) -> None:
        self.got: list[Emitted] = []
        self.calls = 0
        self._refuse = refuse

    async def deliver(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> Sequence[Rejected]:
        self.calls += 1
        await asyncio.sleep(0)
        if self._refuse(self.calls):
            raise SinkUnavailableError("away", retry_after_s=0.001)
        self.got += emitted
        return []


def wanted() -> list[tuple[int, int]]:
    session = Session()
    emitted = [t for row, each in enumerate(ROWS, 1) for t in session.receive(each, row)]
    return [(t.row, t.seq) for t in emitted if isinstance(t.event, Sink.durable)]


def ids(sink: Sink) -> list[tuple[int, int]]:
    return [(emitted.row, emitted.seq) for emitted in sink.got]


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
        leap(live(recording, sink, statuses))
        assert ids(sink) == wanted()
        assert recording.cursors() == {"kept": recording.last_row}
    assert not statuses or statuses[-1].problem is None


def test_a_sink_that_comes_and_goes_costs_each_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_QUEUED", 3)
    computed: list[int] = []
    begun: list[int] = []

    class Counted(Session):
        def __init__(self) -> None:
            super().__init__()
            begun.append(0)

        def receive(self, notification: Notification, row: int) -> list[Emitted]:
            computed.append(row)
            return super().receive(notification, row)

    away = False

    async def main(recording: Recording, sink: Sink) -> None:
        nonlocal away
        each = Delivery(recording, sink, FACTS, new_session=Counted)
        running = asyncio.create_task(each.run())
        session, absences = Session(), 0
        for notification in ROWS:
            row = recording.append(notification)
            each.offer(session.receive(notification, row), row)
            away = row % 60 < 30
            await asyncio.sleep(0)
            if row % 60 == 59:
                absences += each._behind
                while each.status.waiting_rows:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.01)
        away = False
        each.close()
        await running
        assert absences > 3

    sink = Sink(lambda call: away)
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        leap(main(recording, sink))
    assert ids(sink) == wanted()
    assert len(begun) == 1
    assert computed == sorted(set(computed))


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


def test_a_full_disk_holds_what_the_sink_rejects_and_is_told_once(tmp_path: Path) -> None:
    statuses: list[DeliveryStatus] = []

    class Rejecting(Sink):
        """Its first batch needs room for a dead letter; there is room from the fifth call on."""

        async def deliver(
            self, facts: SessionFacts, emitted: Sequence[Emitted]
        ) -> Sequence[Rejected]:
            if self.calls == 0:
                (pages,) = recording._database.execute("PRAGMA page_count").fetchone()
                recording._database.execute(f"PRAGMA max_page_count={pages}")
            if self.calls == 4:
                recording._database.execute("PRAGMA max_page_count=1073741823")
            self.calls += 1
            self.got += emitted
            return [Rejected("line" * 5000, "why")] if self.calls <= 5 else []

    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(ROWS)
        sink = Rejecting()
        each = Delivery(recording, sink, FACTS, live_session=False, on_status=statuses.append)
        leap(each.run())
        assert [each.problem and "disk is full" in each.problem for each in statuses] == [
            True,
            None,
        ]
        assert len(recording.dead_letters()) == 1
    assert list(dict.fromkeys(ids(sink))) == wanted()


def test_a_recording_that_cannot_be_read_for_a_while_holds_a_running_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_QUEUED", 3)
    failures = iter([True] * 3)
    rows = Recording.rows

    def failing(
        self: Recording, after: int = 0, limit: int | None = None
    ) -> Iterator[tuple[int, Notification]]:
        if next(failures, False):
            raise RecordingError("disk I/O error", self.path)
        return rows(self, after, limit)

    sink, statuses = Sink(lambda call: call < 9), list[DeliveryStatus]()
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        monkeypatch.setattr(Recording, "rows", failing)
        leap(live(recording, sink, statuses))
    assert sum("I/O" in (each.problem or "") for each in statuses) == 1
    assert statuses[-1].problem is None
    assert ids(sink) == wanted()


def test_what_a_sink_rejects_is_kept_and_told_when_it_has_grown_tenfold(tmp_path: Path) -> None:
    class Rejecting(Sink):
        async def deliver(
            self, facts: SessionFacts, emitted: Sequence[Emitted]
        ) -> Sequence[Rejected]:
            return [Rejected(f"{each.seq}", f"400 bad {each.seq}.") for each in emitted[:1]]

    said: list[str] = []

    async def main(recording: Recording) -> DeliveryStatus:
        each = Delivery(
            recording, Rejecting(), FACTS, on_rejected=lambda status: said.append(status.rejected)
        )
        running = asyncio.create_task(each.run())
        for number, notification in enumerate(ROWS[:30]):
            row = recording.append(notification)
            each.offer([Emitted(row, number, 0, SAMPLES)], row)
            for _ in range(9):  # turns of the loop for it to be delivered alone
                await asyncio.sleep(0)
        each.close()
        await running
        return each.status

    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        status = asyncio.run(main(recording))
        assert recording.dead_letters()[29] == ("kept", "29", "400 bad 29.")
    assert [text.split(" (")[0][-3:] for text in said] == [": 1", " 10"]
    assert status.rejected == (
        "events rejected for good: 30 (400 bad 29); `forceband doctor` shows them"
    )


@pytest.mark.parametrize("asked_s", [None, 7.0])
def test_a_sink_that_is_away_is_tried_ever_more_seldom_or_as_it_asks(
    tmp_path: Path, asked_s: float | None
) -> None:
    tried_s: list[float] = []

    class Away(Sink):
        async def deliver(
            self, facts: SessionFacts, emitted: Sequence[Emitted]
        ) -> Sequence[Rejected]:
            tried_s.append(asyncio.get_running_loop().time())
            if len(tried_s) < 14:
                raise SinkUnavailableError("away", retry_after_s=asked_s)
            return []

    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(ROWS[:20])
        leap(Delivery(recording, Away(), FACTS, live_session=False).run())
    pauses_s = np.diff(tried_s[:14])
    if asked_s is not None:
        assert pauses_s == pytest.approx(asked_s)
    else:
        longest_s = np.minimum(0.5 * 2.0 ** np.arange(13), 30)
        assert (pauses_s <= longest_s + 1e-6).all()
        assert (pauses_s >= longest_s / 2 - 1e-6).all()


def test_rows_that_wait_for_room_on_the_disk_are_looked_for_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_s: list[float] = []
    rows = Recording.rows

    def counted(
        self: Recording, after: int = 0, limit: int | None = None
    ) -> Iterator[tuple[int, Notification]]:
        looked_s.append(asyncio.get_running_loop().time())
        return rows(self, after, limit)

    monkeypatch.setattr(Recording, "rows", counted)

    async def main(recording: Recording) -> None:
        each = Delivery(recording, sink, FACTS)
        each.offer([], 100)  # but for the first they are in memory only
        running = asyncio.create_task(each.run())
        await asyncio.sleep(10)
        assert 10 < len(looked_s) < 50
        recording.extend(ROWS[1:100])
        each.close()
        await running

    sink = Sink()
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.append(ROWS[0])
        leap(main(recording))
    assert ids(sink) == [each for each in wanted() if each[0] <= 100]


def test_what_is_delivered_does_not_wait(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {"sinks": ["mqtt", "influx", "new", 3]}) as log:
        assert waiting_rows(log) == {}
        log.extend(ROWS[:10])
        log.set_cursor("influx", 10)
        log.set_cursor("mqtt", 4)
        log.set_cursor("gone", 1)
        assert waiting_rows(log) == {"mqtt": 6, "new": 10}
        log.set_facts({"sinks": "nonsense"})
        assert waiting_rows(log) == {}
    with Recording.create(tmp_path / "b.forceband", {}) as older:
        older.extend(ROWS[:10])
        older.set_cursor("mqtt", 4)
        assert waiting_rows(older) == {"mqtt": 6}


def test_an_error_nobody_foresaw_ends_the_delivery(tmp_path: Path) -> None:
    class Broken(Sink):
        async def deliver(
            self, facts: SessionFacts, emitted: Sequence[Emitted]
        ) -> Sequence[Rejected]:
            raise RuntimeError("a defect")

    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(ROWS)
        with pytest.raises(RuntimeError, match="defect"):
            asyncio.run(Delivery(recording, Broken(), FACTS, live_session=False).run())
        assert recording.cursors() == {}
