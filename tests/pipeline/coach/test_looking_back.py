"""Adherence, bests, sides and advice, of sessions written down."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coach.adherence import Kept, kept, weeks
from pipeline.coach.advice import Advice, Session, advise
from pipeline.coach.begin import LONGEST, Begin
from pipeline.coach.bests import bests, sides
from pipeline.coach.diary import Done, Entry
from pipeline.coach.exercises import Elastic
from pipeline.coach.library import Library, LibraryError
from tests.pipeline.coach.coached import LIBRARY

MONDAY = date(2026, 3, 2)
ENTRY = Entry(
    "low-row", "Low row", 1, 1, "both", "", "band", "", 8, 12, "3-0-1-1", 5.0, reps=8, how="done",
    tension_s=40.0, tempo_score=0.9, peak_n=40.0, rise_n=35.0, work_j=100.0,
)  # fmt: skip
PARTS = st.floats(0, 1)


def of_sets(*reps: int, **fields: object) -> tuple[Entry, ...]:
    """Sets of the low row with so many reps."""
    return tuple(
        replace(ENTRY, set=k, reps=n, tension_s=5.0 * n, **fields)  # type: ignore[arg-type]
        for k, n in enumerate(reps, 1)
    )


def done(entries: tuple[Entry, ...], **fields: object) -> Done:
    return Done("first-steps", "First steps", entries, **fields)  # type: ignore[arg-type]


def test_who_does_what_is_asked_keeps_all_and_more_in_one_set_makes_up_for_none() -> None:
    assert kept([done(of_sets(8, 12))]) == Kept(1.0, 1.0, pytest.approx(0.9))  # type: ignore[arg-type]
    assert kept([done(of_sets(12, 4))]).reps == pytest.approx(12 / 16)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=6))
def test_the_part_that_is_kept_is_that_of_the_least_of_each_range(reps: list[int]) -> None:
    part = sum(min(each, 8) for each in reps) / (8 * len(reps))
    assert kept([done(of_sets(*reps))]).reps == pytest.approx(part)


def test_sets_that_were_never_begun_are_missed_but_for_pain() -> None:
    missed = replace(ENTRY, set=2, reps=0, how="missed", tension_s=0.0, tempo_score=None)
    assert kept([done((ENTRY, missed))]).reps == pytest.approx(0.5)
    hurt = replace(ENTRY, reps=3, how="pain", tension_s=15.0)
    assert kept([done((hurt,), stopped="pain", pain=6)]).reps == 1.0


def test_a_set_that_was_repeated_is_asked_for_once() -> None:
    twice = (replace(ENTRY, reps=3, how="broken off", tension_s=15.0), ENTRY)
    assert kept([done(twice)]).reps == 1.0


def test_a_strength_test_has_no_prescription_to_keep() -> None:
    assert kept([done((replace(ENTRY, test="mvc"),))]) == Kept()


def test_a_week_tells_its_days_and_those_in_a_row() -> None:
    days = [MONDAY - timedelta(days=1), MONDAY, MONDAY + timedelta(days=2), MONDAY]
    found = weeks([(day, done(of_sets(8))) for day in days], LIBRARY.programmes, MONDAY)
    [week] = found
    assert (week.monday, len(week.days), week.asked) == (MONDAY, 2, (2, 3))
    assert week.alternate
    assert week.in_a_row == 1, "with the Sunday before"
    assert week.days_kept == 1.0


def test_a_programme_that_is_no_more_in_the_library_asks_for_no_days() -> None:
    other = replace(done(of_sets(8)), programme="gone")
    [week] = weeks([(MONDAY, other)], LIBRARY.programmes, MONDAY)
    assert (week.asked, week.days_kept) == (None, None)


def test_days_without_a_rep_are_none() -> None:
    nothing = done((replace(ENTRY, reps=0, how="skipped"),))
    assert weeks([(MONDAY, nothing)], LIBRARY.programmes, MONDAY) == []


def test_a_best_stands_beside_the_one_before_it() -> None:
    later = MONDAY + timedelta(days=2)
    dated = [(MONDAY, each) for each in of_sets(8, 9)] + [(later, each) for each in of_sets(11)]
    [reps, peak, tension] = bests(dated)
    assert (reps.what, reps.value, reps.day, reps.before) == ("reps", 11, later, 9)
    assert (peak.value, peak.day, peak.before) == (40.0, MONDAY, None)
    assert (tension.value, tension.before) == (55.0, 45.0)


def test_sides_are_compared_on_the_last_day_with_both() -> None:
    def side(name: str, reps: int, day: date) -> tuple[date, Entry]:
        return day, replace(ENTRY, side=name, reps=reps, peak_n=4.0 * reps)

    later = MONDAY + timedelta(days=2)
    found = sides([
        side("right", 12, MONDAY), side("left", 3, MONDAY), side("right", 10, later),
        side("left", 8, later), side("right", 5, later + timedelta(days=1)),
    ])  # fmt: skip
    by_what = {each.what: each for each in found}
    assert set(by_what) == {"reps", "peak_n", "tempo_percent", "work_j"}
    assert (by_what["reps"].right, by_what["reps"].left, by_what["reps"].day) == (10, 8, later)
    assert by_what["peak_n"].difference_percent == pytest.approx(20)


def advised(
    *sessions: tuple[Entry, ...], colour: str = "red", library: Library = LIBRARY, **fields: object
) -> Advice:
    """Of the low row, on days one after the other; fields are of the last session."""
    each = [Session(MONDAY, colour, done(entries), entries) for entries in sessions]
    each[-1] = replace(each[-1], done=done(sessions[-1], **fields))
    return advise(library.exercises["low-row"], each, library)


FULL = of_sets(12, 12, 12)


@pytest.mark.parametrize(
    ("sessions", "step", "words"),
    [
        ([of_sets(9, 10, 9)], "reps", "9 reps in one set: try 10 in each, up to 12"),
        ([of_sets(8, 6, 5)], "reps", "bring every set to 8"),
        ([of_sets(6, 6), of_sets(7, 6)], "lighter", "try yellow"),
        (
            [of_sets(9, faded=True), of_sets(9, faded=True)],
            "lighter",
            "half pulls at the end, twice",
        ),
        ([of_sets(9), of_sets(9, faded=True)], "reps", "try 10"),
        ([of_sets(12)], "again", "do the same once more"),
        ([of_sets(12), of_sets(12)], "sets", "try two sets of 8 or more"),
        ([FULL], "again", "once"),
        ([FULL, FULL], "stiffer", "three sets of 12 with the red band, twice: try green for 8"),
        ([of_sets(8, 8, 8), FULL], "again", "once"),
    ],
)
def test_advice_goes_from_reps_to_sets_to_a_stiffer_band(
    sessions: list[tuple[Entry, ...]], step: str, words: str
) -> None:
    found = advised(*sessions)
    assert found.step == step
    assert words in found.text


def test_after_the_stiffest_band_reps_get_harder() -> None:
    stiffest = max(
        (each for each in LIBRARY.bands.values() if each.kind == "flat"),
        key=lambda each: each.force_n(1.0) or 0,
    )
    found = advised(FULL, FULL, colour=stiffest.colour)
    assert found.step == "harder"
    assert "pause at the end of each pull" in found.text


def test_an_unknown_colour_is_advised_a_stiffer_band_without_a_name() -> None:
    assert (
        "three sets of 12, twice: try a stiffer band for 8" in advised(FULL, FULL, colour="").text
    )


def test_of_one_s_own_bands_the_next_is_advised() -> None:
    blue = Elastic("mine", "blue", n_at_100=60.0, owned=True)
    own = replace(LIBRARY, bands={**LIBRARY.bands, "mine": blue})
    assert "try blue for 8" in advised(FULL, FULL, library=own).text


@pytest.mark.parametrize(
    "fields", [{"stopped": "pain", "pain": 6}, {"pain_after": 5}, {"stopped": "pain"}]
)
def test_after_pain_nothing_is_added(fields: dict[str, object]) -> None:
    found = advised(FULL, FULL, **fields)  # type: ignore[arg-type]
    assert found.step == "pain"
    assert "wait until it does not" in found.text


def test_a_programme_that_allows_one_set_is_advised_no_second() -> None:
    entries = of_sets(8, most=8)
    six = replace(done(entries), programme="six-minute-upper-back")
    session = Session(MONDAY, "red", six, entries)
    found = advise(LIBRARY.exercises["row-with-pause"], [session, session], LIBRARY)
    assert found.step == "stiffer"


def test_what_begins_is_the_same_after_it_was_written_down() -> None:
    begin = Begin("build-your-own", 2, ("low-row", "face-pull"), {"low-row": 14.2})
    assert Begin.of(str(begin)) == begin
    assert Begin.of("first-steps") == Begin("first-steps")
    names = list(dict.fromkeys(block.exercise.name for block in begin.plan(LIBRARY).blocks))
    assert names == ["low-row", "face-pull"]


def test_a_long_list_of_usual_forces_does_not_break_the_line() -> None:
    begin = Begin("first-steps", usual_n={f"exercise-{k}": float(k) for k in range(200)})
    assert len(str(begin)) <= LONGEST + 5
    assert Begin.of(str(begin)).usual_n


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["entries", "programme", "pain", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_whatever_a_file_holds_is_something_done_or_a_value_error(values: Any) -> None:
    try:
        Done.of(values)
    except ValueError:
        return
    assert isinstance(values, dict)


@given(
    st.sampled_from([field.name for field in fields(Entry)]),
    st.none() | st.text(max_size=3) | st.just(float("nan")) | st.just([1]) | st.booleans(),
)
def test_what_was_done_is_shown_or_refused_whatever_one_value_is(name: str, value: Any) -> None:
    plain = done((ENTRY,)).as_object()
    plain["entries"][0][name] = value
    try:
        read = Done.of(plain)
    except ValueError:
        return
    kept([read])
    bests([(MONDAY, each) for each in read.entries])
    sides([(MONDAY, each) for each in read.entries])
    advised(read.entries)


@pytest.mark.parametrize(
    "text", ['x {"sets": 1e999}', 'x {"sets": []}', "x {", 'x {"usual_n": 3}', "x {1}"]
)
def test_what_is_no_beginning_is_a_sentence(text: str) -> None:
    with pytest.raises(LibraryError, match="begin with"):
        Begin.of(text)


@given(PARTS)
def test_a_diary_s_line_is_read_as_it_was_written(part: float) -> None:
    session = done((replace(ENTRY, tempo_score=part),), pain_before=1)
    assert Done.of(session.as_object()) == session
