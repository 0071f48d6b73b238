"""The band's firmware as a pure state machine: time and commands in, frames and responses out.

It samples from power-on until it sleeps, whether anybody listens or not, so that the last two
minutes can always be asked for. docs/protocol.md says how it behaves; this is that behaviour.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from firmware_sim.device.gauge import Reading
from firmware_sim.device.ring import Samples
from firmware_sim.device.sampler import RING_MARGIN_S, ClockConfig, Sampler
from firmware_sim.device.sending import LiveFrames, Packet, Resends
from sensor.errors import FrameError
from sensor.samples import Floats, Ints
from sensor.wire.frames import Flag
from sensor.wire.profile import (
    MAX_CALIBRATIONS,
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    BandCurve,
    Calibration,
    Info,
    Opcode,
    Response,
    Status,
)

RATES_HZ = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1000.0)
"""What this band's ADC can do, besides the rate it was built for; SET_RATE takes the nearest."""
TARE_S = 0.5
LOW_BATTERY_PERCENT = 15
IDENTIFY_S = 3.0
STEP_S = 10.0

_RANGE = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class FirmwareConfig:
    """What one band was built with."""

    seed: int = 0
    clock: ClockConfig = field(default_factory=ClockConfig)
    calibration: Calibration = field(default_factory=lambda: Calibration(0, 0, 1e-4))
    curve: BandCurve | None = None
    adc_bits: int = 24
    model: str = "forceband"
    firmware: str = "1.0.0"
    battery_percent: float = 87.0
    battery_hours: float = 40.0

    def __post_init__(self) -> None:
        if not MIN_RATE_HZ <= self.clock.rate_hz <= MAX_RATE_HZ:
            raise ValueError(f"rate_hz not in {MIN_RATE_HZ}..{MAX_RATE_HZ}: {self.clock.rate_hz}")
        if not (0 <= self.battery_percent <= 100 and self.battery_hours > 0):
            raise ValueError("battery_percent in 0..100 and battery_hours above 0")


class Firmware:
    """One band. `adc` converts the force at given times (n,), in s, into a `Reading` (n,).

    Time is the simulation's, in s; it never goes back. `advance` moves the band on, everything else
    happens at the time of the last `advance`.
    """

    def __init__(
        self, config: FirmwareConfig, adc: Callable[[Floats], Reading], now_s: float = 0.0
    ) -> None:
        self.config = config
        self._adc = adc
        self._calibrations = [config.calibration]
        self._active = config.calibration
        self._charge_s = config.battery_percent / 100 * config.battery_hours * 3600
        self._rng = np.random.default_rng((config.seed, 0x71C))
        self._boots = 0
        self._handlers: dict[Opcode, Callable[[bytes], Response]] = {
            Opcode.START: self._start,
            Opcode.STOP: self._stop,
            Opcode.TARE: self._tare,
            Opcode.SET_RATE: self._set_rate,
            Opcode.SET_CALIBRATION: self._set_calibration,
            Opcode.RESEND: self._resend,
            Opcode.IDENTIFY: self._identify,
            Opcode.SLEEP: self._sleep,
        }
        self._power_on(config.clock, now_s)

    def power_cycle(self, now_s: float) -> None:
        """Start again, as after a flat battery: index, clock and memory go, tares are kept."""
        self.advance(now_s)
        self._power_on(replace(self.config.clock, start_us=0, first_sample=0), self._now_s)

    def _power_on(self, clock: ClockConfig, now_s: float) -> None:
        seed = np.random.SeedSequence((self.config.seed, 0xB007, self._boots))
        self._boots += 1
        self.boot_id = int(seed.generate_state(1)[0])
        self.streaming = False
        self.asleep = False
        self.identify_until_s = now_s
        self._now_s = now_s
        self._sampler = Sampler(clock, self._adc, self._rng, now_s)
        self._live = LiveFrames(self._sampler)
        self._resends = Resends(now_s)

    @property
    def rate_hz(self) -> float:
        """The nominal rate, as set."""
        return self._sampler.rate_hz

    @property
    def info(self) -> Info:
        """The value of the Info characteristic."""
        return Info(
            self.boot_id,
            self.rate_hz,
            self._sampler.promised,
            self.config.adc_bits,
            self._active.id,
            tuple(self._calibrations),
            self.config.curve,
            self.config.model,
            self.config.firmware,
        )

    @property
    def battery_percent(self) -> int:
        whole_s = self.config.battery_hours * 3600
        return max(0, min(100, round(100 * self._charge_s / whole_s)))

    @property
    def next_sample(self) -> int:
        """Index, not wrapped, of the next sample to be taken."""
        return self._sampler.ring.next

    def advance(self, now_s: float) -> list[Packet]:
        """Move on to `now_s`: sample, and return the frames that became ready, in order."""
        packets: list[Packet] = []
        while not self.asleep and now_s > self._now_s:
            # While samples are resent, the memory must not move on far in one go.
            step_s = RING_MARGIN_S / 4 if self._resends else STEP_S
            until_s = min(now_s, self._now_s + step_s)
            low = self.battery_percent < LOW_BATTERY_PERCENT
            self._charge_s -= until_s - self._now_s
            self._sampler.advance(until_s, self._active.id, Flag.LOW_BATTERY if low else Flag(0))
            self._now_s = until_s
            if self.streaming:
                packets += sorted(
                    [
                        *self._live.packets(until_s),
                        *self._resends.packets(self._sampler.ring, until_s),
                    ],
                    key=lambda packet: packet.time_s,
                )
            else:
                self._live.skip()
                packets += self._resends.packets(self._sampler.ring, until_s)
            self.asleep = self._charge_s <= 0
        self._now_s = max(self._now_s, now_s)
        return packets

    def command(self, data: bytes) -> Response:
        """Carry out what was written to the control characteristic; any bytes get a response."""
        opcode = data[0] if data else 0
        try:
            handler = self._handlers[Opcode(opcode)]
        except ValueError:
            return Response(opcode, Status.UNKNOWN_COMMAND)
        return handler(bytes(data[1:]))

    def link_lost(self) -> None:
        """Nobody listens any more: no frames until the next START; sampling goes on."""
        self.streaming = False
        self._resends.clear()

    def held(self, first: int) -> Samples:
        """The samples in memory from index `first` on, for other services."""
        ring = self._sampler.ring
        return ring.read(min(max(first, ring.first), ring.next), ring.next)

    def newtons(self, counts: Ints) -> Floats:
        """Force by the calibration that is in force now, N."""
        scaled = (counts - self._active.zero_counts) * self._active.newtons_per_count
        return np.asarray(scaled, np.float64)

    def force_n(self, window_s: float = 0.25) -> float | None:
        """Mean force of the last `window_s`; None before the first sample."""
        counts = self._latest(window_s)
        return float(self.newtons(counts).mean()) if counts.size else None

    def sample_time_s(self, index: int) -> float:
        """When the sample of that index (not wrapped) is or was taken, at the present rate."""
        return self._sampler.time_s(index)

    @property
    def resending(self) -> bool:
        """Whether samples that were asked for again are still to come."""
        return bool(self._resends)

    def next_due_s(self) -> float:
        """When `advance` has something to send, if nothing happens before; inf while idle."""
        if self.asleep:
            return np.inf
        live_s = self._live.due_s() if self.streaming else np.inf
        return min(live_s, self._resends.due_s() if self._resends else np.inf)

    def _position(self) -> bytes:
        return (self.next_sample % 2**32).to_bytes(4, "little")

    def _latest(self, window_s: float) -> Ints:
        return self.held(self.next_sample - max(1, round(window_s * self.rate_hz))).counts

    def _start(self, argument: bytes) -> Response:
        if argument:
            return Response(Opcode.START, Status.BAD_ARGUMENT)
        self.streaming = True
        return Response(Opcode.START, Status.OK, self._position())

    def _stop(self, argument: bytes) -> Response:
        if argument:
            return Response(Opcode.STOP, Status.BAD_ARGUMENT)
        self.streaming = False
        self._live.skip()
        return Response(Opcode.STOP, Status.OK, self._position())

    def _tare(self, argument: bytes) -> Response:
        if argument:
            return Response(Opcode.TARE, Status.BAD_ARGUMENT)
        counts = self._latest(TARE_S)
        if not counts.size:
            return Response(Opcode.TARE, Status.NOT_AVAILABLE)
        self._adopt(replace(self._active, zero_counts=round(float(counts.mean()))))
        return Response(Opcode.TARE, Status.OK, bytes(self._active))

    def _set_calibration(self, argument: bytes) -> Response:
        try:
            self._adopt(Calibration.from_bytes(argument))
        except FrameError:
            return Response(Opcode.SET_CALIBRATION, Status.BAD_ARGUMENT)
        return Response(Opcode.SET_CALIBRATION, Status.OK, bytes(self._active))

    def _adopt(self, calibration: Calibration) -> None:
        """Put it in force under a number of its own; the oldest falls out of the table."""
        self._active = replace(calibration, id=(self._active.id + 1) % 256)
        self._calibrations = [*self._calibrations[-MAX_CALIBRATIONS + 1 :], self._active]
        self._sampler.new_segment()

    def _set_rate(self, argument: bytes) -> Response:
        wanted_hz = int.from_bytes(argument, "little") / 1000
        if len(argument) != 4 or not MIN_RATE_HZ <= wanted_hz <= MAX_RATE_HZ:
            return Response(Opcode.SET_RATE, Status.BAD_ARGUMENT)
        rates_hz = sorted({*RATES_HZ, self.config.clock.rate_hz})
        taken_hz = min(rates_hz, key=lambda rate_hz: abs(rate_hz - wanted_hz))
        if taken_hz != self.rate_hz:
            self._sampler.set_rate(taken_hz)
            self._resends.forget_before(self._sampler.ring.first)
        return Response(Opcode.SET_RATE, Status.OK, round(taken_hz * 1000).to_bytes(4, "little"))

    def _resend(self, argument: bytes) -> Response:
        if len(argument) != _RANGE.size:
            return Response(Opcode.RESEND, Status.BAD_ARGUMENT)
        asked, count = _RANGE.unpack(argument)
        if not 0 < count <= 2**31:
            return Response(Opcode.RESEND, Status.BAD_ARGUMENT)
        ring = self._sampler.ring
        # What is not yet in a frame comes in one anyway, as long as the band streams.
        known = self._live.next if self.streaming else ring.next
        ago = (known - asked + 2**31) % 2**32 - 2**31
        first = max(known - ago, ring.first, ring.next - self._sampler.promised)
        end = min(known - ago + count, known)
        if first >= end:
            return Response(Opcode.RESEND, Status.NOT_AVAILABLE)
        self._resends.add(first, end, self._now_s)
        return Response(Opcode.RESEND, Status.OK, _RANGE.pack(first % 2**32, end - first))

    def _identify(self, argument: bytes) -> Response:
        if argument:
            return Response(Opcode.IDENTIFY, Status.BAD_ARGUMENT)
        self.identify_until_s = self._now_s + IDENTIFY_S
        return Response(Opcode.IDENTIFY, Status.OK)

    def _sleep(self, argument: bytes) -> Response:
        if argument:
            return Response(Opcode.SLEEP, Status.BAD_ARGUMENT)
        self.link_lost()
        self.asleep = True
        return Response(Opcode.SLEEP, Status.OK)
