"""Earlier sessions, from the recordings of a folder alone.

A recording keeps what its coach noted at its end. Where that is missing (the program was killed, or
is older), the recording is coached again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from pipeline.coach.begin import Begin
from pipeline.coach.coach import BEGIN, Coach
from pipeline.coach.diary import COACHED, Diary, Done, Entry
from pipeline.coach.library import Library, LibraryError
from pipeline.coach.strength import TESTS, Measured
from pipeline.coach.workout import KIND
from pipeline.files.samples import SessionRead, read_session
from pipeline.session.session import Session
from sensor.errors import RecordingError
from sensor.recording.folder import recordings
from sensor.recording.log import Recording
from sensor.samples import Channel


@dataclass(frozen=True, slots=True)
class Past:
    """A session of an earlier time."""

    path: Path
    started: datetime
    """With the zone of this computer, whose days count."""
    athlete: str
    device: str
    colour: str
    """Of the band, where it says one that the library knows; else empty."""
    workouts: tuple[Done, ...]
    demo: bool = False

    @property
    def day(self) -> date:
        """On which it began."""
        return self.started.date()

    def entries(self) -> Iterator[Entry]:
        """All sets that were begun with the coach."""
        return (each for done in self.workouts for each in done.entries if each.how != "missed")


def read_history(
    folder: Path,
    library: Library,
    *,
    again: bool = True,
    tell: Callable[[float], None] | None = None,
    warn: Callable[[str], None] = lambda sentence: None,
) -> list[Past]:
    """The sessions of a folder in the order of time.

    Parameters
    ----------
    again
        Whether to coach those again that were not noted: takes a second for some minutes of each.
    tell, warn
        Called with the part that is done, and with a sentence for each file that cannot be read.
    """
    found, paths = list[Past](), recordings(folder)
    for k, path in enumerate(paths):
        try:
            with Recording.open(path) as recording:
                if not recording.in_use and (past := _past(recording, library, again, warn)):
                    found.append(past)
        except RecordingError as error:
            warn(str(error))
        except (ValueError, OverflowError, OSError) as error:
            warn(f"{path}: when it was made cannot be told: {error}")
        if tell is not None:
            tell((k + 1) / len(paths))
    return sorted(found, key=lambda each: each.started)


def usual_n(history: Iterable[Past], *, athlete: str, device: str) -> dict[str, float]:
    """The median rise of this person's last session of each exercise on this band."""
    usual: dict[str, float] = {}
    for past in history:
        if (past.athlete, past.device) != (athlete, device):
            continue
        rises: dict[str, list[float]] = {}
        for entry in past.entries():
            if entry.rise_n is not None and entry.reps >= 2 and not entry.test:
                rises.setdefault(entry.exercise, []).append(entry.rise_n)
        usual |= {exercise: median(each) for exercise, each in rises.items()}
    return usual


def days_since(history: Iterable[Past], today: date, *, athlete: str) -> dict[str, float]:
    """Since each exercise was last done."""
    last = {
        entry.exercise: past.day
        for past in history
        if past.athlete == athlete
        for entry in past.entries()
    }
    return {exercise: float((today - day).days) for exercise, day in last.items()}


def strength_results(past: Past) -> dict[tuple[str, str], Measured]:
    """What the strength tests of a session came to, by exercise and side, from its samples."""
    entries = [each for each in past.entries() if each.test in TESTS]
    if not entries:
        return {}
    with Recording.open(past.path) as recording:
        read = read_session(recording)
    places = dict.fromkeys((each.exercise, each.side) for each in entries)
    found = {}
    for place in places:
        own = [each for each in entries if (each.exercise, each.side) == place]
        measured = _measured(own, read)
        if measured is not None:
            found[place] = measured
    return found


def _measured(entries: list[Entry], read: SessionRead) -> Measured | None:
    """Of one test and side: its trials are the reps done in its sets."""
    spans = [(each.start_s, each.end_s) for each in entries]
    trials = [
        rep
        for rep in read.analysis.reps
        if any(start_s <= rep.peak_s <= end_s for start_s, end_s in spans)
    ]
    if not trials:
        return None
    time_s, force_n = read.time_s, read.force_n
    known = np.isfinite(force_n)
    return TESTS[entries[0].test](time_s[known], force_n[known], trials)


def _past(
    recording: Recording, library: Library, again: bool, warn: Callable[[str], None]
) -> Past | None:
    facts = recording.facts
    first = next(iter(recording.rows(limit=1)), None)
    if first is None:
        return None
    started_s = (first[1].received_us + (recording.utc_shift_us or 0)) / 1e6
    workouts = _noted(facts)
    if workouts is None:
        workouts = ()
        if again and _was_coached(recording):
            try:
                workouts = _coached_again(recording, library)
            except LibraryError as error:
                warn(f"{recording.path}: cannot be coached again: {error}")
    return Past(
        path=recording.path,
        started=datetime.fromtimestamp(started_s).astimezone(),
        athlete=str(facts.get("athlete") or "me"),
        device=str(facts.get("device") or "band"),
        colour=_colour(str(facts.get("band_model") or ""), library),
        workouts=workouts,
        demo=bool(facts.get("demo")),
    )


def _noted(facts: Mapping[str, Any]) -> tuple[Done, ...] | None:
    """What the recording says was done; None where it says nothing that is understood."""
    noted = facts.get(COACHED)
    if not isinstance(noted, list):
        return None
    try:
        return tuple(Done.of(each) for each in noted)
    except ValueError:
        return None


def _was_coached(recording: Recording) -> bool:
    words = f'"{KIND}"'.encode(), BEGIN.encode()
    marks = (each.payload for each in recording.others() if each.channel is Channel.MARK)
    return any(all(word in payload for word in words) for payload in marks)


def _coached_again(recording: Recording, library: Library) -> tuple[Done, ...]:
    session, diary = Session(), Diary()
    coach = Coach(lambda text: Begin.of(text).plan(library))
    session.mend_utc(recording.utc_shift_us)
    for row, each in recording.rows():
        diary.take(coach.receive(session.receive(each, row)))
    diary.take(coach.receive(session.finish()))
    return diary.workouts


def _colour(model: str, library: Library) -> str:
    """The colour of a band that says what it is."""
    words = set(re.findall(r"[a-z]+", model.lower()))
    return next((band.colour for band in library.bands.values() if band.colour in words), "")
