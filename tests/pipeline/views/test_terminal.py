"""The line in the terminal stays one line, whatever is told."""

from __future__ import annotations

import io

import numpy as np
import pytest

from pipeline.analysis.types import LiveState, Phase
from pipeline.session.events import Emitted, Event, ForceSamples, LinkChanged
from pipeline.session.facts import SessionFacts
from pipeline.views.terminal import TerminalLine

FACTS = SessionFacts("session", "band")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", ["20", "80", "200"])
def test_a_redraw_never_wraps(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    out = Terminal()
    line = TerminalLine(out)
    samples = ForceSamples(0, np.zeros(1), np.array([-123.4]), np.zeros(1, np.int64), 0, False)
    state = LiveState(1.0, 0.0, Phase.CONCENTRIC, 12, 34, "1.2-0.5-1.0-0.4")
    down = LinkChanged(up=False, reason="no force frame for 3.0 s")
    events: list[Event] = [samples, state, down]
    line.show(FACTS, [Emitted(1, i, 0, each) for i, each in enumerate(events)])
    drawn = out.getvalue()
    assert "\n" not in drawn
    assert 0 < max(map(len, drawn.split("\r"))) < int(columns)
    line.say("set 1: 8 reps")
    assert out.getvalue().endswith("\rset 1: 8 reps\n")


def test_a_pipe_gets_a_line_for_the_link_and_no_redraws() -> None:
    out = io.StringIO()
    line = TerminalLine(out)
    state = LiveState(1.0, 0.0, Phase.CONCENTRIC, 1, 2, None)
    events: list[Event] = [LinkChanged(up=True, reason=""), state, state]
    line.show(FACTS, [Emitted(1, i, 0, each) for i, each in enumerate(events)])
    assert out.getvalue() == "band: connected\n"
