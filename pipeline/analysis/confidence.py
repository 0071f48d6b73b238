"""How sure a rep is: the margins by which it passed, as a probability."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.analysis.judge import Judged
from pipeline.analysis.settings import Settings


def rep_confidence(judged: Judged, settings: Settings, noise_n: float, *, whole: bool) -> float:
    """Probability that a person would count this rep.

    The margins are in powers of two: of the amplitude over half the typical one and over the floor,
    and of the width over that of a knock. Each is turned into a probability by the logistic curve
    and the least of them counts.
    """
    floor = max(settings.floor_n, settings.noise_factor * noise_n)
    margins = [
        3.0 * math.log2(judged.amplitude_n / (settings.rep_share * judged.typical_n)),
        2.0 * math.log2(judged.amplitude_n / floor) + 1.0,
    ]
    if judged.width_s is not None:
        margins.append(4.0 * math.log2(max(judged.width_s, 1e-3) / settings.knock_s))
    worst = min(margins)
    sure = 0.55 + 0.445 * math.tanh(max(worst, 0.0) * 0.9)
    if not whole:
        sure *= 0.97
    return round(sure, 3)


def set_confidence(reps: Sequence[float]) -> float:
    """Probability that every rep of the set is right, taken as independent but for their worst.

    Reps of a set err together: the product would be too low, the least too high. Their geometric
    mean stands between.
    """
    if not reps:
        return 0.0
    product = math.prod(reps)
    return round(math.sqrt(product * min(reps)), 3)
