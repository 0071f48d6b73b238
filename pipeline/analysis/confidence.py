"""How sure a rep is: the margins by which it passed, as a probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.analysis.rows import Bools
from pipeline.analysis.settings import Settings
from pipeline.analysis.verdict import Judged
from sensor.samples import Floats

LEAST, MOST = 0.85, 0.995
"""Of a rep that barely passed, and of one beyond doubt: of two hundred simulated reps that
barely passed, none was wrong, and people are less even than simulations."""
CUT_DOUBT = 0.97
"""Of a rep that the samples do not hold whole."""


def rep_confidence(
    judged: Sequence[Judged], settings: Settings, noise_n: Floats, whole: Bools
) -> Floats:
    """Probability for each rep that a person would count it.

    The margins are in powers of two: of the amplitude over half the typical one and over the floor,
    and of the width over that of a knock. The least of them is turned into a probability.

    Parameters
    ----------
    noise_n : (m,)
        Standard deviation of the noise around each rep.
    whole : (m,)
        Whether the samples hold the rep from start to end.
    """
    amplitude = np.array([one.amplitude_n for one in judged])
    typical = np.array([one.typical_n for one in judged])
    width = np.array([np.inf if one.width_s is None else one.width_s for one in judged])
    floor = np.maximum(settings.floor_n, settings.noise_factor * noise_n)
    margin = np.minimum(
        3.0 * np.log2(amplitude / (settings.rep_share * typical)),
        2.0 * np.log2(amplitude / floor) + 1.0,
    )
    margin = np.minimum(margin, 4.0 * np.log2(np.maximum(width, 1e-3) / settings.knock_s))
    sure = LEAST + (MOST - LEAST) * np.tanh(0.9 * np.maximum(margin, 0.0))
    # What `np.round` does, in a third of the time for a single rep.
    return np.asarray(np.rint(np.where(whole, sure, CUT_DOUBT * sure) * 1000.0) / 1000.0)


def set_confidence(reps: Sequence[float]) -> float:
    """Probability that every rep of the set is right, taken as independent but for their worst.

    Reps of a set err together: the product would be too low, the least too high. Their geometric
    mean stands between.
    """
    if not reps:
        return 0.0
    product = math.prod(reps)
    return round(math.sqrt(product * min(reps)), 3)
