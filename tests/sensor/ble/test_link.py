"""One link: what it answers, what it does not, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sensor.ble.finder import find
from sensor.ble.link import MAX_TEXT, BandLink
from sensor.errors import LinkError
from sensor.samples import Channel
from sensor.source import About
from sensor.wire.profile import Command, Opcode, Response, Status
from tests.leaping import leap
from tests.sensor.ble.toy_world import World, toy_world, until


class Heard(list[tuple[Channel, bytes]]):
    """What a link passes on."""

    def take(self, channel: Channel, payload: bytes) -> None:
        self.append((channel, payload))

    def of(self, channel: Channel) -> list[bytes]:
        return [payload for each, payload in self if each is channel]


async def link_of(world: World, heard: Heard) -> BandLink:
    found = await find(central=world.central)
    return BandLink(found.device, heard.take, central=world.central)


@asynccontextmanager
async def linked(world: World) -> AsyncIterator[tuple[BandLink, Heard]]:
    heard = Heard()
    link = await link_of(world, heard)
    await link.open()
    await link.begin()
    yield link, heard
    await link.close("stopped")


def deaf_to(world: World, opcode: Opcode) -> None:
    """From now on the band does not answer such a command."""
    listening = world.band._on_command

    def deaf(connection: Any, value: bytes) -> None:
        if value[0] != opcode:
            listening(connection, value)

    world.band.control.value.write = deaf


def test_a_command_without_an_answer_says_so_in_time_and_the_next_is_answered() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with toy_world() as world, linked(world) as (link, heard):
            deaf_to(world, Opcode.TARE)
            began_s = loop.time()
            with pytest.raises(LinkError, match="TOY did not answer TARE within 5 s") as raised:
                await link.tare()
            assert raised.value.address == link.address
            assert loop.time() - began_s == pytest.approx(5, abs=0.1)
            with pytest.raises(LinkError, match="TARE within 2 s"):
                await link.command(Command(Opcode.TARE), 2.0)
            assert loop.time() - began_s == pytest.approx(7, abs=0.2)
            assert not link.lost.is_set()
            await link.start()
            assert heard.of(Channel.COMMAND)[-1] == bytes([Opcode.START])

    leap(main())


def test_an_answer_to_another_command_is_not_taken_for_this_ones() -> None:
    async def main() -> None:
        async with toy_world() as world, linked(world) as (link, heard):
            deaf_to(world, Opcode.IDENTIFY)
            asking = asyncio.create_task(link.command(Command(Opcode.IDENTIFY)))
            await until(lambda: heard.of(Channel.COMMAND))
            band = world.band
            for answer in (
                b"",
                bytes(Response(Opcode.TARE, Status.OK, b"")),
                bytes(Response(Opcode.IDENTIFY, Status.BUSY, b"")),
                bytes(Response(Opcode.IDENTIFY, Status.OK, b"")),
            ):
                await band.device.indicate_subscriber(band.connection, band.control, answer)
            assert (await asking).status is Status.BUSY
            assert len(heard.of(Channel.RESPONSE)) == 4

    leap(main())


def test_a_link_that_goes_while_an_answer_is_waited_for_ends_the_wait() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with toy_world() as world, linked(world) as (link, heard):
            deaf_to(world, Opcode.TARE)
            asking = asyncio.create_task(link.command(Command(Opcode.TARE), 60.0))
            after = asyncio.create_task(link.command(Command(Opcode.STOP), 60.0))
            await until(lambda: heard.of(Channel.COMMAND))
            world.band.controller.drop_links()
            for waiting in (asking, after):
                with pytest.raises(LinkError, match="TOY: the band went out of range"):
                    await waiting
            assert loop.time() < 30
            assert heard.of(Channel.COMMAND) == [bytes([Opcode.TARE])]

    leap(main())


def test_an_interruption_while_connecting_leaves_the_band_free() -> None:
    async def main() -> None:
        async with toy_world() as world:
            heard = Heard()
            link = await link_of(world, heard)
            world.air.fault = lambda *sent: None  # connected, and never told what it has
            opening = asyncio.create_task(link.open())
            await until(lambda: world.band.connection is not None)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            assert link.lost.is_set()
            assert link.reason == "interrupted"
            assert heard == []
            await until(lambda: world.band.connection is None)

    leap(main())


def test_a_link_is_lost_once_and_for_the_first_reason() -> None:
    async def main() -> None:
        async with toy_world() as world, linked(world) as (link, heard):
            link.fail("first")
            link.fail("second")
            await link.close("third")
            assert link.reason == "first"
            assert heard.of(Channel.LINK) == [b"up", b"down: first"]
            await until(lambda: world.band.connection is None)
            with pytest.raises(LinkError, match="TOY: first"):
                await link.start()

    leap(main())


def test_what_a_band_says_of_itself_is_short_text_or_nothing() -> None:
    async def main() -> None:
        async with toy_world() as world, linked(world) as (link, _):
            assert await link.read_about() == About(link.address)
            said = {"2a29": b" Maker\0\0", "2a24": b"\xff" * 300, "2a25": b" \0 "}

            class Characteristic:
                properties = ("read",)

                def __init__(self, uuid: str) -> None:
                    self.uuid = uuid

            def known(uuid: str) -> Characteristic | None:
                return Characteristic(uuid) if uuid[4:8] in said else None

            async def read(characteristic: Characteristic) -> bytes:
                return said[characteristic.uuid[4:8]]

            client = link._client
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(client.services, "get_characteristic", known)
                patch.setattr(client, "read_gatt_char", read)
                about = await link.read_about()
            assert (about.manufacturer, about.serial, about.firmware) == ("Maker", None, None)
            assert about.model == "�" * MAX_TEXT

    leap(main())
