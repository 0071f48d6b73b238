"""Long jobs say how far they are, short ones and those that nobody watches say nothing."""

from __future__ import annotations

import io
import sys

import pytest

from pipeline.commands import progress


class Terminal(io.StringIO):
    """A terminal that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("silent_s", "shown"), [(0.0, True), (60.0, False)])
def test_progress_is_shown_after_a_while(
    monkeypatch: pytest.MonkeyPatch, silent_s: float, shown: bool
) -> None:
    monkeypatch.setattr(progress, "SILENT_S", silent_s)
    monkeypatch.setattr(progress, "SHORT_S", silent_s)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.shown_progress("reading a.csv") as tell:
        assert tell is not None
        for done in (0.1, 0.5, 1.0):
            tell(done)
    assert isinstance(sys.stderr, Terminal)
    assert ("reading a.csv" in sys.stderr.getvalue()) is shown


def test_a_pipe_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress.shown_progress("reading") as tell:
        assert tell is None
