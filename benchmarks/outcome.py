"""One session drawn, analysed in every way asked for, and judged."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass

from benchmarks.live_score import LiveScore, score_live, suits
from benchmarks.rivals import evenly, neurokit, scipy_limit
from firmware_sim.generator.kinds import CALIBRATION, KINDS, make_session
from pipeline.analysis import analyse
from pipeline.analysis.types import Rep, SetSummary
from pipeline.dataset.judging import Score, score, score_peaks

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
    found: list[Rep] = []
    sets: list[SetSummary] = []
    remarks: list[str] = []
    try:
        answer = analyse(session.time_s, session.force_n)
        found, sets = list(answer.reps), list(answer.sets)
        remarks = list(getattr(answer, "remarks", ()))
    except ValueError as error:  # it refuses the samples: every rep is missed
        note = f"{note} refused: {error}"
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
    live = score_live(session, found, sets) if job.live and suits(session) else None
    return Outcome(
        job.kind, job.seed, session.rate_hz, note,
        score(session, found, remarks), rivals[0], rivals[1], live,
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
        # Every other session is analysed live, which costs more than all the rest.
        jobs.append(Job(name, seed + number, rivals, live and number % 2 == 0))
    if not kind:
        extra = range(sessions // DOUBTFUL_SHARE)
        jobs += [Job(CALIBRATION, seed + i, rivals=False, live=False) for i in extra]
    return jobs
