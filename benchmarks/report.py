"""Outcomes as tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from benchmarks.live_score import LiveScore
from benchmarks.marks import all_edges, counted, edges_s, latency_ms, marks
from benchmarks.outcome import Outcome
from firmware_sim.generator.kinds import KINDS, RATES_HZ
from pipeline.dataset.judging import BOUNDARIES, FAST_ENOUGH_HZ, EdgeError, Score

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
        *_mean_p95(edges_s(ours), 1000, 1),
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
        "extra": ours.extra,
        "missed_s": [round(x, 2) for x in ours.missed_s],
        "extra_s": [round(x, 2) for x in ours.extra_s],
        "sets_right": ours.sets_right, "wrong_remark": ours.wrong_remark,
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
    every = all_edges([o.ours for o in main])
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


def _live_row(name: str, live: Sequence[LiveScore]) -> list[str]:
    latency = latency_ms(live)
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


def _marks_table(main: Sequence[Outcome]) -> str:
    rows = [[a, b, c, "yes" if ok else "NO"] for a, b, c, ok in marks(main)]
    return table(("mark", "asked", "reached", "met"), rows)
