"""From turning points to pulls: which falls part two pulls, and which are dips within one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.swings import Turn
from pipeline.analysis.tuples import named


class Pull(NamedTuple):
    """A rise and a fall of the force: a rep, a partial, a knock or a step, nobody has judged yet.

    Indices are those of the grid. A valley before or after is None where the samples begin or end
    in the middle of the pull.
    """

    id: int
    """Where the rise was first certain: it never changes, and no two pulls share it."""
    left: int
    peak: int
    right: int
    peak_n: float
    before_n: float | None
    after_n: float | None
    fell: int
    """Where the fall was first certain."""
    humps: int
    risen_n: float
    """From the force at `left`, be that a valley or where the samples begin, to the peak."""
    amplitude_n: float
    """Peak minus the higher valley; a valley that nobody saw does not count."""

    @property
    def rise_seen(self) -> bool:
        """Whether the samples hold the rise: from a valley, or from a low after they began."""
        return self.before_n is not None or self.left > self.id

    @property
    def length_s(self) -> float:
        """From the certain rise to the certain fall: how long it rose and was held."""
        return (self.fell - self.id) / GRID_HZ


CENSORED_SHARE = 0.35
"""A run's first (last) valley that lies higher than this in the pull is no valley: the samples
begin (end) while the band is already (still) held."""


def find_pulls(
    turns: Sequence[Turn], dip_share: float, *, run_starts: bool, run_ends: bool
) -> list[Pull]:
    """Part alternating turns, from low to low, into pulls.

    The lowest valley parts two pulls if the lower of the peaks beside it rises from it by at least
    `dip_share` of its rise from the outer valleys' mean. Otherwise the lower side belongs to the
    higher one, and the next valley is asked. So rest levels, holds that wander and humps are told
    apart by how deep they reach, not by how they look.

    Parameters
    ----------
    turns
        Alternating lows and highs in order; the first and the last are lows.
    run_starts, run_ends
        Whether nothing was recorded before the first (after the last) turn.
    """
    if len(turns) < 3:
        return []
    at, force_n, _, seen = zip(*turns, strict=True)
    valleys, peaks = force_n[::2], force_n[1::2]
    low_at, high_at, risen, fell = at[::2], at[1::2], seen[::2], seen[1::2]
    rows = []
    for first, stop in _part(valleys, peaks, dip_share, run_starts, run_ends):
        top = first if stop == first + 1 else peaks.index(max(peaks[first:stop]), first)
        peak_n, before_n, after_n = peaks[top], valleys[first], valleys[stop]
        rows.append(
            (
                risen[first],
                low_at[first],
                high_at[top],
                low_at[stop],
                peak_n,
                before_n,
                after_n,
                fell[stop - 1],
                stop - first,
                peak_n - before_n,
                peak_n - (before_n if after_n < before_n else after_n),
            )
        )
    pulls = named(Pull, rows)
    if run_starts:
        pulls[0] = _uncover_start(pulls[0], turns[::2], dip_share)
    if run_ends:
        pulls[-1] = _uncover_end(pulls[-1])
    return pulls


def _part(
    valleys: tuple[float, ...],
    peaks: tuple[float, ...],
    share: float,
    run_starts: bool,
    run_ends: bool,
) -> list[tuple[int, int]]:
    """Ranges of peaks that make one pull each."""
    if (1 - share) * min(peaks) > max(valleys) - share * min(valleys):
        # Whatever lies around it, each valley is deep enough.
        return [(at, at + 1) for at in range(len(peaks))]
    found = []
    stack = [(0, len(peaks), 0, len(peaks))]
    while stack:
        first, stop, core_first, core_stop = stack.pop()
        if core_stop - core_first == 1:
            found.append((first, stop))
            continue
        inner = valleys[core_first + 1 : core_stop]
        valley = min(inner)
        cut = core_first + 1 + inner.index(valley)
        left, right = max(peaks[core_first:cut]), max(peaks[cut:core_stop])
        lower = min(left, right)
        before, after = valleys[first], valleys[stop]
        if run_starts and first == 0 and _unseen(before, after, max(left, right)):
            before = after
        elif run_ends and stop == len(peaks) and _unseen(after, before, max(left, right)):
            after = before
        outer = (before + after) / 2
        if lower - valley >= share * (lower - outer):
            stack.append((cut, stop, cut, core_stop))
            stack.append((first, cut, core_first, cut))
        elif left < right:
            stack.append((first, stop, cut, core_stop))
        else:
            stack.append((first, stop, core_first, cut))
    return found


def _unseen(valley: float, other: float, peak: float) -> bool:
    """Whether a valley where the samples begin or end is too high, beside the other, to be one."""
    return valley - other >= CENSORED_SHARE * (peak - other)


def _uncover_start(pull: Pull, lows: Sequence[Turn], rise_share: float) -> Pull:
    """The first pull without a valley that nobody saw.

    If the band is held when the samples begin, and the person lets go a little before pulling, the
    rise is that from there on, be it `rise_share` of the fall. Its amplitude is that of the fall.
    """
    before, after = pull.before_n, pull.after_n
    if before is None or after is None or not _unseen(before, after, pull.peak_n):
        return pull
    pull = pull._replace(before_n=None, amplitude_n=pull.peak_n - after)
    low = min((low for low in lows if low.at <= pull.peak), key=lambda low: low.force_n)
    risen_n = pull.peak_n - low.force_n
    if low.at == pull.left or risen_n < rise_share * (pull.peak_n - after):
        return pull
    return pull._replace(left=low.at, risen_n=risen_n)


def _uncover_end(pull: Pull) -> Pull:
    before, after = pull.before_n, pull.after_n
    if before is None or after is None or not _unseen(after, before, pull.peak_n):
        return pull
    return pull._replace(after_n=None, amplitude_n=pull.peak_n - before)
