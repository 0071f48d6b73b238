"""Long sessions lose nothing, and their memory does not grow with them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.endurance import at_full_speed


@pytest.mark.slow
def test_an_hour_with_faults_loses_nothing_and_memory_stays_flat(tmp_path: Path) -> None:
    outcome = asyncio.run(at_full_speed(1.0, tmp_path))
    assert outcome.complete, outcome.report()
    # What an hour adds are its sets and gaps, and the allocator's habits.
    assert outcome.memory.growth_mib_per_h < 25, outcome.report()


def test_a_minute_with_faults_loses_nothing(tmp_path: Path) -> None:
    outcome = asyncio.run(at_full_speed(0.02, tmp_path))
    assert outcome.complete, outcome.report()
