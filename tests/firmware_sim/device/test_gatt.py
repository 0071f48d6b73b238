"""The band over real ATT: bumble's host stacks on both sides of a virtual air."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from bumble import att, hci
from bumble.core import UUID
from bumble.device import Device, DeviceConfiguration, Peer

from firmware_sim.band import BandSetup
from firmware_sim.device import progressor
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.person.workout import LOW_ROW, Workout
from firmware_sim.radio.air import Air
from firmware_sim.radio.faults import Chances, Faults
from firmware_sim.source import SimulatedBand
from sensor.wire import profile
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Command, Info, Opcode, Response, Status

SETUP = BandSetup(seed=11, workout=Workout((LOW_ROW,), lead_in_s=0.5))


def run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(240):
            await test

    asyncio.run(bounded())


@dataclass
class Phone:
    """A client as plain as can be: bumble's own, with what it received in order."""

    device: Any
    peer: Any = None
    values: list[tuple[str, bytes]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    lost: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self, address: str) -> None:
        self.lost.clear()
        connection = await self.device.connect(hci.Address(address))
        connection.on("disconnection", lambda _: self.lost.set())
        self.peer = Peer(connection)
        await self.peer.request_mtu(185)
        await self.peer.discover_services()
        for service in self.peer.services:
            await self.peer.discover_characteristics(service=service)

    def characteristic(self, uuid: str) -> Any:
        (found,) = self.peer.get_characteristics_by_uuid(UUID(uuid))
        return found

    async def read(self, uuid: str) -> bytes:
        return bytes(await self.characteristic(uuid).read_value())

    async def write(self, uuid: str, value: bytes, *, response: bool = True) -> None:
        await self.characteristic(uuid).write_value(value, with_response=response)

    async def subscribe(self, uuid: str) -> None:
        def take(value: bytes) -> None:
            self.values.append((uuid, bytes(value)))
            self.news.set()

        await self.characteristic(uuid).subscribe(take)

    async def until(self, enough: Callable[[], Any]) -> Any:
        """The first true answer of `enough`, asked after each value."""
        while not (found := enough()):
            self.news.clear()
            await self.news.wait()
        return found

    async def command(self, command: bytes) -> Response:
        before = len(self.answers)
        await self.write(profile.CONTROL_UUID, command)
        await self.until(lambda: len(self.answers) > before)
        return self.answers[before]

    @property
    def answers(self) -> list[Response]:
        return [Response.from_bytes(v) for uuid, v in self.values if uuid == profile.CONTROL_UUID]

    @property
    def frames(self) -> list[ForceFrame]:
        return [ForceFrame.from_bytes(v) for uuid, v in self.values if uuid == profile.FORCE_UUID]

    async def listen(self) -> None:
        await self.subscribe(profile.CONTROL_UUID)
        await self.subscribe(profile.FORCE_UUID)


async def phone_on(air: Air, address: str = "C0:00:00:00:00:01") -> Phone:
    transport = air.transport("phone")
    config = DeviceConfiguration(name="phone", address=hci.Address(address))
    device: Any = Device.from_config_with_hci(config, transport.source, transport.sink)
    await device.power_on()
    return Phone(device)


@asynccontextmanager
async def pair_up(
    setup: BandSetup = SETUP, *, air: Air | None = None, **options: Any
) -> AsyncIterator[tuple[SimulatedBand, Phone, Any]]:
    """A band on the air, a phone connected to it, and the band's controller."""
    air = air or Air()
    transport = air.transport("band")
    phone = await phone_on(air)
    async with SimulatedBand(transport, setup, **options) as band:
        await phone.connect(band.address)
        yield band, phone, transport.source
    await phone.device.power_off()


def test_the_advert_tells_service_and_name_in_31_bytes() -> None:
    async def test() -> None:
        air = Air()
        phone = await phone_on(air)
        seen: asyncio.Queue[Any] = asyncio.Queue()
        phone.device.on("advertisement", seen.put_nowait)
        async with SimulatedBand(air.transport("band"), SETUP, name="FB-ÄÖ") as band:
            await phone.device.start_scanning()
            advert = await seen.get()
            assert advert.address.to_string(False) == band.address
            assert len(bytes(advert.data)) <= 31
            kinds = dict(advert.data.ad_structures)
            assert kinds[0x09].decode() == "FB-ÄÖ"
            assert kinds[0x07] == bytes(UUID(profile.SERVICE_UUID))
            assert kinds[0x01] == b"\x06"

    run(test())


def test_the_table_has_our_service_and_the_standard_ones() -> None:
    async def test() -> None:
        async with pair_up() as (band, phone, _):
            services = {
                str(service.uuid.to_hex_str("-")).lower() for service in phone.peer.services
            }
            assert {profile.SERVICE_UUID, progressor.SERVICE_UUID} <= services
            info = Info.from_bytes(await phone.read(profile.INFO_UUID))
            assert info == Info.from_bytes(bytes(band.band.firmware.info))
            assert await phone.read("2A19") == b"\x57"
            assert await phone.read("2A24") == b"forceband green"
            assert (await phone.read("2A25")).decode() == band.name.removeprefix("FB-")
            assert await phone.read("2A26") == b"1.0.0"
            force_mn = int.from_bytes(await phone.read("2C07"), "little", signed=True)
            assert abs(force_mn) < 1000

    run(test())


def test_frames_follow_start_and_tell_what_the_band_sampled() -> None:
    async def test() -> None:
        async with pair_up(speed=10.0) as (band, phone, _):
            await phone.listen()
            started = await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.frames) >= 30)
            stopped = await phone.command(bytes(Command(Opcode.STOP)))
            frames = phone.frames
            assert frames[0].first_sample == started.next_sample()
            index = [frame.first_sample for frame in frames]
            assert index == list(range(index[0], index[0] + 8 * len(index), 8))
            held = band.band.firmware.held(index[0])
            for frame in frames:
                at = frame.first_sample - index[0]
                assert frame.counts.tolist() == held.counts[at : at + 8].tolist()
            assert stopped.next_sample() >= index[-1] + 8  # type: ignore[operator]

    run(test())


def test_a_command_is_answered_after_its_write_and_before_its_frames() -> None:
    async def test() -> None:
        async with pair_up(speed=20.0) as (_, phone, _controller):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.frames) >= 20)
            first = phone.frames[0].first_sample
            answer = await phone.command(bytes(Command.resend(first, 100)))
            assert answer.resend_range() == (first, 100)
            answered = max(k for k, (u, _) in enumerate(phone.values) if u == profile.CONTROL_UUID)
            await phone.until(
                lambda: sum(f.counts.size for f in phone.frames if f.flags & Flag.RESENT) == 100
            )
            resent = [
                k
                for k, (uuid, value) in enumerate(phone.values)
                if uuid == profile.FORCE_UUID and value[0] & Flag.RESENT
            ]
            assert min(resent) > answered

    run(test())


def test_every_opcode_is_answered_over_the_air() -> None:
    async def test() -> None:
        async with pair_up(speed=10.0) as (band, phone, _):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.frames) >= 6)
            tared = (await phone.command(bytes(Command(Opcode.TARE)))).calibration()
            assert (
                Info.from_bytes(await phone.read(profile.INFO_UUID)).active_calibration == tared.id
            )
            assert (await phone.command(bytes(Command.set_rate(160.0)))).rate_hz() == 160.0
            answer = await phone.command(bytes(Command.set_calibration(tared)))
            assert answer.calibration().zero_counts == tared.zero_counts
            assert (await phone.command(bytes(Command(Opcode.IDENTIFY)))).status is Status.OK
            unknown = await phone.command(b"\x7f\x00")
            assert (unknown.opcode, unknown.status) == (0x7F, Status.UNKNOWN_COMMAND)
            assert (await phone.command(b"\x01\x00")).status is Status.BAD_ARGUMENT
            assert (await phone.command(bytes(Command(Opcode.SLEEP)))).status is Status.OK
            await phone.lost.wait()
            assert not band.connected
            await band.power_cycle()
            await phone.connect(band.address)

    run(test())


def test_what_can_only_be_written_or_sent_refuses_to_be_read() -> None:
    async def test() -> None:
        async with pair_up() as (_, phone, _controller):
            for uuid in (profile.CONTROL_UUID, profile.FORCE_UUID):
                with pytest.raises(att.ATT_Error) as refused:
                    await phone.read(uuid)
                assert refused.value.error_code == att.ATT_READ_NOT_PERMITTED_ERROR

    run(test())


def test_what_was_pulled_out_of_range_can_be_asked_for_after_reconnecting() -> None:
    async def test() -> None:
        async with pair_up(speed=10.0) as (band, phone, controller):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.frames) >= 10)
            controller.drop_links()
            await phone.lost.wait()
            last = phone.frames[-1]
            lost = last.first_sample + last.counts.size
            await asyncio.sleep(0.6)  # six seconds of the band's time, 480 samples, or more
            await phone.connect(band.address)
            await phone.listen()
            resumed = (await phone.command(bytes(Command(Opcode.START)))).next_sample()
            assert resumed is not None
            assert resumed >= lost + 400
            answer = await phone.command(bytes(Command.resend(lost, resumed - lost)))
            assert answer.resend_range() == (lost, resumed - lost)

            def brought() -> set[int]:
                return {
                    frame.first_sample + k
                    for frame in phone.frames
                    for k in range(frame.counts.size)
                }

            while missing := set(range(lost, resumed)) - brought():
                try:
                    async with asyncio.timeout(5):
                        await phone.until(lambda: missing <= brought())
                except TimeoutError:  # a busy computer drops frames; they are there to be had
                    first, last_one = min(missing - brought()), max(missing - brought())
                    await phone.command(bytes(Command.resend(first, last_one + 1 - first)))

    run(test())


def test_a_band_whose_link_is_lost_on_its_side_only_is_found_again() -> None:
    async def test() -> None:
        async with pair_up(speed=10.0) as (band, phone, controller):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: phone.frames)
            controller.drop_links(both=False)
            await phone.peer.connection.disconnect()
            await phone.connect(band.address)
            assert band.connected
            assert not band.band.firmware.streaming

    run(test())


def test_a_power_cycle_ends_the_link_and_shows_in_the_boot_id() -> None:
    async def test() -> None:
        async with pair_up(speed=10.0) as (band, phone, _):
            before = Info.from_bytes(await phone.read(profile.INFO_UUID))
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: phone.frames)
            await band.power_cycle(off_s=1.0)
            await phone.lost.wait()
            phone.values.clear()
            await phone.connect(band.address)
            after = Info.from_bytes(await phone.read(profile.INFO_UUID))
            assert after.boot_id != before.boot_id
            await phone.listen()
            started = await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: phone.frames)
            assert phone.frames[0].first_sample == started.next_sample()
            assert phone.frames[0].device_us < 60e6

    run(test())


def test_generic_apps_get_millinewtons_and_battery() -> None:
    async def test() -> None:
        setup = BandSetup(seed=11, battery_percent=50.5, battery_hours=0.1)
        async with pair_up(setup, speed=20.0) as (_, phone, _controller):
            await phone.subscribe("2C07")
            await phone.subscribe("2A19")
            await phone.until(lambda: sum(uuid == "2C07" for uuid, _ in phone.values) >= 8)
            await phone.until(lambda: any(uuid == "2A19" for uuid, _ in phone.values))
            levels = [value[0] for uuid, value in phone.values if uuid == "2A19"]
            assert 0 < levels[0] < 50
            assert all(len(value) == 4 for uuid, value in phone.values if uuid == "2C07")

    run(test())


def test_a_climbing_app_weighs_with_the_progressors_commands() -> None:
    async def test() -> None:
        async with pair_up(speed=10.0) as (band, phone, _):
            responses: list[bytes] = []
            await phone.subscribe(progressor.DATA_UUID)

            async def ask(command: bytes) -> bytes:
                seen = len(phone.values)
                await phone.write(progressor.CONTROL_UUID, command, response=False)
                _, value = await phone.until(lambda: phone.values[seen:][:1] and phone.values[seen])
                assert value[0] == 0
                assert value[1] == len(value) - 2
                return bytes(value[2:])

            responses.append(await ask(b"\x6b"))
            assert responses[0] == b"1.0.0"
            (millivolt,) = struct.unpack("<I", await ask(b"\x6f"))
            assert 3300 <= millivolt <= 4200
            (number,) = struct.unpack("<Q", await ask(b"\x70"))
            assert f"FB-{number:04X}" == band.name
            await phone.write(progressor.CONTROL_UUID, b"\x64")
            seen = len(phone.values)
            await phone.write(progressor.CONTROL_UUID, b"\x65\x00")
            await phone.until(lambda: len(phone.values) >= seen + 10)
            await phone.write(progressor.CONTROL_UUID, b"\x66")
            samples = []
            for _, value in phone.values[seen:]:
                assert value[:2] == bytes([1, 64])
                samples += list(struct.iter_unpack("<fI", value[2:]))
            times = [us for _, us in samples]
            assert times[0] == 0
            assert all(11_000 < b - a < 14_000 for a, b in pairwise(times))
            assert all(-10 < kg < 10 for kg, _ in samples)
            for ignored in (b"", b"\x71" + bytes(13), b"\xff"):
                await phone.write(progressor.CONTROL_UUID, ignored)
            assert await ask(b"\x6b") == b"1.0.0"

    run(test())


def test_a_band_that_demands_pairing_tells_force_to_bonded_clients_only() -> None:
    async def test() -> None:
        async with pair_up(require_pairing=True, speed=10.0) as (band, phone, _controller):
            services = {
                str(service.uuid.to_hex_str("-")).lower() for service in phone.peer.services
            }
            assert progressor.SERVICE_UUID not in services
            for uuid in (profile.INFO_UUID, "2C07"):
                with pytest.raises(att.ATT_Error) as refused:
                    await phone.read(uuid)
                assert refused.value.error_code == att.ATT_INSUFFICIENT_ENCRYPTION_ERROR
            with pytest.raises(att.ATT_Error):
                await phone.write(profile.CONTROL_UUID, bytes(Command(Opcode.START)))
            await phone.subscribe("2C07")
            two_seconds = band.band.firmware.next_sample + 160  # in which eight would be due
            while band.band.firmware.next_sample < two_seconds:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.01)
            assert phone.values == []
            await phone.peer.connection.pair()
            await phone.until(lambda: phone.values)
            await phone.listen()
            assert Info.from_bytes(await phone.read(profile.INFO_UUID)).boot_id
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.frames) >= 3)

    run(test())


def test_a_thousand_samples_a_second_get_through_while_two_minutes_are_resent() -> None:
    async def test() -> None:
        setup = BandSetup(seed=2, clock=ClockConfig(rate_hz=1000.0))
        async with pair_up(setup, speed=3.0) as (band, phone, _):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.frames) >= 40)
            first = phone.frames[0].first_sample
            await phone.command(bytes(Command.resend(first, 2000)))
            await phone.until(
                lambda: sum(f.counts.size for f in phone.frames if f.flags & Flag.RESENT) >= 2000
            )
            live = [f.first_sample for f in phone.frames if not f.flags & Flag.RESENT]
            assert live == list(range(first, first + 56 * len(live), 56))
            assert band.dropped == 0

    run(test())


def test_faults_of_the_air_reach_the_client_and_only_its_notifications() -> None:
    async def test() -> None:
        faults = Faults(Chances(drop=0.3, corrupt=0.3), seed=4)
        async with pair_up(air=Air(faults), speed=20.0) as (_, phone, _controller):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(lambda: len(phone.values) >= 60)
            assert faults.dropped > 5
            assert faults.corrupted > 5
            bad = 0
            for uuid, value in phone.values:
                try:
                    if uuid == profile.FORCE_UUID:
                        ForceFrame.from_bytes(value)
                except ValueError:
                    bad += 1
            assert abs(bad - faults.corrupted) <= 2

    run(test())


def test_a_name_too_long_for_the_advert_is_refused() -> None:
    async def test() -> None:
        with pytest.raises(ValueError, match="8 bytes"):
            async with SimulatedBand(Air().transport("band"), SETUP, name="too long a name"):
                pass

    run(test())


def test_the_truth_so_far_grows_while_the_band_lives() -> None:
    async def test() -> None:
        setup = BandSetup(seed=11, workout=Workout((LOW_ROW,), lead_in_s=0.5, endless=True))
        async with pair_up(setup, speed=60.0) as (band, phone, _):
            await phone.listen()
            await phone.command(bytes(Command(Opcode.START)))
            await phone.until(band.truth)
            early = band.truth()
            await phone.until(lambda: len(band.truth()) > len(early))
            assert band.truth()[: len(early)] == early

    run(test())


def test_a_band_that_is_not_switched_on_says_so() -> None:
    async def test() -> None:
        with pytest.raises(RuntimeError, match="not switched on"):
            SimulatedBand(Air().transport("other"), SETUP).truth()

    run(test())
