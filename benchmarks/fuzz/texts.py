"""Texts from servers, pages and people who may write to a broker."""

from __future__ import annotations

from collections.abc import Iterator

from influxdb_client.rest import ApiException
from urllib3 import HTTPHeaderDict

from benchmarks.fuzz.mutator import Mutator
from pipeline.sinks.influx.answers import MAX_RETRY_AFTER_S, rejects_lines, unavailable
from pipeline.sinks.influx.settings import InfluxSettings
from pipeline.sinks.mqtt.commands import parse_command
from pipeline.sinks.page.viewer import command_in
from sensor.errors import BandError


def mqtt_commands(inputs: int, seed: int) -> Iterator[str]:
    payloads = Mutator([b"PRESS", b'{"request":"a"}', b"{}", b"[" * 300], seed)
    topics = Mutator([b"forceband/band/cmd/tare", b"forceband/band/cmd/stop"], seed + 1)
    for _ in range(inputs):
        topic = topics.draw().decode("utf-8", "replace")
        command = parse_command("forceband", topic, payloads.draw())
        if command is None:
            yield "nobody's"
        else:
            yield "refused" if command.refusal else "command"


def page_questions(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator([b'{"command":"tare"}', b'{"command":["tare"]}', b"[" * 300], seed)
    for _ in range(inputs):
        try:
            command_in(mutator.draw().decode("utf-8", "replace"), frozenset({"tare", "stop"}))
        except BandError:
            yield "BandError"
        else:
            yield "command"


def influx_answers(inputs: int, seed: int) -> Iterator[str]:
    """Refusals of a database that is not ours: a sentence in one line without the token."""
    bodies = [
        b'{"code":"invalid","message":"partial write: field type conflict dropped=1"}',
        b'{"error":"token s3cret unknown"}',
        b"<html>502</html>",
        b"[" * 2_000,
    ]
    mutator = Mutator(bodies, seed)
    waits = Mutator([b"120", b"Wed, 21 Oct 2037 07:28:00 GMT", b"-1", b"1e9"], seed + 1)
    settings = InfluxSettings("http://127.0.0.1:8086", "org", "bucket", "s3cret")
    for _ in range(inputs):
        status = mutator.random.choice((0, 400, 401, 403, 404, 413, 422, 429, 500, 503))
        error = ApiException(status=status, reason="")  # type: ignore[no-untyped-call]
        error.body = mutator.draw().decode("utf-8", "replace")
        error.headers = HTTPHeaderDict({"Retry-After": waits.draw().decode("latin-1")})
        emitted = unavailable(error, settings)
        assert "s3cret" not in str(emitted)
        assert "\n" not in str(emitted)
        assert 0 <= (emitted.retry_after_s or 0) <= MAX_RETRY_AFTER_S
        yield "lines at fault" if rejects_lines(error) else "held"
