from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.analysis.types import LiveState, Phase, RepWithdrawn, SetClosed
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    ForceSamples,
    LinkChanged,
    Marked,
    SessionEnded,
)
from pipeline.session.session import Session
from pipeline.sinks.influx.lines import WRITTEN, lines, point
from tests.example_session import FACTS, REPS, SET_S, SETS, closed_set, session
from tests.pipeline.signals import notifications, pulls

EVERYTHING = [line for emitted in session() for line in lines(FACTS, emitted)]


def of(measurement: str) -> list[str]:
    return [line for line in EVERYTHING if line.startswith(f"{measurement},")]


def test_samples_become_points_at_their_own_microsecond() -> None:
    samples = ForceSamples(
        4711,
        np.array([0.0, 0.0125]),
        np.array([181.4, 180.0]),
        np.array([1768500000012500, 1768500000025000]),
        3,
        False,
    )
    assert lines(FACTS, Emitted(1, 1, 0, samples)) == [
        "force,device=band-left,side=left force_n=181.4,seq=4711i,flags=3i 1768500000012500",
        "force,device=band-left,side=left force_n=180.0,seq=4712i,flags=3i 1768500000025000",
    ]


def test_a_rep_lies_at_the_utc_of_its_own_end() -> None:
    times = [int(line.rsplit(" ", 1)[1]) for line in of("rep")]
    assert len(times) == SETS * REPS
    assert times[REPS - 1] == int(of("set")[0].rsplit(" ", 1)[1])
    assert {b - a for a, b in itertools.pairwise(times[:REPS])} == {4_000_000}


def test_a_rep_holds_the_fields_of_the_schema() -> None:
    assert of("rep")[0].split(" ")[:2] == [
        "rep,device=band-left,exercise=low-row,side=left",
        "work_j=31.5,rfd_0_100_ms_n_s=210.0,rfd_20_80_pct_n_s=150.0,"
        'session="s-2026-01-15",tempo="1.6-0.4-1.6-0.4",label="1.1",set=1i,rep=1i,peak_n=166.0,mean_n=99.6,'
        "con_s=1.6,hold_s=0.4,ecc_s=1.6,bottom_s=0.4,tut_s=3.6,rfd_n_s=150.0,"
        f"impulse_ns={166 * 2.1!r},confidence=1.0",
    ]


def test_a_set_tells_volume_rest_and_where_it_began() -> None:
    first, second = of("set")
    assert first.startswith(
        "set,athlete=me,device=band-left,exercise=low-row force_loss_percent=9.6,"
    )
    assert "rest_s" not in first
    assert "rest_s=12.0," in second
    start_ms = int(second.split("start_ms=")[1].split("i", 1)[0])
    end_us = int(second.rsplit(" ", 1)[1])
    assert end_us // 1000 - start_ms == round((SET_S - 0.4) * 1000)


def test_volume_is_absent_where_a_rep_has_no_impulse() -> None:
    whole = closed_set(1, 2.0)
    first = whole.reps[0]._replace(impulse_n_s=None)
    without = SetClosed(whole.summary, (first, *whole.reps[1:]), ())
    assert "volume_ns=" in lines(FACTS, Emitted(0, 0, 0, whole))[-1]
    assert "volume_ns=" not in lines(FACTS, Emitted(0, 0, 0, without))[-1]


def test_a_phase_without_length_is_left_out() -> None:
    whole = closed_set(1, 2.0)
    touching = whole.reps[0]._replace(top_end_s=whole.reps[0].top_start_s)
    emitted = Emitted(0, 0, 10**15, SetClosed(whole.summary, (touching,), ()))
    phases = [line for line in lines(FACTS, emitted) if line.startswith("phase,")]
    assert [line.split('"')[1] for line in phases] == ["concentric", "eccentric", "rest"]


def test_a_gap_lies_at_its_start_and_tells_its_end() -> None:
    (gap,) = (line for line in of("link") if "event=gap" in line)
    start_us = int(gap.rsplit(" ", 1)[1])
    assert "gap_ms=1500.0,missing=120i," in gap
    assert f"until_ms={(start_us + 1_500_000) // 1000}i" in gap


def test_every_line_of_a_session_is_distinct_in_series_and_time() -> None:
    keys = [(line.split(" ", 1)[0], line.rsplit(" ", 1)[1]) for line in EVERYTHING]
    assert len(set(keys)) == len(keys)


def test_a_recording_computed_again_gives_the_same_points() -> None:
    rows = notifications(pulls(sets=2, reps=4))

    def computed() -> list[str]:
        running, written = Session(), list[str]()
        for row, notification in enumerate(rows, 1):
            for emitted in running.receive(notification, row):
                written += lines(FACTS, emitted)
        return written

    first = computed()
    assert first == computed()
    keys = {(line.split(" ", 1)[0], line.rsplit(" ", 1)[1]) for line in first}
    assert len(keys) == len(first)
    assert sum(line.startswith("rep,") for line in first) == 8


def test_events_give_lines_if_and_only_if_their_class_is_written() -> None:
    for emitted in session():
        assert bool(lines(FACTS, emitted)) == isinstance(emitted.event, WRITTEN)
    for event in (
        LiveState(0, 0, Phase.REST, 0, 0, None),
        RepWithdrawn(1, 0, "no rep"),
    ):
        assert lines(FACTS, Emitted(0, 0, 0, event)) == []


def test_samples_that_are_no_numbers_are_left_out() -> None:
    samples = ForceSamples(
        0, np.arange(3.0), np.array([1.0, np.nan, np.inf]), np.arange(3), 0, False
    )
    assert len(lines(FACTS, Emitted(0, 0, 0, samples))) == 1


def test_numpy_numbers_keep_the_type_of_their_field() -> None:
    emitted = Emitted(0, 0, np.int64(5), BatteryChanged(np.int64(87)))  # type: ignore[arg-type]
    assert lines(FACTS, emitted)[0].split(" ")[1].startswith("battery=87.0,")
    whole = closed_set(1, 2.0)
    summary = replace(
        whole.summary,
        set=np.int64(1),  # type: ignore[arg-type]
        peak_n=np.float64(3),
    )
    (line,) = lines(FACTS, Emitted(0, 0, 0, SetClosed(summary, (), ())))
    assert "set=1i," in line
    assert "peak_n=3.0," in line


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("band one", r"band\ one"),
        ("a,b=c", r"a\,b\=c"),
        ("line\nbreak", r"line\ break"),
        ("back\\", "back/"),
    ],
)
def test_tags_are_escaped(text: str, written: str) -> None:
    assert point("m", {"tag": text}, {"v": 1}, 5) == f"m,tag={written} v=1i 5"


def test_a_session_without_length_has_no_rate() -> None:
    (line,) = lines(FACTS, Emitted(0, 0, 5, SessionEnded(0.0, 0, 0, 1, 0, 0)))
    assert "duration_s=0.0," in line
    assert "rate_hz" not in line
    (longer,) = lines(FACTS, Emitted(0, 0, 5, SessionEnded(2.0, 0, 0, 160, 0, 0)))
    assert "rate_hz=80.0," in longer


def test_a_point_without_fields_is_no_line() -> None:
    assert point("m", {}, {"v": None, "w": float("nan")}, 5) == ""


def test_long_texts_are_cut() -> None:
    (line,) = lines(FACTS, Emitted(0, 0, 0, LinkChanged(False, "x" * 10_000)))
    assert f'"{"x" * 1000}"' in line


def test_a_mark_of_the_coach_is_no_point() -> None:
    assert lines(FACTS, Emitted(0, 0, 5, Marked("coach", "begin mine"))) == []


@given(kind=st.text(), text=st.text(), device=st.text())
def test_any_text_stays_on_one_line(kind: str, text: str, device: str) -> None:
    assume(kind != "coach")  # what the coach asks itself is no point
    emitted = Emitted(0, 0, 5, Marked(kind, text))
    (line,) = lines(replace(FACTS, device=device), emitted)
    assert len(line.splitlines()) == 1
    assert line.encode().endswith(b" 5")
