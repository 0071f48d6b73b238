"""Files that somebody else may have made: tables, settings, recordings."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

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


def tables(inputs: int, seed: int) -> Iterator[str]:
    """Files of force of many kinds: samples, or FileError with the file's name in one line."""
    rows = [(k / 80, math.sin(k)) for k in range(8)]
    dotted = "".join(f"{t:.4f},{f:.3f}\n" for t, f in rows)
    semicolons = dotted.replace(",", ";").replace(".", ",")
    records = [{"time_s": t, "force_n": f} for t, f in rows]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data_set_1.csv", f"time,weight\n{dotted}")
    xml = "".join(f"<p><time_s>{t}</time_s><force_n>{f}</force_n></p>" for t, f in rows)
    in_turn = "".join(f"{t},L,{f}\n{t},R,{f}\n" for t, f in rows)
    again = "".join(f"{(2**32 - 9 + k) % 2**32},{k % 3}\n" for k in range(30))
    corpus = [
        f"time_s,force_n\n{dotted}".encode(),
        f"Zeit;Kraft\ns;N\n{semicolons}\nMax;1,0\n".encode(),
        f",Overall Avg\nAvg,0.0\n,\ntime,weight\n{dotted}".encode(),
        f"Time\tForce (kg)\n{dotted}".replace(",", "\t").encode("utf-16"),
        "".join(f"12:00:0{t:.3f} -> {f:.2f}\n" for t, f in rows).encode(),
        "".join(f"Time: {t} s, Load: {f} kg\n" for t, f in rows).encode(),
        "".join(f"2026-01-01T12:00:0{t:.3f}Z,{f:.2f}\n" for t, f in rows).encode(),
        json.dumps(records).encode(),
        "".join(json.dumps(each) + "\n" for each in records).encode(),
        json.dumps({"a": {k: t for k, (t, _) in enumerate(rows)}, "unit": "kg"}).encode(),
        json.dumps({"columns": ["t", "f"], "data": rows, "unit": "kg"}).encode(),
        "".join(f"[12:00:0{t:.3f}] root: weight={f:.2f} kg\n" for t, f in rows).encode(),
        f"time,side,kg\n{in_turn}".encode(),
        f"us,kg\n{again}".encode(),
        gzip.compress(f"time_s,force_n\n{dotted}".encode()),
        f"<all>{xml}</all>".encode(),
        packed.getvalue(),
    ]
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive_:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(corpus[0])
        archive_.addfile(entry, io.BytesIO(corpus[0]))
    cells = "".join(f"<tr><td>{t}<td>{f}</tr>" for t, f in rows)
    columns = {"time": [t for t, _ in rows], "force_n": [f for _, f in rows]}
    parquet = io.BytesIO()
    pq.write_table(pa.table(columns), parquet)
    book = Workbook()
    for row in [("time", "force_n"), *rows]:
        book.active.append(row)
    sheet = io.BytesIO()
    book.save(sheet)
    corpus += [
        sheet.getvalue(),
        tar.getvalue(),
        parquet.getvalue(),
        f"<table><tr><th>Time (s)<th>Force (N)</tr>{cells}</table>".encode(),
        f"ChannelTitle=\tPull\nUnitName=\tN\n{dotted}".replace(",", "\t").encode(),
        "".join(
            f"\x1b[0;32mI ({k}) a: weight {f:.2f} kg\x1b[0m\n" for k, (_, f) in enumerate(rows)
        ).encode(),
        b"t,a (N),b (N),sum (N)\n" + "".join(f"{t},{f},{f},{2 * f}\n" for t, f in rows).encode(),
    ]
    mutator = Mutator(corpus, seed)
    with _folder() as folder:
        path = folder / "a.csv"
        for _ in range(inputs):
            path.write_bytes(mutator.draw())
            try:
                found = read_force(path)
            except FileError as error:
                words = str(error)
                named = str(path) in words and "\n" not in words
                yield "FileError" if named else f"nameless {words!r}"
            else:
                assert all(np.isfinite(each.force_n).all() for each in found)
                assert all((np.diff(each.time_s) > 0).all() for each in found)
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
