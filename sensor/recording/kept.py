"""The rows of a session as bytes in memory, so that another file can be made of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from sensor.samples import Channel, Notification

MOST_BYTES = 64 * 2**20
"""A day at 80 Hz; what is longer can be had from its file alone."""
_HEAD = struct.Struct("<qBI")


class Kept:
    """What was appended so far: 50 bytes for each row of 80 Hz, nearly two MiB an hour."""

    def __init__(self) -> None:
        self.whole = True
        """Whether it holds all; beyond `MOST_BYTES` it holds nothing."""
        self._data = bytearray()

    def add(self, notification: Notification) -> None:
        """Keep a row."""
        if not self.whole:
            return
        payload = notification.payload
        self._data += _HEAD.pack(notification.received_us, int(notification.channel), len(payload))
        self._data += payload
        if len(self._data) > MOST_BYTES:
            self.whole = False
            self._data = bytearray()

    def __iter__(self) -> Iterator[Notification]:
        at, data = 0, bytes(self._data)
        while at < len(data):
            received_us, channel, size = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            yield Notification(received_us, data[at : at + size], Channel(channel))
            at += size
