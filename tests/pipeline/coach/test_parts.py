"""The coach's parts on their own: scores, cues and their channels, tugs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coach.cues import KINDS, Arbiter
from pipeline.coach.exercises import Tempo
from pipeline.coach.tempo import Phases, correction, score
from pipeline.coach.tugs import Tugs

TEMPO = Tempo.parse("3-0-1-1")
seconds = st.floats(0.01, 20)


def test_a_rep_in_the_tempo_scores_one() -> None:
    found = score(Phases(1.0, 1.0, 3.0), TEMPO, 1)
    assert found.total == pytest.approx(1)
    assert found.phases == {"concentric": 1, "hold": 1, "eccentric": 1}


def test_a_release_of_half_the_time_costs_what_it_lacks() -> None:
    found = score(Phases(1.0, 1.0, 1.5), TEMPO, 4)
    assert found.total == pytest.approx(0.7)
    assert found.phases["eccentric"] == pytest.approx(0.5)
    assert (found.rep, found.worst) == (4, "eccentric")
    assert found.off_s == pytest.approx(-1.5)


@given(seconds, st.floats(0, 20), seconds)
def test_scores_lie_between_none_and_all(pull_s: float, hold_s: float, release_s: float) -> None:
    found = score(Phases(pull_s, hold_s, release_s), TEMPO, 1)
    assert all(0 <= each <= 1 for each in (found.total, *found.phases.values()))


def test_the_more_important_correction_is_given() -> None:
    assert correction(Phases(1.0, 0.2, 1.0), TEMPO) == "slower-back"
    assert correction(Phases(1.0, 0.2, 3.0), TEMPO) == "hold-longer"
    assert correction(Phases(1.0, 1.0, 2.0), TEMPO) is None
    assert correction(Phases(1.0, 0.0, 0.7), Tempo.parse("1-0-1-0")) == "slower-back"


def test_what_is_known_too_late_is_never_said() -> None:
    assert Arbiter().offer("count", 1.0, 1.6, n=3) is None
    assert Arbiter().offer("count", 1.0, 1.4, n=3) is not None


def test_a_correction_is_whole_or_not_at_all_and_at_most_each_third_rep() -> None:
    arbiter = Arbiter()
    given = [arbiter.offer("slower-back", 5.0 * n, 5.0 * n, rep=n) for n in range(1, 8)]
    assert [n for n, cue in enumerate(given, 1) if cue] == [1, 4, 7]
    arbiter = Arbiter()
    arbiter.offer("in-range", 1.0, 1.0, n=8)
    assert arbiter.offer("slower-back", 1.1, 1.1, rep=8) is None


def test_only_what_is_urgent_cuts_another_off() -> None:
    arbiter = Arbiter()
    assert arbiter.offer("next", 0.0, 0.0, what="Wide row, set 1, left side") is not None
    assert arbiter.offer("count", 0.5, 0.5, n=1) is None
    lost = arbiter.offer("lost", 0.6, 0.6)
    assert lost is not None
    assert lost.say


def test_tones_of_the_tempo_are_never_withheld() -> None:
    arbiter = Arbiter()
    arbiter.offer("lost", 0.0, 0.0)
    tone = arbiter.offer("release", 0.1, 0.1)
    assert tone is not None
    assert (tone.sound, tone.say) == ("down", "")


def test_every_cue_can_be_seen_or_heard() -> None:
    assert all(kind.text or kind.say or kind.sound for kind in KINDS.values())
    assert not KINDS["release"].say  # speech starts too unevenly to lead a tempo


def tugged(
    *tugs: tuple[float, float, float], usual_n: float | None = 20.0, base_n: float = 0.0
) -> bool:
    """Whether tugs of (start, duration, height) are two tugs; at 80 Hz in frames of eight."""
    time_s = np.arange(0, 6, 1 / 80)
    force_n = np.full(time_s.size, base_n)
    for start_s, long_s, high_n in tugs:
        inside = (time_s >= start_s) & (time_s < start_s + long_s)
        force_n[inside] += high_n * np.sin(np.pi * (time_s[inside] - start_s) / long_s)
    detector = Tugs()
    heard = [
        detector.push(time_s[k : k + 8].tolist(), force_n[k : k + 8].tolist(), usual_n)
        for k in range(0, time_s.size, 8)
    ]
    return any(heard)


@pytest.mark.parametrize("base_n", [0.0, 6.0])
def test_two_quick_tugs_are_heard(base_n: float) -> None:
    assert tugged((2.0, 0.3, 9.0), (2.7, 0.3, 9.0), base_n=base_n)
    assert tugged((2.0, 0.3, 9.0), (2.7, 0.3, 9.0), usual_n=None)


@pytest.mark.parametrize(
    "tugs",
    [
        [(2.0, 0.3, 9.0)],
        [(2.0, 0.3, 9.0), (4.0, 0.3, 9.0)],
        [(2.0, 0.3, 9.0), (2.6, 0.3, 9.0), (3.2, 0.3, 9.0)],
        [(2.0, 0.3, 19.0), (2.7, 0.3, 19.0)],
        [(2.0, 1.0, 9.0), (3.3, 1.0, 9.0)],
        [(2.0, 0.3, 2.0), (2.7, 0.3, 2.0)],
    ],
    ids=["one", "far apart", "three", "full pulls", "slow", "faint"],
)
def test_other_pulls_are_no_tugs(tugs: list[tuple[float, float, float]]) -> None:
    assert not tugged(*tugs)
