"""The elastic band against the maker's chart and against what rubber does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.person.elastic import COLOURS, Elastic, ElasticState

LBF_N = 4.4482216
PERCENT = np.arange(25, 251, 25)
CHART_LB = {
    "yellow": [1.1, 1.8, 2.4, 2.9, 3.4, 3.9, 4.3, 4.8, 5.3, 5.8],
    "red": [1.5, 2.6, 3.3, 3.9, 4.4, 4.9, 5.4, 5.9, 6.4, 7.0],
    "green": [2.0, 3.2, 4.2, 5.0, 5.7, 6.5, 7.2, 7.9, 8.8, 9.6],
    "blue": [2.8, 4.6, 5.9, 7.1, 8.1, 9.1, 10.1, 11.1, 12.1, 13.3],
    "black": [3.6, 6.3, 8.1, 9.7, 11.0, 12.3, 13.5, 14.8, 16.2, 17.6],
    "silver": [5.0, 8.5, 11.1, 13.2, 15.2, 17.1, 18.9, 21.0, 23.0, 25.3],
    "gold": [7.9, 13.9, 18.1, 21.6, 24.6, 27.5, 30.3, 33.4, 36.6, 40.1],
}
"""The maker's chart in its widely quoted form: lb at 25, 50 ... 250 % elongation."""


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colour_follows_the_makers_chart_within_the_stated_rms(colour: str) -> None:
    chart_n = np.array(CHART_LB[colour]) * LBF_N
    error_n = Elastic.of_colour(colour).force(PERCENT / 100) - chart_n
    assert np.sqrt(np.mean(error_n**2)) <= 0.0125 * chart_n[-1]


def test_colours_stand_in_order_of_their_force() -> None:
    at_double = [float(Elastic.of_colour(colour).force(1.0)) for colour in COLOURS]
    assert at_double == sorted(at_double)


@given(
    colour=st.sampled_from(sorted(COLOURS)),
    elongation=st.floats(0, 15),
    scale=st.floats(0.7, 1.3),
)
def test_elongation_is_the_inverse_of_force(colour: str, elongation: float, scale: float) -> None:
    band = Elastic(*COLOURS[colour], scale=scale)
    assert float(band.elongation(band.force(elongation))) == pytest.approx(elongation, abs=1e-8)


def test_a_slack_band_pulls_with_nothing() -> None:
    band = Elastic.of_colour("blue")
    assert band.force(np.array([-0.5, 0.0])).tolist() == [0.0, 0.0]
    assert band.elongation(np.array([-3.0, 0.0])).tolist() == [0.0, 0.0]


def test_ten_kelvin_make_a_band_three_percent_stronger() -> None:
    cool, warm = Elastic(5.78, 1.19), Elastic(5.78, 1.19, temperature_c=33.0)
    assert float(warm.force(1.0) / cool.force(1.0)) == pytest.approx(1.033)


def test_specimens_differ_by_up_to_thirty_percent_and_follow_their_seed() -> None:
    scales = [Elastic.of_colour("red", np.random.default_rng(k)).scale for k in range(200)]
    assert 0.7 <= min(scales) < 0.75
    assert 1.25 < max(scales) <= 1.3
    assert scales[7] == Elastic.of_colour("red", np.random.default_rng(7)).scale


def ramp(start: float, end: float, seconds: float, rate_hz: float = 1000) -> np.ndarray:
    return np.linspace(start, end, int(seconds * rate_hz))


def test_releasing_pulls_less_than_stretching_by_the_hysteresis() -> None:
    band = Elastic(5.78, 1.19, hysteresis=0.1, relaxation=0.0, softening=0.0)
    force_n, _ = band.pull(np.concatenate([ramp(0, 2, 1), ramp(2, 0, 1)]), 1000)
    up, down = force_n[499], force_n[1500]
    assert (up - down) / float(band.force(1.0)) == pytest.approx(0.1, rel=0.02)


def test_hysteresis_does_not_depend_on_speed() -> None:
    band = Elastic(5.78, 1.19, relaxation=0.0)
    path = np.concatenate([ramp(0, 2, 1), ramp(2, 0.3, 1), ramp(0.3, 1.5, 1)])
    slow, _ = band.pull(path, 100)
    fast, _ = band.pull(path, 5000)
    np.testing.assert_allclose(slow, fast)


def test_a_held_stretch_relaxes_by_the_stated_part_in_three_seconds() -> None:
    band = Elastic(5.78, 1.19, hysteresis=0.0, relaxation=0.06, softening=0.0)
    force_n, _ = band.pull(np.full(3001, 1.5), 1000)
    assert (force_n[0] - force_n[-1]) / float(band.force(1.5)) == pytest.approx(0.06, rel=0.01)


def test_a_band_softens_with_use_and_not_without_end() -> None:
    band = Elastic(5.78, 1.19, hysteresis=0.0, relaxation=0.0, softening=0.05)
    cycle = np.concatenate([ramp(0, 2, 0.5), ramp(2, 0, 0.5)])
    first, state = band.pull(cycle, 1000)
    for _ in range(100):
        last, state = band.pull(cycle, 1000, state)
    assert last.max() / first.max() == pytest.approx(0.95, abs=0.007)


@given(cut=st.integers(0, 3000), second=st.integers(0, 3000))
@settings(max_examples=40)
def test_cuts_of_a_pull_do_not_show(cut: int, second: int) -> None:
    band = Elastic.of_colour("black")
    path = np.concatenate([ramp(0, 2, 1), np.full(500, 2.0), ramp(2, 0.4, 1), ramp(0.4, 1, 0.5)])
    whole, end = band.pull(path, 1000)
    parts, state = [], ElasticState()
    for piece in np.split(path, sorted([cut, second])):
        force_n, state = band.pull(piece, 1000, state)
        parts.append(force_n)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-9)
    assert state.elongation == end.elongation
    assert state.branch == pytest.approx(end.branch)


def test_unknown_colours_and_impossible_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="no band of colour 'pink'"):
        Elastic.of_colour("pink")
    with pytest.raises(ValueError, match="above 0"):
        Elastic(-1.0, 0.0)
    with pytest.raises(ValueError, match="hysteresis"):
        Elastic(1.0, 0.0, hysteresis=1.0)
