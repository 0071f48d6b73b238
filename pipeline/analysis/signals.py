"""One run of force on the grid: as it came, smoothed to measure, and more to detect."""

from __future__ import annotations

from pipeline.analysis.grid import FINE, FINE_HZ, GRID_HZ
from pipeline.analysis.smooth import Smoother, flat_gaussian
from pipeline.analysis.swings import Swings, Turn
from pipeline.analysis.tape import Tape
from sensor.samples import Floats

MEASURE_HZ = 8.0
"""Cut-off of the force in which peaks and phases are measured."""
DETECT_HZ = 4.0
"""Cut-off of the force in which pulls are found: no rep is faster, most tremor is."""
DETECT_STEP = 2
"""The detection force is kept at every second grid index."""

_MEASURE = flat_gaussian(MEASURE_HZ, FINE_HZ)
_DETECT = flat_gaussian(DETECT_HZ, GRID_HZ / DETECT_STEP)


class Run:
    """Signals of one run, from its first grid index on, as far as they are settled."""

    def __init__(self, first_tick: int, threshold_n: float) -> None:
        self.first = -(-first_tick // FINE)
        self.grid = Tape(self.first)
        self._tick = first_tick
        self.measure = Tape(self.first)
        self.detect = Tape(-(-self.first // DETECT_STEP))
        """Indexed by grid index / `DETECT_STEP`."""
        self._measure = Smoother(_MEASURE, first_tick, FINE)
        self._detect = Smoother(_DETECT, 0)
        self._swings = Swings(threshold_n)

    @property
    def settled(self) -> int:
        """Grid index up to which turns are known."""
        return self.detect.end * DETECT_STEP

    @property
    def rising(self) -> bool:
        return self._swings.rising

    def push(self, force_n: Floats, *, last: bool = False) -> list[Turn]:
        """Take the next values of the fine grid; return the turns that are certain now."""
        self.grid.append(force_n[-self._tick % FINE :: FINE])
        self._tick += force_n.size
        smooth = self._measure.push(force_n, last=last)
        begin = self.measure.end
        self.measure.append(smooth)
        coarse = smooth[(-begin) % DETECT_STEP :: DETECT_STEP]
        heavy = self._detect.push(coarse, last=last)
        first = self.detect.end
        self.detect.append(heavy)
        return self._swings.push(first * DETECT_STEP, DETECT_STEP, heavy)

    def end_turn(self) -> Turn | None:
        return self._swings.end()

    def ahead(self, force_n: Floats, since: int) -> tuple[Run, list[Turn]]:
        """This run from grid index `since` on as if it ended after these values, and its turns.

        The run itself is not changed.
        """
        other = Run.__new__(Run)
        other.first, other._tick = self.first, self._tick
        other._measure, other._detect = self._measure.copy(), self._detect.copy()
        other._swings = self._swings.copy()
        other.grid = self.grid.copy(since)
        other.measure = self.measure.copy(since)
        other.detect = self.detect.copy(since // DETECT_STEP)
        turns = other.push(force_n, last=True)
        return other, turns

    def forget_before(self, index: int) -> None:
        self.grid.forget_before(index)
        self.measure.forget_before(index)
        self.detect.forget_before(index // DETECT_STEP)
