"""Two quick tugs at the band: the way to say go on without touching the screen."""

from __future__ import annotations

from collections.abc import Iterable

QUICK_S = 0.4
"""A tug is shorter, between the crossings of its threshold."""
APART_S = (0.2, 0.9)
"""From the end of the first to the start of the second."""
SLACK_S = 0.4
"""So long the band is slack after them."""
LEAST_N, LEAST_SHARE, MOST_SHARE = 4.0, 0.1, 0.6
"""A tug is higher than so many newtons, and than the first part of the usual pull; but lower than
the second part of it."""
SETTLING = 0.02
"""Part by which the resting level follows a higher force with each sample."""


class Tugs:
    """Samples in, whether somebody has just tugged twice out."""

    def __init__(self) -> None:
        self._rest_n: float | None = None
        self._since_s: float | None = None
        self._peak_n = 0.0
        self._tugs: list[tuple[float, float]] = []
        self._ended_s = 0.0

    def push(
        self, time_s: Iterable[float], force_n: Iterable[float], usual_n: float | None
    ) -> bool:
        """Take samples; True once when the second tug is over and the band is slack."""
        most_n = MOST_SHARE * usual_n if usual_n else float("inf")
        least_n = max(LEAST_N, LEAST_SHARE * (usual_n or 0.0))
        told = False
        for now_s, now_n in zip(time_s, force_n, strict=True):
            if self._rest_n is None or now_n < self._rest_n:
                self._rest_n = now_n
            self._rest_n += SETTLING * (now_n - self._rest_n)
            above_n = now_n - self._rest_n
            if above_n > least_n:
                if self._since_s is None:
                    self._since_s, self._peak_n = now_s, 0.0
                self._peak_n = max(self._peak_n, above_n)
            elif self._since_s is not None:
                quick = now_s - self._since_s < QUICK_S and self._peak_n < most_n
                self._tugs = [*self._tugs[-2:], (self._since_s, now_s)] if quick else []
                self._since_s, self._ended_s = None, now_s
            elif len(self._tugs) >= 2 and now_s - self._ended_s >= SLACK_S:
                apart_s = self._tugs[-1][0] - self._tugs[-2][1]
                told = told or (len(self._tugs) == 2 and APART_S[0] <= apart_s <= APART_S[1])
                self._tugs = []
            elif self._tugs and now_s - self._ended_s > APART_S[1] + SLACK_S:
                self._tugs = []
        return told
