"""A small session as told events, for tests of what follows the analysis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.analysis.types import (
    LiveState,
    Partial,
    Phase,
    Rep,
    RepAnnounced,
    SetClosed,
    SetSummary,
)
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    Event,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.facts import SessionFacts
from sensor.samples import Gap

FACTS = SessionFacts("s-2026-01-15", "band-left", "left", "low-row", "me")
START_US = 1_768_500_000_012_501
"""An odd µs, so that a loss of precision shows."""
RATE_HZ = 80
PER_EVENT = 20
REP_S, REPS, SETS, LEAD_S, REST_S = 4.0, 5, 2, 2.0, 12.0
SET_S = REPS * REP_S
DURATION_S = LEAD_S + SETS * (SET_S + REST_S)
SAMPLES = int(DURATION_S * RATE_HZ)


def rep(set_number: int, number: int, start_s: float) -> Rep:
    """A rep of 1.6 s up, 0.4 s held, 1.6 s down and 0.4 s at the bottom; force fades."""
    peak_n = 180.0 - 4 * number - 10 * set_number
    return Rep(
        id=10 * set_number + number,
        set=set_number,
        rep=number,
        start_s=start_s,
        top_start_s=start_s + 1.6,
        top_end_s=start_s + 2.0,
        end_s=start_s + 3.6,
        peak_s=start_s + 1.8,
        peak_n=peak_n,
        valley_before_n=12.0,
        valley_after_n=12.0,
        concentric_s=1.6,
        hold_s=0.4,
        eccentric_s=1.6,
        bottom_s=0.4 if number < REPS else None,
        tut_s=3.6,
        mean_n=peak_n * 0.6,
        impulse_n_s=peak_n * 2.1,
        rfd_n_per_s={"0-100 ms": 210.0, "20-80 %": 150.0},
        metrics={"work_j": 31.5},
        absent={},
    )


def closed_set(number: int, start_s: float) -> SetClosed:
    reps = tuple(rep(number, i + 1, start_s + i * REP_S) for i in range(REPS))
    summary = SetSummary(
        set=number,
        start_s=start_s,
        end_s=reps[-1].end_s,
        reps=REPS,
        tut_s=REPS * 3.6,
        rest_s=None if number == 1 else REST_S,
        peak_n=reps[0].peak_n,
        metrics={"force_loss_percent": 9.6},
    )
    return SetClosed(summary, reps, (Partial(start_s - 1, start_s - 0.5, start_s - 0.7, 9, 7),))


def session(start_us: int = START_US) -> list[Emitted]:
    """All its events, in order."""

    def utc_us(time_s: float) -> int:
        return start_us + round(time_s * 1e6)

    events: list[tuple[float, Event]] = [
        (0.0, LinkChanged(True, "connected")),
        (0.1, BatteryChanged(87)),
        (0.2, Tared(1, 8123)),
        (0.3, Marked("note", 'felt "easy", they said')),
        *((samples.time_s[-1], samples) for samples in _force(start_us)),
        (1.0, LiveState(1.0, 12.0, Phase.REST, 0, 0, None)),
    ]
    for number in range(1, SETS + 1):
        start_s = LEAD_S + (number - 1) * (SET_S + REST_S)
        closed = closed_set(number, start_s)
        events.append((closed.summary.end_s, closed))
    events += [
        (28.5, GapFound(Gap(28.5, 30.0, 120))),
        (31.0, LinkChanged(False, "out of range")),
        (33.0, LinkChanged(True, "connected")),
        (DURATION_S, BatteryChanged(86)),
        (DURATION_S, SessionEnded(DURATION_S, SETS, SETS * REPS, SAMPLES, 120, 0)),
    ]
    events.sort(key=lambda timed: timed[0])
    return [Emitted(seq, seq, utc_us(time_s), event) for seq, (time_s, event) in enumerate(events)]


def _force(start_us: int) -> Iterator[ForceSamples]:
    time_s = np.arange(SAMPLES) / RATE_HZ
    force_n = 12 + 0.3 * np.sin(2 * np.pi * 0.7 * time_s)
    for number in range(1, SETS + 1):
        for one in closed_set(number, LEAD_S + (number - 1) * (SET_S + REST_S)).reps:
            levels = [12.0, 0.92 * one.peak_n, one.peak_n, 0.92 * one.peak_n, 12.0]
            times = [one.start_s, one.top_start_s, one.peak_s, one.top_end_s, one.end_s]
            within = (time_s >= one.start_s) & (time_s <= one.end_s)
            force_n[within] = np.interp(time_s[within], times, levels)
    utc_us = start_us + np.round(time_s * 1e6).astype(np.int64)
    for first in range(0, SAMPLES, PER_EVENT):
        part = slice(first, first + PER_EVENT)
        yield ForceSamples(first, time_s[part], force_n[part], utc_us[part], 0, False)


def reps(count: int, first_seq: int = 0) -> list[Emitted]:
    """Rep events in a row."""
    return [
        Emitted(seq, seq, 1_768_500_000_000_000 + seq, RepAnnounced(rep(1, seq, 4.0 * seq)))
        for seq in range(first_seq, first_seq + count)
    ]
