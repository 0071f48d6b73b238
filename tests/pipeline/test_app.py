"""How long a session lasts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Self

import pytest

from pipeline.app import Outcome, run_session
from pipeline.config import load
from pipeline.delivery.session_log import SessionLog, session_facts
from pipeline.sources.playback import Playback
from sensor.recording.log import Recording
from tests.leaping import leap
from tests.pipeline.signals import notifications, pulls


class FarAway(Playback):
    """A band that it takes half a minute to find."""

    async def __aenter__(self) -> Self:
        await asyncio.sleep(30)
        return self


def test_the_time_to_find_a_band_is_not_taken_from_the_sessions(tmp_path: Path) -> None:
    async def main(recording: Recording) -> Outcome:
        config = load(None, flags={"web.enabled": False, "mqtt.enabled": False}, environment={})
        log = SessionLog(None, session_facts(recording))
        return await run_session(config, FarAway(recording), log, duration_s=8.0)

    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(notifications(pulls(sets=1, reps=3)))
        outcome = leap(main(recording))
    assert outcome.session.end_s == pytest.approx(8.0, abs=0.2)
