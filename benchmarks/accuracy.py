"""How right the analysis is: randomised sessions of every kind, against scipy and NeuroKit2.

python -m benchmarks.accuracy [--sessions N] [--seed S] [--kind K] [--jobs J] [--write]
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import report
from benchmarks.generator.kinds import CALIBRATION, KINDS, make_session
from benchmarks.live_score import LiveScore, score_live, suits
from benchmarks.rivals import evenly, neurokit, scipy_limit
from benchmarks.score import Score, score, score_peaks
from pipeline.analysis.offline import analyse

PUBLICATION_SEED = 1_000_000
"""From here on nobody looks at a session while working on the analysis; below is for that."""
MIXED_TIMES = 6
DOUBTFUL_SHARE = 12
"""One session in so many is for the calibration of the confidence only."""


@dataclass(frozen=True, slots=True)
class Job:
    kind: str
    seed: int
    rivals: bool
    live: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """One session, judged."""

    kind: str
    seed: int
    rate_hz: float
    note: str
    ours: Score
    scipy: Score | None
    neurokit: Score | None
    live: LiveScore | None


def run(job: Job) -> Outcome:
    """Make a session, analyse it in every way asked for, and judge the answers."""
    session = make_session(job.kind, job.seed)
    note = " ".join(session.plan.tags)
    try:
        found = analyse(session.time_s, session.force_n).reps
    except ValueError as error:  # it refuses the samples: every rep is missed
        found, note = [], f"{note} refused: {error}"
    rivals: list[Score | None] = [None, None]
    if job.rivals:
        even, rate_hz = evenly(session.time_s, session.force_n)
        start_s = float(session.time_s.min())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rivals = [
                score_peaks(session, start_s + find(even, rate_hz) / rate_hz)
                for find in (scipy_limit, neurokit)
            ]
    live = score_live(session, found) if job.live and suits(session) else None
    return Outcome(
        job.kind, job.seed, session.rate_hz, note,
        score(session, found), rivals[0], rivals[1], live,
    )  # fmt: skip


def jobs_for(sessions: int, seed: int, kind: str | None, *, rivals: bool, live: bool) -> list[Job]:
    """So many sessions, the kinds in turn, `mixed` six times; each counts its seeds from `seed`."""
    kinds = [kind] if kind else [*KINDS, *["mixed"] * (MIXED_TIMES - 1)]
    used: Counter[str] = Counter()
    jobs = []
    for i in range(sessions):
        name = kinds[i % len(kinds)]
        number = used[name]
        used[name] += 1
        # Every other session is told live, which costs more than all the rest.
        jobs.append(Job(name, seed + number, rivals, live and number % 2 == 0))
    if not kind:
        extra = range(sessions // DOUBTFUL_SHARE)
        jobs += [Job(CALIBRATION, seed + i, rivals=False, live=False) for i in extra]
    return jobs


def main(argv: list[str] | None = None) -> int:
    """Run and print; 1 if a mark is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--sessions", type=int, default=320)
    parser.add_argument("--seed", type=int, help="first seed; below 1000000 for development")
    parser.add_argument("--kind", choices=[*KINDS, CALIBRATION])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-rivals", action="store_true", help="leave out scipy and NeuroKit2")
    parser.add_argument("--no-live", action="store_true", help="leave out the live analysis")
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else (PUBLICATION_SEED if args.write else 0)
    if args.write and seed < PUBLICATION_SEED:
        parser.error(f"what is published has seeds from {PUBLICATION_SEED} on, not {seed}")
    todo = jobs_for(
        args.sessions, seed, args.kind, rivals=not args.no_rivals, live=not args.no_live
    )
    started = time.perf_counter()
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            outcomes = list(pool.map(run, todo, chunksize=4))
    else:
        outcomes = [run(job) for job in todo]
    seconds = time.perf_counter() - started
    text = report.tables(outcomes)
    print(text)
    print(f"\n{len(todo)} sessions in {seconds:.0f} s")
    wrong = [o for o in outcomes if not o.ours.right and o.kind != CALIBRATION]
    for o in wrong:
        print(
            f"wrong: {o.kind}, seed {o.seed}, {o.rate_hz:.1f} Hz: {o.ours.missed} missed, "
            f"{o.ours.extra} extra of {o.ours.reps} {o.note}"
        )
    if args.write:
        command = f"python -m benchmarks.accuracy --sessions {args.sessions} --seed {seed} --write"
        path = Path(__file__).parents[1] / "docs" / "accuracy.md"
        path.write_text(report.page(text, command), encoding="utf-8")
        print(f"wrote {path}")
    return 1 if report.missed_marks(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
