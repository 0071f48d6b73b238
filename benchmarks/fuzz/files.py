"""Files that somebody else may have made: CSV, settings, recordings."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.fuzz.mutator import Mutator
from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import notifications
from pipeline.config import ConfigError, load
from pipeline.files.errors import FileError
from pipeline.files.reading import read_force
from pipeline.files.samples import read_session
from sensor.errors import RecordingError
from sensor.recording.log import Recording

IN_MEMORY = Path("/dev/shm")
ANALYSED = 50
"""One recording in so many is analysed too; `Session rows` does that more often."""


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as name:
        yield Path(name)


def csv_files(inputs: int, seed: int) -> Iterator[str]:
    rows = "".join(f"{k / 80:.4f},{math.sin(k):.3f}\n" for k in range(8))
    corpus = [f"{head}\n{rows}".encode() for head in ("time_s,force_n", "time,force_kg")]
    corpus.append(corpus[0].replace(b",", b";").replace(b".", b","))
    mutator = Mutator(corpus, seed)
    with _folder() as folder:
        path = folder / "a.csv"
        for _ in range(inputs):
            path.write_bytes(mutator.draw())
            try:
                read_force(path)
            except FileError as error:
                yield "FileError" if str(path) in str(error) else "nameless"
            else:
                yield "read"


def settings_files(inputs: int, seed: int) -> Iterator[str]:
    corpus = [
        b'data_dir = "a"\n[band]\nname = "left"\nside = "left"\npair = true\n',
        b'[mqtt]\nhost = "broker"\nport = 8883\ntls = true\n[web]\nport = 0\nhost = "0.0.0.0"\n',
        b'[influx]\nurl = "http://127.0.0.1:8086"\ntoken_file = "/nowhere"\nbucket = "b"\n',
    ]
    mutator = Mutator(corpus, seed)
    with _folder() as folder:
        path = folder / "config.toml"
        for _ in range(inputs):
            path.write_bytes(mutator.draw())
            try:
                load(path, environment={})
            except ConfigError:
                yield "ConfigError"
            else:
                yield "settings"


def recordings(inputs: int, seed: int) -> Iterator[str]:
    """Damaged files: rows, runs and facts, or RecordingError with the file's name."""
    r = random.Random(seed)
    with _folder() as folder:
        corpus = [_recording(folder / name, packed=name == "packed") for name in ("packed", "log")]
        path = folder / "bad.forceband"
        for number in range(inputs):
            path.write_bytes(_damaged(r, corpus))
            try:
                with Recording.open(path) as damaged:
                    _ = damaged.facts, damaged.cursors(), damaged.dead_letters(), damaged.ended
                    for row, _notification in damaged.rows():
                        assert row > 0
                    for run in damaged.batches():
                        assert len(run.joined) == run.size * len(run.received_us)
                    if number % ANALYSED == 0:
                        read_session(damaged)
            except RecordingError as error:
                yield "RecordingError" if path.name in str(error) else "nameless"
            else:
                yield "read"
            for each in folder.glob(f"{path.name}*"):  # SQLite leaves files beside a damaged one
                each.unlink()


def _recording(path: Path, *, packed: bool) -> bytes:
    """A short session's file, closed or as a kill leaves it."""
    with Recording.create(path, {"session": "a"}) as recording:
        recording.extend(list(notifications(Band(BandSetup(seed=2)), 3.0)))
        recording.set_cursor("mqtt", 5)
        recording.add_dead_letter("influx", "line", "why")
        if not packed:
            recording.sync()
            return path.read_bytes()
    return path.read_bytes()


def _damaged(r: random.Random, corpus: list[bytes]) -> bytes:
    data = bytearray(r.choice(corpus))
    for _ in range(1 + r.randrange(12)):
        at = r.randrange(len(data)) if r.random() < 0.7 else r.randrange(2048)
        data[at : at + r.choice((1, 1, 4))] = r.randbytes(1)
    if r.random() < 0.2:
        del data[r.randrange(len(data)) :]
    return bytes(data)
