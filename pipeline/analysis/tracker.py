"""What the person does now: the phase, told within 150 ms, from the force so far."""

from __future__ import annotations

from pipeline.analysis.even import Even
from pipeline.analysis.settings import Settings
from pipeline.events import Phase
from sensor.samples import Floats

_SMOOTH = 0.5
"""Part of each new value in the smoothed force: 30 ms behind with a value every 20 ms."""
_LEAK = 0.02
"""Part by which the resting level follows the force with each value: a second."""
SLOWED = 0.55
"""At 90 % of a smooth rise its slope is about so much of the greatest."""
STOPPED = 0.3
"""Part of the steepest fall below which the force has come to rest."""
NEARLY = 0.85
"""A fall is worth a look when so much of the rise is gone."""
_FORGET = 400
"""After so many values at rest, 8 s, the next set may be of another exercise."""


class Tracker:
    """Follows the force on the grid and says which phase it is in.

    The levels of a phase need a peak and a valley that are still to come. While the force rises,
    its slowing down tells that the top is near; the last reps tell how high it is.
    """

    def __init__(self, settings: Settings) -> None:
        self._least = settings.floor_n / 2
        self.phase = Phase.REST
        self.force_n = 0.0
        self._even = Even()
        self._before = 0.0, 0.0, 0.0
        """The last values, over which the slope is taken."""
        self._low: float | None = None
        self._top = 0.0
        self._steepest = 0.0
        self._floor = 0.0
        self._amplitudes: list[float] = []
        self._usual = 0.0
        """Amplitude of the last reps; 0 where there are none."""
        self._rested = 0
        self._told = False
        self.ended = False
        """A pull ended, or nearly, since this was last set to False."""

    def push(self, time_s: Floats, force_n: Floats) -> None:
        """Take the next samples, shape (n,) each."""
        for value in self._even.push(time_s, force_n):
            if value is None:
                self._restart()
            else:
                self._step(value)

    def _restart(self) -> None:
        """Samples are missing: what comes does not go on from what was."""
        self._low = None
        self.phase, self._told = Phase.REST, False

    def _step(self, value: float) -> None:
        if self._low is None:
            self.force_n = self._low = value
            self._before = value, value, value
        oldest, older, old = self._before
        force = self.force_n = self.force_n + _SMOOTH * (value - self.force_n)
        slope = force - oldest
        self._before = older, old, force
        match self.phase:
            case Phase.REST:
                self._rest(force, slope)
            case Phase.CONCENTRIC:
                self._rise(force, slope)
            case Phase.HOLD:
                self._hold(force, slope)
            case _:
                self._fall(force, slope)

    def _rest(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        low = min(low + _LEAK * (force - low), force)
        self._low = low
        self._rested += 1
        if self._rested == _FORGET:
            self._amplitudes, self._usual = [], 0.0
        if force > low + max(0.1 * self._usual, self._least) and slope > 0:
            self.phase, self._told, self._rested = Phase.CONCENTRIC, False, 0
            self._top, self._steepest = force, slope

    def _rise(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        self._top = max(self._top, force)
        self._steepest = max(self._steepest, slope)
        risen = force - low
        if force < low + 0.5 * max(0.1 * self._usual, self._least):
            self.phase = Phase.REST
        elif risen < 0.9 * (self._top - low):
            self.phase, self._floor = Phase.ECCENTRIC, force
            self._steepest = 0.0
        elif slope < SLOWED * self._steepest and risen > 0.6 * self._usual:
            self.phase = Phase.HOLD

    def _hold(self, force: float, slope: float) -> None:
        self._top = max(self._top, force)
        if force < self._top - 0.1 * (self._top - (self._low or 0.0)):
            self.phase, self._floor = Phase.ECCENTRIC, force
            self._steepest = 0.0
        elif slope > 0.8 * self._steepest:
            self.phase = Phase.CONCENTRIC

    def _fall(self, force: float, slope: float) -> None:
        low = self._low or 0.0
        self._floor = min(self._floor, force)
        self._steepest = min(self._steepest, slope)
        height = self._top - low
        fallen = self._top - self._floor
        if fallen >= NEARLY * height:
            self._end()
        if force > self._top - 0.1 * height:
            self.phase, self._steepest = Phase.HOLD, abs(self._steepest)
        elif force <= low + 0.1 * height:
            self._rest_at(self._floor)
        elif fallen >= 0.5 * height and slope > STOPPED * self._steepest:
            # It stays, or rises again, at a level above where it came from.
            self._end()
            self._rest_at(self._floor)

    def _end(self) -> None:
        if not self._told:
            self._told = self.ended = True
            amplitude = self._top - max(self._low or 0.0, self._floor)
            if amplitude > 0.5 * self._usual:
                self._amplitudes = [*self._amplitudes[-2:], amplitude]
                self._usual = sorted(self._amplitudes)[len(self._amplitudes) // 2]

    def _rest_at(self, level: float) -> None:
        self._end()
        self.phase, self._low = Phase.REST, level
