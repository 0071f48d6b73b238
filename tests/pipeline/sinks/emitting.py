"""Single events as a session tells them, numbered and timed, for tests of the live page."""

from __future__ import annotations

import numpy as np

from pipeline.session.events import Emitted, Event, ForceSamples
from tests.example_session import START_US


def emitted(event: Event, time_s: float = 0.0) -> Emitted:
    return Emitted(0, 0, START_US + round(time_s * 1e6), event)


def samples(
    first: int, count: int, rate_hz: float = 80.0, level_n: float = 20.0, late: bool = False
) -> Emitted:
    """`count` samples of a wave that lies above `level_n`, from index `first`."""
    index = np.arange(first, first + count)
    time_s = index / rate_hz
    force_n = level_n + 10 * np.sin(time_s) ** 2
    utc_us = START_US + np.round(time_s * 1e6).astype(np.int64)
    return emitted(ForceSamples(first, time_s, force_n, utc_us, 0, late), (first + count) / rate_hz)
