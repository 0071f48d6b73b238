"""State machines: what follows from many inputs, valid in themselves and against each other."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from benchmarks.fuzz.decoders import INFO, some_frames, some_payloads, some_responses
from benchmarks.fuzz.mutator import Mutator
from pipeline.session.events import ForceSamples
from pipeline.session.session import Session
from sensor.drivers.attached import Attached
from sensor.drivers.registry import DRIVERS
from sensor.errors import FrameError
from sensor.samples import Channel, Notification
from sensor.timeline.clock import DeviceClock
from sensor.timeline.ledger import Ledger, Missing
from sensor.timeline.requests import Requests
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Command, Response

SEQUENCE = 200
"""Frames or rows that one state machine takes before the next begins."""
RATES_HZ = (1.0, 79.9, 80.0, 320.0, 2000.0)


class Sequences:
    """Frames that are valid in themselves and contradict each other: jumps, repeats, restarts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._index, self._us = self.random.randrange(2**32), self.random.randrange(2**32)

    def draw(self) -> ForceFrame:
        r = self.random
        n = r.choice((1, 8, 8, 8, 56))
        jump = r.random()
        if jump < 0.1:
            by = int(r.choice((1, -1)) * 10 ** (r.random() * 4.5))
            self._index, self._us = self._index + by, self._us + by * 12_500
        elif jump < 0.12:
            self._index = r.randrange(2**32)
        elif jump < 0.14:
            self._us = r.randrange(2**32)
        elif jump < 0.15:
            self._index = self._us = 0
        frame = ForceFrame(
            self._index % 2**32,
            (self._us + r.randrange(200)) % 2**32,
            r.randrange(4),
            Flag(r.choice((0, 0, 0x10, 0xF0))),
            np.full(n, r.randrange(-(2**23), 2**23)),
        )
        self._index, self._us = self._index + n, self._us + n * 12_500
        return frame


def ledgers(inputs: int, seed: int) -> Iterator[str]:
    """Each sample is settled once, in order, or is missing once."""
    for start in range(0, inputs, SEQUENCE):
        source, ledger = Sequences(seed + start), Ledger(80.0, 11520)
        frontier: int | None = None
        settled = list[object]()
        for number in range(min(SEQUENCE, inputs - start)):
            frame = source.draw()
            if source.random.random() < 0.01:
                ledger.set_rate(source.random.choice(RATES_HZ))
            if source.random.random() < 0.01:
                ledger.reached(source.random.randrange(2**32))
            placed = ledger.place(frame)
            if source.random.random() < 0.03:
                ledger.give_up(source.random.randrange(2**32), source.random.randrange(2**32))
            settled = [*ledger.settled(end=number == SEQUENCE - 1)]
            for part in settled:
                assert frontier is None or part.first == frontier  # type: ignore[attr-defined]
                frontier = part.end  # type: ignore[attr-defined]
            if ledger.pace.restarted:
                ledger, frontier = Ledger(80.0, 11520), None
                yield "restarted"
                continue
            yield "placed" if placed else "left out"
        assert all(isinstance(part, Missing) or part for part in settled)


def clocks(inputs: int, seed: int) -> Iterator[str]:
    """UTC is known after one arrival and rises strictly, whatever arrives when."""
    for start in range(0, inputs, SEQUENCE):
        r, clock = random.Random(seed + start), DeviceClock()
        device_us, received_us = r.randrange(2**33), r.randrange(2**50)
        emitted: list[int] = []
        for _ in range(min(SEQUENCE, inputs - start)):
            device_us += int(10 ** (2 + 6 * r.random()))
            received_us += int(10 ** (1 + 7 * r.random()))
            late_us = int(10 ** (7 * r.random())) if r.random() < 0.3 else 0
            clock.arrived(device_us - (late_us if r.random() < 0.1 else 0), received_us + late_us)
            emitted += clock.utc_us(np.arange(device_us, device_us + 3_000, 1_000)).tolist()[:1]
            yield "known"
        assert all(a < b for a, b in pairwise(emitted))


def requests(inputs: int, seed: int) -> Iterator[str]:
    """What is asked for is a range of the band's memory, and asking comes to an end."""
    mutator = Mutator(some_responses(), seed)
    for start in range(0, inputs, SEQUENCE):
        source, requests = Sequences(seed + start), Requests(Ledger(80.0, 11520))
        now_s = 0.0
        for _ in range(min(SEQUENCE, inputs - start)):
            now_s += source.random.random()
            if source.random.random() < 0.01:
                requests.ledger.set_rate(source.random.choice(RATES_HZ))
            if source.random.random() < 0.01:
                requests.ledger.reached(source.random.randrange(2**32))
            requests.ledger.place(source.draw())
            wanted = requests.request(now_s)
            if wanted is not None:
                first, count = wanted
                assert 0 <= first < 2**32
                assert 0 < count <= 11520
                try:
                    requests.answered(Response.from_bytes(mutator.draw()), now_s)
                except FrameError:
                    requests.unanswered(now_s)
            requests.take_abandoned()
            assert requests.missing <= 2**31
            yield "asked" if wanted else "quiet"


def session_rows(inputs: int, seed: int) -> Iterator[str]:
    """Rows of any channel with any payload: events, never an error."""
    marks = [
        json.dumps({"kind": "gave_up", "first": 5, "count": 9}).encode(),
        json.dumps({"kind": "label", "text": "left"}).encode(),
    ]
    frames = Mutator(some_frames(), seed)
    others = {
        Channel.RESPONSE: Mutator(some_responses(), seed),
        Channel.INFO: Mutator([bytes(INFO)], seed),
        Channel.BATTERY: Mutator([b"\x50"], seed),
        Channel.LINK: Mutator([b"up", b"down: away"], seed),
        Channel.COMMAND: Mutator([bytes(Command.resend(1, 2))], seed),
        Channel.MARK: Mutator(marks, seed),
    }
    r = random.Random(seed)
    channels = list(others)
    for start in range(0, inputs, SEQUENCE):
        session, sequence = Session(), Sequences(seed + start)
        received_us = r.randrange(2**51)
        for row in range(1, min(SEQUENCE, inputs - start) + 1):
            received_us += r.randrange(200_000) if r.random() < 0.98 else -r.randrange(10**9)
            kind = r.random()
            channel = Channel.FORCE
            if kind < 0.5:
                payload = bytes(sequence.draw())
            elif kind < 0.7:
                payload = frames.frame()
            else:
                channel = r.choice(channels)
                payload = others[channel].draw()
            emitted = session.receive(Notification(max(received_us, 0), payload, channel), row)
            assert all(each.row == row for each in emitted)
            yield "told" if emitted else "nothing to tell"
        assert session.finish()


def foreign_rows(inputs: int, seed: int) -> Iterator[str]:
    """Sessions with devices of others: true and hostile payloads, links that come and go."""
    corpus = some_payloads()
    r = random.Random(seed)
    for number, start in enumerate(range(0, inputs, SEQUENCE)):
        driver = DRIVERS[number % len(DRIVERS)]
        valid, mutator = corpus[driver.name], Mutator(corpus[driver.name], seed + start)
        rows = Mutator([bytes(Attached(each)) for each in DRIVERS], seed + start)
        session, now_us, last_s = Session(), 10**15 + r.randrange(2**50), -1.0
        session.receive(Notification(now_us, bytes(Attached(driver)), Channel.DRIVER), 1)
        for row in range(2, min(SEQUENCE, inputs - start) + 2):
            now_us += r.choice((0, 10_000, 100_000, 5_000_000)) if r.random() < 0.99 else -(10**9)
            kind, channel = r.random(), Channel.FORCE
            if kind < 0.9:
                payload = valid[row % len(valid)] if kind < 0.7 else mutator.draw()
            elif kind < 0.95:
                channel, payload = Channel.MARK, b'{"kind": "tare"}'
            else:
                hostile = kind < 0.97
                channel, payload = (
                    Channel.DRIVER,
                    rows.draw() if hostile else bytes(Attached(driver)),
                )
            emitted = session.receive(Notification(max(now_us, 0), payload, channel), row)
            for each in emitted:
                if isinstance(each.event, ForceSamples):
                    assert np.isfinite(each.event.force_n).all()
                    assert (np.diff(each.event.time_s, prepend=last_s) > 0).all()
                    last_s = float(each.event.time_s[-1])
            yield driver.name if emitted else "nothing to tell"
        assert session.finish()
