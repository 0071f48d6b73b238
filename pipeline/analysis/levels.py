"""Where a set goes over to one with another band: each is held against itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.analysis.company import AS_LONG_SHARE, Cluster
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.medians import median
from pipeline.analysis.pulls import Pull

EVEN_SHARE = 0.7
"""If the least of some pulls is this part of the greatest, all are alike."""
ROW, TWITCHES = 4, 2
"""So many even pulls, perhaps with twitches between them, are a row; they are held against up to as
many of another level."""
LEVEL_PAUSE_S, LEVEL_PAUSE_RATIO = 5.0, 1.5
"""It takes so long, from where the force falls, to change to another band, and so much longer than
the pauses within the row."""
TUG_S = 0.4
"""Pulls that rise and are held for less, and for less than those beside them, are tugs."""
FAINT_SHARE = 0.07
"""A row that is smaller than this part of the pulls beside it is none: hands swing."""


def by_level(
    pulls: Sequence[Pull],
    all_amplitudes: list[float],
    all_begins: list[int],
    cluster: Cluster,
    rep_share: float,
) -> list[Cluster]:
    """The cluster in parts: a row of even pulls and, after a pause, pulls of another level.

    So a set with a lighter band right after one with a heavy band is held against itself. Partials
    at a set's end go on in its rhythm; trials before it are uneven or few, and tugs are short.
    """
    amplitudes = [all_amplitudes[at] for at in cluster]
    if min(amplitudes) >= rep_share * max(amplitudes):
        return [cluster]
    begins, ends = [all_begins[at] for at in cluster], [pulls[at].fell for at in cluster]
    pauses = [begin - end for begin, end in zip(begins[1:], ends, strict=False)]
    cuts = [0]
    for place, pause in enumerate(pauses, 1):
        if pause < LEVEL_PAUSE_S * GRID_HZ:
            continue
        low, high = sorted(amplitudes[place - 1 : place + 1])
        if low >= EVEN_SHARE * high:
            continue  # the level goes on
        before = range(place - 1, max(place - 1 - ROW - TWITCHES, cuts[-1] - 1), -1)
        after = range(place, min(place + ROW + TWITCHES, len(cluster)))
        down = amplitudes[place - 1] > amplitudes[place]
        row, beside = (after, before[:ROW]) if down else (before, after[:ROW])
        chosen = _row(row, amplitudes, rep_share)
        if not chosen:
            continue
        level_n, beside_n = (median(amplitudes[at] for at in some) for some in (chosen, beside))
        length_s, beside_s = (
            median(pulls[cluster[at]].length_s for at in some) for some in (chosen, beside)
        )
        if (
            FAINT_SHARE * beside_n <= level_n < EVEN_SHARE * beside_n
            and length_s >= min(TUG_S, AS_LONG_SHARE * beside_s)
            and pause > LEVEL_PAUSE_RATIO * median(pauses[min(chosen) : max(chosen)])
        ):
            cuts.append(place)
    return [cluster[cut:stop] for cut, stop in pairwise([*cuts, len(cluster)])]


def _row(places: Sequence[int], amplitudes: list[float], rep_share: float) -> list[int]:
    """The first pulls if, without twitches, they are even, or even on each side; else none."""
    if len(places) < ROW:
        return []
    least = rep_share * median(amplitudes[at] for at in places)
    row = [at for at in places if amplitudes[at] >= least][:ROW]
    heights = [amplitudes[at] for at in row]
    if len(row) < ROW or min(heights) < rep_share * max(heights):
        return []
    sides = heights[::2], heights[1::2]
    return row if all(min(side) >= EVEN_SHARE * max(side) for side in sides) else []
