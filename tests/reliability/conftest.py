"""The servers that all proofs share, and what is noted of each proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.influx_server import running_influxd
from tests.reliability.world import Account, Servers

Note = Callable[..., None]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A real InfluxDB; each proof brings a broker of its own."""
    folder = tmp_path_factory.mktemp("influx")
    with running_influxd(folder) as influxd:
        yield Servers(influxd, folder)


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Put a line into the table that ends the run."""

    def add(fault: str, account: Account, remark: str = "") -> None:
        record_property("proof", account.row(fault, remark))

    return add
