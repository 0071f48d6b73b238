"""Results into InfluxDB: an event is delivered when the server has acknowledged its points.

Writes are synchronous and idempotent: a batch whose acknowledgement was lost is written again over
itself. The client's own batching is not used, for it drops what it cannot deliver in time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from pipeline.session.events import Emitted, ForceSamples
from pipeline.session.facts import SessionFacts
from pipeline.sinks.influx.answers import (
    HOLD_S,
    dropped_all,
    refusal,
    rejects_lines,
    unavailable,
)
from pipeline.sinks.influx.lines import WRITTEN, lines
from pipeline.sinks.influx.settings import InfluxSettings, connect
from pipeline.sinks.sink import Rejected, SinkUnavailableError

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient

NOTHING = ("", "")
"""A blank line, which is no point."""


class InfluxSink:
    """A `DurableSink` that writes points; an async context manager.

    Lines that the server rejects for good are isolated and returned, so that they do not hold up
    the rest. A server that says the same to a write of nothing rejects no line, but whatever comes:
    it is waited for.
    """

    name = "influx"
    unit = "points"
    durable: tuple[type, ...] = WRITTEN

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._client: InfluxDBClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._client is not None:
            self._client.close()  # type: ignore[no-untyped-call]
            self._client = None

    async def deliver(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> list[Rejected]:
        """Return when the server has acknowledged the points of all of `emitted` but the returned.

        Raises
        ------
        SinkUnavailableError
            If it did not; what it took already is written over itself at the next attempt.
        """
        size = self._settings.batch_lines
        waiting: dict[str, list[str]] = defaultdict(list)
        rejected: list[Rejected] = []
        for one in emitted:
            bucket = self._bucket(one)
            batch = waiting[bucket]
            batch += lines(facts, one)
            while len(batch) >= size:
                rejected += await self._send(bucket, batch[:size])
                del batch[:size]
        for bucket, rest in waiting.items():
            if rest:
                rejected += await self._send(bucket, rest)
        return rejected

    def _bucket(self, one: Emitted) -> str:
        """Where the points of an event go."""
        of_samples = isinstance(one.event, ForceSamples) and self._settings.samples_bucket
        return of_samples or self._settings.bucket

    async def _send(self, bucket: str, batch: Sequence[str], part: bool = False) -> list[Rejected]:
        """Write all lines of a batch, or a part of it, but those that are rejected."""
        words = await asyncio.to_thread(self._write, bucket, batch)
        if words is None:
            return []
        if dropped_all(words, len(batch)):
            return [Rejected(line, words) for line in batch]
        if not part and await asyncio.to_thread(self._write, bucket, NOTHING) == words:
            raise SinkUnavailableError(
                f"InfluxDB at {self._settings.url} answers the same to whatever is written, even "
                f"to nothing: {words.rstrip('.')}. Is that InfluxDB's own address?",
                HOLD_S,
            )
        if len(batch) == 1:
            return [Rejected(batch[0], words)]
        middle = len(batch) // 2
        first = await self._send(bucket, batch[:middle], True)
        return first + await self._send(bucket, batch[middle:], True)

    def _write(self, bucket: str, batch: Iterable[str]) -> str | None:
        """None if the server took the batch, its words if it rejects a line of it."""
        from influxdb_client.client.write_api import SYNCHRONOUS
        from influxdb_client.domain.write_precision import WritePrecision
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        settings = replace(self._settings, bucket=bucket)
        if self._client is None:
            self._client = connect(settings)
        try:
            self._client.write_api(write_options=SYNCHRONOUS).write(
                settings.bucket,
                settings.org,
                "\n".join(batch),
                write_precision=WritePrecision.US,  # type: ignore[arg-type]  # a str at run time
            )
        except ApiException as error:
            if rejects_lines(error):
                return refusal(error, settings)
            raise unavailable(error, settings) from error
        except (HTTPError, OSError, UnicodeDecodeError) as error:
            raise SinkUnavailableError(
                f"InfluxDB at {settings.url} does not answer ({type(error).__name__}); "
                "is it running, and is the address right?"
            ) from error
        return None
