"""Events as InfluxDB line protocol: pure text, and the same event gives the same lines again.

Timestamps are whole µs since 1970 UTC. A closed set is emitted at the UTC of its end, so its reps
lie at `emitted.utc_us - (set end - rep end)`; a gap at its start. docs/influxdb.md has the schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipeline.analysis.types import Phase, Rep, SetClosed
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.facts import SessionFacts

WRITTEN = (
    ForceSamples,
    SetClosed,
    GapFound,
    LinkChanged,
    BatteryChanged,
    Tared,
    Marked,
    SessionEnded,
)
"""The classes of events that become lines; of the rest, `lines` makes none."""

MAX_TEXT = 1000
"""Characters of a text field that are kept; texts come from radio and people."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SPECIAL = re.compile(r"([,= ])")

Fields = Mapping[str, float | int | str | None]


def lines(facts: SessionFacts, emitted: Emitted) -> list[str]:
    """Lines of one event, in the order of its parts; none for a class not in `WRITTEN`."""
    match emitted.event:
        case ForceSamples():
            return _force(facts, emitted.event)
        case SetClosed():
            return list(_closed_set(facts, emitted.utc_us, emitted.event))
        case _:
            return _link(facts, emitted)


def point(measurement: str, tags: Mapping[str, str], fields: Fields, utc_us: int) -> str:
    """One line: tags sorted, ints with `i`; absent and non-finite fields are left out.

    Returns
    -------
    str
        Without a line break; empty if no field is left, for a point needs one.
    """
    body = ",".join(
        f"{_name(key)}={text}"
        for key, value in fields.items()
        if (text := _value(value)) is not None
    )
    return f"{_series(measurement, tags)} {body} {int(utc_us)}" if body else ""


def _series(measurement: str, tags: Mapping[str, str]) -> str:
    named = ((_name(key), _name(value)) for key, value in sorted(tags.items()))
    return ",".join([_name(measurement), *(f"{key}={value}" for key, value in named if value)])


def _name(text: str) -> str:
    """A measurement, key or tag value; the protocol has no way to write a backslash before `,`."""
    return _SPECIAL.sub(r"\\\1", _UNPRINTABLE.sub(" ", text).replace("\\", "/"))


def _value(value: float | str | None) -> str | None:
    match value:
        case None:
            return None
        case str():
            kept = _UNPRINTABLE.sub(" ", value)[:MAX_TEXT]
            return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case int():
            return f"{int(value)}i"
        case _:
            return repr(float(value)) if math.isfinite(value) else None


def _floats(**values: float | None) -> dict[str, float | None]:
    """Numbers that are floats whatever came: a field keeps its first type for ever."""
    return {name: None if value is None else float(value) for name, value in values.items()}


def _ints(**values: int | None) -> dict[str, int | None]:
    """Whole numbers as Python's own, for numpy's would be taken for floats."""
    return {name: None if value is None else int(value) for name, value in values.items()}


@lru_cache(maxsize=32)  # escaping costs as much as a dozen points
def _force_series(device: str, side: str) -> str:
    return _series("force", {"device": device, "side": side})


def _force(facts: SessionFacts, event: ForceSamples) -> list[str]:
    head = f"{_force_series(facts.device, facts.side)} force_n="
    tail = f"i,flags={event.flags}i "
    seqs = range(event.index, event.index + event.force_n.size)
    return [
        f"{head}{force_n!r},seq={seq}{tail}{utc_us}"
        for force_n, seq, utc_us in zip(
            event.force_n.tolist(), seqs, event.utc_us.tolist(), strict=True
        )
        if math.isfinite(force_n)
    ]


def _closed_set(facts: SessionFacts, utc_us: int, closed: SetClosed) -> Iterator[str]:
    summary = closed.summary

    def utc_at(time_s: float) -> int:
        return utc_us - round((summary.end_s - time_s) * 1e6)

    tags = {"device": facts.device, "side": facts.side, "exercise": facts.exercise}
    for rep in closed.reps:
        yield point("rep", tags, _rep(facts, rep), utc_at(rep.end_s))
    for time_s, phase in _phases(closed.reps):
        yield point("phase", tags, {"phase": phase.value}, utc_at(time_s))
    impulses = [rep.impulse_n_s for rep in closed.reps if rep.impulse_n_s is not None]
    fields: Fields = {
        **_floats(**summary.metrics),
        "session": facts.session,
        **_ints(
            set=summary.set,
            reps=summary.reps,
            partials=len(closed.partials),
            start_ms=utc_at(summary.start_s) // 1000,
        ),
        **_floats(
            tut_s=summary.tut_s,
            rest_s=summary.rest_s,
            peak_n=summary.peak_n,
            volume_ns=math.fsum(impulses) if len(impulses) == len(closed.reps) else None,
            confidence=summary.confidence,
        ),
    }
    tags = {"device": facts.device, "exercise": facts.exercise, "athlete": facts.athlete}
    yield point("set", tags, fields, utc_us)


def _rep(facts: SessionFacts, rep: Rep) -> Fields:
    windows = {
        f"rfd_{'_'.join(re.findall('[0-9]+', name))}_{'pct' if '%' in name else 'ms'}_n_s": slope
        for name, slope in rep.rfd_n_per_s.items()
    }
    return {
        **_floats(**rep.metrics),
        **_floats(**windows),
        "session": facts.session,
        "tempo": rep.tempo,
        "label": f"{rep.set}.{rep.rep}",
        **_ints(set=rep.set, rep=rep.rep),
        **_floats(
            peak_n=rep.peak_n,
            mean_n=rep.mean_n,
            con_s=rep.concentric_s,
            hold_s=rep.hold_s,
            ecc_s=rep.eccentric_s,
            bottom_s=rep.bottom_s,
            tut_s=rep.tut_s,
            rfd_n_s=windows.get("rfd_20_80_pct_n_s"),
            impulse_ns=rep.impulse_n_s,
            confidence=rep.confidence,
        ),
    }


def _phases(reps: tuple[Rep, ...]) -> Iterator[tuple[float, Phase]]:
    """Where each phase begins; one without length is left out, lest two points share a time."""
    starts: list[tuple[float, Phase]] = []
    for rep in reps:
        starts += [
            (rep.start_s, Phase.CONCENTRIC),
            (rep.top_start_s, Phase.HOLD),
            (rep.top_end_s, Phase.ECCENTRIC),
            (rep.end_s, Phase.REST),
        ]
    ends_s = [*(time_s for time_s, _ in starts[1:]), math.inf]
    for (time_s, phase), end_s in zip(starts, ends_s, strict=False):  # one to spare without reps
        if end_s - time_s > 1e-6:
            yield time_s, phase


def _link(facts: SessionFacts, emitted: Emitted) -> list[str]:
    """The line of an event about band, link or host; its `event` tag has one of eight values."""
    utc_us = emitted.utc_us
    kind: str
    fields: Fields
    match emitted.event:
        case LinkChanged(up, reason):
            kind, fields = ("up" if up else "down"), {**_ints(up=up), "text": reason}
        case BatteryChanged(percent):
            kind, fields = "battery", _floats(battery=percent)
        case GapFound(gap):
            kind = "gap"
            span_us = round((gap.end_s - gap.start_s) * 1e6)
            fields = {
                "text": f"{'some' if gap.missing is None else gap.missing} samples lost",
                **_floats(gap_ms=span_us / 1000),
                **_ints(missing=gap.missing, until_ms=(utc_us + span_us) // 1000),
            }
        case Tared(calibration_id, zero_counts):
            kind = "tare"
            numbers = _ints(calibration_id=calibration_id, zero_counts=zero_counts)
            fields = {"text": "zero set", **numbers}
        case Marked(kind="coach"):
            return []
        case Marked(mark, text):
            kind, fields = "mark", {"kind": mark, "text": text}
        case SessionEnded() as end:
            kind = "ended"
            fields = {
                "text": f"{end.reps} reps in {end.sets} sets",
                **_floats(
                    duration_s=end.duration_s,
                    rate_hz=end.samples / end.duration_s if end.duration_s > 0 else None,
                ),
                **_ints(
                    sets=end.sets,
                    reps=end.reps,
                    samples=end.samples,
                    missing=end.missing,
                    bad_frames=end.bad_frames,
                ),
            }
        case _:
            return []
    tags = {"device": facts.device, "event": kind}
    return [point("link", tags, {**fields, "session": facts.session}, utc_us)]
