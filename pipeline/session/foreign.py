"""Samples of other makers' devices in their place: decoded by their driver, timed, tared by us."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pipeline.analysis.types import Rep, Settings
from pipeline.session.assembly import Part
from pipeline.session.events import ForceSamples
from pipeline.session.time_axis import PowerOn, TimeAxis
from sensor.drivers.driver import COARSE_N, Capabilities, Decoder, Driver, Timing
from sensor.samples import Floats, ForceBlock, Gap
from sensor.timeline.clock import ClockFit
from sensor.timeline.even import EvenClock
from sensor.timeline.foreign import ArrivalClock, ForeignClock, Run, StampedClock
from sensor.timeline.ledger import Ledger
from sensor.wire.profile import BandCurve, Calibration

TARE_S = 0.5
NAMED_GAP_S = 0.1
"""A shorter one is counted, and bridged by a line: some devices lose a sample in every fifteen."""
FLOOR_STEPS = 3
"""A pull is at least so many of the steps in which a device tells force."""


class ForeignAssembly:
    """The samples of a session with a device that is not ours; see `Assembly`.

    Parameters
    ----------
    driver
        Which device.
    arrivals
        Whether samples are wanted as they arrive, too.
    """

    curve: BandCurve | None = None
    ledger = Ledger(80.0, 0)
    """Nothing can be asked for again."""

    def __init__(self, driver: Driver, *, arrivals: bool) -> None:
        self.driver = driver
        self.axis = TimeAxis()
        self.samples = 0
        self.missing = 0
        self.bad_frames = 0
        self.end_s = 0.0
        self.said: list[str] = []
        """Sentences about the device since they were last taken, each once."""
        self.battery_percent: int | None = None
        self._arrivals = arrivals
        self._known: set[str] = set()
        self._zero_n = 0.0
        self._latest: deque[tuple[float, float]] = deque(maxlen=1000)
        """Time and force before the tare, of the last samples."""
        self._next_index = 0
        self._attach(1.0)

    def attach(self, scale: float) -> list[Part]:
        """A link began: the device may have been switched off and on."""
        parts = self.settle(end=True)
        self._attach(scale)
        return parts

    def _attach(self, scale: float) -> None:
        self._decoder: Decoder = self.driver.decoder(scale)
        self._clock = _clock(self.driver)
        self._doubted = 0
        self._power = PowerOn(None)
        self._lost: int | None = 0
        self._restarted = False
        self._forces: deque[float] = deque()
        self._first = 0
        """Place of the first of `_forces` in the clock's count."""

    @property
    def begun(self) -> bool:
        """Whether any sample came."""
        return self._power.device_us0 is not None

    @property
    def clock_fit(self) -> ClockFit | None:
        """The device's clock against UTC, if it has one."""
        stamped = self.driver.capabilities.timing is Timing.STAMPED
        return self._power.clock.fit if stamped else None

    @property
    def held_s(self) -> float:
        """Samples wait for a moment only."""
        return 0.0

    def frame(self, payload: bytes, received_us: int) -> list[Part]:
        """A payload of the device. Any bytes are taken; what cannot be read is counted."""
        decoded = self._decoder.receive(payload)
        self.bad_frames += decoded.bad
        self._say(decoded.said)
        if decoded.battery_percent is not None:
            self.battery_percent = decoded.battery_percent
        force_n, stamps = decoded.arrays()
        if not force_n.size:
            return []
        self._forces.extend(decoded.force_n)
        runs = self._clock.place(force_n.size, stamps, received_us)
        self.bad_frames += self._clock.doubted - self._doubted
        self._doubted = self._clock.doubted
        return self._taken(runs, received_us)

    def info(self, payload: bytes) -> list[Part]:
        """Only our own band says such; in another's log it is a fault."""
        self.bad_frames += 1
        return []

    def response(self, payload: bytes, received_us: int) -> Calibration | None:
        """The same."""
        del payload, received_us
        self.bad_frames += 1
        return None

    def settle(self, *, end: bool = False) -> list[Part]:
        """What still waits, at the end of a link."""
        return self._taken(self._clock.flush(), None) if end else []

    def finish(self) -> list[Part]:
        """The end of the log."""
        return self.settle(end=True)

    def tare(self) -> Calibration | None:
        """Take the force of the last half second as zero; None where there is none."""
        if not self._latest:
            return None
        since_s = self._latest[-1][0] - TARE_S
        zero_n = float(np.mean([force for time_s, force in self._latest if time_s >= since_s]))
        self._zero_n = zero_n
        return Calibration(0, round(np.clip(zero_n * 1000, -8e6, 8e6)), 1e-3)

    def _taken(self, runs: list[Run], received_us: int | None) -> list[Part]:
        parts: list[Part] = []
        for whole in runs:
            for run, raw_n in self._known_parts(whole, self._forces_of(whole)):
                parts += self._placed(run, received_us)
                time_s = self._power.time_s(run.times_us)
                force_n = raw_n - self._zero_n
                index = self._next_index
                if self._arrivals:
                    utc_us = self._power.clock.utc_us(run.times_us)
                    parts.append(ForceSamples(index, time_s, force_n, utc_us, 0, late=False))
                parts.append(ForceBlock(index, time_s, force_n))
                self._latest.extend(zip(time_s.tolist(), raw_n.tolist(), strict=True))
                self.samples += force_n.size
                self.end_s = float(time_s[-1])
                self._next_index += force_n.size
        return parts

    def _known_parts(self, run: Run, raw_n: Floats) -> Iterator[tuple[Run, Floats]]:
        """The parts of a run whose forces the device knew; the others are as good as lost."""
        self._lost = None if self._lost is None or run.lost is None else self._lost + run.lost
        self._restarted |= run.restarted
        known = np.isfinite(raw_n)
        edges, at = [0, known.size], 0
        if not known.all():
            edges = np.flatnonzero(np.diff(known, prepend=False, append=False)).tolist()
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            lost = None if self._lost is None else self._lost + start - at
            times_us, at = run.times_us[start:stop], stop
            yield Run(run.first + start, times_us, lost, self._restarted), raw_n[start:stop]
            self._lost, self._restarted = 0, False
        self._lost = None if self._lost is None else self._lost + raw_n.size - at

    def _forces_of(self, run: Run) -> Floats:
        while self._first < run.first:  # left out: they came twice, or their stamps cannot be
            self._forces.popleft()
            self._first += 1
        raw = np.array([self._forces.popleft() for _ in range(run.times_us.size)])
        self._first += raw.size
        return raw

    def _placed(self, run: Run, received_us: int | None) -> list[Part]:
        """Put a run on the session's time axis; the gap before it, if there is one to name."""
        if run.restarted:
            self._power = PowerOn(None)
        first_us, last_us = int(run.times_us[0]), int(run.times_us[-1])
        if self.driver.capabilities.timing is not Timing.STAMPED:
            self._power.clock.arrived(last_us, last_us)
        elif received_us is not None:
            self._power.clock.arrived(last_us, received_us)
        began = not self.begun
        if began:
            self.axis.add(self._power, 0, first_us, self.end_s, self._next_index)
            self._next_index = self._power.index0
        if not self.samples:
            return []
        start_s = float(self._power.time_s(first_us))
        lost = None if began else run.lost
        self.missing += lost or 0
        self._next_index += lost or 0
        if lost == 0 or (lost is not None and start_s - self.end_s < NAMED_GAP_S):
            return []
        return [Gap(self.end_s, start_s, lost)]

    def _say(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if sentence not in self._known:
                self._known.add(sentence)
                self.said.append(sentence)

    def take_said(self) -> list[str]:
        """What there is to say about the device since the last call."""
        said, self.said = self.said, []
        return said


def settings_for(settings: Settings, capabilities: Capabilities) -> Settings:
    """Settings under which the steps of a coarse gauge are no pulls."""
    floor_n = max(settings.floor_n, FLOOR_STEPS * capabilities.resolution_n)
    return replace(settings, floor_n=floor_n)


def allowed(rep: Rep, capabilities: Capabilities) -> Rep:
    """A rep without the metrics that the device's samples do not carry, each with the reason."""
    absent, metrics, rfd = dict(rep.absent), dict(rep.metrics), rep.rfd_n_per_s
    if not capabilities.tells_rfd:
        rfd = {}
        absent["rfd_n_per_s"] = f"this device cannot tell it: {capabilities.words()}"
    if capabilities.resolution_n >= COARSE_N:
        metrics["peak_uncertainty_n"] = round(capabilities.resolution_n / 2, 2)
    phases = {}
    for name, value in (("concentric_s", rep.concentric_s), ("eccentric_s", rep.eccentric_s)):
        told = value is None or value >= capabilities.shortest_phase_s
        phases[name] = value if told else None
        if not told:
            absent[name] = f"shorter than {capabilities.shortest_phase_s:g} s: too slow a device"
    return rep._replace(
        rfd_n_per_s=rfd,
        metrics=metrics,
        absent=absent,
        concentric_s=phases["concentric_s"],
        eccentric_s=phases["eccentric_s"],
    )


def _clock(driver: Driver) -> ForeignClock:
    capabilities = driver.capabilities
    match capabilities.timing:
        case Timing.STAMPED:
            return StampedClock(driver.tick_us, driver.wrap)
        case Timing.COUNTED:
            return EvenClock(capabilities.rate_hz, driver.wrap)
        case Timing.EVEN:
            return EvenClock(capabilities.rate_hz)
        case Timing.ARRIVAL:
            return ArrivalClock()
