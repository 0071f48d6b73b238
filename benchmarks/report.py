"""Outcomes as tables."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from benchmarks.generator.kinds import CALIBRATION, KINDS, RATES_HZ
from benchmarks.live_score import LiveScore
from benchmarks.outcome import Outcome
from benchmarks.score import BOUNDARIES, FAST_ENOUGH_HZ, EdgeError, Score
from sensor.samples import Floats

BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that reads well as plain text, too."""
    lines = [list(head), *([*row] for row in rows)]
    width = [max(len(line[i]) for line in lines) for i in range(len(head))]
    lines.insert(1, ["-" * (w - (i > 0)) + ":" * (i > 0) for i, w in enumerate(width)])
    return "\n".join(
        "| "
        + " | ".join(
            cell.rjust(w) if i else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(line, width, strict=True))
        )
        + " |"
        for line in lines
    )


def _percent(part: int, whole: int, digits: int = 1) -> str:
    return f"{100 * part / whole:.{digits}f}" if whole else "-"


def _mean_p95(values: Sequence[float], factor: float, digits: int) -> tuple[str, str]:
    if not values:
        return "-", "-"
    size = np.abs(values) * factor
    return f"{size.mean():.{digits}f}", f"{np.percentile(size, 95):.{digits}f}"


def _edges(
    scores: Sequence[Score], which: int | None = None, *, outer: bool | None = None
) -> list[float]:
    """Errors of the boundaries that the curve decides, s."""
    return [
        e.error_s
        for e in _all_edges(scores)
        if e.decided and which in (None, e.which) and outer in (None, e.outer)
    ]


def _all_edges(scores: Sequence[Score]) -> list[EdgeError]:
    return [edge for score in scores for edge in score.edges]


def _right(scores: Sequence[Score | None]) -> str:
    known = [s for s in scores if s is not None]
    return _percent(sum(s.right for s in known), len(known))


def _row(name: str, some: Sequence[Outcome]) -> list[str]:
    ours = [o.ours for o in some]
    return [
        name,
        str(len(some)),
        str(sum(s.reps for s in ours)),
        _right(ours),
        str(sum(s.missed for s in ours)),
        str(sum(s.extra for s in ours)),
        *_mean_p95(_edges(ours), 1000, 1),
        _mean_p95([x for s in ours for x in s.peak_share], 100, 2)[0],
        _mean_p95([x for s in ours for x in s.tut_share], 100, 2)[0],
        _right([o.scipy for o in some]),
        _right([o.neurokit for o in some]),
    ]


def summary(outcome: Outcome) -> dict[str, object]:
    """One session for programs: what is wrong with it, and its errors."""
    ours, live = outcome.ours, outcome.live
    result: dict[str, object] = {
        "kind": outcome.kind, "seed": outcome.seed, "rate_hz": round(outcome.rate_hz, 2),
        "note": outcome.note, "right": ours.right, "reps": ours.reps, "missed": ours.missed,
        "extra": ours.extra, "sets_right": ours.sets_right, "wrong_remark": ours.wrong_remark,
        "edges_ms": [
            [BOUNDARIES[e.which], round(1000 * e.error_s, 1), e.decided, e.outer]
            for e in ours.edges
        ],
    }  # fmt: skip
    if live:
        result["live"] = {
            "agrees": live.agrees, "withdrawn": live.withdrawn, "changed_ids": live.changed_ids,
            "early": live.early, "unannounced": live.unannounced,
            "latency_ms": [round(1000 * x) for x in live.latency_s],
        }  # fmt: skip
    return result


HEAD = (
    "kind", "sessions", "reps", "right %", "missed", "extra", "bound. ms", "p95 ms",
    "peak %", "TUT %", "scipy right %", "NeuroKit2 right %",
)  # fmt: skip


def counted(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Without the sessions that are for the calibration of confidence only."""
    return [o for o in outcomes if o.kind != CALIBRATION]


def tables(outcomes: Sequence[Outcome]) -> str:
    """All tables of one run."""
    main = counted(outcomes)
    kinds = [k for k in KINDS if any(o.kind == k for o in main)]
    parts = []
    if main:
        rows = [_row(k, [o for o in main if o.kind == k]) for k in kinds]
        parts.append(table(HEAD, [*rows, _row("all", main)]))
        parts.append("By rate:\n\n" + _by_rate(main))
        parts.append("Boundaries, ms:\n\n" + _by_boundary(main))
        clear = [o.ours.sets_right for o in main if o.ours.sets_right is not None]
        parts.append(
            f"Divided into sets as meant: {_percent(sum(clear), len(clear))} % of the {len(clear)} "
            "sessions whose reps are right and whose pauses leave no doubt."
        )
    parts.append("Confidence:\n\n" + _confidence(outcomes))
    if any(o.live for o in main):
        parts.append("Live:\n\n" + _live(main))
    if main:
        parts.append("Marks:\n\n" + _marks_table(main))
    return "\n\n".join(parts)


def _by_rate(main: Sequence[Outcome]) -> str:
    def nominal(rate_hz: float) -> float:
        return min(RATES_HZ, key=lambda r: abs(np.log(r / rate_hz)))

    rows = []
    for rate in sorted(RATES_HZ):
        some = [o for o in main if nominal(o.rate_hz) == rate]
        rows.append(_row(f"{rate:.0f} Hz", some))
    return table(("rate", *HEAD[1:]), rows)


def _by_boundary(main: Sequence[Outcome]) -> str:
    every = _all_edges([o.ours for o in main])
    parts: list[tuple[str, list[EdgeError]]] = [
        (name, [e for e in every if e.which == k and e.decided])
        for k, name in enumerate(BOUNDARIES)
    ]
    for k, name in ((0, "first start of a set"), (3, "last end of a set")):
        parts.append((name, [e for e in every if e.which == k and e.decided and e.outer]))
        others = [e for e in every if e.which == k and e.decided and not e.outer]
        parts.append((f"every other {BOUNDARIES[k]}", others))
    parts += [("all", [e for e in every if e.decided]), ("all, with the undecided", every)]
    rows = []
    for name, some in parts:
        errors = [e.error_s for e in some]
        bias = f"{1000 * float(np.mean(errors)):+.1f}" if errors else "-"
        p99 = f"{1000 * float(np.percentile(np.abs(errors), 99)):.1f}" if errors else "-"
        rows.append([name, str(len(errors)), bias, *_mean_p95(errors, 1000, 1), p99])
    return table(("boundary", "number", "bias", "mean", "p95", "p99"), rows)


def _confidence(outcomes: Sequence[Outcome]) -> str:
    given = np.array([pair for o in outcomes for pair in o.ours.confidence], dtype=float)
    rows = []
    for lo, hi in itertools.pairwise(BINS):
        if not given.size:
            continue
        inside = given[(given[:, 0] >= lo) & ((given[:, 0] < hi) | (hi == 1.0))]
        if len(inside):
            rows.append([
                f"{lo:.2f} to {hi:.2f}", str(len(inside)),
                f"{100 * inside[:, 0].mean():.1f}", f"{100 * inside[:, 1].mean():.1f}",
            ])  # fmt: skip
    return table(("confidence given", "reps", "mean %", "right %"), rows)


LIVE_HEAD = (
    "live", "sessions", "as offline %", "withdrawn", "ids changed", "early", "not announced",
    "p50 ms", "p95 ms", "p99 ms", "within 300 ms %",
)  # fmt: skip


def _latency_ms(live: Sequence[LiveScore]) -> Floats:
    """Of each true rep; infinite where it was not announced before its set closed."""
    known = [x for s in live for x in s.latency_s]
    return 1000 * np.array(known + [np.inf] * sum(s.unannounced for s in live))


def _live_row(name: str, live: Sequence[LiveScore]) -> list[str]:
    latency = _latency_ms(live)
    finite = latency[np.isfinite(latency)]
    return [
        name,
        str(len(live)),
        _percent(sum(s.agrees for s in live), len(live)),
        f"{sum(s.withdrawn for s in live) / max(1, len(live)):.3f}",
        str(sum(s.changed_ids for s in live)),
        str(sum(s.early for s in live)),
        str(sum(s.unannounced for s in live)),
        *(f"{np.percentile(finite, p):.0f}" if finite.size else "-" for p in (50, 95, 99)),
        _percent(int(np.sum(latency <= 300)), latency.size),
    ]


def _live(main: Sequence[Outcome]) -> str:
    scored = [(o.kind, o.rate_hz, o.live) for o in main if o.live]
    live = [score for _, _, score in scored]
    rows = [
        _live_row(k, some) for k in KINDS if (some := [s for kind, _, s in scored if kind == k])
    ]
    rows += [
        _live_row(name, [s for _, rate, s in scored if (rate >= FAST_ENOUGH_HZ) == fast])
        for name, fast in (("all at 80 Hz and above", True), ("all at 10 Hz", False))
    ]
    phases = [x for s in live for x in s.phase_right]
    late_ms = 1000 * np.array([x for s in live for x in s.phase_late_s])
    text = table(LIVE_HEAD, [*rows, _live_row("all", live)])
    if phases and late_ms.size:
        p50, p95 = np.percentile(late_ms, [50, 95])
        text += (
            "\n\nThe phase shown in or beside a rep was true within the last 150 ms "
            f"{_percent(sum(phases), len(phases))} % of the time. A phase of 0.4 s and more was "
            f"shown after its begin by {p50:.0f} ms (p50) and {p95:.0f} ms (p95), within 150 ms "
            f"{_percent(int(np.sum(late_ms <= 150)), late_ms.size)} % of them."
        )
    return text


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
        ("boundaries, mean, ms", _edges(ours), _mean_ms, 6),
        ("boundaries, 95th percentile, ms", _edges(ours), _p95_ms, 15),
        ("first starts and last ends, mean, ms", _edges(ours, outer=True), _mean_ms, 6),
        ("first starts and last ends, p95, ms", _edges(ours, outer=True), _p95_ms, 15),
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
    latency = _latency_ms(live)
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


def _marks_table(main: Sequence[Outcome]) -> str:
    rows = [[a, b, c, "yes" if ok else "NO"] for a, b, c, ok in marks(main)]
    return table(("mark", "asked", "reached", "met"), rows)


def missed_marks(outcomes: Sequence[Outcome]) -> list[str]:
    """Names of the marks that this run misses."""
    main = counted(outcomes)
    return [name for name, _, _, ok in marks(main) if not ok] if main else []
