"""A recording of our own, kept as it was made, against what the person really did."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import numpy as np

from pipeline.files.samples import read_session
from pipeline.session.session import Session
from pipeline.sources.playback import Playback
from sensor.recording.log import Recording
from tests.data.make_golden import GOLDEN, TRUTH


def truth() -> list[dict[str, Any]]:
    pulls: list[dict[str, Any]] = json.loads(TRUTH.read_text("utf-8"))
    return [pull for pull in pulls if pull["kind"] == "rep"]


def test_every_rep_is_found_where_it_was() -> None:
    with Recording.open(GOLDEN) as recording:
        read = read_session(recording)
    reps, wanted = read.analysis.reps, truth()
    assert read.missing == 0
    assert [(rep.set, rep.rep) for rep in reps] == [(pull["set"], pull["rep"]) for pull in wanted]
    for name in ("start_s", "top_start_s", "top_end_s", "end_s"):
        error_ms = [
            abs(getattr(rep, name) - pull[name]) * 1000
            for rep, pull in zip(reps, wanted, strict=True)
        ]
        assert np.mean(error_ms) < 15, name
    peak = [abs(rep.peak_n / pull["peak_n"] - 1) for rep, pull in zip(reps, wanted, strict=True)]
    assert np.mean(peak) < 0.008


def test_a_replay_gives_the_same_reps_as_the_file() -> None:
    session = Session()

    async def play() -> None:
        with Recording.open(GOLDEN) as recording:
            async with Playback(recording, math.inf) as source:
                row = 0
                async for notification in source:
                    row += 1
                    session.receive(notification, row)

    asyncio.run(play())
    with Recording.open(GOLDEN) as recording:
        offline = read_session(recording).analysis
    assert [rep for closed in session.sets for rep in closed.reps] == offline.reps
