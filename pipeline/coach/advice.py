"""What to change next, in the guides' order: reps, sets, a stiffer band, harder reps.

From what was done alone; each with its reason. Progress slowly: a step is due when it was earned in
two sessions one after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.coach.diary import Done, Entry
from pipeline.coach.exercises import Elastic, Exercise
from pipeline.coach.library import Library

WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
HURTS = 4
"""From this level of pain on, out of 10, nothing is added."""


@dataclass(frozen=True, slots=True)
class Session:
    """An exercise on one day."""

    day: date
    colour: str
    """Of the band; empty where it is not known."""
    done: Done
    entries: tuple[Entry, ...]
    """Of that exercise."""

    @property
    def hurt(self) -> bool:
        """Whether it hurt during or after it."""
        return self.done.hurt or max(self.done.pain or 0, self.done.pain_after or 0) >= HURTS

    @property
    def sets(self) -> int:
        """Of one side."""
        done = [each for each in self.entries if each.reps]
        return max((sum(e.side == each.side for e in done) for each in done), default=0)

    @property
    def short(self) -> bool:
        """Whether a set was left before the least of its range."""
        return any(each.reps < each.least for each in self.entries)

    @property
    def faded(self) -> bool:
        """Whether a set ended in half pulls."""
        return any(each.faded for each in self.entries)

    @property
    def full(self) -> bool:
        """Whether every set reached the most of its range."""
        return all(each.reps >= each.most for each in self.entries)


@dataclass(frozen=True, slots=True)
class Advice:
    """One suggestion."""

    exercise: str
    title: str
    step: str
    """`pain`, `lighter`, `reps`, `again`, `sets`, `stiffer`, `harder` or `enough`."""
    text: str
    """The reason, and what to try: a sentence."""


def advise(exercise: Exercise, sessions: Sequence[Session], library: Library) -> Advice:
    """The next step of an exercise; `sessions` in the order of time, at least one."""
    last = sessions[-1]
    alike = [each for each in sessions if each.colour == last.colour]
    before = alike[-2] if len(alike) > 1 else None
    least, most = last.entries[0].least, last.entries[0].most
    fewest = min(each.reps for each in last.entries)
    band = f" with the {last.colour} band" if last.colour else ""
    sets = f"{_word(last.sets)} set{'s' if last.sets != 1 else ''} of {most}{band}"

    def said(step: str, text: str) -> Advice:
        return Advice(exercise.name, exercise.title, step, text)

    if last.hurt:
        level = last.done.pain if last.done.pain is not None else last.done.pain_after
        how = f" ({level} of 10)" if level is not None else ""
        easier = f", and then easier: {_lower(exercise.easier[0])}" if exercise.easier else ""
        return said("pain", f"it hurt the last time{how}: wait until it does not{easier}")
    if before is not None and ((last.short and before.short) or (last.faded and before.faded)):
        lighter = _next(last.colour, library, lighter=True)
        what = f"try {lighter}" if lighter else _lower((*exercise.easier, "a shorter pull.")[0])
        why = f"fewer than {least} reps" if last.short and before.short else "half pulls at the end"
        return said("lighter", f"{why}, twice: {what}")
    if last.short:
        return said("reps", f"{fewest} of {least} reps in one set: bring every set to {least}")
    if not last.full:
        return said("reps", f"{fewest} reps in one set: try {fewest + 1} in each, up to {most}")
    if before is None or not before.full or before.sets < last.sets:
        return said("again", f"{sets}, once: do the same once more")
    if last.sets < (limit := _most_sets(exercise, last.done.programme, library)):
        more = f"try {_word(last.sets + 1)} sets of {least} or more"
        return said("sets", f"{sets}, twice: {more}, up to {limit} sets")
    stiffer = _next(last.colour, library) if last.colour else "a stiffer band"
    if exercise.counted == "band" and stiffer:
        return said("stiffer", f"{sets}, twice: try {stiffer} for {least}")
    if exercise.harder:
        return said("harder", f"{sets}, twice: make it harder: {_lower(exercise.harder[0])}")
    return said("enough", f"{sets}, twice: keep it, and add another exercise")


def _most_sets(exercise: Exercise, programme: str, library: Library) -> int:
    """So many its programme allows; else the exercise."""
    steps = library.programmes[programme].steps if programme in library.programmes else ()
    allowed = [each.sets[1] for each in steps if each.exercise == exercise.name and each.sets]
    return max(allowed, default=exercise.sets)


def _next(colour: str, library: Library, *, lighter: bool = False) -> str:
    """The colour next to a flat band's, of one's own where there are any; empty for none."""
    known = [each for each in library.bands.values() if each.force_n(1.0) and each.kind == "flat"]
    now = next((each for each in known if each.colour == colour), None)
    if now is None:
        return ""
    own = [each for each in known if each.owned]
    stiffness = [(_stiffness_n(each), each.colour) for each in own or known]
    here_n = _stiffness_n(now)
    if lighter:
        found = max((each for each in stiffness if each[0] < here_n), default=None)
    else:
        found = min((each for each in stiffness if each[0] > here_n), default=None)
    return "" if found is None else found[1]


def _stiffness_n(band: Elastic) -> float:
    return band.force_n(1.0) or 0.0


def _word(number: int) -> str:
    return WORDS[number] if number < len(WORDS) else str(number)


def _lower(sentence: str) -> str:
    """A sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")
