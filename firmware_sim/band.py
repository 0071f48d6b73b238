"""One simulated band with the person who pulls it, all from one seed; no radio, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from firmware_sim.device.defects import DefectiveFirmware
from firmware_sim.device.firmware import Firmware, FirmwareConfig
from firmware_sim.device.gauge import Gauge, GaugeConfig, Reading
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.person.elastic import Elastic
from firmware_sim.person.truth import RepTruth
from firmware_sim.person.weights import Weights
from firmware_sim.person.workout import Person, Workout
from sensor.samples import Floats

LETS_GO_S = 0.6
"""A person who does something else lets go of the band within so long."""


@dataclass(frozen=True, slots=True)
class BandSetup:
    """Everything that makes one simulated band differ from another.

    `curve_sd` is the relative standard uncertainty of the force-elongation curve that the band
    reports; its error is drawn from it. With `waits` the person starts when the band first streams
    rather than when it is switched on.
    """

    seed: int = 1
    workout: Workout = field(default_factory=Workout)
    colour: str = "green"
    clock: ClockConfig = field(default_factory=ClockConfig)
    gauge: GaugeConfig = field(default_factory=GaugeConfig)
    curve_sd: float = 0.05
    battery_percent: float = 87.0
    battery_hours: float = 40.0
    waits: bool = False
    defect: str | None = None
    """A promise that its firmware breaks (`firmware_sim.device.defects`)."""
    weights_kg: tuple[float, ...] = ()
    """What hangs from it, one after the other, in place of a person."""
    serial: str | None = None
    """Four hexadecimal digits, which the address follows from; None: drawn from the seed."""


def puller(setup: BandSetup, elastic: Elastic) -> Person | Weights:
    """Who or what pulls."""
    if setup.weights_kg:
        return Weights(setup.weights_kg)
    return Person(setup.workout, elastic, setup.seed)


class Band:
    """Elastic, person, gauge and firmware, joined."""

    def __init__(self, setup: BandSetup | None = None) -> None:
        self.setup = setup = setup or BandSetup()
        rng = np.random.default_rng((setup.seed, 0xBA9D))
        self.elastic = Elastic.of_colour(setup.colour, rng)
        error = 1 + setup.curve_sd * float(rng.standard_normal())
        curve = replace(self.elastic, scale=self.elastic.scale * error).curve(setup.curve_sd)
        drawn = f"{int(rng.integers(16**4)):04X}"
        self.serial = setup.serial or drawn
        self._person = puller(setup, self.elastic)
        self._turns, self._turning = 0, False
        self._gauge = Gauge(setup.gauge, setup.seed)
        self._began_s = None if setup.waits else 0.0
        self._lets_go: tuple[Person | Weights, float] | None = None
        """Who pulled before, and when that began, while the hands let go."""
        config = FirmwareConfig(
            seed=setup.seed,
            clock=setup.clock,
            calibration=setup.gauge.calibration,
            curve=curve,
            model=f"forceband {setup.colour}",
            battery_percent=setup.battery_percent,
            battery_hours=setup.battery_hours,
        )
        self.firmware = (
            Firmware(config, self._convert)
            if setup.defect is None
            else DefectiveFirmware(setup.defect, config, self._convert)
        )

    @property
    def end_s(self) -> float | None:
        """When the workout is over, once that is known."""
        end_s = self._person.end_s
        return None if end_s is None or self._began_s is None else end_s + self._began_s

    def truth(self, until_s: float = np.inf) -> list[RepTruth]:
        """Every pull that ended by `until_s`, of what was sampled so far; seconds since power-on.

        Sample k after the first power-on is taken at `firmware.sample_time_s(k)`.
        """
        began_s = self._began_s or 0.0
        return [rep.shifted(began_s) for rep in self._person.truth(until_s - began_s)]

    def follow(self, workout: Workout) -> None:
        """Do this from the next sample on: what is in the hands is let go first."""
        if self._began_s is not None:
            self._lets_go = self._person, self._began_s
            self._turning = True
        self._turns += 1
        self._person = Person(workout, self.elastic, self.setup.seed + self._turns)

    def _convert(self, time_s: Floats) -> Reading:
        if self._turning or (self._began_s is None and self.firmware.streaming):
            self._began_s, self._turning = float(time_s[0]), False
        if self._began_s is None:
            return self._gauge.read(time_s, np.zeros(time_s.size))
        force_n = self._person.force_n(time_s - self._began_s)
        if self._lets_go is not None:
            before, began_s = self._lets_go
            held = np.clip(1 - (time_s - self._began_s) / LETS_GO_S, 0.0, 1.0)
            force_n = force_n + held * before.force_n(time_s - began_s)
            if not held[-1]:
                self._lets_go = None
        return self._gauge.read(time_s, force_n)
