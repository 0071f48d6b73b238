"""Samples on an even grid."""

from __future__ import annotations

import numpy as np

from pipeline.analysis.grid import Grid


def test_hours_between_samples_are_holes_even_where_they_are_usual() -> None:
    time_s = np.cumsum(np.tile([0.01, 3600.0], 50))
    grid = Grid()
    pieces = [*grid.push(time_s, np.ones(100)), *grid.push(np.empty(0), np.empty(0), last=True)]
    assert sum(piece.force_n.size for piece in pieces) < 500
    assert sum(gap.end_s - gap.start_s > 3599 for gap in grid.gaps) == 50
