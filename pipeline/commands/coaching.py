"""The coach of a live session, as the command line asks for it."""

from __future__ import annotations

from pathlib import Path

from pipeline.coach.library import LibraryError
from pipeline.coach.plan import Plan, lacking, plan_of
from pipeline.commands.programs import library_of
from pipeline.delivery.coaching import Choice, Coaching


def open_coaching(
    data_dir: Path, own: Path | None = None, programme: str | None = None, sets: int | None = None
) -> tuple[Coaching, str]:
    """The coach with everything that can be chosen, and a sentence of what is lacking, if anything.

    Raises
    ------
    LibraryError
        If a file of one's own is wrong, or there is no such programme.
    """
    library = library_of(data_dir, own)
    if sets is not None and not 1 <= sets <= 20:
        raise LibraryError(f"--sets is 1 to 20, not {sets}")

    def plan(name: str) -> Plan:
        return plan_of(library.programme(name), library, sets=sets)

    choices = []
    for each in library.programmes.values():
        minutes = f"{plan(each.name).expected_s / 60:.0f} minutes. {each.about}"
        choices.append(Choice(each.name, each.title, minutes))
    for exercise in library.exercises.values():
        if exercise.name not in library.programmes:
            needs = ", ".join(exercise.equipment)
            choices.append(Choice(exercise.name, exercise.title, needs))
    sentence = lacking(plan(programme).blocks, library.owned) if programme is not None else ""
    return Coaching(plan, choices), sentence
