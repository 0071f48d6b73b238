"""What holds for all tests, and the table of proofs at the end."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from pipeline.views.process import ENDING

if hasattr(signal, "SIGHUP"):
    # Sessions inherit it: tests that run under nohup hang up on them all the same.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Machines are shared: no example fails because it was slow. CI's own profile stays beneath.
settings.register_profile("unhurried", parent=settings.default, deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """A command ends deaf to signals, as its process ends too; here the next test follows."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests/reliability counted; it comes with the reports, from whichever process."""
    proofs = [
        row
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, row in report.user_properties
        if name == "proof"
    ]
    if proofs:
        terminalreporter.section("nothing is lost")
        terminalreporter.write_line(
            "| Fault | Sent | Recorded | In InfluxDB | Named as lost | Reps pulled | Told |"
        )
        terminalreporter.write_line("|---|---|---|---|---|---|---|")
        for row in sorted(proofs):
            terminalreporter.write_line(row)
