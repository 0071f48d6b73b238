"""`forceband live` over a radio that stands still for longer than anybody waits for an answer."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from sensor.samples import Channel
from tests.reliability.processes import rows, simulated_band
from tests.reliability.test_terminal import PATIENCE_S, check_ended_cleanly, live, until


@pytest.mark.slow
@pytest.mark.parametrize("stall_s", [16.0, 40.0])
def test_live_goes_on_when_the_radio_answers_again(tmp_path: Path, stall_s: float) -> None:
    data, socket = tmp_path / "data", tmp_path / "air"
    with (
        simulated_band(socket) as band,
        live(f"unix:{socket}", data, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
    ):
        until(lambda: rows(data) > 50)
        band.send_signal(signal.SIGSTOP)
        time.sleep(stall_s)
        band.send_signal(signal.SIGCONT)
        before = rows(data)
        until(lambda: rows(data) > before + 100)
        process.send_signal(signal.SIGTERM)
        out, said = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, said
        assert b"recorded" in out
    check_ended_cleanly(data)
    (path,) = data.iterdir()
    with Recording.open(path) as recording:
        links = [each.payload for _, each in recording.rows() if each.channel is Channel.LINK]
        assert [link.partition(b":")[0] for link in links] == [b"up", b"down", b"up", b"down"]
        assert read_session(recording).missing == 0
