"""What holds for all tests, and the table of proofs at the end."""

import pytest
from hypothesis import settings

# Machines are shared: no example fails because it was slow. CI's own profile stays beneath.
settings.register_profile("unhurried", parent=settings.default, deadline=None)
settings.load_profile("unhurried")


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
