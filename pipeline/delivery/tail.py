"""The end of a session that ended without its band, fetched from the band's memory afterwards.

The band samples on and remembers its last minutes. What it still has of a session is appended to
that session's recording: a mark of kind `tail`, the frames, and the end once more.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.delivery.session_log import note_what_is_in
from pipeline.session.assembly import Remembered
from pipeline.session.session import Session
from sensor.ble.finder import find
from sensor.ble.inbox import Inbox
from sensor.ble.link import BandLink, accepted
from sensor.ble.resend import Resender
from sensor.ble.waiting import ended
from sensor.errors import FrameError, LinkError, RecordingError
from sensor.recording.folder import recordings
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification
from sensor.source import HostClock
from sensor.timeline.pace import WRAP, signed
from sensor.wire.frames import ForceFrame
from sensor.wire.profile import Command, Opcode

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

FIND_S = 8.0
MOMENT_S = 0.1
QUIET_S = 4.0
"""Without a new sample for so long nothing more comes; counted in moments, not by the clock."""
LONGEST_MEMORY_S = 3600.0
OFF_SHARE, OFF_S = 0.1, 5.0
"""The band's count of samples may differ by so much from what the clocks say."""


@dataclass(frozen=True, slots=True)
class Radio:
    """How to reach the band."""

    wanted: str | None
    central: BumbleCentral | None
    pair: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tail:
    """What is to be fetched for a recording."""

    recording: Recording
    session: Session
    """As far as it is recorded, not ended."""
    remembered: Remembered
    until: int
    """Index after the last sample of the session, about."""
    until_us: int
    """When it was over."""
    told: bool
    """Whether the log has an end, of which others may have been told."""


def open_tail(recording: Recording, clock: HostClock) -> Tail | None:
    """What the band may still have of a recording's end; None for nothing."""
    now_us = clock.now_us() - (recording.utc_shift_us or 0)
    last = next(iter(recording.rows(after=recording.last_row - 1)), None)
    if last is None or not 0 <= now_us - last[1].received_us <= LONGEST_MEMORY_S * 1e6:
        return None
    session, told = Session(live=False), last[1].channel is Channel.END
    for batch in recording.batches():
        if batch.channel is not Channel.END:
            session.receive_batch(batch)
    until_us = session.until_us or (last[1].received_us if told else now_us)
    found = session.remembered
    if found is None:
        return None
    until = max(found.index_at(until_us) + 1, found.end) if found.went_on else found.end
    forgotten_us = now_us - found.memory_s * 1e6
    if (until_us if told else found.newest_us) < forgotten_us:
        return None
    if not found.lacks and until == found.end:
        return None
    return Tail(recording, session, found, until, until_us, told)


async def fetch_tails(folder: Path, radio: Radio, say: Callable[[str], None]) -> None:
    """Fetch what the band remembers of the recordings of a folder, where it is within reach."""
    clock = HostClock()
    for path in recordings(folder):
        with suppress(RecordingError, OSError):  # one that is damaged, in use or gone
            if not _is_recent(path):
                continue
            with Recording.open(path, write=True) as recording:
                tail = open_tail(recording, clock)
                if tail is not None and not await fetch_tail(tail, radio, clock, say):
                    return


async def fetch_tail(
    tail: Tail, radio: Radio, clock: HostClock, say: Callable[[str], None]
) -> bool:
    """Fetch the end of one session; whether the band was there.

    Without, the recording is as it was, or holds what came so far.
    """
    name = tail.recording.path.name
    say(f"{name} has no end: looking for the band, which may remember it")
    fetching = _Fetching(tail, clock)
    try:
        await fetching.run(radio)
    except LinkError as error:
        say(f"{name}: its end could not be fetched: {error}")
        return False
    if fetching.problem:
        say(f"{name}: {fetching.problem}")
    else:
        note_what_is_in(tail.recording)
        say(
            f"{name}: {fetching.came} samples of its end came from the band's memory; "
            "`forceband deliver` brings them to MQTT and InfluxDB"
        )
    return True


def _is_recent(path: Path) -> bool:
    """Whether rows came within the time that any band remembers."""
    wal = path.with_name(path.name + "-wal")
    written_s = max(each.stat().st_mtime for each in (path, wal) if each.exists())
    return time.time() - written_s < LONGEST_MEMORY_S


class _Fetching:
    """One link to the band, for what it remembers only; nothing is written before that comes."""

    def __init__(self, tail: Tail, clock: HostClock) -> None:
        self._tail = tail
        self._inbox = Inbox(clock)
        self._resender = Resender(self._inbox)
        self._first: list[Notification] = []
        self._begun = False
        self.came = 0
        self.problem = ""

    async def run(self, radio: Radio) -> None:
        """Connect, fetch, and end the log."""
        known = self._tail.recording.facts.get("band_address")
        wanted = known if isinstance(known, str) else radio.wanted
        found = await find(wanted, FIND_S, central=radio.central)
        if not found.is_band:
            raise LinkError("no band was found", found.address)
        link = BandLink(found.device, self._inbox.put, pair=radio.pair, central=radio.central)
        try:
            await link.open()
            await link.take_info()
            await link.subscribe()
            if not await self._is_the_same(link):
                self.problem = (
                    "its end is lost: the band was switched off since, or is another, and "
                    "remembers nothing of it"
                )
                return
            await self._fetch(link)
        finally:
            await link.close("stopped")
        if self._begun:
            end = Notification(self._tail.until_us, b"", Channel.END)
            self._tail.recording.append(end)
        else:
            self.problem = "the band does not remember its end any more"

    async def _is_the_same(self, link: BandLink) -> bool:
        """Whether the band has been on since the session, by what it says of itself and counts."""
        known = self._tail.remembered
        if link.info is None or link.info.boot_id != known.boot_id:
            return False
        stopped = accepted(await link.command(Command(Opcode.STOP)), link.address)
        now_us = self._inbox.now_us() - (self._tail.recording.utc_shift_us or 0)
        passed = known.index_at(now_us) - known.newest
        index = stopped.next_sample()
        if index is None:  # older firmware
            return True
        off = signed(index - known.newest) - passed
        return abs(off) <= OFF_SHARE * passed + OFF_S * known.rate_hz

    async def _fetch(self, link: BandLink) -> None:
        ledger = self._tail.session.ledger
        ledger.reached(self._tail.until % WRAP)
        self._resender.follow(lambda: self._tail.session.ledger)
        resending = asyncio.create_task(self._resender.run(link), name="tail")
        fewest, quiet = self._resender.missing, 0
        try:
            while (self._inbox.unread or self._resender.missing) and quiet * MOMENT_S < QUIET_S:
                try:
                    async with asyncio.timeout(MOMENT_S):
                        notification = await self._inbox.get()
                except TimeoutError:
                    quiet += 1
                    continue
                assert notification is not None, "nobody ends this inbox"
                self._take(notification)
                self._resender.look()
                if self._resender.missing < fewest:
                    fewest, quiet = self._resender.missing, 0
        finally:
            await ended(resending)

    def _take(self, notification: Notification) -> None:
        """Record frames, and what is needed to understand them."""
        match notification.channel:
            case Channel.FORCE:
                try:
                    frame = ForceFrame.from_bytes(notification.payload)
                except FrameError:
                    return
                if not self._begun:
                    self._begin(notification.received_us, frame.first_sample)
                before = self._samples
                self._record(notification)
                self.came += self._samples - before
            case Channel.INFO if not self._begun:
                self._first.append(notification)
            case Channel.INFO | Channel.MARK if self._begun:
                self._record(notification)
            case _:
                pass

    @property
    def _samples(self) -> int:
        return self._tail.session.samples + self._tail.session.ledger.waiting

    def _begin(self, received_us: int, first: int) -> None:
        mark = {"kind": "tail", "first": first, "until_us": self._tail.until_us}
        payload = json.dumps({**mark, "told": self._tail.told}).encode()
        self._begun = True
        for each in [Notification(received_us, payload, Channel.MARK), *self._first]:
            self._record(each)

    def _record(self, notification: Notification) -> None:
        self._tail.session.receive(notification, self._tail.recording.append(notification))
