"""A radio that stands still, a band that drops every link, and a decoy that is heard first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from bumble.transport.common import Transport

from firmware_sim.radio.air import Air
from sensor.ble.connection import STEADY_S
from sensor.ble.source import BleSource
from sensor.bumble_backend import BumbleCentral
from sensor.errors import LinkError
from sensor.samples import Channel
from tests.leaping import leap
from tests.sensor.ble.toy_band import ToyBand
from tests.sensor.ble.toy_world import toy_world, until
from tests.sensor.reader import Reader

DECOY = "F0:F1:F2:F3:00:99"


class StallingTransport:
    """A controller's transport; while it stalls, nothing crosses, and nothing is lost."""

    def __init__(self, transport: Transport) -> None:
        self.controller = transport.source
        self.stalls = False
        self.resets = 0
        self._late: list[Callable[[], None]] = []
        self.transport = Transport(self, self)
        self._host: Any = None

    def set_packet_sink(self, host: Any) -> None:
        """Where the host listens."""
        self._host = host
        self.controller.set_packet_sink(_Towards(self, self._host.on_packet))

    def on_packet(self, packet: bytes) -> None:
        """From the host."""
        self.resets += packet == b"\x01\x03\x0c\x00"
        self.pass_on(lambda: self.controller.on_packet(packet))

    def pass_on(self, deliver: Callable[[], None]) -> None:
        if self.stalls:
            self._late.append(deliver)
        else:
            deliver()

    def go_on(self) -> None:
        self.stalls = False
        late, self._late = self._late, []
        for deliver in late:
            deliver()

    def close(self) -> None:
        """Nothing to close."""


class _Towards:
    def __init__(self, stalling: StallingTransport, deliver: Callable[[bytes], None]) -> None:
        self._stalling, self._deliver = stalling, deliver

    def on_packet(self, packet: bytes) -> None:
        self._stalling.pass_on(lambda: self._deliver(packet))


@pytest.mark.parametrize("stall_s", [10.0, 40.0])
def test_a_radio_that_stood_still_is_reset_and_the_session_complete(stall_s: float) -> None:
    async def main() -> None:
        air = Air()
        band = ToyBand(air.transport("band"), rate_hz=1000.0)
        await band.start()
        stalling = StallingTransport(air.transport("central"))
        central = await BumbleCentral.open(stalling.transport)
        async with central, BleSource(central=central, silence_s=0.3) as source:
            reader = Reader(source)
            sampling = asyncio.create_task(band.run(20.0))
            await until(lambda: len(reader.samples()) > 100)
            resets, stalling.stalls = stalling.resets, True
            await until(lambda: reader.links()[-1].startswith("down: no force frame"))
            assert band.connection is not None  # the controller holds a link that nobody owns
            await asyncio.sleep(stall_s)
            stalling.go_on()
            await until(lambda: reader.links()[-1] == "up")
            assert stalling.resets > resets
            before = len(reader.samples())
            await until(lambda: len(reader.samples()) > before + 100)
            sampling.cancel()
            await source.stop()
            await reader.task
            assert set(range(band.next_sample)) == set(reader.samples())
            assert reader.given_up() == []

    leap(main())


def test_a_band_that_is_only_out_of_range_costs_no_reset() -> None:
    async def main() -> None:
        air = Air(supervision_timeout_s=1.5)
        band = ToyBand(air.transport("band"), rate_hz=1000.0)
        await band.start()
        stalling = StallingTransport(air.transport("central"))
        central = await BumbleCentral.open(stalling.transport)
        async with central, BleSource(central=central, silence_s=0.3) as source:
            reader = Reader(source)
            sampling = asyncio.create_task(band.run(20.0))
            await until(lambda: len(reader.samples()) > 100)
            resets = stalling.resets
            air.out_of_range(band.controller)
            await until(lambda: reader.links()[-1].startswith("down: no force frame"))
            await asyncio.sleep(1.0)
            air.back_in_range(band.controller)
            await until(lambda: reader.links()[-1] == "up")
            sampling.cancel()
            assert stalling.resets == resets

    leap(main())


def test_links_that_are_lost_at_once_are_made_again_ever_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with toy_world() as world:
            made: list[float] = []
            loop = asyncio.get_running_loop()
            async with BleSource(central=world.central) as source:
                reader = Reader(source)

                put = source._inbox.put

                def timed(channel: Channel, payload: bytes) -> None:
                    if channel is Channel.LINK and payload == b"up":
                        made.append(loop.time())
                    put(channel, payload)

                monkeypatch.setattr(source._inbox, "put", timed)
                for number in range(4):
                    world.band.controller.drop_links()
                    await until(lambda: len(made) == number + 1)  # noqa: B023
                    await until(source._ready.is_set)
                await source.stop()
                await reader.task
            waits = [later - sooner for sooner, later in pairwise(made)]
            assert [wait >= pause for wait, pause in zip(waits, (0.5, 1, 2), strict=True)] == [
                True
            ] * 3

    leap(main())


def test_a_link_that_lasted_is_made_again_at_once() -> None:
    async def main() -> None:
        async with toy_world() as world, BleSource(central=world.central) as source:
            reader, loop = Reader(source), asyncio.get_running_loop()
            sampling = asyncio.create_task(world.band.run(10.0))
            for number in range(1, 6):
                await asyncio.sleep(STEADY_S)
                lost_s = loop.time()
                world.band.controller.drop_links()
                await until(lambda: reader.links().count("up") == number + 1)  # noqa: B023
                assert loop.time() - lost_s < 0.5
                await until(source._ready.is_set)
            sampling.cancel()
            await source.stop()
            await reader.task

    leap(main())


@pytest.mark.parametrize("answers", [False, True], ids=["never answers", "never sends force"])
def test_a_mute_decoy_that_is_heard_first_ends_nothing(*, answers: bool) -> None:
    async def main() -> None:
        air = Air()
        decoy = ToyBand(air.transport("decoy"), name="DECOY", address=DECOY, rate_hz=1000.0)
        await decoy.start()

        def mute(source: Any, destination: Any, pdu: bytes) -> bytes | None:
            del destination
            return None if source.to_string(False) == DECOY and not answers else pdu

        air.fault = mute
        band = ToyBand(air.transport("band"), rate_hz=1000.0)

        async def come_near() -> None:
            await until(lambda: decoy.connection is not None)
            await band.start()

        async with await BumbleCentral.open(air.transport("central")) as central:
            coming = asyncio.create_task(come_near())
            async with BleSource(central=central, silence_s=0.3) as source:
                reader = Reader(source)
                sampling = asyncio.create_task(band.run(20.0))
                await until(lambda: len(reader.samples()) > 100)
                assert source.address == band.device.random_address.to_string(False)
                sampling.cancel()
                await coming
                await source.stop()
                await reader.task

    leap(main())


def test_a_mute_band_with_no_other_near_is_what_the_error_is_about() -> None:
    async def main() -> None:
        async with toy_world() as world:
            world.air.fault = lambda *sent: None
            with pytest.raises(LinkError, match="the band TOY does not answer: bring it near"):
                await BleSource(central=world.central).__aenter__()

    leap(main())
