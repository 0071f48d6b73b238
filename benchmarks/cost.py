"""What the analysis costs, as ratios to scipy's `sosfiltfilt` and `find_peaks` in the same run.

    python -m benchmarks.cost [--hours H]

The machine's speed cancels out of a ratio, and mostly what others do on it: both run in turn, and
the middle ratio counts. The mark for live cost is in ms of CPU, so the yardstick is printed beside
it; the least of the rounds counts, which lie some seconds apart, because others on the machine can
only make it slower.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from benchmarks.report import table
from firmware_sim.generator import make_session
from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.offline import analyse
from sensor.samples import Floats, ForceBlock

RATES_HZ = (80, 320, 1000)
ROUNDS, PAIRS = 9, 2
BLOCK_S = 0.05
OFFLINE_MARK = 6.0
LIVE_MARKS_MS = {80: 3.0, 320: 6.0, 1000: 6.0}


def workout(rate_hz: int, seconds: float) -> tuple[Floats, Floats]:
    """Time and force of a workout made of many sessions one after another, shape (n,)."""
    n = round(seconds * rate_hz)
    parts: list[Floats] = []
    grid_s = 0.0
    for seed in range(40):
        clean = make_session("ordinary", seed).clean_n
        t = np.arange(0, (clean.size - 1) / 1000, 1 / rate_hz)
        parts.append(np.interp(t, np.arange(clean.size) / 1000, clean - clean.min()))
        grid_s += clean.size / 1000
        if grid_s > seconds:
            break
    force = np.resize(np.concatenate(parts), n)
    force = force + 0.1 * np.random.default_rng(1).standard_normal(n)
    return np.arange(n) / rate_hz, force


def yardstick(force_n: Floats, rate_hz: float) -> None:
    """Scipy's limit: one zero-phase filter and one search for peaks over the whole array."""
    smooth = sosfiltfilt(butter(4, 5, fs=rate_hz, output="sos"), force_n)
    find_peaks(smooth, prominence=10)


def cpu_s(call: Callable[[], object], repeat: int) -> float:
    """Least CPU time of a call in s."""
    best = np.inf
    for _ in range(repeat):
        gc.collect()
        started = time.process_time()
        call()
        best = min(best, time.process_time() - started)
    return float(best)


def in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> list[tuple[float, float]]:
    """CPU times of both calls in s, run one after the other."""
    return [(cpu_s(ours, 1), cpu_s(theirs, 1)) for _ in range(PAIRS)]


def live_cpu_s(time_s: Floats, force_n: Floats, rate_hz: int) -> float:
    """CPU time of telling a workout live, in blocks of 50 ms."""
    size = max(1, round(BLOCK_S * rate_hz))
    blocks = [
        ForceBlock(i, time_s[i : i + size], force_n[i : i + size])
        for i in range(0, force_n.size, size)
    ]

    def tell() -> None:
        analysis = LiveAnalysis()
        for block in blocks:
            analysis.push(block)
        analysis.flush()

    return cpu_s(tell, 1)


def peak_bytes(call: Callable[[], object]) -> int:
    """Most memory that a call held at once, in bytes."""
    gc.collect()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main(argv: list[str] | None = None) -> int:
    """Measure and print; 1 if a mark is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost")
    parser.add_argument("--hours", type=float, default=1.0, help="length of the offline workout")
    args = parser.parse_args(argv)
    seconds = 3600 * args.hours
    live_seconds = min(600.0, seconds)
    workouts = {rate: workout(rate, seconds) for rate in RATES_HZ}
    pairs: dict[int, list[tuple[float, float]]] = {rate: [] for rate in RATES_HZ}
    lives: dict[int, list[float]] = {rate: [] for rate in RATES_HZ}
    for number in range(ROUNDS):
        # Each time in another order: slow spells may come at even intervals.
        for place in range(len(RATES_HZ)):
            rate = RATES_HZ[(place + number) % len(RATES_HZ)]
            t, y = workouts[rate]
            pairs[rate] += in_turn(partial(analyse, t, y), partial(yardstick, y, rate))
            n = round(live_seconds * rate)
            lives[rate].append(1000 * live_cpu_s(t[:n], y[:n], rate) / live_seconds)
    ok = True
    rows = []
    for rate, (t, y) in workouts.items():
        ours, yard = (min(times) for times in zip(*pairs[rate], strict=True))
        ratio = statistics.median(a / b for a, b in pairs[rate])
        live = min(lives[rate])
        held = peak_bytes(partial(analyse, t, y)) / (t.nbytes + y.nbytes)
        ok &= ratio <= OFFLINE_MARK and live <= LIVE_MARKS_MS[rate]
        rows.append([
            f"{rate} Hz", f"{1000 * yard:.1f}", f"{1000 * ours:.1f}", f"{ratio:.2f}",
            f"{held:.1f}", f"{live:.3f}", f"{live / (1000 * yard / seconds):.0f}",
        ])  # fmt: skip
    print(
        table(
            (
                f"{args.hours:g} h",
                "scipy, ms",
                "offline, ms",
                "ratio",
                "memory / samples'",
                "live, ms CPU per s",
                "live / scipy",
            ),
            rows,
        )
    )
    t, y = workouts[80]
    t12, y12 = workout(80, 12 * seconds)
    one, twelve = cpu_s(partial(analyse, t, y), 3), cpu_s(partial(analyse, t12, y12), 1)
    print(f"\n12 times as long at 80 Hz: {twelve / one:.1f} times the CPU (linear: 12)")
    print(f"marks: offline ratio ≤ {OFFLINE_MARK:g}, live ≤ 3 ms at 80 Hz and ≤ 6 ms at 1000 Hz")
    print("met" if ok and twelve / one < 18 else "NOT met")
    return 0 if ok and twelve / one < 18 else 1


if __name__ == "__main__":
    sys.exit(main())
