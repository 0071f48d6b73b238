from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.session.events import BatteryChanged, Emitted, Marked
from pipeline.sinks.influx.answers import HOLD_S
from pipeline.sinks.influx.lines import lines
from pipeline.sinks.influx.settings import InfluxSettings
from pipeline.sinks.influx.sink import InfluxSink
from pipeline.sinks.sink import SinkUnavailableError
from tests.example_session import FACTS, REPS, SAMPLES, SETS, START_US, session
from tests.influx_double import InfluxDouble
from tests.influx_server import InfluxServer, running_influxd

TOLD = session()
LINES = [line for emitted in TOLD for line in lines(FACTS, emitted)]
TOKEN = "secret-token"


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server


@dataclass
class Bench:
    """A database of its own, the double before it, and what writes there."""

    server: InfluxServer
    database: str
    double: InfluxDouble
    settings: InfluxSettings
    dead: list[tuple[str, str]] = field(default_factory=list)

    def sink(self) -> InfluxSink:
        return InfluxSink(self.settings)

    async def deliver(self) -> None:
        async with self.sink() as sink:
            self.dead += [(each.body, each.words) for each in await sink.deliver(FACTS, TOLD)]

    async def refused(self) -> SinkUnavailableError:
        with pytest.raises(SinkUnavailableError) as caught:
            await self.deliver()
        assert TOKEN not in str(caught.value)
        return caught.value

    def stored(self, measurement: str) -> int:
        """Points there, however many fields each has."""
        query = f'SELECT * FROM "{measurement}"'
        return len(self.server.rows(query, self.database))

    def assert_all_is_there_once(self) -> None:
        for measurement in ("force", "rep", "set", "phase", "link"):
            sent = sum(line.startswith(f"{measurement},") for line in LINES)
            assert sent > 0
            assert self.stored(measurement) == sent, measurement


@pytest.fixture
def run(influxd: InfluxServer) -> Callable[..., None]:
    """Run a test's coroutine on a bench."""

    def run(test: Callable[[Bench], Awaitable[None]], **changes: object) -> None:
        async def main() -> None:
            database = f"db{next(NUMBERS)}"
            influxd.create(database)
            influxd.create("curves")
            async with InfluxDouble(influxd.url, TOKEN) as double:
                config = InfluxSettings(
                    double.url, "home", database, TOKEN, timeout_s=60, batch_lines=700
                )
                config = replace(config, **changes)  # type: ignore[arg-type]
                await test(Bench(influxd, database, double, config))

        asyncio.run(main())

    return run


NUMBERS = count()
Run = Callable[..., None]


def test_a_session_is_stored_once_to_the_microsecond(run: Run) -> None:
    async def test(bench: Bench) -> None:
        await bench.deliver()
        bench.assert_all_is_there_once()
        assert bench.stored("force") == SAMPLES
        assert bench.stored("rep") == SETS * REPS
        rows = bench.server.rows('SELECT "seq" FROM "force"', bench.database)
        assert [row["seq"] for row in rows] == list(range(SAMPLES))
        assert [row["time"] for row in rows[:3]] == [START_US, START_US + 12500, START_US + 25000]
        assert bench.dead == []

    run(test)


def test_samples_can_have_a_bucket_of_their_own(run: Run) -> None:
    async def test(bench: Bench) -> None:
        await bench.deliver()
        assert not bench.server.rows('SELECT "seq" FROM "force"', bench.database)
        samples = bench.server.rows('SELECT "seq" FROM "force"', "curves")
        assert [row["seq"] for row in samples] == list(range(SAMPLES))
        assert not bench.server.rows('SELECT * FROM "rep"', "curves")
        assert bench.stored("rep") == SETS * REPS
        assert bench.stored("link") > 0

    run(test, samples_bucket="curves")


def test_the_schema_has_the_types_that_the_lines_promise(run: Run) -> None:
    async def test(bench: Bench) -> None:
        await bench.deliver()
        types = {
            (series["name"], name): kind
            for series in bench.server.ask("SHOW FIELD KEYS", bench.database)
            for name, kind in series["values"]
        }
        assert types["force", "force_n"] == types["rep", "peak_n"] == "float"
        assert types["link", "battery"] == types["set", "rest_s"] == "float"
        assert types["force", "seq"] == types["set", "reps"] == "integer"
        assert types["rep", "session"] == types["phase", "phase"] == "string"

    run(test)


def test_delivering_again_changes_nothing(run: Run) -> None:
    async def test(bench: Bench) -> None:
        await bench.deliver()
        before = bench.server.rows('SELECT * FROM "force"', bench.database)
        await bench.deliver()
        assert bench.server.rows('SELECT * FROM "force"', bench.database) == before
        bench.assert_all_is_there_once()

    run(test)


def test_batches_are_no_longer_than_asked(run: Run) -> None:
    async def test(bench: Bench) -> None:
        await bench.deliver()
        assert bench.double.writes == -(-len(LINES) // 700)
        assert bench.double.acknowledged_lines == len(LINES)

    run(test)


FAULTS: dict[str, Callable[[InfluxDouble], None]] = {
    "503": lambda double: double.answer(503, count=1),
    "500 that is no JSON": lambda double: double.answer(500, body="<html>", count=1),
    "429": lambda double: double.answer(429, headers={"Retry-After": "7"}, count=1),
    "redirect": lambda double: double.answer(302, headers={"Location": "/ping"}, count=1),
    "reset": lambda double: double.reset(count=1),
    "lost acknowledgement": lambda double: double.lose_acknowledgement(count=1),
    "401": lambda double: double.answer(401, count=1),
    "404": lambda double: double.answer(404, count=1),
    "400 of a proxy": lambda double: double.answer(400, body="Bad Request", count=1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_nothing_is_lost_or_doubled_when_a_write_meets(name: str, run: Run) -> None:
    async def test(bench: Bench) -> None:
        FAULTS[name](bench.double)
        await bench.refused()
        await bench.deliver()
        bench.assert_all_is_there_once()
        assert bench.dead == []

    run(test)


def test_a_fault_in_the_middle_loses_and_doubles_nothing(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.double.answer(422, body='{"code":"x","message":"partial write"}', count=1)
        # nothing is written, the first batch is halved: then the server goes away
        async with bench.sink() as sink:
            delivery = asyncio.create_task(sink.deliver(FACTS, TOLD))
            await bench.double.until(writes=3)
            bench.double.reset()
            with pytest.raises(SinkUnavailableError):
                await delivery
            bench.double.heal()
            assert await sink.deliver(FACTS, TOLD) == []
        bench.assert_all_is_there_once()

    run(test)


def test_a_server_that_hangs_is_given_up_and_tried_again(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.double.hang(count=1)
        assert "does not answer" in str(await bench.refused())
        bench.double.heal()
        bench.settings = replace(bench.settings, timeout_s=10)
        await bench.deliver()
        bench.assert_all_is_there_once()

    run(test, timeout_s=0.3)


def test_a_server_that_is_not_there_is_said_to_be(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.settings = replace(bench.settings, url="http://127.0.0.1:9")
        error = await bench.refused()
        assert "http://127.0.0.1:9 does not answer" in str(error)
        assert error.retry_after_s is None

    run(test)


def test_retry_after_is_passed_on(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.double.answer(429, headers={"Retry-After": "7"}, count=1)
        error = await bench.refused()
        assert error.retry_after_s == 7
        assert "It asks to wait 7 s" in str(error)
        bench.double.answer(503, count=1)
        assert (await bench.refused()).retry_after_s is None

    run(test)


def test_a_wrong_token_names_the_remedy_and_holds(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.settings = replace(bench.settings, token="not-it")
        error = await bench.refused()
        assert "FORCEBAND_INFLUX_TOKEN" in str(error)
        assert "not-it" not in str(error)
        assert error.retry_after_s == HOLD_S
        assert bench.stored("force") == 0

    run(test)


def test_a_missing_bucket_names_the_remedy_and_holds(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.settings = replace(bench.settings, bucket="elsewhere")
        error = await bench.refused()
        assert "No bucket elsewhere in organisation home" in str(error)
        assert error.retry_after_s == HOLD_S

    run(test)


def test_rejected_points_are_isolated_and_the_rest_stored(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.server.write(f'link,device=other battery="full" {START_US}', bench.database)
        await bench.deliver()
        bad = [line for line in LINES if "event=battery" in line]
        assert [line for line, _ in bench.dead] == bad
        assert "field type conflict" in bench.dead[0][1]
        assert bench.stored("force") == SAMPLES
        assert bench.stored("link") == 1 + sum(line.startswith("link,") for line in LINES) - 2
        halvings = 10  # 700 lines, halved until one is left; and one write of nothing
        assert bench.double.writes <= -(-len(LINES) // 700) + 2 * (2 * halvings + 1)

    run(test)


def test_a_server_that_rejects_whatever_comes_is_waited_for(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.double.answer(400)
        error = await bench.refused()
        assert "even to nothing: 400 injected" in str(error)
        assert error.retry_after_s == HOLD_S
        assert (bench.dead, bench.double.writes) == ([], 2)
        bench.double.heal()
        await bench.deliver()
        bench.assert_all_is_there_once()

    run(test)


def test_points_that_are_all_beyond_the_retention_are_told_at_once(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.server.ask(
            f'CREATE RETENTION POLICY "short" ON "{bench.database}" '
            "DURATION 1h REPLICATION 1 DEFAULT"
        )
        await bench.deliver()
        assert len(bench.dead) == len(LINES)
        assert "beyond retention policy" in bench.dead[0][1]
        assert bench.double.writes == -(-len(LINES) // 700)

    run(test)


def test_a_single_line_that_is_too_large_is_told(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.double.answer(413, body="too large", count=1)
        async with bench.sink() as sink:
            (rejected,) = await sink.deliver(FACTS, [Emitted(0, 0, START_US, BatteryChanged(5))])
        assert rejected.words == "413 too large"

    run(test)


def test_a_cancelled_delivery_can_be_delivered_again(run: Run) -> None:
    async def test(bench: Bench) -> None:
        bench.double.hang(count=1)
        delivery = asyncio.create_task(bench.deliver())
        await bench.double.until(writes=1)
        delivery.cancel()
        with pytest.raises(asyncio.CancelledError):
            await delivery
        bench.double.heal()
        await bench.deliver()
        bench.assert_all_is_there_once()

    run(test)


def test_any_text_arrives_as_it_was_but_for_control_characters(influxd: InfluxServer) -> None:
    async def write(emitted: Emitted) -> None:
        config = InfluxSettings(double.url, "home", "texts", TOKEN)
        async with InfluxSink(config) as sink:
            device = emitted.event.kind or "x"  # type: ignore[union-attr]
            assert not await sink.deliver(replace(FACTS, device=device), [emitted])

    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(kind=st.text(max_size=40), text=st.text(max_size=40))
    def check(kind: str, text: str) -> None:
        stamp = START_US + next(NUMBERS)
        loop.run_until_complete(write(Emitted(0, 0, stamp, Marked(kind, text))))
        query = f'SELECT "text" FROM "link" WHERE time = {stamp}u'
        (row,) = influxd.rows(query, "texts")
        printable = "".join(one if one.isprintable() else " " for one in text)
        shown = "".join(one if one.isprintable() else " " for one in row["text"])
        assert shown == printable

    influxd.create("texts")
    loop = asyncio.new_event_loop()
    double = InfluxDouble(influxd.url, TOKEN)
    try:
        loop.run_until_complete(double.__aenter__())
        check()
        loop.run_until_complete(double.__aexit__(None, None, None))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def test_the_token_is_in_no_text(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def test(bench: Bench) -> None:
        assert TOKEN not in repr(bench.settings)
        bench.double.answer(401, body=f'{{"message":"no such token {TOKEN}"}}')
        await bench.refused()
        bench.double.answer(422, body=f'{{"message":"{TOKEN} dropped={len(LINES)}"}}')
        await bench.deliver()
        assert len(bench.dead) == len(LINES)
        assert TOKEN not in str(bench.dead)
        assert TOKEN not in caplog.text

    with caplog.at_level(logging.DEBUG):
        run(test, batch_lines=10_000)
