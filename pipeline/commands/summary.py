"""What a session came to, as a table at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.app import Outcome
    from pipeline.session.session import Session


def print_sets(session: Session) -> None:
    """The sets, and what was lost, if anything."""
    from pipeline.views.tables import console, sets_table

    out = console()
    sets = [closed.summary for closed in session.sets if closed.reps]
    if sets:
        out.print(sets_table(sets))
    else:
        out.print("no reps")
    for gap in session.gaps:
        lost = "an unknown number of" if gap.missing is None else str(gap.missing)
        out.print(f"gap: {lost} samples at {gap.start_s:.2f}-{gap.end_s:.2f} s")
    if session.bad_frames:
        out.print(f"{session.bad_frames} damaged frames were left out")


def print_outcome(outcome: Outcome) -> None:
    """The sets, where the recording is, and what was not delivered."""
    from pipeline.views.tables import console

    print_sets(outcome.session)
    out = console()
    if outcome.path is not None and outcome.not_recorded:
        out.print(
            f"NOT all of it is recorded: {outcome.not_recorded} notifications are missing in "
            f"{outcome.path}",
            soft_wrap=True,
        )
    elif outcome.path is not None:
        out.print(f"recorded {outcome.session.samples} samples: {outcome.path}", soft_wrap=True)
    for status in outcome.undelivered:
        if status.rejected:
            out.print(f"{status.sink}: {status.rejected}", soft_wrap=True)
        if not status.waiting_rows:
            continue
        out.print(
            f"{status.sink}: {status.waiting_rows} rows wait in the recording"
            f"{f' ({status.problem})' if status.problem else ''}; "
            f"`forceband deliver {outcome.path}` brings them",
            soft_wrap=True,
        )
