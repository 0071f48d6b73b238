"""Reading a recording's log: its rows in order, loose or packed, whatever the file holds."""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, groupby, islice
from operator import attrgetter
from pathlib import Path

import numpy as np

from sensor.recording.checksums import PREFIX, SUMMED, mended
from sensor.recording.file import translated
from sensor.recording.notes import Notes
from sensor.samples import Batch, Channel, Notification

MAX_PAYLOAD_BYTES = 65_536
MAX_PACK, MIN_PACK = 4096, 8

_CHANNELS = frozenset(map(int, Channel))
_END = int(Channel.END)


class Rows(Notes):
    """The log of one file."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        super().__init__(path, database)
        self.damaged: dict[int, bool] = {}
        """Rows read so far that their checksum contradicts, and whether they could be mended."""

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[int, Notification]]:
        """Rows with a number above `after`, in order. Rows that make no sense are left out."""
        batches = heapq.merge(
            self._packed_batches(after), self._loose_rows(after, limit), key=attrgetter("first_row")
        )
        return islice(chain.from_iterable(batch.rows(after) for batch in batches), limit)

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """The same in runs of one channel and size, much faster."""
        packed, loose = self._packed_batches(after), self._loose_batches(after)
        for batch in heapq.merge(packed, loose, key=attrgetter("first_row")):
            if batch.last_row > after:
                yield batch.part(max(after + 1 - batch.first_row, 0))

    def others(self) -> Iterator[Notification]:
        """What is no force: the few rows about band, link and host."""
        with translated(self.path):
            query = (
                "SELECT id FROM log WHERE channel <> ? AND (channel <> ? OR id >= ?) ORDER BY id"
            )
            given = int(Channel.FORCE), _END, self.last_row
            numbers = self._database.execute(query, given).fetchall()
        for (row,) in numbers:
            for batch in self._loose_rows(row - 1, 1):
                yield from (notification for _, notification in batch.rows())

    def _loose_rows(self, after: int, limit: int | None = None) -> Iterator[Batch]:
        """Rows that are not packed, each as a run of its own; an end only where nothing follows."""
        with translated(self.path):
            for row, received_us, channel, payload in self._database.execute(
                "SELECT id, received_us, channel, payload FROM log "
                "WHERE id > ? AND length(payload) <= ? AND (channel <> ? OR id >= ?) "
                "ORDER BY id LIMIT ?",
                (after, MAX_PAYLOAD_BYTES, _END, self.last_row, -1 if limit is None else limit),
            ):
                if _is_time(received_us) and isinstance(payload, bytes) and channel in _CHANNELS:
                    batch = Batch(row, (received_us,), Channel(channel), payload)
                    yield from self._checked(batch)

    def _loose_batches(self, after: int) -> Iterator[Batch]:
        """Rows that are not packed, those of one channel and size together."""

        def kind(batch: Batch) -> tuple[int, int]:
            return batch.channel, len(batch.joined)

        for _, group in groupby(self._loose_rows(after), kind):
            part: list[Batch] = []
            for batch in group:
                if part and (batch.first_row != part[-1].first_row + 1 or len(part) >= MAX_PACK):
                    yield _joined(part)
                    part = []
                part.append(batch)
            yield _joined(part)

    def _packed_batches(self, after: int) -> Iterator[Batch]:
        with translated(self.path):
            for first, channel, count, received, payload in self._database.execute(
                "SELECT first, channel, count, received_us, payload FROM packs "
                "WHERE first + count > ? + 1 AND length(payload) <= ? ORDER BY first",
                (after, MAX_PACK * MAX_PAYLOAD_BYTES),
            ):
                whole = isinstance(received, bytes) and isinstance(payload, bytes)
                if not whole or channel not in _CHANNELS or not isinstance(count, int):
                    continue
                if not 0 < count <= MAX_PACK:
                    continue
                if len(received) != 8 * count or len(payload) % count:
                    continue
                times = np.frombuffer(received, "<i8")
                if _is_time(int(times.min())) and _is_time(int(times.max())):
                    batch = Batch(first, tuple(times.tolist()), Channel(channel), payload)
                    yield from self._checked(batch)

    def _checked(self, batch: Batch) -> Iterator[Batch]:
        """The rows that agree with their checksum, where they have one, or can be mended."""
        if batch.channel not in SUMMED:
            yield batch
            return
        for place, (row, each) in enumerate(batch.rows()):
            wanted = self._checksum(row)
            payload = each.payload
            good = payload if wanted is None else mended(payload, batch.channel, wanted)
            if good != payload:
                self.damaged[row] = good is not None
            if good is not None:
                yield replace(batch.part(place, place + 1), joined=good)

    def _checksum(self, row: int) -> int | None:
        query = "SELECT value FROM facts WHERE key = ?"
        found = self._database.execute(query, (f"{PREFIX}{row}",)).fetchone()
        text = "" if found is None else str(found[0])
        return int(text) if text.isdecimal() and len(text) <= 10 else None

    @property
    def last_row(self) -> int:
        """Number of the last row; 0 for an empty log."""
        query = (
            "SELECT max(coalesce((SELECT max(id) FROM log), 0), "
            "coalesce((SELECT first + count - 1 FROM packs WHERE count BETWEEN 1 AND ? "
            "ORDER BY first DESC LIMIT 1), 0))"
        )
        with translated(self.path):
            return int(self._database.execute(query, (MAX_PACK,)).fetchone()[0])


def _joined(batches: list[Batch]) -> Batch:
    times = tuple(batch.received_us[0] for batch in batches)
    return Batch(
        batches[0].first_row, times, batches[0].channel, b"".join(batch.joined for batch in batches)
    )


def _is_time(received_us: object) -> bool:
    """Whether it is µs since 1970 that arithmetic can carry: a file may hold anything."""
    return isinstance(received_us, int) and 0 <= received_us < 2**53
