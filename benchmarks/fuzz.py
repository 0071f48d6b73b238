"""Any bytes to everything that reads bytes from outside: a result or a named error, nothing else.

    python -m benchmarks.fuzz [--inputs N] [--seed S] [--only NAME]

Inputs are valid ones with bits flipped, bytes replaced, cut, doubled and inserted, and plain noise;
the checksum of half of the force frames is made good again, so that what lies behind it is reached.
Targets that need a file or a socket for each input, or analyse what comes, get a hundredth of them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.report import table
from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import notifications
from pipeline.csv_file import read_csv
from pipeline.samples import read_session
from pipeline.session import Session
from pipeline.sinks.mqtt.commands import parse_command
from pipeline.sinks.page.viewer import command_in
from pipeline.sinks.page.web import WebSink
from sensor.clock import DeviceClock
from sensor.errors import BandError, FrameError, RecordingError
from sensor.frames import Flag, ForceFrame, crc8, decode_equal_frames
from sensor.profile import Answer, BandCurve, Calibration, Command, Info, Opcode, Status
from sensor.recording import Recording
from sensor.repair import Repair
from sensor.samples import Channel, Notification
from sensor.timeline import Hole, Timeline

SEQUENCE = 200
"""Frames or rows that one state machine takes before the next begins."""
SLOW_SHARE = 100
INFO = Info(
    7, 80.0, 11520, 24, 3,
    (Calibration(0, 84000, 1e-4), Calibration(3, 84120, 1e-4)),
    BandCurve(5.78, 1.19, 0.5, 0.05), "forceband green", "1.0.0",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Broken:
    """An input that met something other than a result or a named error."""

    target: str
    what: str


class Mutator:
    """Draws hostile inputs around valid ones; the same for the same seed."""

    def __init__(self, corpus: list[bytes], seed: int) -> None:
        self.random = random.Random(seed)
        self._corpus = corpus

    def draw(self) -> bytes:
        r = self.random
        base = self._corpus[int(r.random() * len(self._corpus))]
        kind = int(r.random() * 8)
        if kind == 0:
            return r.randbytes(int(r.random() * 200))
        if kind == 1:
            return base
        data = bytearray(base)
        size = len(data)
        at = int(r.random() * (size + 1))
        if kind == 2:
            return bytes(data[:at])
        if kind == 3:
            data[at:at] = r.randbytes(1 + int(r.random() * 8))
        elif kind == 4:
            data[at:at] = data[int(r.random() * (size + 1)) :]
        else:
            for _ in range(1 + int(r.random() * 4)):
                if size:
                    place = int(r.random() * size)
                    data[place] = r.choice(
                        (
                            data[place] ^ 1 << int(r.random() * 8),
                            0,
                            255,
                            127,
                            128,
                            int(r.random() * 256),
                        )
                    )
        return bytes(data)

    def frame(self) -> bytes:
        """A hostile force frame, half of them with a checksum that is right."""
        data = self.draw()
        if len(data) > 4 and self.random.random() < 0.5:
            return data[:3] + bytes([crc8(data[:3] + data[4:])]) + data[4:]
        return data


def some_frames(count: int = 60) -> list[bytes]:
    """Valid frames of all sizes, indices and times near the wrap among them."""
    rng = np.random.default_rng(1)
    frames = []
    for k in range(count):
        n = (1, 5, 8, 32, 56)[k % 5]
        index = (1000 + 8 * k, 2**32 - 4, 0)[k % 3]
        frames.append(
            bytes(
                ForceFrame(
                    index,
                    index * 12_500 % 2**32,
                    k % 4,
                    Flag((0, 0x10, 0x60, 0xF0)[k % 4]),
                    rng.integers(-(2**23), 2**23, n),
                )
            )
        )
    return frames


def force_frames(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator(some_frames(), seed)
    for _ in range(inputs):
        data = mutator.frame()
        try:
            frame = ForceFrame.from_bytes(data)
        except FrameError:
            yield "FrameError"
        else:
            assert bytes(frame) == data
            yield "frame"


def frame_batches(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator(some_frames(), seed)
    valid = some_frames()
    for _ in range(inputs):
        head = valid[int(mutator.random.random() * len(valid))]
        second = mutator.frame() if mutator.random.random() < 0.5 else head
        size = len(head) if mutator.random.random() < 0.9 else int(mutator.random.random() * 200)
        joined = head + second
        batch = decode_equal_frames(joined, size)
        if batch is None:
            yield "refused"
            continue
        one_by_one = [
            ForceFrame.from_bytes(joined[at : at + size]) for at in range(0, len(joined), size)
        ]
        assert [each.counts.tolist() for each in one_by_one] == batch.counts.tolist()
        assert [each.device_us for each in one_by_one] == batch.device_us.tolist()
        yield "batch"


def infos(inputs: int, seed: int) -> Iterator[str]:
    bare = Info(1, 1000.0, 0, 16, 0, (Calibration(0, 0, 1.0),), None, "", "")
    mutator = Mutator([bytes(INFO), bytes(bare)], seed)
    for _ in range(inputs):
        try:
            info = Info.from_bytes(mutator.draw())
        except FrameError:
            yield "FrameError"
        else:
            assert info.rate_hz >= 1
            assert 1 <= len(info.calibrations) <= 16
            yield "Info"


def calibrations(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator([bytes(each) for each in INFO.calibrations], seed)
    for _ in range(inputs):
        try:
            found = Calibration.from_bytes(mutator.draw())
        except FrameError:
            yield "FrameError"
        else:
            assert math.isfinite(found.newtons_per_count)
            yield "Calibration"


def some_answers() -> list[bytes]:
    """One of each kind."""
    return [
        bytes(Answer(Opcode.START, Status.OK, bytes(4))),
        bytes(Answer(Opcode.TARE, Status.OK, bytes(INFO.calibrations[0]))),
        bytes(Answer(Opcode.SET_RATE, Status.OK, b"\x00\xe2\x04\x00")),
        bytes(Answer(Opcode.RESEND, Status.OK, bytes(8))),
        bytes(Answer(Opcode.RESEND, Status.NOT_AVAILABLE)),
    ]


def answers(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator(some_answers(), seed)
    for _ in range(inputs):
        data = mutator.draw()
        try:
            answer = Answer.from_bytes(data)
        except FrameError:
            yield "FrameError"
            continue
        answer.next_sample()
        fields = 0
        for field in (answer.calibration, answer.rate_hz, answer.resend_range):
            try:
                field()
            except FrameError:
                continue
            fields += 1
        yield f"Answer with {fields} readings"


class Sequences:
    """Frames that are valid in themselves and contradict each other: jumps, repeats, restarts."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._index, self._us = self.random.randrange(2**32), self.random.randrange(2**32)

    def draw(self) -> ForceFrame:
        r = self.random
        n = r.choice((1, 8, 8, 8, 56))
        jump = r.random()
        if jump < 0.1:
            by = int(r.choice((1, -1)) * 10 ** (r.random() * 4.5))
            self._index, self._us = self._index + by, self._us + by * 12_500
        elif jump < 0.12:
            self._index = r.randrange(2**32)
        elif jump < 0.14:
            self._us = r.randrange(2**32)
        elif jump < 0.15:
            self._index = self._us = 0
        frame = ForceFrame(
            self._index % 2**32,
            (self._us + r.randrange(200)) % 2**32,
            r.randrange(4),
            Flag(r.choice((0, 0, 0x10, 0xF0))),
            np.full(n, r.randrange(-(2**23), 2**23)),
        )
        self._index, self._us = self._index + n, self._us + n * 12_500
        return frame


def timelines(inputs: int, seed: int) -> Iterator[str]:
    """Each sample is settled once, in order, or is in one hole."""
    for start in range(0, inputs, SEQUENCE):
        source, timeline = Sequences(seed + start), Timeline(80.0, 11520)
        frontier: int | None = None
        settled = list[object]()
        for number in range(min(SEQUENCE, inputs - start)):
            frame = source.draw()
            placed = timeline.place(frame)
            if source.random.random() < 0.03:
                timeline.give_up(source.random.randrange(2**32), source.random.randrange(2**32))
            settled = [*timeline.settled(end=number == SEQUENCE - 1)]
            for part in settled:
                assert frontier is None or part.first == frontier  # type: ignore[attr-defined]
                frontier = part.end  # type: ignore[attr-defined]
            if timeline.restarted:
                timeline, frontier = Timeline(80.0, 11520), None
                yield "restarted"
                continue
            yield "placed" if placed else "left out"
        assert all(isinstance(part, Hole) or part for part in settled)


def clocks(inputs: int, seed: int) -> Iterator[str]:
    """UTC is known after one arrival and rises strictly, whatever arrives when."""
    for start in range(0, inputs, SEQUENCE):
        r, clock = random.Random(seed + start), DeviceClock()
        device_us, received_us = r.randrange(2**33), r.randrange(2**50)
        told: list[int] = []
        for _ in range(min(SEQUENCE, inputs - start)):
            device_us += int(10 ** (2 + 6 * r.random()))
            received_us += int(10 ** (1 + 7 * r.random()))
            late_us = int(10 ** (7 * r.random())) if r.random() < 0.3 else 0
            clock.arrived(device_us - (late_us if r.random() < 0.1 else 0), received_us + late_us)
            told += clock.utc_us(np.arange(device_us, device_us + 3_000, 1_000)).tolist()[:1]
            yield "known"
        assert all(a < b for a, b in pairwise(told))


def repairs(inputs: int, seed: int) -> Iterator[str]:
    """What is asked for is a range of the band's memory, and asking comes to an end."""
    mutator = Mutator(some_answers(), seed)
    for start in range(0, inputs, SEQUENCE):
        source, repair, now_s = Sequences(seed + start), Repair(80.0, 11520), 0.0
        for _ in range(min(SEQUENCE, inputs - start)):
            now_s += source.random.random()
            repair.receive(source.draw(), now_s)
            wanted = repair.request(now_s)
            if wanted is not None:
                first, count = wanted
                assert 0 <= first < 2**32
                assert 0 < count <= 11520
                try:
                    repair.answered(Answer.from_bytes(mutator.draw()), now_s)
                except FrameError:
                    repair.unanswered(now_s)
            repair.take_given_up()
            assert repair.missing <= 2**31
            yield "asked" if wanted else "quiet"


def session_rows(inputs: int, seed: int) -> Iterator[str]:
    """Rows of any channel with any payload: events, never an error."""
    marks = [
        json.dumps({"kind": "gave_up", "first": 5, "count": 9}).encode(),
        json.dumps({"kind": "label", "text": "left"}).encode(),
    ]
    frames = Mutator(some_frames(), seed)
    others = {
        Channel.ANSWER: Mutator(some_answers(), seed),
        Channel.INFO: Mutator([bytes(INFO)], seed),
        Channel.BATTERY: Mutator([b"\x50"], seed),
        Channel.LINK: Mutator([b"up", b"down: away"], seed),
        Channel.COMMAND: Mutator([bytes(Command.resend(1, 2))], seed),
        Channel.MARK: Mutator(marks, seed),
    }
    r = random.Random(seed)
    channels = list(others)
    for start in range(0, inputs, SEQUENCE):
        session, sequence = Session(), Sequences(seed + start)
        received_us = r.randrange(2**51)
        for row in range(1, min(SEQUENCE, inputs - start) + 1):
            received_us += r.randrange(200_000) if r.random() < 0.98 else -r.randrange(10**9)
            kind = r.random()
            channel = Channel.FORCE
            if kind < 0.5:
                payload = bytes(sequence.draw())
            elif kind < 0.7:
                payload = frames.frame()
            else:
                channel = r.choice(channels)
                payload = others[channel].draw()
            told = session.receive(Notification(max(received_us, 0), payload, channel), row)
            assert all(each.row == row for each in told)
            yield "told" if told else "nothing to tell"
        assert session.finish()


def mqtt_commands(inputs: int, seed: int) -> Iterator[str]:
    payloads = Mutator([b"PRESS", b'{"request":"a"}', b"{}", b"[" * 300], seed)
    topics = Mutator([b"forceband/band/cmd/tare", b"forceband/band/cmd/stop"], seed + 1)
    for _ in range(inputs):
        topic = topics.draw().decode("utf-8", "replace")
        command = parse_command("forceband", topic, payloads.draw())
        if command is None:
            yield "nobody's"
        else:
            yield "refused" if command.refusal else "command"


def page_questions(inputs: int, seed: int) -> Iterator[str]:
    mutator = Mutator([b'{"command":"tare"}', b'{"command":["tare"]}', b"[" * 300], seed)
    for _ in range(inputs):
        try:
            command_in(mutator.draw().decode("utf-8", "replace"), frozenset({"tare", "stop"}))
        except BandError:
            yield "BandError"
        else:
            yield "command"


def csv_files(inputs: int, seed: int) -> Iterator[str]:
    rows = "".join(f"{k / 80:.4f},{math.sin(k):.3f}\n" for k in range(8))
    corpus = [f"{head}\n{rows}".encode() for head in ("time_s,force_n", "time,force_kg")]
    corpus.append(corpus[0].replace(b",", b";").replace(b".", b","))
    mutator = Mutator(corpus, seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        for _ in range(inputs):
            path.write_bytes(mutator.draw())
            try:
                read_csv(path)
            except BandError:
                yield "CsvError"
            else:
                yield "read"


def recordings(inputs: int, seed: int) -> Iterator[str]:
    """Damaged files: rows, facts and an analysis, or RecordingError with the file's name."""
    r = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        corpus = []
        for kind, packed in (("packed", True), ("loose", False)):
            path = Path(folder) / f"{kind}.forceband"
            recording = Recording.create(path, {"session": "a"})
            recording.extend(list(notifications(Band(BandSetup(seed=2)), 20.0)))
            recording.set_cursor("mqtt", 5)
            recording.add_dead_letter("influx", "line", "why")
            if not packed:
                recording.sync()
                corpus.append(path.read_bytes())
            recording.close()
            if packed:
                corpus.append(path.read_bytes())
        for number in range(inputs):
            data = bytearray(r.choice(corpus))
            for _ in range(1 + r.randrange(12)):
                at = r.randrange(len(data)) if r.random() < 0.7 else r.randrange(2048)
                data[at : at + r.choice((1, 1, 4))] = r.randbytes(1)
            if r.random() < 0.2:
                del data[r.randrange(len(data)) :]
            path = Path(folder) / f"bad{number}.forceband"
            path.write_bytes(data)
            try:
                with Recording.open(path) as damaged:
                    _ = damaged.facts, damaged.cursors(), damaged.dead_letters(), damaged.ended
                    read_session(damaged)
            except RecordingError as error:
                yield "nameless" if path.name not in str(error) else "RecordingError"
            else:
                yield "read"
            path.unlink()


def http_requests(inputs: int, seed: int) -> Iterator[str]:
    """Raw bytes at the live page's socket; it answers or hangs up, and still serves afterwards."""
    host = b"Host: 127.0.0.1\r\n"
    upgrade = (
        b"GET /socket HTTP/1.1\r\n" + host + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    masked = b"\x81\x92abcd\x1a@\x00\x0b\x0c\x0f\x02\n\x05@Y F\x16\x02\x16\x04@\x1c"
    corpus = [
        b"GET / HTTP/1.1\r\n" + host + b"\r\n",
        b"GET /access HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n",
        b"POST /../../etc/passwd?token=a HTTP/1.1\r\n" + host + b"Content-Length: 3\r\n\r\nabc",
        upgrade,
        upgrade + masked,
    ]
    mutator = Mutator(corpus, seed)

    async def once(port: int, data: bytes) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data)
            async with asyncio.timeout(0.25):
                said = await reader.read(64)
        except ConnectionError:
            return "hung up"
        except TimeoutError:
            return "waits for more"
        finally:
            writer.close()
        return said.split(b" ")[1].decode("latin-1") if said.startswith(b"HTTP/") else "closed"

    async def main() -> Counter[str]:
        found: Counter[str] = Counter()
        async with WebSink() as page:
            port = int(page.url.rstrip("/").rpartition(":")[2])
            for _ in range(inputs):
                found[await once(port, mutator.draw())] += 1
            assert await once(port, corpus[1]) in ("204", "200", "403", "404"), "it serves no more"
        return found

    yield from asyncio.run(main()).elements()


FAST: dict[str, Callable[[int, int], Iterator[str]]] = {
    "ForceFrame": force_frames,
    "decode_equal_frames": frame_batches,
    "Info": infos,
    "Answer": answers,
    "Calibration": calibrations,
    "Timeline": timelines,
    "DeviceClock": clocks,
    "Repair": repairs,
    "MQTT commands": mqtt_commands,
    "page's questions": page_questions,
    "CSV": csv_files,
}
SLOW: dict[str, Callable[[int, int], Iterator[str]]] = {
    "Session rows": session_rows,
    "recording files": recordings,
    "HTTP and WebSocket": http_requests,
}


@contextmanager
def _named(target: str, found: list[Broken]) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - to find any is what this is for
        found.append(Broken(target, f"{type(error).__name__}: {error}"))


def fuzz(
    inputs: int, seed: int = 1, only: str | None = None
) -> tuple[list[list[str]], list[Broken]]:
    """Give each target its inputs; rows for a table, and what broke."""
    rows: list[list[str]] = []
    broken: list[Broken] = []
    for name, target in {**FAST, **SLOW}.items():
        if only not in (None, name):
            continue
        outcomes: Counter[str] = Counter()
        count = inputs if name in FAST else max(inputs // SLOW_SHARE, 1)
        began_s = time.perf_counter()
        with _named(name, broken):
            outcomes.update(target(count, seed))
        took_s = time.perf_counter() - began_s
        what = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.most_common(5))
        total = sum(outcomes.values())
        rows.append([name, str(total), f"{total / took_s:.0f}/s", what])
    return rows, broken


def main() -> int:
    """Print the table; 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*FAST, *SLOW])
    args = parser.parse_args()
    rows, broken = fuzz(args.inputs, args.seed, args.only)
    print(table(["Target", "Inputs", "Rate", "Outcomes"], rows))
    for each in broken:
        print(f"BROKEN: {each.target}: {each.what}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
