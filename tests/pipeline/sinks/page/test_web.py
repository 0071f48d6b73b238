from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import pairwise

import aiohttp
import pytest
import qrcode

from pipeline.analysis.types import LiveState, Phase, RepAnnounced, RepCorrected, RepWithdrawn
from pipeline.session.events import LinkChanged, SessionEnded
from pipeline.sinks.page import viewer, web
from pipeline.sinks.page.web import WebSink, qr_text
from sensor.errors import BandError
from tests.example_session import FACTS, REPS, SETS, closed_set, rep, session
from tests.pipeline.sinks.emitting import emitted, samples
from tests.pipeline.sinks.page.onlooker import Message, Onlooker, looking, origin, raw, request


def reaches(page: Onlooker, time_s: float, _: Message) -> bool:
    return page.curve[-1][0] >= time_s


def state(time_s: float, reps: int) -> LiveState:
    return LiveState(time_s, 50.0, Phase.HOLD, 1, reps, None)


def test_somebody_who_comes_late_is_told_the_session_so_far() -> None:
    async def run() -> None:
        async with WebSink() as sink:
            sink.show(FACTS, session())
            sink.notice("error", "The disk is full.", about="recording")
            sink.delivery("influx", 12, "connection refused")
            async with looking(sink) as page:
                snapshot = await page.until_type("snapshot")
                assert snapshot["session"]["exercise"] == "low-row"
                assert snapshot["session"]["replay"] is False
                assert [one["reps"] for one in snapshot["sets"]] == [REPS] * SETS
                assert snapshot["battery"]["percent"] == 86
                assert snapshot["link"]["up"] is True
                assert snapshot["ended"]["missing"] == 120
                assert snapshot["gaps"][0]["missing"] == 120
                assert snapshot["notices"][0]["text"] == "The disk is full."
                assert snapshot["deliveries"][0]["waiting"] == 12
                assert 59 < page.curve[-1][0] - page.curve[0][0] <= 60

    asyncio.run(run())


def test_a_page_hears_each_event_as_it_comes() -> None:
    async def run() -> None:
        one, better = rep(1, 1, 2.0), rep(1, 1, 2.0)._replace(peak_n=150.0)
        async with WebSink() as sink, looking(sink) as page:
            sink.show(FACTS, [])
            await page.until(lambda m: m["type"] == "snapshot" and m["session"] is not None)
            for event in (
                LinkChanged(True, "connected"),
                state(1.0, 1),
                RepAnnounced(one),
                RepCorrected(better),
                RepWithdrawn(one.id, 6.0, "a trial pull"),
                closed_set(1, 2.0),
                SessionEnded(9.0, 1, REPS, 720, 0, 0),
            ):
                sink.show(FACTS, [emitted(event)])
            sink.notice("ok", "", about="recording")
            sink.delivery("mqtt", 0)
            await page.until_type("delivery")
            kinds = [m["type"] for m in page.messages if m["type"] not in ("snapshot", "curve")]
            told_of = "link state rep rep withdrawn set ended notice delivery"
            assert kinds == told_of.split()
            corrected = [m for m in page.messages if m["type"] == "rep"][-1]
            assert corrected["corrected"] is True
            assert corrected["rep"]["peak_n"] == 150.0

    asyncio.run(run())


def test_the_curve_that_was_streamed_is_the_one_that_a_late_viewer_gets() -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as page:
            await page.until_type("snapshot")
            for first in range(0, 3000, 50):
                if first != 1000:
                    sink.show(FACTS, [samples(first, 50, 1000.0)])
                    await asyncio.sleep(0)
            await page.until(lambda _: bool(page.curve) and page.curve[-1][0] > 2.99)
            assert None in [force_n for _, force_n in page.curve]
            sink.show(FACTS, [samples(1000, 50, 1000.0, late=True)])
            await page.until(lambda _: None not in [force_n for _, force_n in page.curve])
            async with looking(sink) as late:
                await late.until_type("snapshot")
                assert late.curve == page.curve
            assert len(page.curve) < 3000 / 4
            assert all(a[0] < b[0] for a, b in pairwise(page.curve))

    asyncio.run(run())


def test_an_empty_event_changes_nothing() -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as page:
            sink.show(FACTS, [samples(0, 0), samples(0, 80), samples(80, 0, late=True)])
            sink.notice("info", "now")
            await page.until(lambda _: len(page.curve) == 80)

    asyncio.run(run())


def test_another_session_begins_a_new_page() -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as page:
            sink.show(FACTS, session())
            await page.until(lambda _: bool(page.curve))
            other = replace(FACTS, session="s-2", replay_speed=float("inf"))
            sink.show(other, [samples(0, 8)])
            fresh = await page.until(
                lambda m: m["type"] == "snapshot" and m["session"]["session"] == "s-2"
            )
            assert fresh["sets"] == []
            assert fresh["session"]["replay"] is True
            assert fresh["session"]["speed"] is None
            assert len(page.curve) == 8

    asyncio.run(run())


def test_a_slow_viewer_loses_curve_but_never_state_and_holds_up_nobody() -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as quick, looking(sink) as slow:
            sink.show(FACTS, [])
            for page in (quick, slow):
                await page.until(lambda m: m["type"] == "snapshot" and m["session"] is not None)
            rounds = 500
            for turn in range(rounds):
                sink.show(FACTS, [samples(turn * 400, 400, 190.0)])
                if turn % 50 == 49:
                    sink.show(FACTS, [emitted(RepAnnounced(rep(1, turn // 50, 2.0)))])
                sink._flush()
                await asyncio.sleep(0)
                limit = viewer.MAX_CURVE_CHARS + viewer.MAX_STATE_CHARS
                assert all(each.backlog.chars <= limit for each in sink._viewers)
                if turn % 5 == 0:
                    newest_s = round((turn * 400 + 399) / 190, 5)
                    await quick.until(partial(reaches, quick, newest_s))
            sink.notice("info", "the end")
            await slow.until_type("notice")
            kinds = [m["type"] for m in slow.messages]
            assert "skipped" in kinds
            assert kinds.count("curve") < rounds / 2
            assert kinds.count("rep") == rounds // 50
            assert "skipped" not in [m["type"] for m in quick.messages]

    asyncio.run(run())


def test_a_viewer_whose_state_piles_up_is_told_everything_anew() -> None:
    backlog = viewer.Backlog()
    assert backlog.take(lambda: '{"type":"snapshot"}') == '[{"type":"snapshot"}]'
    backlog.state('{"type":"state"}')
    backlog.curve('{"type":"curve"}')
    assert backlog.take(lambda: "") == '[{"type":"state"},{"type":"curve"}]'
    backlog.state("x" * viewer.MAX_STATE_CHARS)
    backlog.state("y")
    backlog.curve("z")
    assert backlog.chars == 0
    assert backlog.take(lambda: '{"type":"snapshot"}') == '[{"type":"snapshot"}]'
    assert not backlog


def test_a_viewer_that_goes_away_stops_nothing() -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as stays:
            async with looking(sink) as leaves:
                await leaves.until_type("snapshot")
                connection = leaves.channel._conn
                assert connection is not None
                assert connection.transport is not None
                connection.transport.abort()
            for turn in range(20):
                sink.show(FACTS, [samples(turn * 8, 8)])
                await asyncio.sleep(0)
            await stays.until(lambda _: len(stays.curve) == 160)
            async with asyncio.timeout(60):
                while sink.viewers > 1:  # noqa: ASYNC110 (the server's side has no event)
                    await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_page_is_told_that_the_server_goes_away() -> None:
    async def run() -> None:
        sink = WebSink()
        async with sink:
            client = aiohttp.ClientSession()
            channel = await client.ws_connect(sink.url + "socket", origin=origin(sink))
            await Onlooker(channel).until_type("snapshot")
            sink.show(FACTS, [emitted(SessionEnded(1.0, 0, 0, 80, 0, 0))])
        last = await channel.receive()
        while last.type is aiohttp.WSMsgType.TEXT and "ended" not in last.data:
            last = await channel.receive()
        goodbye = await channel.receive()
        assert (goodbye.type, goodbye.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        await client.close()

    asyncio.run(run())


def test_eight_hours_take_no_more_room_than_one() -> None:
    async def run() -> None:
        async with WebSink() as sink:
            sizes = []
            for minute in range(8 * 60):
                start_s = minute * 60.0
                first = minute * 60 * 80
                closed = closed_set(minute + 1, start_s)
                sink.show(
                    FACTS,
                    [
                        samples(first, 4800),
                        *(emitted(state(start_s + i, i)) for i in range(50)),
                        *(emitted(RepAnnounced(one)) for one in closed.reps),
                        emitted(closed),
                    ],
                )
                if minute % 60 == 59:
                    snapshot = sink._page.snapshot()
                    sizes.append(len(json.dumps({**snapshot, "sets": []})))
                    sets = snapshot["sets"]
                    assert isinstance(sets, list)
                    assert len(sets) == minute + 1
            assert max(sizes) < 1.1 * sizes[0]

    asyncio.run(run())


def commands_of(log: list[str]) -> Callable[[str], Awaitable[str]]:
    async def carry_out(command: str) -> str:
        log.append(command)
        if command == "stop":
            raise BandError("The band is away: nothing was stopped.")
        return f"Done: {command}."

    return carry_out


def test_a_button_carries_its_command_to_the_band_and_brings_the_answer_back() -> None:
    async def run() -> None:
        log: list[str] = []
        async with WebSink(commands=commands_of(log)) as sink, looking(sink) as page:
            snapshot = await page.until_type("snapshot")
            assert snapshot["commands"] == ["coach", "mark", "start", "stop", "tare"]
            await page.channel.send_json({"command": "tare"})
            answer = await page.until_type("answer")
            assert (answer["ok"], answer["text"]) == (True, "Done: tare.")
            await page.channel.send_json({"command": "stop"})
            answer = await page.until_type("answer")
            assert (answer["ok"], answer["text"]) == (
                False,
                "The band is away: nothing was stopped.",
            )
            assert log == ["tare", "stop"]

    asyncio.run(run())


def test_a_band_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_command: str) -> str:
        await asyncio.Event().wait()
        return ""

    async def run() -> None:
        async with WebSink(commands=never) as sink, looking(sink) as page:
            await page.channel.send_json({"command": "tare"})
            answer = await page.until_type("answer")
            assert answer["ok"] is False
            assert "did not answer" in answer["text"]

    monkeypatch.setattr(web, "COMMAND_TIMEOUT_S", 0.05)
    asyncio.run(run())


@pytest.mark.parametrize(
    "sent", ["", "{", "[]", "7", '{"command": 7}', '{"command": "erase"}', "[" * 1000, '"tare"']
)
def test_anything_but_a_command_gets_a_named_error(sent: str) -> None:
    async def run() -> None:
        log: list[str] = []
        async with WebSink(commands=commands_of(log)) as sink, looking(sink) as page:
            await page.channel.send_str(sent)
            answer = await page.until_type("answer")
            assert answer["ok"] is False
            assert answer["text"].startswith("The page ")
            assert log == []

    asyncio.run(run())


def test_a_page_that_asks_too_much_is_sent_away() -> None:
    async def run() -> None:
        async with WebSink() as sink:
            async with looking(sink) as page:
                await page.channel.send_str("x" * (viewer.MAX_QUESTION_CHARS + 1))
                while (await page.channel.receive()).type is not aiohttp.WSMsgType.CLOSE:
                    pass
                assert page.channel.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
            async with looking(sink) as page:
                for _ in range(viewer.QUESTIONS + 5):
                    await page.channel.send_str("?")
                while (await page.channel.receive()).type is not aiohttp.WSMsgType.CLOSE:
                    pass
                assert page.channel.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION
            async with looking(sink) as page:
                await page.until_type("snapshot")

    asyncio.run(run())


def test_only_so_many_look_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as page:
            await page.until_type("snapshot")
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with looking(sink):
                    pass
            assert refused.value.status == 503

    monkeypatch.setattr(web, "MAX_VIEWERS", 1)
    asyncio.run(run())


def test_only_so_many_connections_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with WebSink() as sink, looking(sink) as page:
            await page.until_type("snapshot")
            assert await raw(sink, request("/", "Host: localhost")) == b""
            sink.show(FACTS, [samples(0, 8)])
            await page.until(lambda _: len(page.curve) == 8)

    monkeypatch.setattr(web, "MAX_CONNECTIONS", 1)
    asyncio.run(run())


def test_a_port_in_use_gets_one_sentence() -> None:
    async def run() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(BandError, match=f"port {port} on 127.0.0.1.*another program"):
                async with WebSink(port=port):
                    pass

    asyncio.run(run())


def test_an_address_that_is_not_ours_gets_one_sentence() -> None:
    async def run() -> None:
        with pytest.raises(BandError, match=r"cannot listen at port 0 on 192\.0\.2\.77"):
            async with WebSink(host="192.0.2.77"):
                pass

    asyncio.run(run())


def test_a_scanned_code_leads_to_the_address() -> None:
    url = "http://192.168.1.20:8765/?token=Vx8w2kq0G9aYvT3mZ7hJ1g"
    text = qr_text(url)
    code = qrcode.QRCode(border=2, error_correction=qrcode.ERROR_CORRECT_L)
    code.add_data(url)
    expected = code.get_matrix()
    shown = []
    for line in text.splitlines():
        shown.append([character in "█▀" for character in line])
        shown.append([character in "█▄" for character in line])
    # Light text on dark: what is lit is white.
    for row, want in zip(shown, expected, strict=False):
        assert row == [not dark for dark in want]
    assert len(shown) in (len(expected), len(expected) + 1)


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as plug:
            plug.bind(("::1", 0))
    except OSError:
        return False
    return True


ADDRESSES = ["0.0.0.0", "", "localhost", "127.0.0.1", *(["::", "::1"] if _speaks_ipv6() else [])]


@pytest.mark.parametrize("host", ADDRESSES)
def test_the_address_told_is_one_that_leads_here(host: str) -> None:
    async def run() -> None:
        async with (
            WebSink(host=host) as sink,
            aiohttp.request("GET", sink.url + "access") as answer,
        ):
            assert answer.status in (204, 401)

    asyncio.run(run())
