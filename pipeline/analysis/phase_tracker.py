"""The phase of this instant, reported within 150 ms, from the force so far."""

from __future__ import annotations

import math
from collections import deque
from statistics import median

from pipeline.analysis.preprocess import BRIDGE_S, GRID_HZ, SPIKE_N
from pipeline.analysis.types import Phase, Settings

STEP_S = 1 / GRID_HZ

_SMOOTH = 0.5
"""Part of each new value in the smoothed force: 30 ms behind with a value every 20 ms."""
_LEAK = 0.02
"""Part by which the resting level follows the force with each value: a second."""
SLOWED, SURELY = 0.35, 2.0
"""Near the top, so little of the steepest slope is left; waiting for less would come too late.
Above 90 % of the usual height more will do, up to twice as much."""
FAR_BELOW = 0.6
"""Of the usual height: from there up to 90 % a rise may slow down, below it is not the top."""
BEYOND = 1.08
"""A force that goes on to grow by this was not near its top."""
LONG_HOLD = 250
"""Values: what has been up for 5 s is held, and wanders; slow reps take less."""
DEEP = 0.4
"""No hold wanders by this part of its height."""
STEEP = 0.05
"""Nor by this part within 0.2 s: whoever lets go is faster."""
AGAIN = 0.05
"""A fall that turns back by this part of the height was a dip."""
STOPPED = 0.3
"""Part of the steepest fall below which the force has come to rest."""
GENTLE, CREEPS = 0.04, 0.01
"""Parts of the height: a fall is slow that never went by more within 60 ms; it is over when it goes
by less within 0.2 s."""
PAUSED, PAUSE = 0.1, 250
"""Who pauses higher than this on the way down and soon, 5 s, falls by as much more, goes on."""
SWING = 0.12
"""A fall by so much may be all of a rep on a band that stays stretched."""
NEARLY = 0.85
"""A fall is worth a look when so much of the rise is gone."""
SMALL = 0.25
"""No rep is so small beside the last ones, even where effort grows from a third to full."""
_FORGET = 400
"""After so many values at rest, 8 s, the next set may be of another exercise."""


class PhaseTracker:
    """Follows the force on the grid and says which phase it is in.

    The levels of a phase need a peak and a valley that are still to come. While the force rises,
    its slowing down tells that the top is near; the last reps tell how high it is.
    """

    def __init__(self, settings: Settings) -> None:
        self._least = settings.floor_n / 2
        self._ways = {
            Phase.REST: self._rest,
            Phase.CONCENTRIC: self._rise,
            Phase.HOLD: self._hold,
            Phase.ECCENTRIC: self._fall,
        }
        self._enter(Phase.REST)
        self.force_n = 0.0
        self._even = Even()
        self._last: deque[float] = deque([0.0] * 11, maxlen=11)
        """0.2 s of smoothed values; the slope is taken over the newest 60 ms."""
        self._low: float | None = None
        self._top = 0.0
        self._entered = 0.0
        """Force at which the hold began."""
        self._held = 0
        """Values since the first hold of the pull began, without its rises."""
        self._steepest = 0.0
        self._floor = self._before = 0.0
        self._amplitudes: list[float] = []
        self._usual = 0.0
        """Amplitude of the last reps; 0 where there are none."""
        self._rested = 0
        self._told = False
        self._crest = 0.0
        """Highest since a pull may have ended."""
        self.stopped = False
        """A pull on a stretched band may have ended since this was last set to False."""
        self.ended = False
        """A pull ended, or nearly, since this was last set to False."""
        self.small = False
        """Whether it was too small to be a rep beside those before."""

    def push(self, times_s: list[float], forces_n: list[float]) -> None:
        """Take the next samples."""
        last = self._last
        for value in self._even.push(times_s, forces_n):
            if value is None:
                # Samples are missing: what comes does not go on from what was.
                self._low = None
                self._enter(Phase.REST)
                self._told = False
                continue
            if self._low is None:
                self.force_n = self._low = value
                last.extend([value] * 11)
            force = self.force_n = self.force_n + _SMOOTH * (value - self.force_n)
            slope = force - last[-3]
            last.append(force)
            self._follow(force, slope)
            self._watch(force, slope)

    def _remember(self, amplitude_n: float) -> None:
        self._amplitudes = [*self._amplitudes[-2:], amplitude_n]
        self._usual = median(self._amplitudes)

    def _enter(self, phase: Phase) -> None:
        """Be in this phase; its method takes the values that come."""
        self.phase, self._follow = phase, self._ways[phase]

    def _rest(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        low = min(low + _LEAK * (force - low), force)
        self._low = low
        self._rested += 1
        if self._rested == _FORGET:
            self._amplitudes, self._usual = [], 0.0
        if self._goes_on(force):
            self._low = self._before
            self._enter(Phase.ECCENTRIC)
        elif force > low + max(0.1 * self._usual, self._least) and slope > 0:
            self._enter(Phase.CONCENTRIC)
            self._told, self._rested, self._held = False, 0, 0
            self._top, self._steepest = force, slope

    def _goes_on(self, force: float) -> bool:
        """Whether what seemed to be rest, above where the pull began, was a pause in its fall."""
        height = self._top - self._before
        up = self._floor - self._before > PAUSED * height
        return up and self._rested < PAUSE and self._floor - force > PAUSED * height

    def _rise(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        self._top = max(self._top, force)
        self._steepest = max(self._steepest, slope)
        risen = force - low
        if force < low + 0.5 * max(0.1 * self._usual, self._least):
            self._enter(Phase.REST)
        elif risen < 0.9 * (self._top - low):
            self._enter(Phase.ECCENTRIC)
            self._floor, self._steepest = force, 0.0
        elif self._slows(force, risen, slope):
            self._enter(Phase.HOLD)
            self._entered = force

    def _slows(self, force: float, risen: float, slope: float) -> bool:
        """Whether the top is near; far below the usual one only what rises no more is a hold."""
        share = 1.0
        if self._usual:
            share = (risen / self._usual - FAR_BELOW) / (0.9 - FAR_BELOW)
        if share <= 0:
            return force <= self._last[0]
        return slope < SLOWED * min(share, SURELY) * self._steepest

    def _hold(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        self._top = max(self._top, force)
        self._held += 1
        if self._falls(force):
            self._enter(Phase.ECCENTRIC)
            self._floor, self._steepest = force, 0.0
        elif force == self._top and (
            slope > self._steepest or force - low > BEYOND * (self._entered - low)
        ):
            self._enter(Phase.CONCENTRIC)

    def _falls(self, force: float) -> bool:
        """Whether the top is over; a long hold wanders, so more is asked of it."""
        height, fallen = self._top - (self._low or 0.0), self._top - force
        if self._held < LONG_HOLD or fallen > DEEP * height:
            return fallen > 0.1 * height
        return fallen > 0.1 * height and self._last[0] - force > STEEP * height

    def _fall(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        self._floor = min(self._floor, force)
        self._steepest = min(self._steepest, slope)
        self._held += 1
        height = self._top - low
        fallen = self._top - self._floor
        if fallen >= NEARLY * height:
            self._end()
        goes_on = fallen < 0.5 * height and force > self._floor + AGAIN * height
        if goes_on or not self._falls(force):
            self._enter(Phase.HOLD)
            self._steepest, self._entered = abs(self._steepest), force
        elif force <= low + 0.1 * height:
            self._rest_at(self._floor)
        elif fallen >= 0.5 * height and self._stopped(slope, force, height):
            # It stays, or rises again, at a level above where it came from.
            self._end()
            self._rest_at(self._floor)

    def _watch(self, force: float, slope: float) -> None:
        """Whether the force has come down by what may be a rep on a stretched band, and stops."""
        self._crest = max(self._crest, force)
        height = self._crest - (self._low or 0.0)
        deep = self._crest - force > max(SWING * height, self._least)
        if deep and slope > -CREEPS * height:
            self.stopped = True
            self._crest = force

    def stand_on(self, low_n: float) -> None:
        """The band stays stretched, say those who know more: it rests at this level."""
        self._low = low_n

    def _stopped(self, slope: float, force: float, height: float) -> bool:
        """Whether the fall is over; one that was slow all the time may slow down and go on."""
        if slope <= STOPPED * self._steepest:
            return False
        slow = self._steepest > -GENTLE * height
        return not slow or self._last[0] - force < CREEPS * height

    def _end(self) -> None:
        if not self._told:
            self._told = self.ended = True
            amplitude = self._top - max(self._low or 0.0, self._floor)
            self.small = amplitude < SMALL * self._usual
            if amplitude > 0.5 * self._usual:
                self._remember(amplitude)

    def _rest_at(self, level: float) -> None:
        self._end()
        self._enter(Phase.REST)
        self._before, self._low = self._low or 0.0, level


class Even:
    """Samples in, force every 20 ms out; None where samples were missing for long.

    Each value is the mean of the samples since the one before; where there are none, values lie on
    the line. A sample that stands out from the two before it waits for the next: if that goes back,
    it was a spike.
    """

    def __init__(self) -> None:
        self._origin_s = 0.0
        self._slot, self._next_s = -1, -math.inf
        """Of the last value; and where the next is due."""
        self._value = 0.0
        self._sum, self._count = 0.0, 0
        self._one, self._two = 0.0, 0.0
        """The last two samples taken, the newer first."""
        self._waits: tuple[float, float] | None = None

    def push(self, times_s: list[float], forces_n: list[float]) -> list[float | None]:
        """Take samples in the order of time."""
        values: list[float | None] = []
        total, count, next_s = self._sum, self._count, self._next_s
        for time_s, force in self._without_spikes(times_s, forces_n):
            total += force
            count += 1
            if time_s >= next_s:
                if time_s < next_s + STEP_S:  # as nearly always
                    self._value = total / count
                    values.append(self._value)
                    self._slot += 1
                    self._next_s = self._origin_s + (self._slot + 1) / GRID_HZ
                else:
                    self._give(time_s, force, total / count, values)
                total, count, next_s = 0.0, 0, self._next_s
        self._sum, self._count = total, count
        return values

    def _without_spikes(
        self, times_s: list[float], forces_n: list[float]
    ) -> list[tuple[float, float]]:
        """Those samples that stay; one that waits is not among them yet."""
        sound: list[tuple[float, float]] = []
        one, two, waits = self._one, self._two, self._waits
        for sample in zip(times_s, forces_n, strict=True):
            force = sample[1]
            if waits is not None and not math.isnan(force):
                if abs(force - waits[1]) < abs(force - one):
                    sound.append(waits)
                    one, two = waits[1], one
                waits = None
            if abs(force - one) <= abs(one - two) + SPIKE_N:
                sound.append(sample)
                one, two = force, one
            elif not math.isnan(force):
                waits = sample
        self._one, self._two, self._waits = one, two, waits
        return sound

    def _give(self, now_s: float, force: float, value: float, values: list[float | None]) -> None:
        """Add the value that is due, and those on the line before it."""
        if self._slot < 0:
            self._origin_s = now_s
        slot = max(int((now_s - self._origin_s) * GRID_HZ), self._slot + 1)
        if now_s > self._next_s + BRIDGE_S:
            value = force
            values.append(None)
        elif slot > self._slot + 1:
            each = (value - self._value) / (slot - self._slot)
            values += [self._value + each * i for i in range(1, slot - self._slot)]
        values.append(value)
        self._value, self._slot = value, slot
        self._next_s = self._origin_s + (slot + 1) / GRID_HZ
