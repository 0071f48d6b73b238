"""The data set's files: for each session a recording, a CSV and the truth; and the card of all.

The same seed gives the same bytes on any machine: nothing depends on time, place or the order of
hashes, samples are steps of a gauge, and what is computed is rounded well above its last digits.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from slugify import slugify

from firmware_sim.generator import KINDS, make_session
from firmware_sim.generator.kinds import Session
from pipeline.dataset.card import README, card
from pipeline.dataset.truths import truth_object
from pipeline.files.importing import write_recording
from pipeline.files.reading import ForceFile
from sensor.errors import BandError
from sensor.recording.file import settle
from sensor.recording.log import SUFFIX

STARTED_S = 1_767_225_600
"""2026-01-01T00:00:00Z: the first session; each of the others begins an hour after the last."""
APART_S = 3600
CARD = "croissant.json"


def sessions(count: int, seed: int, kind: str | None = None) -> Iterator[Session]:
    """So many sessions, the kinds in turn; each kind counts its seeds from `seed` on."""
    kinds = (kind,) if kind else KINDS
    used: Counter[str] = Counter()
    for number in range(count):
        each = kinds[number % len(kinds)]
        yield make_session(each, seed + used[each])
        used[each] += 1


def name_of(session: Session) -> str:
    return f"{slugify(session.kind)}-{session.seed}"


def write_dataset(
    out: Path,
    count: int,
    seed: int,
    kind: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Write a data set into a folder that is new or empty.

    Raises
    ------
    BandError
        If it is neither, or cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise BandError(f"{out}: is not empty; a data set goes into a folder of its own")
        table = []
        for number, session in enumerate(sessions(count, seed, kind)):
            table.append(_write(out, number, session))
            if progress is not None:
                progress((number + 1) / count)
        (out / "README.md").write_text(README, encoding="utf-8", newline="\n")
        _write_json(out / CARD, card(out, table, seed))
    except OSError as error:
        raise BandError(f"{out}: cannot be written: {error.strerror or error}") from error


def _write(out: Path, number: int, session: Session) -> dict[str, object]:
    """One session's files; its line in the card."""
    name = name_of(session)
    path = out / f"{name}.csv"
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("time_s,force_n\n")
        np.savetxt(file, np.c_[session.time_s, session.force_n + 0.0], "%.6f", ",")
    truth = truth_object(name, session)
    _write_json(path.with_suffix(".json"), truth)
    recording = path.with_suffix(SUFFIX)
    facts = {"session": name, "device": "generator", "side": "both", "exercise": "unknown"}
    write_recording(_as_told_by_a_band(path, number, session), recording, facts)
    settle(recording)
    recording.chmod(0o644)
    return {
        "name": name,
        **{key: truth[key] for key in ("kind", "seed", "rate_hz", "duration_s")},
        **{key: len(truth[key]) for key in ("reps", "partials", "sets", "gaps")},
    }


def _as_told_by_a_band(path: Path, number: int, session: Session) -> ForceFile:
    """The samples with the gauge's own clock: a band loses samples, and does not misdate them."""
    return ForceFile(
        path=path,
        part="",
        column="force_n",
        side=None,
        time_s=session.sampled_s,
        force_n=session.sampled_n,
        unit="N",
        understood="drawn",
        remarks=(),
        utc_s=float(STARTED_S + number * APART_S),
        local=False,
        counts=None,
        resolution_n=session.plan.gauge.step_n,
        layout="generator",
    )


def _write_json(path: Path, told: dict[str, object]) -> None:
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
