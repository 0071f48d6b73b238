"""Small made-up sessions for tests of what lies around the analysis."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from sensor.samples import Channel, Floats, Notification
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Calibration, Info

UTC0_US = 1_795_000_000_000_000
COUNTS_PER_N = 4000


def pulls(sets: int = 2, reps: int = 5, *, rate_hz: float = 80.0, seed: int = 1) -> Floats:
    """Force in N of sets of smooth pulls with rests of 20 s, noise of 0.1 N."""
    rng = np.random.default_rng(seed)
    one = np.sin(np.linspace(0, np.pi, round(2.0 * rate_hz))) ** 2 * 100
    pause = np.zeros(round(0.8 * rate_hz))
    parts = [np.zeros(round(4 * rate_hz))]
    for _ in range(sets):
        for _ in range(reps):
            parts += [one * rng.uniform(0.9, 1.1), pause]
        parts.append(np.zeros(round(20 * rate_hz)))
    force_n = np.concatenate(parts)
    return np.asarray(force_n + rng.normal(0, 0.1, force_n.size) + 2.0)


def info(boot_id: int = 7, rate_hz: float = 80.0) -> Info:
    """A band of 1/4000 N a count."""
    calibration = Calibration(1, 0, 1 / COUNTS_PER_N)
    return Info(boot_id, rate_hz, round(120 * rate_hz), 24, 1, (calibration,), None, "red", "1.0")


def frames(force_n: Floats, *, per_frame: int = 8, rate_hz: float = 80.0) -> list[ForceFrame]:
    """The force as the band would send it."""
    counts = np.rint(force_n * COUNTS_PER_N).astype(np.int64)
    return [
        ForceFrame(i, round(i * 1e6 / rate_hz), 1, Flag(0), counts[i : i + per_frame])
        for i in range(0, counts.size, per_frame)
    ]


def notifications(
    force_n: Floats, *, per_frame: int = 8, rate_hz: float = 80.0
) -> list[Notification]:
    """A whole session: Info, link, frames, end."""
    return list(_notifications(force_n, per_frame, rate_hz))


def _notifications(force_n: Floats, per_frame: int, rate_hz: float) -> Iterator[Notification]:
    yield Notification(UTC0_US, bytes(info(rate_hz=rate_hz)), Channel.INFO)
    yield Notification(UTC0_US, b"up", Channel.LINK)
    last_us = UTC0_US
    for frame in frames(force_n, per_frame=per_frame, rate_hz=rate_hz):
        last_us = UTC0_US + frame.device_us + round(per_frame * 1e6 / rate_hz) + 5000
        yield Notification(last_us, bytes(frame))
    yield Notification(last_us + 1000, b"", Channel.END)


def mark(**fields: object) -> Notification:
    """A note of the host."""
    return Notification(UTC0_US, json.dumps(fields).encode(), Channel.MARK)
