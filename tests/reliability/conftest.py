"""The servers that all proofs share, and the table of what they counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.influx_server import running_influxd
from tests.reliability.world import Account, Row, Servers, table

_ROWS: list[Row] = []

Note = Callable[..., None]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A real InfluxDB; each proof brings a broker of its own."""
    folder = tmp_path_factory.mktemp("influx")
    with running_influxd(folder) as influxd:
        yield Servers(influxd, folder)


@pytest.fixture
def note() -> Note:
    """Put a line into the table that ends the run."""

    def add(fault: str, account: Account, remark: str = "") -> None:
        _ROWS.append(account.row(fault, remark))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of proofs."""
    if _ROWS:
        terminalreporter.section("nothing is lost")
        terminalreporter.write_line(table(_ROWS))
