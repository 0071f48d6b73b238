"""Whose rep it is: each is credited to the block in which it was done, however late it is known."""

from __future__ import annotations

from enum import Enum, auto
from statistics import median

from pipeline.analysis.types import Rep
from pipeline.coach.doing import STANDS_SHARE, Doing
from pipeline.coach.plan import Block, Change, Plan

GOES_ON_S = {Change.SIDE: 1.5, Change.GRIP: 1.5}
GOES_ON_OTHERWISE_S = 3.0
"""Within so many seconds after a set, besides the tempo's bottom, a pull still belongs to it."""
SWAP_S = 3.0
"""Such a pause after half of the reps of a side is for changing it."""


class Place(Enum):
    """Where a rep belongs."""

    NOW = auto()
    """To the block that is done now."""
    SWAPPED = auto()
    """To the other side, which the person has taken before being asked."""
    PAST = auto()
    """To the block that is over: the person goes on."""
    EARLY = auto()
    """To the block that comes, before its time."""
    FETCHED = auto()
    """To a block long over: it was known late."""
    NOWHERE = auto()


class Ledger:
    """The blocks done so far, with their reps."""

    def __init__(self, plan: Plan) -> None:
        self.all: list[Doing] = []
        self._plan = plan
        self._waiting: list[Rep] = []
        """Reps done in a rest: of the next block, or none."""

    @property
    def last(self) -> Doing | None:
        return self.all[-1] if self.all else None

    @property
    def open(self) -> Doing | None:
        """The block that is done now."""
        return self.all[-1] if self.all and self.all[-1].end_s is None else None

    def usual_n(self, block: Block) -> float | None:
        """The rise of this person's last reps of it: of this session, else of those before."""
        for doing in reversed(self.all):
            if doing.block.kind == block.kind and len(doing.reps) >= 2:
                return median(doing.rises_n[-8:])
        return self._plan.usual_n.get(block.exercise.name)

    def stands(self, rep: Rep, block: Block) -> bool:
        """Whether a pull is no practice pull, as far as anybody knows."""
        usual_n = self.usual_n(block)
        return usual_n is None or rise_n(rep) >= STANDS_SHARE * usual_n

    def place(self, rep: Rep) -> tuple[Place, Doing | None]:
        """Where a rep belongs, of the blocks that were begun."""
        doing = next((each for each in reversed(self.all) if each.start_s <= rep.peak_s), None)
        if doing is None:
            return Place.NOWHERE, None
        if doing is not self.all[-1]:
            return Place.FETCHED, doing
        gap_s = rep.start_s - doing.last_end_s
        block = doing.block
        if doing.end_s is None:
            swapped = (
                block.change is Change.SIDE
                and 2 * len(doing.reps) >= block.least
                and gap_s >= SWAP_S + block.tempo.bottom_s
            )
            return (Place.SWAPPED if swapped else Place.NOW), doing
        goes_on_s = GOES_ON_S.get(block.change, GOES_ON_OTHERWISE_S) + block.tempo.bottom_s
        past = doing.reps and gap_s <= goes_on_s and not self._waiting
        return (Place.PAST if past else Place.EARLY), doing

    def wait(self, rep: Rep, then: Block | None) -> list[Rep]:
        """Keep a rep done in a rest; the first reps of the next block, once it has surely begun.

        One is enough where the same exercise goes on; while another is set up, pulls may be tries.
        """
        if then is None or then.exercise.counted != "band" or not self.stands(rep, then):
            return []
        self._waiting.append(rep)
        last = self.last
        needed = 2 if last is not None and last.block.change is Change.NEXT else 1
        return self._waiting if len(self._waiting) >= needed else []

    def wait_no_more(self) -> None:
        """The rest is over."""
        self._waiting = []

    def corrected(self, rep: Rep) -> Doing | None:
        """Take a rep's better figures; whose it is."""
        for doing in self.all:
            if rep.id in doing.reps:
                doing.reps[rep.id] = rep
                return doing
        return None

    def withdrawn(self, id_: int) -> Doing | None:
        """Forget a rep that was none; whose it was."""
        self._waiting = [rep for rep in self._waiting if rep.id != id_]
        for doing in self.all:
            if doing.reps.pop(id_, None) is not None:
                return doing
        return None


def rise_n(rep: Rep) -> float:
    """From the valley before to the peak."""
    return rep.peak_n - rep.valley_before_n
