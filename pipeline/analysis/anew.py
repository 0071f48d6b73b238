"""The first reps after a rest: told before there are enough of them to say that they are reps.

Beside a great set one or two small pulls are trials or shrugs, until more follow; so the answer
waits for the third. Live, they are told as soon as one lasts as long as the reps before did: people
try a band and shrug shorter. What proves to be no rep is withdrawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.analysis.company import AS_LONG_SHARE, HELD_SHARE
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.judge import CLUSTER_PAUSE_S
from pipeline.analysis.pulls import Pull
from pipeline.analysis.verdict import Judged, Verdict, median_length_s, slack_n

JudgeAlone = Callable[[list[Pull]], list[Judged]]


def meant_anew(
    judged: Sequence[Judged], usual_s: float | None, before_n: float, alone: JudgeAlone
) -> list[Judged]:
    """The pulls again; the newest since a long pause are reps if they would be on their own.

    Parameters
    ----------
    usual_s
        How long the reps before these pulls lasted, None where there are none.
    before_n
        Lowest force before these pulls.
    alone
        Judges pulls as if there had been none before.
    """
    first = _since_pause(judged)
    newest = judged[first:]
    if all(one.verdict is not Verdict.PARTIAL for one in newest):
        return list(judged)
    usual_s = median_length_s(judged[:first]) or usual_s
    if usual_s is None:
        return list(judged)
    slack = slack_n([one.pull for one in judged], before_n)
    again = alone([one.pull for one in newest])
    reps = [one for one in again if one.verdict is Verdict.REP]
    long = any(one.pull.length_s >= AS_LONG_SHARE * usual_s for one in reps)
    if not long or any(_only_stirs(one, slack) for one in reps):
        return list(judged)
    return [*judged[:first], *again]


def _only_stirs(one: Judged, slack: float) -> bool:
    """Whether the hands hold more than they move."""
    held_n = one.pull.peak_n - one.amplitude_n - slack
    return one.amplitude_n < HELD_SHARE * held_n


def _since_pause(judged: Sequence[Judged]) -> int:
    """Place of the first pull after the last long pause."""
    place = len(judged) - 1
    while place > 0:
        pause = judged[place].pull.id - judged[place - 1].pull.fell
        if pause > CLUSTER_PAUSE_S * GRID_HZ:
            break
        place -= 1
    return max(place, 0)
