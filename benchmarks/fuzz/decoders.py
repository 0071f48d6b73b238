"""Decoders of single values: what the band sends, byte by byte."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from bumble.core import AdvertisingData

from benchmarks.fuzz.mutator import Mutator
from firmware_sim.others.device import Trouble
from firmware_sim.others.kinds import KINDS
from sensor.bumble_backend.advert import MAX_UUIDS, from_bumble
from sensor.drivers.registry import DRIVERS
from sensor.errors import FrameError
from sensor.wire.frames import Flag, ForceFrame, decode_equal_frames
from sensor.wire.profile import BandCurve, Calibration, Info, Opcode, Response, Status

INFO = Info(
    7, 80.0, 11520, 24, 3,
    (Calibration(0, 84000, 1e-4), Calibration(3, 84120, 1e-4)),
    BandCurve(5.78, 1.19, 0.5, 0.05), "forceband green", "1.0.0",
)  # fmt: skip


def some_frames(count: int = 60) -> list[bytes]:
    """Valid frames of all sizes, indices and times near the wrap among them."""
    rng = np.random.default_rng(1)
    frames = []
    for k in range(count):
        n = (1, 5, 8, 32, 56)[k % 5]
        index = (1000 + 8 * k, 2**32 - 4, 0)[k % 3]
        frames.append(
            bytes(
                ForceFrame(
                    index,
                    index * 12_500 % 2**32,
                    k % 4,
                    Flag((0, 0x10, 0x60, 0xF0)[k % 4]),
                    rng.integers(-(2**23), 2**23, n),
                )
            )
        )
    return frames


def force_frames(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator(some_frames(), seed)
    for _ in range(inputs):
        data = mutator.frame()
        try:
            frame = ForceFrame.from_bytes(data)
        except FrameError:
            yield "FrameError"
        else:
            assert bytes(frame) == data
            yield "frame"


def frame_batches(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator(some_frames(), seed)
    valid = some_frames()
    for _ in range(inputs):
        head = valid[int(mutator.random.random() * len(valid))]
        second = mutator.frame() if mutator.random.random() < 0.5 else head
        size = len(head) if mutator.random.random() < 0.9 else int(mutator.random.random() * 200)
        joined = head + second
        batch = decode_equal_frames(joined, size)
        if batch is None:
            yield "refused"
            continue
        one_by_one = [
            ForceFrame.from_bytes(joined[at : at + size]) for at in range(0, len(joined), size)
        ]
        assert [each.counts.tolist() for each in one_by_one] == batch.counts.tolist()
        assert [each.device_us for each in one_by_one] == batch.device_us.tolist()
        yield "batch"


def infos(inputs: int, seed: int) -> Iterator[str]:
    bare = Info(1, 1000.0, 0, 16, 0, (Calibration(0, 0, 1.0),), None, "", "")
    mutator = Mutator([bytes(INFO), bytes(bare)], seed)
    for _ in range(inputs):
        try:
            info = Info.from_bytes(mutator.draw())
        except FrameError:
            yield "FrameError"
        else:
            assert info.rate_hz >= 1
            assert 1 <= len(info.calibrations) <= 16
            yield "Info"


def calibrations(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator([bytes(each) for each in INFO.calibrations], seed)
    for _ in range(inputs):
        try:
            found = Calibration.from_bytes(mutator.draw())
        except FrameError:
            yield "FrameError"
        else:
            assert math.isfinite(found.newtons_per_count)
            yield "Calibration"


def some_responses() -> list[bytes]:
    """One of each kind."""
    return [
        bytes(Response(Opcode.START, Status.OK, bytes(4))),
        bytes(Response(Opcode.TARE, Status.OK, bytes(INFO.calibrations[0]))),
        bytes(Response(Opcode.SET_RATE, Status.OK, b"\x00\xe2\x04\x00")),
        bytes(Response(Opcode.RESEND, Status.OK, bytes(8))),
        bytes(Response(Opcode.RESEND, Status.NOT_AVAILABLE)),
    ]


def responses(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator(some_responses(), seed)
    for _ in range(inputs):
        data = mutator.draw()
        try:
            answer = Response.from_bytes(data)
        except FrameError:
            yield "FrameError"
            continue
        answer.next_sample()
        fields = 0
        for field in (answer.calibration, answer.rate_hz, answer.resend_range):
            try:
                field()
            except FrameError:
                continue
            fields += 1
        yield f"Answer with {fields} readings"


def advertisements(inputs: int, seed: int) -> Iterator[str]:
    full = (
        b"\x02\x01\x06\x05\x09band\x11\x07" + bytes(range(16)) + b"\x05\xff\x01\x02ab"
        b"\x04\x16\x0f\x18a\x02\x0a\x05\x03\x03\x0f\x18"
    )
    mutator = Mutator([full, full[:15], full[9:]], seed)
    for _ in range(inputs):
        advert = from_bumble(AdvertisingData.from_bytes(mutator.draw()))
        assert len(advert.service_uuids) <= MAX_UUIDS
        assert advert.name is None or advert.name.isprintable()
        yield "named" if advert.name else "nameless band"


def some_payloads() -> dict[str, list[bytes]]:
    """What the twins of devices of others send in some seconds, by the driver's name."""
    found = {driver.name: [bytes(3), b"\x0012.5", b"\x0112500"] for driver in DRIVERS}
    for name, kind in KINDS.items():
        twin = kind.twin(lambda time_s: 50 + 50 * np.sin(time_s), Trouble(start_us=2**16 - 20))
        twin.write("", b"C", 0.0)
        sent = twin.pump(0.0)
        twin.start(0.0)
        sent += [each for k in range(30) for each in twin.pump(0.1 * k)]
        found["sig-force" if name == "sig" else name] = [value for _, value in sent]
    return found


def foreign_payloads(inputs: int, seed: int) -> Iterator[str]:
    """Every driver in turn; the state of its link goes on over 200 payloads."""
    corpus = some_payloads()
    mutators = [Mutator(corpus[driver.name], seed) for driver in DRIVERS]
    decoders = [driver.decoder(1.0) for driver in DRIVERS]
    for k in range(inputs):
        place = k % len(DRIVERS)
        driver = DRIVERS[place]
        if k % (200 * len(DRIVERS)) < len(DRIVERS):
            decoders[place] = driver.decoder(1.0)
        got = decoders[place].receive(mutators[place].draw())
        assert not any(math.isinf(force_n) for force_n in got.force_n)
        assert len(got.stamps) in (0, len(got.force_n))
        assert all(0 <= stamp < driver.wrap for stamp in got.stamps)
        yield f"{driver.name} {'forces' if got.force_n else 'nothing'}"
