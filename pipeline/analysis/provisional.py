"""Reps of the open stretch as they look now: announced, corrected, withdrawn."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.analysis.pulls import Pull
from pipeline.analysis.result import Rep
from pipeline.analysis.sets import number_reps, part_sets
from pipeline.analysis.settings import Settings
from pipeline.analysis.verdict import Judged, Verdict
from pipeline.session.events import RepAnnounced, RepCorrected, RepWithdrawn

ENDED_SHARE = 0.7
"""A pull that has fallen by this part of its rise is over, whatever comes."""
WORTH_TELLING_S = 0.005
WORTH_TELLING_SHARE = 0.002

RepEvent = RepAnnounced | RepCorrected | RepWithdrawn


def has_ended(pull: Pull, share: float) -> bool:
    """Whether the newest pull of the open stretch has fallen by this share of its rise."""
    if pull.after_n is None:
        return False
    base = pull.after_n if pull.before_n is None else pull.before_n
    return pull.peak_n - pull.after_n >= share * (pull.peak_n - base)


class Announcer:
    """Remembers what was told of the open sets, and tells what has changed."""

    def __init__(self) -> None:
        self._told: dict[int, Rep] = {}
        self._known: dict[int, tuple[int, int, Rep]] = {}

    @property
    def last(self) -> Rep | None:
        """The last rep that is told and stands."""
        return next(reversed(self._told.values()), None)

    def known(self, judged: Judged) -> Rep | None:
        """The measured rep of a pull that has not changed since."""
        cached = self._known.get(judged.pull.id)
        if cached is None or cached[:2] != (judged.pull.left, judged.pull.right):
            return None
        return cached[2]

    def remember(self, judged: Judged, rep: Rep) -> None:
        self._known[judged.pull.id] = (judged.pull.left, judged.pull.right, rep)

    def tell(
        self,
        measured: Sequence[Rep],
        sets_before: int,
        settings: Settings,
        now_s: float,
        reasons: dict[int, str],
    ) -> list[RepEvent]:
        """Compare the reps known now with those told; return the differences.

        `reasons` says of pulls by id why they are no reps.
        """
        events: list[RepEvent] = []
        reps: dict[int, Rep] = {}
        for number, part in enumerate(part_sets(measured, settings), sets_before + 1):
            for rep in number_reps(part, number):
                reps[rep.id] = rep
        events += self._withdraw(set(reps), now_s, reasons)
        for rep in reps.values():
            told = self._told.get(rep.id)
            if told is None:
                events.append(RepAnnounced(rep))
            elif told != rep and _differs(told, rep):
                events.append(RepCorrected(rep))
            else:
                reps[rep.id] = told
        self._told = reps
        return events

    def close(self, final: Sequence[Rep], now_s: float) -> list[RepEvent]:
        """Nothing is open any more: withdraw what was told and is not among the final reps."""
        alone = {} if final else dict.fromkeys(self._told, "it stayed alone")
        events = self._withdraw({rep.id for rep in final}, now_s, alone)
        self._told, self._known = {}, {}
        return events

    def _withdraw(self, keep: set[int], now_s: float, reasons: dict[int, str]) -> list[RepEvent]:
        usual = "it is part of the rep around it"
        return [
            RepWithdrawn(id_, now_s, reasons.get(id_, usual))
            for id_ in self._told
            if id_ not in keep
        ]


def why_not(judged: Sequence[Judged]) -> dict[int, str]:
    """By id of the pull, why it is no rep."""
    words = {
        Verdict.PARTIAL: "it is small beside the reps around it",
        Verdict.KNOCK: "it is a knock",
        Verdict.STEP: "it is a load at rest",
        Verdict.NOTHING: "it is below the floor",
    }
    return {j.pull.id: words[j.verdict] for j in judged if j.verdict in words}


def _differs(a: Rep, b: Rep) -> bool:
    times = (
        (a.start_s, b.start_s),
        (a.top_start_s, b.top_start_s),
        (a.top_end_s, b.top_end_s),
        (a.end_s, b.end_s),
    )
    return (
        (a.set, a.rep) != (b.set, b.rep)
        or any(abs(x - y) > WORTH_TELLING_S for x, y in times)
        or abs(a.peak_n - b.peak_n) > WORTH_TELLING_SHARE * abs(b.peak_n)
        or (a.bottom_s is None) != (b.bottom_s is None)
    )
