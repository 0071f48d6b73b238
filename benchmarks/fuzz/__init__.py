"""Any bytes to everything that reads bytes from outside."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.fuzz import decoders, files, sequences, sockets, texts

TARGETS: dict[str, Callable[[int, int], Iterator[str]]] = {
    "ForceFrame": decoders.force_frames,
    "decode_equal_frames": decoders.frame_batches,
    "Info": decoders.infos,
    "Response": decoders.responses,
    "Calibration": decoders.calibrations,
    "advertisement": decoders.advertisements,
    "drivers": decoders.foreign_payloads,
    "Ledger": sequences.ledgers,
    "DeviceClock": sequences.clocks,
    "Requests": sequences.requests,
    "Session rows": sequences.session_rows,
    "foreign sessions": sequences.foreign_rows,
    "MQTT commands": texts.mqtt_commands,
    "page's questions": texts.page_questions,
    "InfluxDB's answers": texts.influx_answers,
    "tables": files.tables,
    "settings": files.settings_files,
    "recording files": files.recordings,
    "HTTP": sockets.http_requests,
    "WebSocket": sockets.websocket_frames,
}


@dataclass(frozen=True, slots=True)
class Broken:
    """An input that met something other than a result or a named error."""

    target: str
    what: str


def fuzz(
    inputs: int, seed: int = 1, only: str | None = None
) -> tuple[list[list[str]], list[Broken]]:
    """Give each target its inputs; rows for a table, and what broke."""
    rows: list[list[str]] = []
    broken: list[Broken] = []
    for name, target in TARGETS.items():
        if only not in (None, name):
            continue
        outcomes: Counter[str] = Counter()
        began_s = time.perf_counter()
        try:
            outcomes.update(target(inputs, seed))
        except KeyboardInterrupt:
            only = name  # tell what there is, and no more
        except Exception as error:  # noqa: BLE001 - to find any is what this is for
            broken.append(Broken(name, f"{type(error).__name__}: {error}"))
        took_s = time.perf_counter() - began_s
        what = ", ".join(f"{n} {outcome}" for outcome, n in outcomes.most_common(6))
        rows.append([name, str(outcomes.total()), f"{took_s:.0f} s", what])
    return rows, broken
