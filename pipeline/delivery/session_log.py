"""A session's recording: named, made, described; and thrown away where it holds nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from zlib import crc32

from slugify import slugify

from pipeline.coach.diary import COACHED, Done
from pipeline.config import JOINERS, LONGEST_NAME, Config, ConfigError
from pipeline.files.samples import read_session
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from sensor.errors import BandError, DiskFullError, RecordingError
from sensor.recording.file import remove, traces, translated
from sensor.recording.folder import sweep
from sensor.recording.log import SUFFIX, Recording
from sensor.samples import Channel
from sensor.source import About


@dataclass(frozen=True, slots=True)
class SessionLog:
    """Where a session is written, and what messages and points say of it."""

    recording: Recording | None
    """None for a replay, which is recorded already."""
    facts: SessionFacts

    def note_band(self, about: About) -> None:
        """Store what the band says of itself."""
        if self.recording is None:
            return
        with suppress(BandError):
            said = {key: value for key, value in asdict(about).items() if value}
            self.recording.set_facts({f"band_{key}": value for key, value in said.items()})

    def note_result(self, session: Session, workouts: Sequence[Done] | None = None) -> None:
        """Store what lists of recordings show, the fit of the clocks, and what the coach led."""
        if self.recording is None:
            return
        noted = None if workouts is None else [each.as_object() for each in workouts]
        with suppress(BandError):  # the person has heard of a full disk
            self.recording.set_facts(
                {
                    "sets": sum(1 for each in session.sets if each.reps),
                    "reps": sum(len(each.reps) for each in session.sets),
                    **session.clock_facts,
                    **({} if noted is None else {COACHED: noted}),
                }
            )


def new_session_name(now: datetime | None = None) -> str:
    """A name of `[a-z0-9-]` that tells local time, sorts by it, and is nobody else's."""
    now = now or datetime.now().astimezone()
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def check_data_dir(folder: Path) -> None:
    """ConfigError if no recording can be made in this folder; a full disk is no such error."""
    try:
        with suppress(DiskFullError), translated(folder):
            folder.mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=folder):
                pass
    except RecordingError as error:
        raise ConfigError(
            f"{error}: choose another folder with --data or data_dir, or correct its permissions"
        ) from error


@contextmanager
def session_recording(config: Config, **facts: Any) -> Iterator[SessionLog]:
    """A new recording in the data folder; one that no sample was written into leaves no file.

    Raises
    ------
    RecordingError
        If the folder cannot be written. A full disk is no such error: the session is kept in
        memory until there is room.
    """
    sweep(config.data_dir)
    name = new_session_name()
    path = config.data_dir / f"{name}{SUFFIX}"
    known = {
        "session": name,
        "software": f"forceband {version('forceband')}",
        "device": config.band.name,
        "side": config.band.side,
        "exercise": config.band.exercise,
        "athlete": config.band.athlete,
        **facts,
    }
    try:
        recording = Recording.create(path, known, keep=True)
    except DiskFullError:
        recording = Recording.homeless(path, known)
    try:
        yield SessionLog(recording, session_facts(recording))
    finally:
        empty = not _holds_force(recording)
        recording.close()
        if empty:
            remove(recording.path)


def note_what_is_in(recording: Recording) -> None:
    """Store what lists of recordings show of one that has changed."""
    analysis = read_session(recording).analysis
    recording.set_facts({"sets": len(analysis.sets), "reps": len(analysis.reps)})


def another_path(path: Path) -> Path:
    """The path where nothing of a recording is; else with a number after the name."""
    paths = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in count(2))
    return next(each for each in chain([path], paths) if not traces(each))


def _holds_force(recording: Recording) -> bool:
    try:
        return any(each.channel is Channel.FORCE for each in recording.batches())
    except RecordingError:
        return True


def identifier(name: str) -> str:
    """A name as `[a-z0-9-]`, whatever script it is in; empty for an empty one."""
    made = slugify(name, max_length=LONGEST_NAME)
    return made or (f"x{crc32(name.encode()):08x}" if name else "")


def session_facts(recording: Recording, replay_speed: float | None = None) -> SessionFacts:
    """What messages and points say of a recording's session."""
    facts = recording.facts

    def said(key: str, default: str) -> str:
        signs = str(facts.get(key) or "")
        text = "".join(c if c.isprintable() or c in JOINERS else " " for c in signs)
        return text.strip()[:LONGEST_NAME] or default

    def word(key: str, default: str) -> str:
        return identifier(said(key, "")) or default

    return SessionFacts(
        session=word("session", word("", recording.path.stem.lower())),
        device=word("device", "band"),
        side=word("side", "both"),
        exercise=said("exercise", "unknown"),
        athlete=said("athlete", "me"),
        replay_speed=replay_speed,
    )
