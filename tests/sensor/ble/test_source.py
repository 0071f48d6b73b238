"""A band over real ATT as a source: losses, reconnects, resends, commands."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.band import BandSetup
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.radio.air import Air, att_opcode
from firmware_sim.radio.faults import Chances, Faults
from firmware_sim.radio.hub import Hub
from firmware_sim.radio.lane import Shape
from firmware_sim.source import SimulatedBand
from sensor.ble.connection import STEADY_S, back_off
from sensor.ble.finder import find, scan
from sensor.ble.link import BandLink
from sensor.ble.source import BleSource
from sensor.ble.waiting import now_s
from sensor.bumble_backend import BumbleCentral
from sensor.errors import LinkError
from sensor.samples import Channel
from sensor.timeline.requests import BUSY_S
from sensor.wire.frames import MAX_FRAME_BYTES
from sensor.wire.profile import Command, Info, Opcode, Response, Status
from tests.leaping import leap, stand_still
from tests.sensor.ble.toy_band import ADDRESS
from tests.sensor.ble.toy_world import PATIENCE_S, World, toy_world, until
from tests.sensor.reader import NOTIFICATION, Reader, drop


@asynccontextmanager
async def reading(
    world: World, *, frames_per_s: float = 200.0, **options: Any
) -> AsyncIterator[Reader]:
    """A band that samples, a source that is entered, and somebody who reads it."""
    options = {"silence_s": PATIENCE_S, **options}
    async with BleSource(central=world.central, **options) as source:
        reader = Reader(source)
        sampling = asyncio.create_task(world.band.run(frames_per_s)) if frames_per_s else None
        yield reader
        if sampling is not None:
            sampling.cancel()
    await asyncio.wait_for(reader.task, PATIENCE_S)


def _no_frames(_source: Any, _destination: Any, pdu: bytes) -> bytes | None:
    """A fault of the air: answers come through, force does not."""
    return None if att_opcode(pdu) == NOTIFICATION and len(pdu) > 40 else pdu


def test_a_scan_lists_bands_first_and_others_too() -> None:
    async def main() -> None:
        async with toy_world() as world:
            found = await scan(0.2, central=world.central)
            assert [(each.name, each.address, each.is_band) for each in found] == [
                ("TOY", ADDRESS, True)
            ]
            assert (await find("toy", central=world.central)).address == ADDRESS
            assert (await find(ADDRESS.lower(), central=world.central)).name == "TOY"

    leap(main())


def test_a_band_that_is_not_there_is_one_helpful_sentence() -> None:
    async def main() -> None:
        async with toy_world() as world:
            with pytest.raises(LinkError, match="'OTHER' was not found within 0 s: switch it on"):
                await find("OTHER", 0.1, central=world.central)
            await world.band.device.stop_advertising()
            source = BleSource(central=world.central, find_timeout_s=0.1)
            with pytest.raises(LinkError, match="no band was found"):
                await source.__aenter__()

    leap(main())


def test_a_session_starts_with_link_info_battery_and_start_and_ends_with_stop() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(10)
            await world.band.set_battery(41)
            await until(lambda: len(reader.payloads(Channel.BATTERY)) == 2)
            await reader.source.stop()
            await reader.task
            channels = [each.channel.name for each in reader.notifications]
            assert channels == [
                *("LINK", "INFO", "BATTERY", "COMMAND", "RESPONSE"),
                *["FORCE"] * 10,
                *("BATTERY", "COMMAND", "RESPONSE", "LINK"),
            ]
            assert reader.links() == ["up", "down: stopped"]
            assert reader.payloads(Channel.INFO) == [bytes(world.band.info)]
            assert reader.payloads(Channel.BATTERY) == [b"\x5a", b"\x29"]
            assert world.band.commands == [bytes([Opcode.START]), bytes([Opcode.STOP])]
            assert world.band.connection is None
            times_us = [each.received_us for each in reader.notifications]
            assert times_us == sorted(times_us)
            assert reader.samples() == Counter(range(80))

    leap(main())


def test_commands_are_answered_and_stand_in_the_stream() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world) as reader:
            source = reader.source
            tared = await source.tare()
            assert tared is not None
            assert tared.zero_counts == 42
            await source.identify()
            assert await source.set_rate(160) == 160
            assert source.info is not None
            assert source.info.rate_hz == 160
            answers = await asyncio.gather(
                *(source.command(Command(Opcode.IDENTIFY)) for _ in range(5))
            )
            assert {each.status for each in answers} == {Status.OK}
            world.band.refuse[Opcode.TARE] = Status.BUSY
            with pytest.raises(LinkError, match="refused TARE: BUSY"):
                await source.tare()
            await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
            assert Info.from_bytes(reader.payloads(Channel.INFO)[1]).rate_hz == 160
            written = [each[0] for each in reader.payloads(Channel.COMMAND)]
            # who asked may know of an answer before whoever reads does
            await until(lambda: len(reader.payloads(Channel.RESPONSE)) == len(written))
            answered = [
                Response.from_bytes(each).opcode for each in reader.payloads(Channel.RESPONSE)
            ]
            assert written == answered
            assert written.count(Opcode.IDENTIFY) == 6

    leap(main())


def test_a_command_given_while_the_link_is_made_anew_waits_for_it() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=10) as reader:
            for number in range(1, 6):
                await asyncio.sleep(STEADY_S)
                world.band.controller.drop_links()
                await until(lambda: len(reader.links()) >= 2 * number)  # noqa: B023
                await reader.source.identify()
            assert world.band.commands.count(bytes([Opcode.IDENTIFY])) == 5

    leap(main())


def test_after_a_lost_link_the_session_is_complete_again() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world) as reader:
            for number in range(1, 4):
                await until(lambda: len(reader.samples()) > 50 * number)  # noqa: B023
                world.band.controller.drop_links()
                await world.band.take_frames(20)
                await until(lambda: len(reader.payloads(Channel.INFO)) > number)  # noqa: B023
            await reader.source.stop()
            await reader.task
            assert set(range(max(reader.samples()))) <= set(reader.samples())
            assert reader.given_up() == []
            assert [link.partition(":")[0] for link in reader.links()] == ["up", "down"] * 4

    leap(main())


def test_a_silent_link_is_found_out_and_made_anew() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, silence_s=0.3) as reader:
            world.band.rate_hz = 1000.0
            await reader.source.set_rate(1000)
            await until(lambda: len(reader.samples()) > 100)
            world.band.controller.drop_links(both=False)
            await until(lambda: len(reader.payloads(Channel.INFO)) == 3)
            assert reader.links()[1].startswith("down: no force frame for ")
            await until(lambda: reader.commands(Opcode.RESEND))
            await reader.source.stop()
            await reader.task
            assert set(range(max(reader.samples()))) <= set(reader.samples())

    leap(main())


def test_a_computer_that_slept_does_not_take_it_for_the_bands_silence() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, silence_s=1.0) as reader:
            world.band.rate_hz = 1000.0
            await reader.source.set_rate(1000)
            await until(lambda: len(reader.samples()) > 100)
            stand_still(1.05 * reader.source._patience_s)
            came = len(reader.samples())
            await until(lambda: len(reader.samples()) > came + 1000)
            assert reader.links() == ["up"]

    leap(main())


def test_a_computer_that_sleeps_at_the_end_still_gets_what_is_missing() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(5)
            await until(lambda: len(reader.samples()) == 40)
            world.air.fault = _no_frames
            await world.band.take_frames(5)
            stopping = asyncio.create_task(reader.source.stop())
            await until(lambda: reader.commands(Opcode.STOP))
            await asyncio.sleep(0.1)
            stand_still(6.0)
            world.air.fault = None
            await stopping
            await reader.task
            assert set(reader.samples()) == set(range(80))
            assert reader.given_up() == []

    leap(main())


def test_a_pause_is_no_silence_and_what_it_missed_is_fetched() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, silence_s=0.3) as reader:
            world.band.rate_hz = 1000.0
            await reader.source.set_rate(1000)
            await until(lambda: len(reader.samples()) > 100)
            await reader.source.pause()
            paused_at = len(reader.payloads(Channel.FORCE))
            await asyncio.sleep(2 * reader.source._patience_s)
            assert len(reader.links()) == 1
            assert len(reader.payloads(Channel.FORCE)) <= paused_at + 1
            await reader.source.resume()
            await until(lambda: len(reader.payloads(Channel.FORCE)) > paused_at + 20)
            await reader.source.stop()
            await reader.task
            assert set(range(max(reader.samples()))) <= set(reader.samples())

    leap(main())


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_lost_notifications_are_all_brought_by_resends(loss: float) -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            world.air.fault = drop(loss)
            for _ in range(30):
                await world.band.take_frames(10)
                await asyncio.sleep(0.01)
            await reader.source.stop()
            await reader.task
            assert set(reader.samples()) == set(range(30 * 80))
            assert reader.given_up() == []
            assert reader.commands(Opcode.RESEND) >= 2

    leap(main())


def test_corrupted_frames_are_passed_on_as_they_are_and_their_samples_asked_for() -> None:
    async def main() -> None:
        rng = random.Random(4)

        def flip(_source: Any, _destination: Any, pdu: bytes) -> bytes:
            if att_opcode(pdu) != NOTIFICATION or rng.random() > 0.2:
                return pdu
            at, bit = rng.randrange(7, len(pdu)), 1 << rng.randrange(8)
            return pdu[:at] + bytes([pdu[at] ^ bit]) + pdu[at + 1 :]

        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            world.air.fault = flip
            await world.band.take_frames(100)
            await reader.source.stop()
            await reader.task
            assert set(reader.samples()) == set(range(800))
            assert reader.session.bad_frames >= 10

    leap(main())


def test_what_left_the_bands_memory_is_named_to_the_sample() -> None:
    async def main() -> None:
        async with toy_world(ring_samples=160) as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(10)
            world.band.mute = True
            await world.band.take_frames(30)
            world.band.mute = False
            await world.band.take_frames(1)
            await until(lambda: world.band.next_sample - 8 in reader.samples())
            await reader.source.stop()
            await reader.task
            assert reader.given_up() == [(80, 88)]
            assert set(reader.samples()) == set(range(328)) - set(range(80, 168))

    leap(main())


def test_a_power_cycled_band_begins_anew_without_resends_across() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(10)
            world.band.refuse[Opcode.RESEND] = Status.BUSY
            world.band.mute = True
            await world.band.take_frames(2)
            world.band.mute = False
            await world.band.take_frames(1)
            await until(lambda: reader.commands(Opcode.RESEND))
            del world.band.refuse[Opcode.RESEND]
            await world.band.power_cycle()
            await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
            await until(lambda: world.band.streaming)
            await world.band.take_frames(3)
            await reader.source.stop()
            await reader.task
            assert reader.session.missing == 16
            assert reader.given_up() == []
            assert reader.samples() == Counter(range(24)) + Counter(range(80)) + Counter(
                range(96, 104)
            )

    leap(main())


def test_a_reader_that_stalls_loses_nothing_but_time() -> None:
    async def main() -> None:
        async with (
            toy_world() as world,
            reading(world, frames_per_s=0, max_waiting=50) as reader,
        ):
            await world.band.take_frames(5)
            reader.go_on.clear()
            await world.band.take_frames(200)
            await until(lambda: reader.source.dropped > 100)
            asked = world.band.commands.count(bytes([Opcode.RESEND]))
            assert asked == 0
            reader.go_on.set()
            await until(lambda: len(reader.notifications) > 50)
            await world.band.take_frames(1)
            await until(lambda: len(reader.samples()) == world.band.next_sample)
            overflow = [m for m in reader.marks() if m["kind"] == "overflow"]
            assert sum(m["notifications"] for m in overflow) == reader.source.dropped
            assert reader.given_up() == []

    leap(main())


def test_a_notification_that_comes_twice_is_taken_once() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(1)
            twice = reader.source._link
            assert isinstance(twice, BandLink)
            await until(reader.samples)
            twice._on_force(None, bytearray(reader.payloads(Channel.FORCE)[0]))  # type: ignore[arg-type]
            await world.band.take_frames(1)
            await until(lambda: len(reader.samples()) == 16)
            assert set(reader.samples().values()) == {1}

    leap(main())


def test_it_stays_away_for_as_long_as_asked_and_then_says_so() -> None:
    async def main() -> None:
        async with toy_world(Air(supervision_timeout_s=0.1)) as world:
            source = BleSource(central=world.central, give_up_after_s=0.5)
            async with source:
                source._find_timeout_s = 0.2
                reader = Reader(source)
                world.air.out_of_range(world.band.controller)
                with pytest.raises(LinkError, match="did not come back within"):
                    await reader.task
                assert reader.links()[-1].startswith("down: ")
                with pytest.raises(LinkError, match="not connected just now"):
                    await source.tare()

    leap(main())


def test_out_of_range_in_mid_session_and_back_again_is_complete() -> None:
    async def main() -> None:
        async with toy_world(Air(supervision_timeout_s=0.2)) as world, reading(world) as reader:
            await until(lambda: len(reader.samples()) > 100)
            world.air.out_of_range(world.band.controller)
            await until(lambda: len(reader.links()) == 2)
            await asyncio.sleep(0.3)
            world.air.back_in_range(world.band.controller)
            await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
            await until(lambda: reader.commands(Opcode.RESEND))
            await reader.source.stop()
            await reader.task
            assert set(range(max(reader.samples()))) <= set(reader.samples())
            assert reader.given_up() == []

    leap(main())


def test_the_simulated_bands_session_is_complete_after_loss_damage_and_absence() -> None:
    async def main() -> None:
        air = Air(shape=Shape(), supervision_timeout_s=0.3)
        transport = air.transport("band")
        setup = BandSetup(clock=ClockConfig(rate_hz=640.0))
        async with (
            SimulatedBand(transport, setup),
            await BumbleCentral.open(air.transport("central")) as central,
            BleSource(central=central, silence_s=PATIENCE_S) as source,
        ):
            air.fault = Faults(Chances(drop=0.1, corrupt=0.1), seed=2)
            reader = Reader(source)
            await until(lambda: len(reader.frames()) > 10)
            air.out_of_range(transport.source)
            await until(lambda: len(reader.links()) == 2)
            air.back_in_range(transport.source)
            await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
            await source.stop()
            await reader.task
            started, *restarted, stopped = (
                Response.from_bytes(each).next_sample()
                for each in reader.payloads(Channel.RESPONSE)
                if each[0] in (Opcode.START, Opcode.STOP)
            )
            assert started is not None
            assert restarted
            assert stopped is not None
            came = {
                frame.first_sample + k
                for frame in reader.frames()
                for k in range(len(frame.counts))
            }
            assert came == set(range(started, stopped))
            assert reader.session.bad_frames > 0
            assert reader.given_up() == []

    leap(main())


def test_starting_a_band_that_streams_costs_nothing_on_a_bad_air() -> None:
    async def main() -> None:
        air = Air(shape=Shape())
        setup = BandSetup(clock=ClockConfig(rate_hz=320.0))
        async with (
            SimulatedBand(air.transport("band"), setup),
            await BumbleCentral.open(air.transport("central")) as central,
            BleSource(central=central, silence_s=PATIENCE_S) as source,
        ):
            reader, lossy = Reader(source), drop(0.3)
            air.fault = lambda *sent: lossy(*sent) if len(sent[2]) > 40 else sent[2]
            for _ in range(15):
                await source.resume()
                came = len(reader.frames())
                await until(lambda: len(reader.frames()) > came + 1)  # noqa: B023
            air.fault = None
            await source.stop()
            await reader.task
            answers = [Response.from_bytes(each) for each in reader.payloads(Channel.RESPONSE)]
            bounds = [
                index
                for each in answers
                if each.opcode in (Opcode.START, Opcode.STOP)
                and (index := each.next_sample()) is not None
            ]
            came_too = {
                frame.first_sample + k
                for frame in reader.frames()
                for k in range(len(frame.counts))
            }
            assert came_too >= set(range(bounds[0], bounds[-1]))
            assert reader.given_up() == []

    leap(main())


@asynccontextmanager
async def _band_at(where: str, seed: int = 3) -> AsyncIterator[str]:
    """A band on an air of its own, as a process of its own would have it."""
    air = Air()
    async with SimulatedBand(air.transport("band"), BandSetup(seed=seed)), Hub(air) as hub:
        yield await hub.listen(where)


def test_a_radio_that_goes_away_and_comes_back_is_opened_again(tmp_path: Path) -> None:
    async def main() -> None:
        where = f"unix:{tmp_path / 'air'}"
        async with AsyncExitStack() as first:
            name = await first.enter_async_context(_band_at(where))
            central = await BumbleCentral.open(name)
            async with central, BleSource(central=central, find_timeout_s=30.0) as source:
                reader = Reader(source)
                await until(lambda: len(reader.frames()) > 5)
                await first.aclose()
                await until(lambda: reader.links()[-1].startswith("down"))
                await until(lambda: central.is_lost)
                before = len(reader.frames())
                async with _band_at(where):
                    await until(lambda: len(reader.frames()) > before + 5)
                    assert reader.links()[-1] == "up"
                    await source.stop()
                    await reader.task

    leap(main())


def test_a_band_that_demands_pairing_says_so_and_is_read_when_paired() -> None:
    async def main() -> None:
        async with toy_world(demands_pairing=True) as world:
            with pytest.raises(LinkError, match="wants to be paired first: use --pair"):
                await BleSource(central=world.central).__aenter__()
            async with reading(world, pair=True) as reader:
                await until(reader.samples)
                world.band.controller.drop_links()
                await until(lambda: len(reader.payloads(Channel.INFO)) == 2)

    leap(main())


def test_a_phones_mtu_of_185_carries_the_longest_frames_and_a_longer_info() -> None:
    async def main() -> None:
        async with toy_world(max_mtu=185) as world, reading(world) as reader:
            await until(lambda: len(reader.samples()) > 50)
            world.band.controller.drop_links()
            await world.band.take_frames(40)
            await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
            assert reader.source.mtu == 185
            assert len(bytes(world.band.info)) > 185
            await reader.source.stop()
            await reader.task
            assert set(range(max(reader.samples()))) <= set(reader.samples())
            assert max(map(len, reader.payloads(Channel.FORCE))) == MAX_FRAME_BYTES

    leap(main())


def test_an_mtu_that_carries_no_frame_is_told() -> None:
    async def main() -> None:
        async with toy_world(max_mtu=23) as world:
            with pytest.raises(LinkError, match="MTU of 23 only, too small"):
                await BleSource(central=world.central).__aenter__()
            await until(lambda: world.band.connection is None)

    leap(main())


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (20, "cuts its frames to 20 bytes, though the link carries 514: update the band's"),
        (30, r"sent 20 notifications and none of them can be read \(frame of 30 bytes says 8"),
    ],
)
def test_a_band_that_cuts_its_frames_is_named_as_the_one_at_fault(size: int, words: str) -> None:
    async def main() -> None:
        async with toy_world() as world, BleSource(central=world.central) as source:
            whole = world.band.send_raw

            async def cut(payload: bytes) -> None:
                await whole(payload[:size])

            world.band.send_raw = cut  # type: ignore[method-assign]
            reader = Reader(source)
            await world.band.take_frames(25)
            with pytest.raises(LinkError, match=words):
                await reader.task

    leap(main())


def test_a_device_that_is_no_band_is_told() -> None:
    async def main() -> None:
        async with toy_world() as world:
            server = world.band.device.gatt_server
            for attribute in server.attributes:
                if attribute is world.band.force:
                    attribute.uuid = attribute.uuid.from_16_bits(0x2A6E)
            declaration = next(
                each
                for each in server.attributes
                if getattr(each, "characteristic", None) is world.band.force
            )
            declaration.value = b"\x10" + declaration.value[1:3] + b"\x6e\x2a"
            with pytest.raises(LinkError, match=r"has no characteristic .*: it is no forceband"):
                await BleSource(central=world.central).__aenter__()

    leap(main())


def test_a_band_that_refuses_to_start_is_left_alone() -> None:
    async def main() -> None:
        async with toy_world() as world:
            world.band.refuse[Opcode.START] = Status.BUSY
            with pytest.raises(LinkError, match="refused START: BUSY"):
                await BleSource(central=world.central).__aenter__()
            await until(lambda: world.band.connection is None)

    leap(main())


def test_leaving_without_a_stop_stops_the_band_all_the_same() -> None:
    async def main() -> None:
        async with toy_world() as world:
            async with BleSource(central=world.central):
                pass
            await until(lambda: world.band.connection is None)
            assert world.band.commands == [bytes([Opcode.START]), bytes([Opcode.STOP])]

    leap(main())


def test_a_band_held_by_another_central_is_not_found() -> None:
    async def main() -> None:
        async with toy_world() as world, BleSource(central=world.central):
            assert world.band.connection is not None
            rival = BleSource(central=world.central, find_timeout_s=0.2)
            with pytest.raises(LinkError, match="disconnect it from other programs and phones"):
                await rival.__aenter__()

    leap(main())


def test_without_bluetooth_the_systems_backend_is_one_helpful_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    with pytest.raises(LinkError, match=r"no Bluetooth on this computer.*--transport.*demo"):
        leap(scan(0.1))
    with pytest.raises(LinkError, match="no Bluetooth on this computer"):
        leap(BleSource().__aenter__())


def test_the_pauses_between_attempts_grow_to_ten_seconds() -> None:
    pauses = back_off()
    assert [next(pauses) for _ in range(8)] == [0, 0.5, 1, 2, 4, 8, 10, 10]


def test_a_resend_that_is_never_answered_does_not_end_the_asking() -> None:
    async def main() -> None:
        async with toy_world() as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(5)
            await until(lambda: len(reader.samples()) == 40)
            world.band.mute = True
            await world.band.take_frames(2)
            world.band.mute = False
            answered = world.band._on_command

            def deaf(connection: Any, value: bytes) -> None:
                if value[0] != Opcode.RESEND or reader.commands(Opcode.RESEND) > 2:
                    answered(connection, value)

            world.band.control.value.write = deaf
            await world.band.take_frames(1)
            await until(lambda: set(reader.samples()) == set(range(64)))
            assert reader.commands(Opcode.RESEND) > 2
            assert reader.links() == ["up"]
            assert reader.given_up() == []

    leap(main())


def test_a_busy_band_is_asked_again_soon_and_what_it_forgot_meanwhile_is_named_at_once() -> None:
    async def main() -> None:
        async with toy_world(ring_samples=80) as world, reading(world, frames_per_s=0) as reader:
            await world.band.take_frames(10)
            world.band.refuse[Opcode.RESEND] = Status.BUSY
            world.band.mute = True
            await world.band.take_frames(2)
            world.band.mute = False
            await world.band.take_frames(1)
            await until(lambda: reader.commands(Opcode.RESEND))
            asked_s = now_s()
            await until(lambda: reader.commands(Opcode.RESEND) == 2)
            assert now_s() - asked_s == pytest.approx(BUSY_S, abs=0.1)
            asked = reader.commands(Opcode.RESEND)
            await world.band.take_frames(20)
            await until(reader.given_up)
            assert reader.given_up() == [(80, 16)]
            assert reader.commands(Opcode.RESEND) <= asked + 1

    leap(main())


def test_who_only_reads_gets_what_comes_and_nothing_is_asked_for() -> None:
    async def main() -> None:
        async with toy_world() as world, BleSource(central=world.central) as source:
            await world.band.take_frames(2)
            world.band.mute = True
            await world.band.take_frames(2)
            world.band.mute = False
            await world.band.take_frames(2)
            stopping = asyncio.create_task(source.stop())
            came = [each async for each in source if each.channel is Channel.FORCE]
            await stopping
            assert len(came) == 4
            assert all(each[0] != Opcode.RESEND for each in world.band.commands)

    leap(main())
