"""What a session came to, as a table at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.errors import RecordingError

if TYPE_CHECKING:
    from pathlib import Path

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
    if outcome.path is not None:
        out.print(_recorded(outcome, outcome.path), soft_wrap=True)
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


def _recorded(outcome: Outcome, path: Path) -> str:
    """What the file holds, looked up in it: nothing is claimed that is not there."""
    from sensor.recording.log import Recording

    if not outcome.session.samples:
        return "no sample came: nothing was recorded"
    if outcome.not_recorded:
        return (
            f"NOT all of it is recorded: {outcome.not_recorded} notifications are missing in {path}"
        )
    try:
        with Recording.open(path) as recording:
            rows, lacks_end = recording.last_row, recording.lacks_end
    except RecordingError as error:
        return f"NOT recorded: {error}"
    if rows < outcome.rows or lacks_end:
        return f"NOT all of it is recorded: {path} has {rows} of {outcome.rows} rows"
    return f"recorded {outcome.session.samples} samples: {path}"
