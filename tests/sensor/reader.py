"""Somebody who reads a source and keeps what came, and a radio that loses notifications."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from typing import Any

from firmware_sim.radio.air import att_opcode
from pipeline.session.session import Session
from sensor.ble.source import BleSource
from sensor.errors import FrameError
from sensor.samples import Channel, Notification
from sensor.wire.frames import ForceFrame
from sensor.wire.profile import Opcode

NOTIFICATION = 0x1B


class Reader:
    """Iterates a source in a task, as a session does, and keeps what came."""

    def __init__(self, source: BleSource) -> None:
        self.source = source
        self.session = Session()
        source.follow(lambda: self.session.ledger)
        self.notifications: list[Notification] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for notification in self.source:
            self.notifications.append(notification)
            self.session.receive(notification, len(self.notifications))
            await self.go_on.wait()

    def payloads(self, channel: Channel) -> list[bytes]:
        return [each.payload for each in self.notifications if each.channel is channel]

    def links(self) -> list[str]:
        return [each.decode() for each in self.payloads(Channel.LINK)]

    def marks(self) -> list[dict[str, Any]]:
        return [json.loads(each) for each in self.payloads(Channel.MARK)]

    def given_up(self) -> list[tuple[int, int]]:
        return [(m["first"], m["count"]) for m in self.marks() if m["kind"] == "gave_up"]

    def frames(self) -> list[ForceFrame]:
        found = []
        for payload in self.payloads(Channel.FORCE):
            with contextlib.suppress(FrameError):
                found.append(ForceFrame.from_bytes(payload))
        return found

    def samples(self) -> Counter[int]:
        """How often each sample of a toy band came; checks that index and counts agree."""
        found: Counter[int] = Counter()
        for frame in self.frames():
            assert frame.counts[0] == frame.first_sample
            found.update(frame.counts.tolist())
        return found

    def commands(self, opcode: Opcode) -> int:
        return sum(each[0] == opcode for each in self.payloads(Channel.COMMAND))


def drop(probability: float, seed: int = 1) -> Any:
    """A fault of the air that loses notifications."""
    rng = random.Random(seed)

    def fault(_source: Any, _destination: Any, pdu: bytes) -> bytes | None:
        lost = att_opcode(pdu) == NOTIFICATION and rng.random() < probability
        return None if lost else pdu

    return fault
