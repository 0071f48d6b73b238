"""The marks of accuracy: what is asked, and whether a run reaches it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.live_score import LiveScore
from benchmarks.outcome import Outcome
from firmware_sim.generator.kinds import CALIBRATION
from pipeline.dataset.judging import EdgeError, Score
from sensor.samples import Floats


def counted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Without the sessions that are for the calibration of confidence only."""
    return [o for o in outcomes if o.kind != CALIBRATION]


def edges_s(
    scores: Sequence[Score], which: int | None = None, *, outer: bool | None = None
) -> list[float]:
    """Errors of the boundaries that the curve decides, s."""
    return [
        e.error_s
        for e in all_edges(scores)
        if e.decided and which in (None, e.which) and outer in (None, e.outer)
    ]


def all_edges(scores: Sequence[Score]) -> list[EdgeError]:
    return [edge for score in scores for edge in score.edges]


def latency_ms(live: Sequence[LiveScore]) -> Floats:
    """Of each true rep; infinite where it was not announced before its set closed."""
    known = [x for s in live for x in s.latency_s]
    return 1000 * np.array(known + [np.inf] * sum(s.unannounced for s in live))


def marks(main: Sequence[Outcome]) -> list[tuple[str, str, str, bool]]:
    """Name, mark, reached, and whether it is met."""
    ours = [o.ours for o in main]
    share = 100 * float(np.mean([s.right for s in ours]))
    kinds = {o.kind for o in main}
    worst = min(
        (100 * float(np.mean([o.ours.right for o in main if o.kind == k])), k) for k in kinds
    )
    rows = [
        ("sessions with every rep right, %", "≥ 99", f"{share:.2f}", share >= 99),
        ("worst kind, %", "≥ 95", f"{worst[0]:.1f} ({worst[1]})", worst[0] >= 95),
    ]
    measured: list[tuple[str, list[float], Callable[[list[float]], float], float]] = [
        ("boundaries, mean, ms", edges_s(ours), _mean_ms, 6),
        ("boundaries, 95th percentile, ms", edges_s(ours), _p95_ms, 15),
        ("first starts and last ends, mean, ms", edges_s(ours, outer=True), _mean_ms, 6),
        ("first starts and last ends, p95, ms", edges_s(ours, outer=True), _p95_ms, 15),
        ("peak, mean, %", [x for s in ours for x in s.peak_share], _mean_percent, 0.5),
        ("time under tension, mean, %", [x for s in ours for x in s.tut_share], _mean_percent, 0.5),
    ]
    for name, values, measure, mark in measured:
        if values:
            got = measure(values)
            rows.append((name, f"≤ {mark:g}", f"{got:.2f}", got <= mark))
    live = [o.live for o in main if o.live]
    return rows + _live_marks(live) if live else rows


def _live_marks(live: Sequence[LiveScore]) -> list[tuple[str, str, str, bool]]:
    latency = latency_ms(live)
    p95 = float(np.percentile(latency[np.isfinite(latency)], 95))
    soon = 100 * float(np.mean(latency <= 300))
    withdrawn = sum(s.withdrawn for s in live) / len(live)
    agreeing, changed = sum(s.agrees for s in live), sum(s.changed_ids for s in live)
    return [
        ("announced after the end, p95, ms", "≤ 200", f"{p95:.0f}", p95 <= 200),
        ("announced within 300 ms, %", "≥ 99", f"{soon:.1f}", soon >= 99),
        ("withdrawn in a session", "≤ 0.12", f"{withdrawn:.3f}", withdrawn <= 0.12),
        ("reps that changed their id", "0", str(changed), changed == 0),
        ("live as offline, sessions", str(len(live)), str(agreeing), agreeing == len(live)),
    ]


def _mean_ms(values: list[float]) -> float:
    return 1000 * float(np.mean(np.abs(values)))


def _p95_ms(values: list[float]) -> float:
    return 1000 * float(np.percentile(np.abs(values), 95))


def _mean_percent(values: list[float]) -> float:
    return 100 * float(np.mean(np.abs(values)))


def missed_marks(outcomes: Sequence[Outcome]) -> list[str]:
    """Names of the marks that this run misses."""
    main = counted(outcomes)
    return [name for name, _, _, ok in marks(main) if not ok] if main else []
