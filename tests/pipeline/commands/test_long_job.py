"""Long jobs say how far they are, short ones and those that nobody watches say nothing."""

from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path
from threading import Event

import pytest

from pipeline.__main__ import main
from pipeline.commands import long_job
from tests.pipeline.commands.test_deliver import Server, _Handler, running


class Terminal(io.StringIO):
    """A terminal that somebody looks at."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = Event()

    def write(self, text: str) -> int:
        self.drawn.set()
        return super().write(text)

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("silent_s", "shown"), [(0.0, True), (60.0, False)])
def test_progress_is_shown_after_a_while(
    monkeypatch: pytest.MonkeyPatch, silent_s: float, shown: bool
) -> None:
    monkeypatch.setattr(long_job, "SILENT_S", silent_s)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with long_job.shown_progress("reading a.csv") as tell:
        assert tell is not None
        for done in (0.1, 0.5, 1.0):
            tell(done)
    assert isinstance(sys.stderr, Terminal)
    assert ("reading a.csv" in sys.stderr.getvalue()) is shown


def test_a_job_that_tells_nothing_moves_and_its_results_go_where_they_belong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(long_job, "SILENT_S", 0.01)
    monkeypatch.setattr(sys, "stderr", terminal)
    with long_job.shown_progress("reading a.csv"):
        assert terminal.drawn.wait(30)
        print("a result")
        print("a remark", file=sys.stderr)
    assert "reading a.csv" in terminal.getvalue()
    assert "a remark" in terminal.getvalue()
    assert "%" not in terminal.getvalue()
    assert capsys.readouterr().out == "a result\n"


def test_a_pipe_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with long_job.shown_progress("reading") as tell:
        assert tell is None


def test_export_and_deliver_show_how_far_they_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(long_job, "SILENT_S", 0.0)
    golden = tmp_path / "workout.forceband"
    shutil.copy(Path(__file__).parents[2] / "data" / golden.name, golden)

    def shown(*argv: str) -> str:
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert main([*argv]) == 0
        assert isinstance(sys.stderr, Terminal)
        return sys.stderr.getvalue()

    assert "reading workout.forceband" in shown("export", str(golden))
    with running(Server(("127.0.0.1", 0), _Handler)) as server:
        monkeypatch.setenv("FORCEBAND_INFLUX_URL", f"http://127.0.0.1:{server.server_port}")
        said = shown("deliver", str(golden))
    assert "workout.forceband to influx" in said
    percents = [int(each) for each in re.findall(r"(\d+)%", said)]
    assert len({each for each in percents if 0 < each < 100}) > 1
    assert percents == sorted(percents)
