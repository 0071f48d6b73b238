"""The host's clock."""

from __future__ import annotations

import time

import pytest

from sensor.source import HostClock


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this system has no such clock")
def test_the_hosts_utc_goes_on_while_the_computer_is_suspended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept_ns = 0
    awake_ns = time.monotonic_ns()
    monkeypatch.setattr(time, "monotonic_ns", lambda: awake_ns)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda _: awake_ns + slept_ns)
    clock = HostClock()
    before_us = clock.now_us()
    slept_ns = 600 * 10**9
    assert clock.now_us() - before_us == 600 * 10**6
