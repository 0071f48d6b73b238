"""Outcomes as tables, and the page docs/accuracy.md."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.generator.kinds import CALIBRATION, KINDS, RATES_HZ
from benchmarks.score import BOUNDARIES, FAST_ENOUGH_HZ, Score

if TYPE_CHECKING:
    from benchmarks.accuracy import Outcome

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


def _boundaries(
    scores: Sequence[Score], which: int | None = None, *, undecided: bool = False
) -> list[float]:
    return [
        error
        for score in scores
        for k, error, decided in score.boundary_s
        if (decided or undecided) and which in (None, k)
    ]


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
        *_mean_p95(_boundaries(ours), 1000, 1),
        _mean_p95([x for s in ours for x in s.peak_share], 100, 2)[0],
        _mean_p95([x for s in ours for x in s.tut_share], 100, 2)[0],
        _right([o.scipy for o in some]),
        _right([o.neurokit for o in some]),
    ]


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
    ours = [o.ours for o in main]
    parts: list[tuple[str, int | None, bool]] = [(n, k, False) for k, n in enumerate(BOUNDARIES)]
    parts += [("all", None, False), ("all, with the undecided", None, True)]
    rows = []
    for name, k, undecided in parts:
        errors = _boundaries(ours, k, undecided=undecided)
        every = _boundaries(ours, k, undecided=True)
        bias = f"{1000 * float(np.mean(errors)):+.1f}" if errors else "-"
        p99 = f"{1000 * float(np.percentile(np.abs(errors), 99)):.1f}" if errors else "-"
        left_out = str(len(every) - len(errors))
        rows.append([name, str(len(errors)), bias, *_mean_p95(errors, 1000, 1), p99, left_out])
    return table(("boundary", "number", "bias", "mean", "p95", "p99", "undecided, left out"), rows)


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


def _live(main: Sequence[Outcome]) -> str:
    told = [(o.rate_hz, o.live) for o in main if o.live]
    live = [score for _, score in told]
    phases = [x for s in live for x in s.phase_right]
    late_ms = 1000 * np.array([x for s in live for x in s.phase_late_s])
    rows = [
        ["sessions told live, cut at random", str(len(live))],
        ["final reps equal to offline, % of sessions",
         _percent(sum(s.agrees for s in live), len(live))],
        ["withdrawn announcements per session",
         f"{sum(s.withdrawn for s in live) / max(1, len(live)):.3f}"],
        ["true reps not announced before their set closed",
         str(sum(s.unannounced for s in live))],
        ["phase shown in or beside a rep true within the last 150 ms, % of the time",
         _percent(sum(phases), len(phases))],
    ]  # fmt: skip
    if late_ms.size:
        rows += [
            ["phase of 0.4 s and more first shown after its begin: p50 / p95, ms",
             "{:.0f} / {:.0f}".format(*np.percentile(late_ms, [50, 95]))],
            ["the same within 150 ms, %", _percent(int(np.sum(late_ms <= 150)), late_ms.size)],
        ]  # fmt: skip
    for name, some in (
        ("at 80 Hz and above", [s for rate, s in told if rate >= FAST_ENOUGH_HZ]),
        ("at 10 Hz", [s for rate, s in told if rate < FAST_ENOUGH_HZ]),
    ):
        latency = 1000 * np.array([x for s in some for x in s.latency_s])
        if latency.size:
            p50, p95, p99 = np.percentile(latency, [50, 95, 99])
            rows += [
                [f"announced after the end, {name}: p50 / p95 / p99 / largest, ms",
                 f"{p50:.0f} / {p95:.0f} / {p99:.0f} / {latency.max():.0f}"],
                [f"announced within 300 ms, {name}, %",
                 _percent(int(np.sum(latency <= 300)), latency.size)],
            ]  # fmt: skip
    return table(("live", "value"), rows)


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
        ("boundaries, mean, ms", _boundaries(ours), _mean_ms, 10),
        ("boundaries, 95th percentile, ms", _boundaries(ours), _p95_ms, 30),
        ("peak, mean, %", [x for s in ours for x in s.peak_share], _mean_percent, 0.8),
        ("time under tension, mean, %", [x for s in ours for x in s.tut_share], _mean_percent, 0.8),
    ]
    for name, values, measure, mark in measured:
        if values:
            got = measure(values)
            rows.append((name, f"≤ {mark:g}", f"{got:.2f}", got <= mark))
    return rows


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


PAGE = """# How right the analysis is

Written by `{command}`; do not edit.

Each session is drawn anew from its seed by `benchmarks/generator/`, which shares nothing with the
simulated band of `firmware_sim/`: a person (thirty manners of pulling and waiting, eight shapes of
rise and fall), a rubber band (Mooney-Rivlin) and a gauge with its faults. The truth is read off the
noise-free curve by the definitions of [analysis.md](analysis.md). Seeds from {first} on are for
this page; those below were used during development.

- *right*: every true rep is matched by one found rep, and nothing else is found. Matched means that
  each covers at least half of the other. Where the extent of a rep is open, less of the true one is
  enough: 10 % where the recording cuts it, 30 % beside the taking up or putting down of the band.
- `mixed` sessions join a manner of moving, one of the set, and one to three faults of the gauge;
  their noise is at most 1/25 and their hum 1/15 of the smallest peak.
- No truth is a toss: what does not count is at most 40 % of its neighbours (knocks 50 %), reps are
  at least 55 % of theirs, and missing stretches are shorter than the upper half of a rep.
- *bound.*: absolute error of the four phase boundaries, mean and 95th percentile, at 80 Hz and
  above. Left out are those outside the recording, those where they or the peak lie within missing
  samples, those beside the picking up and putting down of a pulled band, where the valley is a
  matter of taste, and the undecided: a level of 1 % more or less moves them by over 300 ms, as
  where a long hold wanders along 90 % and noise chooses the crossing. The table of boundaries tells
  how many those are, and the errors with them.
- *peak*: absolute error of the peak as a share of the force applied, at every rate. Tare error and
  drift are part of the true curve, as no gauge can know them; tremor, hum and noise are not.
- *TUT*: absolute error of a rep's time under tension as a share of it, at 80 Hz and above.
- *scipy*: `sosfiltfilt` at 5 Hz and `find_peaks` with a prominence of 30 % of the range.
  *NeuroKit2*: its low pass at 5 Hz and `signal_findpeaks` at 30 %. For both, one peak within every
  rep and none elsewhere counts as right, which is less than what is asked of ours.
- *confidence*: of the reps that were given so much, how many are right. Here alone count sessions
  with pulls of 40 to 62 % of their neighbours, which a person might count or not.

{tables}

{versions}
"""


def page(tables_text: str, command: str) -> str:
    """The text of docs/accuracy.md."""
    from benchmarks.accuracy import PUBLICATION_SEED

    names = ("numpy", "scipy", "neurokit2")
    versions = f"Python {platform.python_version()}, " + ", ".join(
        f"{n} {version(n)}" for n in names
    )
    return PAGE.format(
        command=command, first=PUBLICATION_SEED, tables=tables_text, versions=versions + "."
    )
