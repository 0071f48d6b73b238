"""The promises one by one, each tried on a band (docs/protocol.md)."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from pipeline.conform.probe import Probe
from pipeline.conform.promise import Kept, Promise, is_kept
from sensor.errors import FrameError, LinkError
from sensor.wire.frames import MAX_FRAME_BYTES, Flag
from sensor.wire.profile import (
    BATTERY_LEVEL_UUID,
    CONTROL_UUID,
    FORCE_MILLINEWTON_UUID,
    FORCE_UUID,
    INFO_UUID,
    MODEL_NUMBER_UUID,
    Calibration,
    Command,
    Info,
    Opcode,
    Response,
    Status,
)

STREAM_S = 6.0
PAUSE_S = 1.5
SETTLE_S = 0.5
"""What was on its way when a command was answered has come by then."""
MEMORY_S = 120.0
NEEDED = {
    FORCE_UUID: ("force stream", {"notify"}),
    CONTROL_UUID: ("control", {"write", "indicate"}),
    INFO_UUID: ("Info", {"read"}),
}
WELCOME = {
    BATTERY_LEVEL_UUID: ("the battery's level", {"read"}),
    MODEL_NUMBER_UUID: ("Device Information", {"read"}),
    FORCE_MILLINEWTON_UUID: ("the force for generic apps", {"read", "notify"}),
}
UNKNOWN_OPCODE = 0x7F


async def tried(probe: Probe, *, changing: bool) -> AsyncIterator[Promise]:
    """One promise after the other.

    Raises
    ------
    LinkError
        If nothing more can be tried.
    """
    await probe.connect()
    for each in table(probe):
        yield each
    await probe.link.begin()
    for each in info(probe):
        yield each
    async for each in answers(probe):
        yield each
    async for each in stream(probe):
        yield each
    async for each in silence(probe):
        yield each
    async for each in memory(probe):
        yield each
    async for each in absence(probe):
        yield each
    async for each in changes(probe, changing=changing):
        yield each


def table(probe: Probe) -> list[Promise]:
    """What the band offers."""
    offers, told = probe.link.offers(), []
    for uuid, (name, wanted) in NEEDED.items():
        has = offers.get(uuid, set())
        seen = f"it has {', '.join(sorted(has)) or 'none of it'}"
        told.append(is_kept(f"offers {name} ({', '.join(sorted(wanted))})", wanted <= has, seen))
    for uuid, (name, wanted) in WELCOME.items():
        offered = wanted <= offers.get(uuid, set())
        told.append(Promise(f"offers {name}", Kept.YES if offered else Kept.LACKING))
    least, mtu = MAX_FRAME_BYTES + 3, probe.link.mtu
    if mtu is not None:
        seen = f"this link agreed on {mtu}, and each side takes the smaller of the two"
        told.append(is_kept(f"takes an MTU of {least} or more", mtu >= least, seen))
    return told


def info(probe: Probe) -> list[Promise]:
    """What it says of itself."""
    said = probe.info
    ids = [each.id for each in said.calibrations]
    memory_s = said.ring_samples / said.rate_hz
    words = (
        f"{said.model or 'no model'} {said.firmware}, {said.rate_hz:g} Hz, {said.adc_bits} bits, "
        f"{len(ids)} calibrations"
    )
    return [
        Promise("says in Info what it is", Kept.YES, words),
        is_kept(
            "has the calibration in force in its table, and each number once",
            said.active_calibration in ids and len(set(ids)) == len(ids),
            f"in force is {said.active_calibration}, the table has {ids}",
        ),
        is_kept(
            "remembers two minutes",
            memory_s >= MEMORY_S,
            f"{said.ring_samples} samples are {memory_s:.0f} s: what is longer away is lost",
        ),
    ]


async def answers(probe: Probe) -> AsyncIterator[Promise]:
    """Any bytes get a response."""
    for data, name, wanted in (
        (bytes([UNKNOWN_OPCODE]), "an unknown command", Status.UNKNOWN_COMMAND),
        (b"", "an empty write", Status.UNKNOWN_COMMAND),
        (bytes([Opcode.RESEND, 1]), "a RESEND cut short", Status.BAD_ARGUMENT),
        (bytes([Opcode.IDENTIFY]), "IDENTIFY", Status.OK),
    ):
        response = await probe.ask(data, name)
        kept = response is not None and response.status is wanted
        yield is_kept(f"answers {name} with {wanted.name}", kept, _said(response))


async def stream(probe: Probe) -> AsyncIterator[Promise]:
    """Frames that fit each other, the clock and Info."""
    started = await probe.start()
    await asyncio.sleep(STREAM_S)
    check = probe.check
    came = check.frames + check.bad
    yield is_kept("streams after START", came > 0, f"nothing came within {STREAM_S:g} s")
    what = "sends frames as the profile says"
    faults = check.faults()
    for fault in faults:
        yield Promise(what, Kept.NO, fault)
    rates_hz = check.rates_hz()
    if not faults:
        rate = "" if rates_hz is None else f" at {rates_hz[1]:.1f} Hz"
        yield Promise(what, Kept.YES, f"{check.frames} frames{rate}")
    if not probe.frames:
        raise LinkError("no frame could be read: nothing more can be tried")
    first = probe.frames[0].first_sample
    begins = started == first
    if started is not None and 0 < (ahead := (first - started) % 2**32) < probe.info.rate_hz:
        _, counts = await probe.resent(started, ahead)  # the radio may have lost the first frame
        begins = len(counts) == ahead
    yield is_kept(
        "begins at the index that the response to START names",
        begins,
        f"it said {started}, and began at {first}",
    )


async def silence(probe: Probe) -> AsyncIterator[Promise]:
    """STOP ends the stream, and names where."""
    response = await probe.command(Command(Opcode.STOP))
    await asyncio.sleep(SETTLE_S)
    last, before = probe.frames[-1], len(probe.frames)
    await asyncio.sleep(2 * SETTLE_S)
    more = len(probe.frames) - before
    yield is_kept("falls silent after STOP", not more, f"{more} frames came in a second")
    stopped = None if response is None else response.next_sample()
    end = (last.first_sample + last.counts.size) % 2**32
    ahead = -1 if stopped is None else (stopped - end + 2**31) % 2**32 - 2**31
    yield is_kept(
        "names in the response to STOP the sample after all taken",
        0 <= ahead <= max(last.counts.size, round(probe.info.rate_hz / 2)),
        f"it said {stopped}; the last frame ended before {end}",
    )


async def memory(probe: Probe) -> AsyncIterator[Promise]:
    """What was received is asked for again: it must come, and be the same."""
    live = dict(probe.counts)
    size = min(len(live) // 2, 200)
    first = sorted(live)[len(live) // 4]
    response, counts = await probe.resent(first, size)
    what = "sends again what it is asked for"
    if response is None or response.status is not Status.OK:
        yield Promise(what, Kept.NO, f"RESEND of {size} samples just sent: {_said(response)}")
        return
    lacking = size - len(counts.keys() & set(range(first, first + size)))
    seen = f"{lacking} of {size} samples did not come"
    if not counts and probe.frames:
        seen += "; what came is not marked as resent"
    yield is_kept(what, not lacking, seen)
    both = counts.keys() & live.keys()
    if both:
        other = sum(counts[index] != live[index] for index in both)
        seen = f"{other} of {len(both)} samples came with other counts"
        yield is_kept("sends them with their original counts", not other, seen)
        began = [frame.first_sample for frame in probe.frames if frame.flags & Flag.RESENT]
        yield is_kept("sends the oldest first", began == sorted(began), f"as {began[:8]}")
    response = await probe.command(Command.resend(first + 10**9, 10))
    kept = response is not None and response.status is Status.NOT_AVAILABLE
    yield is_kept("says NOT_AVAILABLE where nothing is in memory", kept, _said(response))


async def absence(probe: Probe) -> AsyncIterator[Promise]:
    """Nobody listens for a while, and the link is gone: sampling must go on."""
    before_s = time.monotonic()
    stopped = await probe.command(Command(Opcode.STOP))
    boot_id, rates_hz = probe.info.boot_id, probe.check.rates_hz()
    await probe.link.close("to see what the band does meanwhile")
    await asyncio.sleep(PAUSE_S)
    await probe.connect()
    await probe.link.begin()
    yield is_kept(
        "keeps its boot_id while it is on",
        probe.info.boot_id == boot_id,
        f"it was {boot_id:08x}, and after a lost link {probe.info.boot_id:08x}",
    )
    probe.frames.clear()
    await asyncio.sleep(SETTLE_S)
    early = len(probe.frames)
    yield is_kept("streams only after START", not early, f"{early} frames came before it")
    started = await probe.start()
    passed_s = time.monotonic() - before_s
    was = None if stopped is None else stopped.next_sample()
    what = "goes on sampling while nobody listens"
    if started is None or was is None:
        yield Promise(what, Kept.NO, "its responses to START and STOP name no index")
        return
    taken = (started - was) % 2**32
    rate_hz = probe.info.rate_hz if rates_hz is None else rates_hz[1]
    near = 0.5 * rate_hz * passed_s <= taken <= 1.5 * rate_hz * passed_s
    seen = f"{taken} samples in {passed_s:.1f} s; {rate_hz * passed_s:.0f} were to be expected"
    yield is_kept(what, near, seen)
    size = min(taken, 50)
    if size:
        _, counts = await probe.resent(was, size)
        lacking = size - len(counts.keys() & set(range(was, was + size)))
        seen = f"{lacking} of {size} samples did not come"
        yield is_kept("brings what it took meanwhile", not lacking, seen)
    await probe.command(Command(Opcode.STOP))


async def changes(probe: Probe, *, changing: bool) -> AsyncIterator[Promise]:
    """Tare, calibration and rate, all set back."""
    names = ("makes a new calibration at a tare", "takes a calibration", "takes another rate")
    if not changing:
        for name in names:
            yield Promise(name, Kept.UNTRIED, "--change tries it, and sets it back")
        return
    said = probe.info
    old = next(each for each in said.calibrations if each.id == said.active_calibration)
    for name, command in zip(
        names, (Command(Opcode.TARE), Command.set_calibration(old)), strict=False
    ):
        before = probe.info
        response = await probe.command(command)
        what_is_wrong = await _adopted(probe, before, response, command, old)
        yield is_kept(name, not what_is_wrong, what_is_wrong)
    response = await probe.command(Command.set_rate(10.0 if said.rate_hz > 20 else 80.0))
    taken_hz, seen = 0.0, _said(response)
    if response is not None:
        with contextlib.suppress(FrameError):
            taken_hz = response.rate_hz()
    await probe.link.take_info()
    if taken_hz:
        seen = f"it took {taken_hz:g} Hz, and Info says {probe.info.rate_hz:g}"
    yield is_kept(names[2], taken_hz > 0 and abs(probe.info.rate_hz - taken_hz) < 0.01, seen)
    await probe.command(Command.set_rate(said.rate_hz))


async def _adopted(
    probe: Probe, before: Info, response: Response | None, command: Command, old: Calibration
) -> str:
    """What is wrong with a calibration that must be in force under a number of its own."""
    if response is None or response.status is not Status.OK:
        return _said(response)
    try:
        taken = response.calibration()
    except FrameError as error:
        return str(error)
    await probe.link.take_info()
    after = probe.info
    if after.active_calibration != taken.id or taken not in after.calibrations:
        return f"it took number {taken.id}, and Info has {after.active_calibration}"
    if taken.id in {each.id for each in before.calibrations}:
        return f"it changed calibration {taken.id}: recordings that name it are wrong"
    if command.opcode is Opcode.SET_CALIBRATION and taken.zero_counts != old.zero_counts:
        return f"zero is at {taken.zero_counts}, not at {old.zero_counts} as was set"
    return ""


def _said(response: Response | None) -> str:
    return "no answer" if response is None else f"it said {response.status.name}"
