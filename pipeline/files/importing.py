"""A file's samples as a recording: frames as a band would have sent them.

So that history, export, replay and delivery work on it. A recording keeps the time of a frame's
first sample to 1 µs and its counts to 24 bits: samples go many to a frame where they are even, and
one by one where they are not.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.analysis import analyse
from pipeline.analysis.types import Analysis
from pipeline.files.errors import FileError
from pipeline.files.reading import ForceFile
from pipeline.files.table import Progress
from sensor.recording.log import SUFFIX, Recording
from sensor.samples import Channel, Floats, Ints, Notification
from sensor.wire.frames import MAX_SAMPLES, Flag, ForceFrame
from sensor.wire.profile import (
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    Calibration,
    Command,
    Info,
    Opcode,
    Response,
    Status,
)

MOST_COUNTS = 2**23 - 1
FRAMES_PER_S = 10.0
MOST_OFF_US = 20.0
"""Times within a frame may be off by this much; no file of a person's force is finer."""
NEAR_S = 150.0
"""After a longer gap the band says where it goes on."""
AT_ONCE = 2000
CALIBRATION = 1


def import_force(
    found: ForceFile, folder: Path, facts: dict[str, Any], progress: Progress | None = None
) -> Path | None:
    """Write a recording of a file's samples; None if the same was imported before.

    Raises
    ------
    FileError
        If the samples are no newtons, or faster than a recording can be.
    RecordingError
        If the folder cannot be written.
    """
    started_us = started_utc_us(found)
    name = _name(found, started_us)
    path = folder / f"{name}{SUFFIX}"
    if any(folder.glob(f"*-{name.rpartition('-')[2]}{SUFFIX}")):
        return None
    write_recording(found, path, {"session": name, **facts}, progress)
    return path


def write_recording(
    found: ForceFile, path: Path, facts: dict[str, Any], progress: Progress | None = None
) -> None:
    """Write a recording of a file's samples to a path."""
    if found.counts is not None:
        why = next((each for each in found.remarks if "newtons" in each), "no newtons")
        raise FileError(f"{found.path}: {why}")
    if not MIN_RATE_HZ <= found.rate_hz <= MAX_RATE_HZ:
        raise FileError(
            f"{found.path}: {found.rate_hz:.4g} samples a second; a recording takes "
            f"{MIN_RATE_HZ:g} to {MAX_RATE_HZ:g}"
        )
    analysis = analyse(found.time_s, found.force_n)
    more = {
        "software": f"forceband {version('forceband')}",
        "source": found.path.name,
        "understood": found.understood,
        "sets": len(analysis.sets),
        "reps": len(analysis.reps),
    }
    with Recording.create(path, {**facts, **more}) as recording:
        batch: list[Notification] = []
        for done, notification in _notifications(found, analysis):
            batch.append(notification)
            if len(batch) == AT_ONCE:
                recording.extend(batch)
                batch = []
                if progress is not None:
                    progress(done)
        recording.extend(batch)


def started_utc_us(found: ForceFile) -> int:
    """UTC of the first sample: the file's own clock, else when the file was written."""
    first_s = float(found.time_s[0])
    if found.utc_s is None:
        length_s = float(found.time_s[-1]) - first_s
        return round((_written_s(found.path) - length_s) * 1e6)
    utc_s = found.utc_s + first_s
    if not 0 <= utc_s < 2**32:
        return round(_written_s(found.path) * 1e6)
    if found.local:  # a clock on the wall of this place, as far as anybody knows
        utc_s = datetime.fromtimestamp(utc_s, UTC).replace(tzinfo=None).astimezone(UTC).timestamp()
    return round(utc_s * 1e6)


def _written_s(path: Path) -> float:
    """When a file was last written; what is no file was written now."""
    return path.stat().st_mtime if path.is_file() else time.time()


def _name(found: ForceFile, started_us: int) -> str:
    """Its end is the same for the same content; sorted by local time."""
    seen = hashlib.sha256(found.path.name.encode())
    seen.update(f"{found.part}\0{found.column}".encode())
    seen.update(np.ascontiguousarray(found.force_n).tobytes())
    begun = datetime.fromtimestamp(started_us // 10**6, UTC).astimezone()
    return f"{begun:%Y%m%d-%H%M%S}-{seen.hexdigest()[:10]}"


def _notifications(found: ForceFile, analysis: Analysis) -> Iterator[tuple[float, Notification]]:
    """What a client of a band with these samples receives, and which part of it is done."""
    started_us = started_utc_us(found)
    device_us = np.rint((found.time_s - found.time_s[0]) * 1e6).astype(np.int64)
    index = _indices(found, analysis)
    calibration = _calibration(found)
    counts = np.rint(found.force_n / calibration.newtons_per_count).astype(np.int64)
    counts = np.clip(counts, -MOST_COUNTS, MOST_COUNTS)
    info = Info(
        int.from_bytes(hashlib.sha256(str(found.path.name).encode()).digest()[:4], "little"),
        round(found.rate_hz, 3), 0, 24, CALIBRATION, (calibration,), None,
        found.layout or "file", "",
    )  # fmt: skip

    def note(at_us: int, channel: Channel, payload: bytes) -> Notification:
        return Notification(started_us + at_us, payload, channel)

    yield 0.0, note(0, Channel.LINK, b"up")
    yield 0.0, note(0, Channel.INFO, bytes(info))
    yield 0.0, note(0, Channel.COMMAND, bytes(Command(Opcode.START)))
    yield 0.0, note(0, Channel.RESPONSE, _says(Opcode.START, 0))
    size = index.size
    for low, high in _frames(index, device_us, found.rate_hz):
        first = int(index[low])
        missing = first - int(index[low - 1]) - 1 if low else 0
        if missing:
            at_us = int(device_us[low])
            if missing > NEAR_S * found.rate_hz:
                yield low / size, note(at_us, Channel.RESPONSE, _says(Opcode.START, first))
            gave_up = {"kind": "gave_up", "first": first - missing, "count": missing}
            yield low / size, note(at_us, Channel.MARK, json.dumps(gave_up).encode())
        frame = ForceFrame(first, int(device_us[low]), CALIBRATION, Flag(0), counts[low:high])
        yield high / size, note(int(device_us[high - 1]), Channel.FORCE, bytes(frame))
    end_us = int(device_us[-1])
    yield 1.0, note(end_us, Channel.RESPONSE, _says(Opcode.STOP, int(index[-1]) + 1))
    yield 1.0, note(end_us, Channel.LINK, f"down: the end of {found.path.name}".encode())
    yield 1.0, note(end_us, Channel.END, b"")


def _says(opcode: Opcode, index: int) -> bytes:
    return bytes(Response(opcode, Status.OK, (index % 2**32).to_bytes(4, "little")))


def _indices(found: ForceFile, analysis: Analysis) -> Ints:
    """The number of each sample, with those that are missing left out."""
    steps = np.ones(found.time_s.size, np.int64)
    steps[0] = 0
    for gap in analysis.gaps:
        at = int(np.searchsorted(found.time_s, gap.end_s - 1e-9))
        if 0 < at < steps.size:
            lacking = gap.missing or max(round((gap.end_s - gap.start_s) * found.rate_hz) - 1, 1)
            steps[at] = lacking + 1
    return np.cumsum(steps)


def _calibration(found: ForceFile) -> Calibration:
    """A scale in which every step that the file writes is one count or more."""
    most_n = max(float(np.abs(found.force_n).max()), 1e-6)
    finest = most_n / MOST_COUNTS
    halvings = math.floor(math.log2(max(found.resolution_n / finest, 1.0)))
    per_count = max(found.resolution_n / 2**halvings, finest)
    return Calibration(CALIBRATION, 0, float(np.float32(per_count)))


def _frames(index: Ints, device_us: Ints, rate_hz: float) -> Iterator[tuple[int, int]]:
    """Ranges of samples, one a frame."""
    many = int(np.clip(round(rate_hz / FRAMES_PER_S), 1, MAX_SAMPLES))
    if many > 1 and not _even(index, device_us, many, rate_hz):
        many = 1
    breaks = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist(), index.size]
    for begin, end in pairwise(breaks):
        for low in range(begin, end, many):
            yield low, min(low + many, end)


def _even(index: Ints, device_us: Ints, many: int, rate_hz: float) -> bool:
    """Whether times within frames come out right, as a reader learns the pace from frames."""
    first: list[int] = []
    breaks = [0, *(np.flatnonzero(np.diff(index) != 1) + 1).tolist(), index.size]
    for begin, end in pairwise(breaks):
        first += range(begin, end, many)
    starts = np.array(first)
    owner = np.searchsorted(starts, np.arange(index.size), side="right") - 1
    passed = (index[starts] - index[0]).astype(np.float64)
    nominal_us = 1e6 / round(rate_hz, 3)
    pace: Floats = np.full(starts.size, nominal_us)
    np.divide(device_us[starts] - device_us[0], passed, out=pace, where=passed > 0)
    told = device_us[starts][owner] + (index - index[starts][owner]) * pace[owner]
    return bool(np.abs(told - device_us).max() <= MOST_OFF_US)
