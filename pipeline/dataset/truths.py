"""The truth of a session as JSON: in the shape of `forceband analyse`, and what a judge needs more.

Rounded to 0.1 ms and 1 mN: finer, the last digits would depend on the machine's arithmetic.
"""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from firmware_sim.generator.kinds import Session
from firmware_sim.generator.truth import OptionalWindow, TrueRep, Truth
from pipeline.files.errors import FileError
from sensor.samples import Floats

TIME_DIGITS, FORCE_DIGITS = 4, 3


@dataclass(frozen=True, slots=True, eq=False)
class KnownSession:
    """What a truth file says of a session."""

    name: str
    truth: Truth
    rate_hz: float
    gaps_s: Floats
    """Stretches without samples, shape (k, 2)."""


def truth_object(name: str, session: Session) -> dict[str, Any]:
    """The JSON object of a drawn session."""
    truth = session.truth
    reps = _reps(truth.reps)
    return {
        "name": name,
        "kind": session.kind,
        "seed": session.seed,
        "tags": session.plan.tags,
        "rate_hz": session.rate_hz,
        "duration_s": _time(truth.duration_s),
        "inverted": truth.inverted,
        "reps": reps,
        "partials": [
            {
                "start_s": _time(each.start_s),
                "end_s": _time(each.end_s),
                "peak_s": _time(each.peak_s),
                "peak_n": _force(each.peak_n),
                "amplitude_n": _force(each.amplitude_n),
            }
            for each in truth.partials
        ],
        "sets": _sets(reps),
        "gaps": [{"start_s": _time(a), "end_s": _time(b)} for a, b in session.gaps_s],
        "open": [
            {
                "start_s": _time(each.start_s),
                "end_s": _time(each.end_s),
                "least": each.least,
                "most": each.most,
            }
            for each in truth.optional
        ],
    }


def _reps(reps: list[TrueRep]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    followers: list[TrueRep | None] = [*reps[1:], None][: len(reps)]
    for rep, after in zip(reps, followers, strict=True):
        number = told[-1]["rep"] + 1 if told and told[-1]["set"] == rep.set else 1
        bottom_s = None
        if after is not None and after.set == rep.set:
            bottom_s = _between(rep.end_s, after.start_s)
        phases = {
            "concentric_s": _between(rep.start_s, rep.top_start_s),
            "hold_s": _between(rep.top_start_s, rep.top_end_s),
            "eccentric_s": _between(rep.top_end_s, rep.end_s),
            "bottom_s": bottom_s,
        }
        told.append(
            {
                "set": rep.set,
                "rep": number,
                "start_s": _time(rep.start_s),
                "top_start_s": _time(rep.top_start_s),
                "top_end_s": _time(rep.top_end_s),
                "end_s": _time(rep.end_s),
                "peak_s": _time(rep.peak_s),
                "peak_n": _force(rep.peak_n),
                "valley_before_n": _force(rep.valley_before_n),
                "valley_after_n": _force(rep.valley_after_n),
                **phases,
                "tempo": _tempo(**phases),
                "tut_s": _time(rep.tut_s),
                "impulse_n_s": _force(rep.impulse_n_s),
                "rfd_n_per_s": {key: round(value, 2) for key, value in rep.rfd_n_per_s.items()},
                "span_s": [_time(each) for each in rep.span_s],
                "applied_n": _force(rep.applied_n),
                "decided": list(rep.decided),
                "cut": rep.cut,
            }
        )
    return told


def _tempo(
    concentric_s: float | None, hold_s: float | None, eccentric_s: float | None,
    bottom_s: float | None,
) -> str | None:  # fmt: skip
    if concentric_s is None or hold_s is None or eccentric_s is None:
        return None
    times_s = eccentric_s, bottom_s, concentric_s, hold_s
    return "-".join("?" if time_s is None else f"{time_s:.1f}" for time_s in times_s)


def _sets(reps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = []
    for number, group in itertools.groupby(reps, key=lambda rep: rep["set"]):
        of_set = list(group)
        start_s, end_s = of_set[0]["span_s"][0], of_set[-1]["span_s"][1]
        sets.append(
            {
                "set": number,
                "start_s": start_s,
                "end_s": end_s,
                "reps": len(of_set),
                "tut_s": _time(sum(rep["span_s"][1] - rep["span_s"][0] for rep in of_set)),
                "rest_s": _time(start_s - sets[-1]["end_s"]) if sets else None,
                "peak_n": max(rep["peak_n"] for rep in of_set),
            }
        )
    return sets


def _between(start_s: float | None, end_s: float | None) -> float | None:
    return None if start_s is None or end_s is None else _time(end_s - start_s)


def _time(seconds: float | None) -> float | None:
    # `+ 0.0` makes a negative zero positive
    return None if seconds is None else round(float(seconds), TIME_DIGITS) + 0.0


def _force(newtons: float | None) -> float | None:
    return None if newtons is None else round(float(newtons), FORCE_DIGITS) + 0.0


def read_truth(path: Path) -> KnownSession:
    """The truth that a file holds; at the least `reps` with `start_s` and `end_s`.

    Raises
    ------
    FileError
        With a sentence, if it is none.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise FileError(f"{path}: is no JSON: {error}") from error
    try:
        reps = sorted((_rep(each) for each in told["reps"]), key=lambda rep: rep.span_s[0])
        windows = [
            OptionalWindow(
                float(each["start_s"]), float(each["end_s"]), int(each["least"]), int(each["most"])
            )
            for each in told.get("open", [])
        ]
        gaps = [[float(each["start_s"]), float(each["end_s"])] for each in told.get("gaps", [])]
        last_s = max((rep.span_s[1] for rep in reps), default=0.0)
        truth = Truth(
            reps, float(told.get("duration_s", last_s)), windows, bool(told.get("inverted", False))
        )
        rate_hz = float(told.get("rate_hz", 80.0))
    except (TypeError, KeyError, ValueError, AttributeError, IndexError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise FileError(
            f"{path}: is no truth of a session: {what}; it needs `reps` with `start_s` and `end_s`"
        ) from error
    if not 0 < rate_hz < math.inf:
        raise FileError(f"{path}: a rate_hz of {rate_hz:g}")
    return KnownSession(path.stem, truth, rate_hz, np.array(gaps, float).reshape(-1, 2))


def _rep(told: dict[str, Any]) -> TrueRep:
    def number(key: str) -> float | None:
        value = told.get(key)
        return None if value is None else float(value)

    start_s, end_s = (number(key) for key in ("start_s", "end_s"))
    span = told.get("span_s", (start_s, end_s))
    if None in span:
        raise KeyError("start_s" if span[0] is None else "end_s")
    low_s, high_s = float(span[0]), float(span[1])
    if not -math.inf < low_s < high_s < math.inf:
        raise ValueError(f"a rep from {low_s:g} to {high_s:g} s")
    peak_s, peak_n = number("peak_s"), number("peak_n")
    applied_n = number("applied_n")
    if peak_n is None:
        peak_n = math.nan
    decided = [bool(each) for each in told.get("decided", (True,) * 4)]
    return TrueRep(
        set=int(told.get("set", 1)),
        span_s=(low_s, high_s),
        start_s=start_s,
        top_start_s=number("top_start_s"),
        top_end_s=number("top_end_s"),
        end_s=end_s,
        peak_s=(low_s + high_s) / 2 if peak_s is None else peak_s,
        peak_n=peak_n,
        applied_n=peak_n if applied_n is None else applied_n,
        decided=(decided[0], decided[1], decided[2], decided[3]),
        cut=bool(told.get("cut", False)),
    )
