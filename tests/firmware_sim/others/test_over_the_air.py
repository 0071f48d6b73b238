"""Devices of others over real ATT and adverts, with their faults: what they measured arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from firmware_sim.band import BandSetup
from firmware_sim.others.device import Trouble
from firmware_sim.others.kinds import KINDS
from firmware_sim.others.peripheral import OtherPeripheral
from firmware_sim.person.workout import LOW_ROW, Workout
from firmware_sim.radio.air import Air
from pipeline.session.session import Session
from sensor.ble.finder import find, scan
from sensor.ble.source import BleSource
from sensor.bumble_backend import BumbleCentral
from sensor.drivers import progressor, wh_c06
from sensor.drivers.driver import CUT, KGF_N, LBF_N
from sensor.errors import LinkError
from sensor.samples import Channel, Notification

SETUP = BandSetup(seed=8, workout=Workout((replace(LOW_ROW, reps=3),), lead_in_s=1.0))
FREZ_SCALE = 0.01 * KGF_N


@dataclass
class Heard:
    """What a session came to, and what the device measured."""

    session: Session
    notes: list[Notification] = field(default_factory=list)
    device: OtherPeripheral | None = None

    @property
    def said(self) -> str:
        return " / ".join(self.session.remarks)

    def compared(self) -> tuple[np.ndarray, np.ndarray]:
        """Times by the session's axis and forces, of what was measured and of what arrived."""
        assert self.device is not None
        taken = np.array(self.device.device.taken)
        time_s = np.concatenate([block.time_s for block in self.session.blocks])
        force_n = np.concatenate([block.force_n for block in self.session.blocks])
        return taken, np.column_stack((time_s, force_n))


async def listened(
    kind: str,
    trouble: Trouble | None = None,
    *,
    seconds: float = 12.0,
    speed: float = 4.0,
    act: Callable[[OtherPeripheral, BleSource], object] | None = None,
) -> Heard:
    """Connect to a device and listen for so long of its time."""
    air = Air()
    heard = Heard(Session(keep_samples=True))
    async with (
        asyncio.timeout(60),
        await BumbleCentral.open(air.transport("host")) as central,
        OtherPeripheral(air.transport("device"), kind, SETUP, trouble, speed=speed) as device,
        BleSource(
            KINDS[kind].name if not (trouble and trouble.nameless) else None,
            central=central,
            scale=FREZ_SCALE if kind == "frez" else None,
        ) as source,
    ):
        heard.device = device
        source.follow(lambda: heard.session.ledger)
        stopping: asyncio.Task[None] | None = None
        acted = False
        async for note in source:
            heard.notes.append(note)
            heard.session.receive(note, len(heard.notes))
            began_s = device.device.began_s
            passed_s = 0.0 if began_s is None else device.now_s() - began_s
            if act is not None and not acted and passed_s > seconds / 2:
                acted = True
                act(device, source)
            if stopping is None and passed_s > seconds:
                stopping = asyncio.create_task(source.stop())
        heard.session.finish()
    return heard


STEP_N = {"force-board": LBF_N, "wh-c06": 0.02 * KGF_N, "cts500": 0.02 * KGF_N}
UNSIGNED = ("force-board", "wh-c06", "cts500", "weight-scale")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_device_measures_arrives(kind: str) -> None:
    # Chronojump notifies 320 times a second as it is.
    heard = asyncio.run(listened(kind, speed=1.0 if kind == "chronojump" else 4.0))
    taken, got = heard.compared()
    assert heard.session.bad_frames == 0
    assert len(got) > 8 * heard.device.device.rate_hz  # type: ignore[union-attr]
    assert len(got) > 0.8 * len(taken)
    # The first that arrives may not be the first that was taken: they are matched by their order.
    expected = taken[:, 1]
    if kind in UNSIGNED:
        expected = np.maximum(expected, 0)
    if kind == "frez":
        expected = expected - expected[:100].mean()
    step_n = STEP_N.get(kind, 0.11)
    if kind != "wh-c06":  # adverts are lost, and heard twice
        size = len(got) - 40
        off_n = [
            np.abs(expected[k:][:size] - got[: len(expected[k:][:size]), 1]) for k in range(40)
        ]
        assert min(each.max() for each in off_n) <= step_n / 2 + 0.06
    high_n = np.percentile(expected, 95)
    assert np.percentile(got[:, 1], 95) == pytest.approx(high_n, abs=step_n + 1)
    assert (np.diff(got[:, 0]) > 0).all()


def test_a_scan_names_the_devices_and_what_they_can_do() -> None:
    async def test() -> None:
        air = Air()
        async with (
            await BumbleCentral.open(air.transport("host")) as central,
            OtherPeripheral(air.transport("a"), "progressor", replace(SETUP, seed=1)),
            OtherPeripheral(air.transport("b"), "wh-c06", replace(SETUP, seed=2)),
            OtherPeripheral(air.transport("c"), "sig", replace(SETUP, seed=3)),
        ):
            found = {each.driver.name for each in await scan(1.0, central=central) if each.driver}
            assert found == {"progressor", "wh-c06", "sig-force"}
            assert (await find(None, 5.0, central=central)).driver is not None

    asyncio.run(test())


def test_without_a_name_a_progressor_is_known_by_its_service() -> None:
    heard = asyncio.run(listened("progressor", Trouble(nameless=True), seconds=6.0))
    assert heard.session.samples > 300


def test_an_unverified_device_is_taken_only_by_name() -> None:
    async def test() -> None:
        air = Air()
        async with (
            await BumbleCentral.open(air.transport("host")) as central,
            OtherPeripheral(air.transport("a"), "cts500", SETUP),
        ):
            with pytest.raises(LinkError, match="no band was found"):
                await find(None, 1.0, central=central)
            assert (await find("CTS500", 5.0, central=central)).name == "CTS500"

    asyncio.run(test())


def test_counts_without_a_scale_are_refused_with_a_sentence() -> None:
    async def test() -> None:
        air = Air()
        async with (
            await BumbleCentral.open(air.transport("host")) as central,
            OtherPeripheral(air.transport("a"), "frez", SETUP),
        ):
            with pytest.raises(LinkError, match="raw counts"):
                async with BleSource("FrezDyno-0001", central=central):
                    pass

    asyncio.run(test())


def test_a_clone_that_pads_and_is_slow_loses_nothing_over_a_wrap_of_its_clock() -> None:
    trouble = Trouble(pad=4, one_each=True, rate_ratio=0.967, start_us=2**32 - 5_000_000)
    heard = asyncio.run(listened("progressor", trouble))
    assert (heard.session.missing, heard.session.bad_frames) == (0, 0)
    _, got = heard.compared()
    assert np.diff(got[:, 0]).max() == pytest.approx(1 / (80 * 0.967), abs=1e-5)


def test_a_silence_of_a_progressor_is_counted_exactly() -> None:
    heard = asyncio.run(listened("progressor", Trouble(gap_s=(5.0, 5.5))))
    assert heard.session.missing == 40
    (gap,) = heard.session.gaps
    assert gap.missing == 40


def test_what_comes_twice_counts_once_and_what_comes_late_is_missing() -> None:
    twice = asyncio.run(listened("progressor", Trouble(twice_at_s=4.0)))
    assert (twice.session.missing, twice.session.bad_frames) == (0, 0)
    swapped = asyncio.run(listened("progressor", Trouble(swap_at_s=4.0)))
    assert (swapped.session.missing, swapped.session.bad_frames) == (8, 8)


def test_a_clock_that_begins_again_ends_nothing() -> None:
    heard = asyncio.run(listened("progressor", Trouble(restart_at_s=8.0)))
    assert heard.session.power_ons == 2
    assert heard.session.samples > 10 * 80


def test_low_power_is_said_and_the_session_waits_for_its_return() -> None:
    async def test() -> Heard:
        heard = Heard(Session())
        air = Air()
        async with (
            asyncio.timeout(30),
            await BumbleCentral.open(air.transport("host")) as central,
            OtherPeripheral(
                air.transport("device"), "progressor", SETUP, Trouble(low_power_at_s=2.0)
            ),
            BleSource("Progressor_1234", central=central) as source,
        ):
            async for note in source:
                heard.notes.append(note)
                heard.session.receive(note, len(heard.notes))
                if note.payload.startswith(b"down"):
                    break
        return heard

    heard = asyncio.run(test())
    assert progressor.LOW in heard.said


def test_a_lost_link_is_made_again_and_the_session_goes_on() -> None:
    def lose(device: OtherPeripheral, _: BleSource) -> None:
        device._transport.source.drop_links()  # type: ignore[union-attr]

    heard = asyncio.run(listened("progressor", act=lose))
    links = [note.payload[:4] for note in heard.notes if note.channel is Channel.LINK]
    assert links[:3] == [b"up", b"down", b"up"]
    assert heard.session.power_ons == 2
    assert [gap.missing for gap in heard.session.gaps] == [None]


def test_hold_and_another_unit_on_a_crane_scale_are_seen() -> None:
    trouble = Trouble(hold_s=(3.0, 5.0), pounds_at_s=7.0)
    heard = asyncio.run(listened("wh-c06", trouble, speed=2.0))
    assert wh_c06.HELD in heard.said
    taken, got = heard.compared()
    assert got[:, 1].max() == pytest.approx(taken[:, 1].max(), rel=0.15)


def test_a_force_board_that_is_pushed_says_so() -> None:
    heard = asyncio.run(listened("force-board", Trouble(pushed_s=(3.0, 4.0))))
    assert "pushed, not pulled" in heard.said
    assert all(np.isfinite(block.force_n).all() for block in heard.session.blocks)


def test_a_tare_while_it_streams_is_ours_and_recorded() -> None:
    tasks = []

    def tare(_: OtherPeripheral, source: BleSource) -> None:
        tasks.append(asyncio.ensure_future(source.tare()))

    heard = asyncio.run(listened("sig", Trouble(offset_n=50.0), act=tare))
    marks = [note.payload for note in heard.notes if note.channel is Channel.MARK]
    assert marks == [b'{"kind": "tare", "text": ""}']


def test_chunks_of_a_serial_line_mind_no_frame() -> None:
    for kind in ("cts500", "motherboard"):
        heard = asyncio.run(listened(kind, Trouble(chunk=11), seconds=6.0))
        assert (heard.session.bad_frames, heard.session.missing) == (0, 0)
        assert heard.session.samples > 100


def test_a_motherboards_count_that_wraps_and_a_loss_are_exact() -> None:
    trouble = Trouble(start_us=2**16 - 60, gap_s=(5.0, 6.0), chunk=34)
    heard = asyncio.run(listened("motherboard", trouble))
    assert heard.session.missing == 30


def test_chronojumps_forces_in_hundredths_are_the_same_forces() -> None:
    heard = asyncio.run(
        listened(
            "chronojump", Trouble(hundredths=True, start_us=2**32 - 3_000_000), seconds=5, speed=1.0
        )
    )
    taken, got = heard.compared()
    assert heard.session.bad_frames == 0
    assert len(got) > 3 * 160
    assert np.percentile(got[:, 1], 95) == pytest.approx(np.percentile(taken[:, 1], 95), abs=1)
    assert (np.diff(got[:, 0]) > 0).all()
    assert np.median(np.diff(got[:, 0])) == pytest.approx(1 / 160, rel=0.02)


def test_a_scales_pounds_are_newtons_all_the_same_and_what_it_does_not_know_is_none() -> None:
    heard = asyncio.run(listened("weight-scale", Trouble(pounds_at_s=0.0, pushed_s=(0.2, 0.8))))
    taken, got = heard.compared()
    expected = np.maximum(taken[:, 1], 0)
    assert np.nanpercentile(got[:, 1], 95) == pytest.approx(np.percentile(expected, 95), abs=1)
    assert heard.session.bad_frames == 0


def test_what_a_small_mtu_cuts_off_is_said_and_the_rest_is_taken() -> None:
    heard = asyncio.run(listened("progressor", Trouble(cut_to=20)))
    assert CUT in heard.said
    assert heard.session.samples > 0
    assert heard.session.bad_frames > 0


def test_a_sensor_at_its_end_and_one_that_warms_up_are_recorded_as_they_are() -> None:
    heard = asyncio.run(listened("progressor", Trouble(most_n=30.0, drift_n=5.0, noise_sd_n=0.01)))
    taken, got = heard.compared()
    assert got[:, 1].max() == pytest.approx(30.0, abs=0.01)
    assert taken[taken[:, 0] < 0.5, 1].mean() < 0.1 < taken[-1, 1]
    assert heard.session.bad_frames == 0


def test_a_battery_that_is_asked_for_while_it_streams_disturbs_nothing() -> None:
    def ask(device: OtherPeripheral, _: BleSource) -> None:
        device.device.write(progressor.CONTROL_UUID, progressor.BATTERY, device.now_s())

    heard = asyncio.run(listened("progressor", act=ask))
    assert heard.session.bad_frames == 0
    assert heard.session.missing == 0
