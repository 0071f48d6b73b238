"""Counters against the truth: each with its figures, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.dataset.answers import Answer, read_answers
from pipeline.dataset.judging import Score, score, score_peaks
from pipeline.dataset.truths import KnownSession, read_truth
from pipeline.files.errors import FileError


@dataclass(frozen=True, slots=True)
class Counter:
    """What a counter scored."""

    name: str
    scores: dict[str, Score]
    """By session; of those that it did not answer all is missed."""
    unanswered: int
    foreign: int
    """Answers about sessions that the truth lacks: left out."""

    def figures(self) -> dict[str, Any]:
        """Plain values, None where the counter does not tell what is asked."""
        scores = list(self.scores.values())
        reps = sum(each.reps for each in scores)
        missed, extra = (sum(getattr(each, key) for each in scores) for key in ("missed", "extra"))
        edges_ms = [1000 * abs(e.error_s) for each in scores for e in each.edges if e.decided]
        peaks = [100 * abs(share) for each in scores for share in each.peak_share]
        tut = [100 * abs(share) for each in scores for share in each.tut_share]
        sets = [each.sets_right for each in scores if each.sets_right is not None]
        return {
            "counter": self.name,
            "sessions": len(scores),
            "unanswered": self.unanswered,
            "sessions_right_percent": _rounded(100 * np.mean([each.right for each in scores])),
            "reps": reps,
            "missed": missed,
            "extra": extra,
            "wrong_per_100_reps": _rounded(100 * (missed + extra) / max(reps, 1)),
            "sets_right_percent": _rounded(100 * np.mean(sets)) if sets else None,
            "boundary_mean_ms": _rounded(np.mean(edges_ms)) if edges_ms else None,
            "boundary_p95_ms": _rounded(np.percentile(edges_ms, 95)) if edges_ms else None,
            "peak_mean_percent": _rounded(np.mean(peaks)) if peaks else None,
            "tut_mean_percent": _rounded(np.mean(tut)) if tut else None,
        }

    @property
    def place(self) -> tuple[float, ...]:
        """Smaller is better: sessions wrong, reps wrong, boundaries off."""
        told = self.figures()
        edges = told["boundary_mean_ms"]
        right, wrong = told["sessions_right_percent"], told["wrong_per_100_reps"]
        return -right, wrong, float("inf") if edges is None else edges


def rank(truth: Path, found: Sequence[Path]) -> list[Counter]:
    """Judge answers against a truth file or a folder of them; the best first.

    Raises
    ------
    FileError
        With a sentence, if the one or the other cannot be taken.
    """
    known = known_sessions(truth)
    counters = [_judged(truth, known, path, read_answers(path)) for path in found]
    return sorted(counters, key=lambda counter: counter.place)


def known_sessions(truth: Path) -> dict[str, KnownSession]:
    """The sessions of a truth file, or of a data set's folder, by name."""
    if not truth.is_dir():
        session = read_truth(truth)
        return {session.name: session}
    paths = sorted(each for each in truth.glob("*.json") if each.name != "croissant.json")
    if not paths:
        raise FileError(f"{truth}: there is no truth (NAME.json) in this folder")
    return {path.stem: read_truth(path) for path in paths}


def _judged(
    truth: Path, known: dict[str, KnownSession], path: Path, answers: list[Answer]
) -> Counter:
    given: dict[str, Answer] = {}
    foreign = 0
    if len(known) == len(answers) == 1 and answers[0].name not in known:
        given = {next(iter(known)): answers[0]}  # one of each: it is plain which is meant
    else:
        for answer in answers:
            if answer.name not in known:
                foreign += 1
            elif answer.name in given:
                raise FileError(f"{path}: answers twice about {answer.name}")
            else:
                given[answer.name] = answer
    if not given:
        raise FileError(
            f"{path}: no answer is about a session of {truth}; each names its file in `file`"
        )
    scores = {
        name: _score(session, given[name]) if name in given else _nothing(session)
        for name, session in known.items()
    }
    return Counter(str(path), scores, len(known) - len(given), foreign)


def _score(session: KnownSession, answer: Answer) -> Score:
    if answer.count is not None:
        return _count(session, answer.count)
    if answer.peaks_s is not None:
        return score_peaks(session, np.array(answer.peaks_s))
    result = score(session, answer.reps, answer.remarks)
    if not session.truth.reps or not any(rep.set for rep in answer.reps):
        result.sets_right = None  # there are none, or the counter does not tell them
    return result


def _count(session: KnownSession, count: int) -> Score:
    """A number alone may be right by chance: nobody can match it to reps."""
    reps = len(session.truth.reps)
    least = reps + sum(window.least for window in session.truth.optional)
    most = reps + sum(window.most for window in session.truth.optional)
    missed, extra = max(0, least - count), max(0, count - most)
    return Score(right=not missed and not extra, reps=reps, missed=missed, extra=extra)


def _nothing(session: KnownSession) -> Score:
    """No answer: every rep is missed, and the session is not right even if it holds none."""
    reps = len(session.truth.reps)
    return Score(right=False, reps=reps, missed=reps)


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 2)
