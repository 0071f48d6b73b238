"""The coach of a live session, as the command line asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.coach.begin import Begin
from pipeline.coach.library import Library, LibraryError
from pipeline.coach.plan import Plan, lacking, plan_of
from pipeline.commands.programs import library_of
from pipeline.delivery.coaching import Choice, Coaching
from pipeline.files.history import Past, days_since, read_history, usual_n

if TYPE_CHECKING:
    from pipeline.config import Config


def open_coaching(
    config: Config, own: Path | None = None, programme: str | None = None, sets: int | None = None
) -> Coaching:
    """The coach with everything that can be chosen.

    Raises
    ------
    LibraryError
        If a file of one's own is wrong, or there is no such programme.
    """
    library = library_of(config.data_dir, own)
    if sets is not None and not 1 <= sets <= 20:
        raise LibraryError(f"--sets is 1 to 20, not {sets}")
    history = read_history(config.data_dir, library, again=False)

    def plan(text: str) -> Plan:
        return Begin.of(text).plan(library)

    def begin(name: str) -> str:
        return str(_begin(name, library, history, config, sets))

    def lacks(plan: Plan) -> str:
        return lacking(plan.blocks, library.owned)

    if programme is not None:
        plan(programme)
    return Coaching(plan, _choices(library, sets), begin, lacks)


def _begin(
    name: str, library: Library, history: Sequence[Past], config: Config, sets: int | None
) -> Begin:
    """What is to begin, as earlier sessions make it."""
    programme, band = library.programme(name), config.band
    since = days_since(history, date.today(), athlete=band.athlete)
    plan = plan_of(programme, library, sets=sets, days_since=since)
    exercises = tuple(dict.fromkeys(block.exercise.name for block in plan.blocks))
    usual = usual_n(history, athlete=band.athlete, device=band.name)
    return Begin(
        programme.name,
        sets,
        exercises if programme.choose is not None else (),
        {exercise: usual[exercise] for exercise in exercises if exercise in usual},
    )


def _choices(library: Library, sets: int | None) -> list[Choice]:
    """All that can be led: programmes first."""
    choices = []
    for each in library.programmes.values():
        minutes = plan_of(each, library, sets=sets).expected_s / 60
        choices.append(Choice(each.name, each.title, f"{minutes:.0f} minutes. {each.about}"))
    for exercise in library.exercises.values():
        if exercise.name not in library.programmes:
            needs = ", ".join(exercise.equipment)
            about = f"Strength test. {needs}" if exercise.test else needs
            choices.append(Choice(exercise.name, exercise.title, about))
    return choices
