"""A session without a radio and without waiting: what a client would have received, and when.

The firmware is the one that Bluetooth serves; in place of the link and the client stands the least
that either does. An hour at 80 Hz takes seconds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from firmware_sim.band import Band
from firmware_sim.radio.faults import Chances, Faults
from sensor.errors import FrameError
from sensor.samples import Channel, Notification
from sensor.timeline.ledger import Ledger
from sensor.wire.frames import ForceFrame
from sensor.wire.profile import Command, Opcode, Response, Status

STARTED_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""
STEP_S = 10.0
CAREFUL_STEP_S = 0.25
"""While a client has gaps to ask for, which it does at the end of a step."""
MIN_DURATION_S = 1.0


@dataclass(frozen=True, slots=True)
class Radio:
    """The link of a session. Notifications arrive at connection events, every `interval_s`."""

    chances: Chances | None = None
    outages: tuple[tuple[float, float], ...] = ()
    """When the band goes out of range and for how long, s; in order, apart from each other."""
    repairs: bool = True
    """The client asks again for what is missing."""
    interval_s: float = 0.03
    jitter_s: float = 0.002
    """Standard deviation of the host's own lateness."""

    @property
    def faulty(self) -> bool:
        return self.chances is not None or bool(self.outages)


def notifications(
    band: Band,
    duration_s: float | None = None,
    radio: Radio | None = None,
    started_us: int = STARTED_US,
) -> Iterator[Notification]:
    """Everything that a client receives and writes in a session with `band`.

    The band was switched on at `started_us` and its stream started at once, so that sample k of the
    session is sample k of the band. Without `duration_s` the session ends with the workout.

    Raises
    ------
    ValueError
        If neither ends: an endless workout needs a duration.
    """
    if duration_s is None and band.setup.workout.endless:
        raise ValueError("an endless workout needs a duration_s")
    client = _Client(band, radio or Radio(), started_us)
    yield from client.connect(0.0)
    now_s = 0.0
    end_s = np.inf if duration_s is None else max(duration_s, MIN_DURATION_S)
    outages = list(client.radio.outages)
    while now_s < end_s:
        now_s = min(now_s + (CAREFUL_STEP_S if client.radio.faulty else STEP_S), end_s)
        if outages and now_s >= outages[0][0]:
            away_s = outages.pop(0)
            yield from client.disconnect(away_s[0])
            band.firmware.advance(sum(away_s))
            now_s = max(now_s, sum(away_s))
            yield from client.connect(sum(away_s))
        yield from client.receive(now_s)
        if duration_s is None and band.end_s is not None and now_s >= band.end_s:
            break
    yield from client.leave(now_s)


class _Client:
    """Receives what the band sends, at connection events, and asks for what it misses."""

    def __init__(self, band: Band, radio: Radio, started_us: int) -> None:
        self.radio = radio
        self._firmware = band.firmware
        self._faults = Faults(radio.chances or Chances(), band.setup.seed)
        self._rng = np.random.default_rng((band.setup.seed, 0x1A7E))
        self._started_us = started_us
        self._latest_us = started_us
        self._free_s = 0.0
        info = self._firmware.info
        self._ledger = Ledger(info.rate_hz, info.ring_samples)
        self._battery = -1

    def connect(self, now_s: float) -> Iterator[Notification]:
        yield self._note(now_s, Channel.LINK, b"up")
        yield self._note(now_s, Channel.INFO, bytes(self._firmware.info))
        yield from self._tell_battery(now_s)
        yield from self._command(now_s, Command(Opcode.START))

    def disconnect(self, now_s: float) -> Iterator[Notification]:
        yield from self.receive(now_s)
        self._firmware.link_lost()
        yield self._note(now_s, Channel.LINK, b"down: the band went out of range")

    def leave(self, now_s: float) -> Iterator[Notification]:
        """Stop the band, wait for what is still asked for, and end."""
        yield from self._command(now_s, Command(Opcode.STOP))
        yield from self._repair(now_s)
        while self._firmware.next_due_s() < np.inf:
            now_s += CAREFUL_STEP_S
            yield from self.receive(now_s)
        yield self._note(now_s, Channel.LINK, b"down: stopped")
        yield self._note(now_s, Channel.END, b"")

    def receive(self, now_s: float) -> Iterator[Notification]:
        for packet in self._firmware.advance(now_s):
            stall_s, payload = 0.0, packet.payload
            if self.radio.faulty:
                fate = self._faults.fate(payload)
                if fate is None:
                    continue
                stall_s, payload = fate
                self._take(payload)
            event_s = np.ceil(packet.time_s / self.radio.interval_s) * self.radio.interval_s
            self._free_s = max(event_s, self._free_s) + stall_s
            late_s = self.radio.jitter_s * abs(float(self._rng.standard_normal()))
            yield self._note(self._free_s + late_s, Channel.FORCE, payload)
        yield from self._tell_battery(now_s)
        yield from self._repair(now_s)

    def _repair(self, now_s: float) -> Iterator[Notification]:
        """Ask for all that is missing, once nothing that was asked for is on its way."""
        if self._firmware.resending or not (self.radio.faulty and self.radio.repairs):
            return
        for each in self._ledger.missing:
            first, count = each.first % 2**32, each.count
            response = yield from self._command(now_s, Command.resend(first, count))
            skipped, coming = 0, 0
            if response.status is Status.OK:
                named, coming = response.resend_range()
                skipped = (named - first) % 2**32
            self._ledger.give_up(first, skipped)
            self._ledger.give_up(first + skipped + coming, count - skipped - coming)

    def _command(self, now_s: float, command: Command) -> Generator[Notification, None, Response]:
        yield self._note(now_s, Channel.COMMAND, bytes(command))
        response = self._firmware.command(bytes(command))
        yield self._note(now_s + self.radio.interval_s, Channel.RESPONSE, bytes(response))
        index = response.next_sample()
        if command.opcode in (Opcode.START, Opcode.STOP) and index is not None:
            self._ledger.reached(index)
        return response

    def _take(self, payload: bytes) -> None:
        with suppress(FrameError):
            self._ledger.place(ForceFrame.from_bytes(payload))
            self._ledger.settled()

    def _tell_battery(self, now_s: float) -> Iterator[Notification]:
        if self._firmware.battery_percent != self._battery:
            self._battery = self._firmware.battery_percent
            yield self._note(now_s, Channel.BATTERY, bytes([self._battery]))

    def _note(self, time_s: float, channel: Channel, payload: bytes) -> Notification:
        """Received in the order of the session; two never at the same µs."""
        at_us = self._started_us + round(time_s * 1e6)
        self._latest_us = max(at_us, self._latest_us + 1)
        return Notification(self._latest_us, payload, channel)
