"""The judge: the truth itself gets full marks, and every kind of mistake is seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from firmware_sim.generator import KINDS, make_session
from firmware_sim.generator.kinds import Session
from firmware_sim.generator.truth import OptionalWindow, TrueRep
from pipeline.dataset.judging import score, score_peaks


@dataclass(frozen=True)
class Found:
    set: int
    start_s: float
    top_start_s: float
    top_end_s: float
    end_s: float
    peak_s: float
    peak_n: float
    tut_s: float
    confidence: float = 1.0


def as_found(true: TrueRep) -> Found:
    start_s, end_s = true.span_s
    top_start_s = start_s if true.top_start_s is None else true.top_start_s
    top_end_s = end_s if true.top_end_s is None else true.top_end_s
    return Found(
        true.set, start_s, top_start_s, top_end_s, end_s, true.peak_s, true.peak_n, end_s - start_s
    )


@pytest.fixture(scope="module")
def session() -> Session:
    return make_session("fast 0.6-1 s", 2)


@pytest.fixture
def found(session: Session) -> list[Found]:
    return [as_found(true) for true in session.truth.reps]


def test_the_truth_itself_is_right_and_without_error(session: Session, found: list[Found]) -> None:
    result = score(session, found)
    assert result.right
    assert (result.missed, result.extra) == (0, 0)
    assert all(edge.error_s == 0 for edge in result.edges)
    assert result.peak_share == [0] * len(found)
    assert all(ok for _, ok in result.confidence)


def test_a_rep_left_out_is_missed(session: Session, found: list[Found]) -> None:
    result = score(session, found[1:])
    assert not result.right
    assert (result.missed, result.extra) == (1, 0)
    assert result.missed_s == [session.truth.reps[0].peak_s]


def test_two_reps_taken_for_one_are_one_missed(session: Session, found: list[Found]) -> None:
    joined = replace(found[0], end_s=found[1].end_s)
    result = score(session, [joined, *found[2:]])
    assert not result.right
    assert result.missed >= 1


def test_a_rep_split_in_two_is_one_extra(session: Session, found: list[Found]) -> None:
    middle = 0.5 * (found[0].start_s + found[0].end_s)
    halves = [replace(found[0], end_s=middle - 0.1), replace(found[0], start_s=middle - 0.1)]
    result = score(session, [*halves, *found[1:]])
    assert not result.right
    assert result.extra == 1


def test_a_late_boundary_shows_with_its_sign(session: Session, found: list[Found]) -> None:
    late = [replace(rep, end_s=rep.end_s + 0.02) for rep in found]
    errors = [edge.error_s for edge in score(session, late).edges if edge.which == 3]
    assert errors == pytest.approx([0.02] * len(errors))


def test_peaks_alone_are_right_with_one_in_every_rep(session: Session) -> None:
    peaks = np.array([true.peak_s for true in session.truth.reps])
    assert score_peaks(session, peaks).right
    assert score_peaks(session, peaks[1:]).missed == 1
    assert score_peaks(session, np.r_[peaks, peaks[-1] + 0.01]).extra == 1


def test_what_is_optional_is_right_with_and_without(found: list[Found], session: Session) -> None:
    first = session.truth.reps[0]
    window = OptionalWindow(*first.span_s, least=0, most=1)
    doubtful = replace(
        session, truth=replace(session.truth, reps=session.truth.reps[1:], optional=[window])
    )
    assert score(doubtful, found).right
    assert score(doubtful, found[1:]).right
    twice = [found[0], replace(found[0]), *found[1:]]
    assert score(doubtful, twice).extra == 1
    assert not score(doubtful, found[2:]).right


def test_to_say_that_the_sign_is_inverted_is_right_only_if_it_is(
    session: Session, found: list[Found]
) -> None:
    inverted = replace(session, truth=replace(session.truth, inverted=True))
    remark = ["the sensor's sign seems to be inverted"]
    assert score(inverted, [], remark).right
    assert score(inverted, found).right
    assert not score(inverted, []).right
    assert not score(session, found, remark).right


def test_first_starts_and_last_ends_of_a_set_are_told_from_the_others(
    session: Session, found: list[Found]
) -> None:
    sets = len({true.set for true in session.truth.reps})
    edges = score(session, found).edges
    assert sum(edge.outer for edge in edges) == 2 * sets
    assert {edge.which for edge in edges if edge.outer} == {0, 3}


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_kind_the_truth_is_right_and_one_more_or_less_is_wrong(kind: str) -> None:
    session = make_session(kind, 17)
    found = [as_found(true) for true in session.truth.reps]
    assert score(session, found).right
    if found:
        assert not score(session, found[:-1]).right
    most = sum(window.most for window in session.truth.optional)
    somewhere = Found(9, 0.1, 0.2, 0.3, 0.4, 0.25, 5.0, 0.3)
    assert not score(session, [*found, *[somewhere] * (most + 1)]).right
