"""Replay of one hour at 80 Hz, recording to final reps, against scipy on the same array.

The yardstick, in the same run on the same samples: `sosfiltfilt` at 5 Hz and `find_peaks` at 30 %
prominence within 10 s. Both as CPU time, which others on the machine disturb least. Then what grows
with gaps and with slow sampling, as ratios to a quarter of it.

    python -m benchmarks.replay
"""

from __future__ import annotations

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from benchmarks.cost import peak_bytes
from pipeline.analysis.offline import analyse
from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from sensor.samples import Floats
from tests.pipeline.signals import notifications, pulls

GAPS = 20_000
SLOW_S = 40_000


def yardstick(force_n: Floats, rate_hz: float) -> int:
    """Ten lines of scipy that find peaks."""
    smooth = sosfiltfilt(butter(4, 5, fs=rate_hz, output="sos"), force_n)
    height = 0.3 * float(smooth.max() - smooth.min())
    return int(find_peaks(smooth, prominence=height, wlen=round(10 * rate_hz))[0].size)


def timed(work: Callable[[], object]) -> float:
    """CPU time of one call in s; the file is in the system's memory, so that nothing waits."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def cpu_of_gaps(count: int) -> float:
    """CPU time in s of reading a recording in which every other frame is lost."""
    rows = notifications(np.resize(pulls(), 16 * count))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gaps.forceband"
        with Recording.create(path, {}) as recording:
            recording.extend([*rows[:2], *rows[2:-1:2], rows[-1]])
        with Recording.open(path) as recording:
            took_s = timed(lambda: read_session(recording))
    return took_s


def bytes_of_slow(seconds: int) -> int:
    """Most memory that the analysis of a sample each second holds at once."""
    time_s = np.arange(float(seconds))
    return peak_bytes(lambda: analyse(time_s, 30 * np.maximum(np.sin(time_s / 5), 0)))


def main() -> None:
    """Print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=80.0)
    parser.add_argument("--runs", type=int, default=7)
    args = parser.parse_args()
    force_n = pulls(sets=75, reps=10, rate_hz=args.rate)[: round(3600 * args.rate)]
    per_frame = 8 if args.rate <= 100 else 56
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.forceband"
        with Recording.create(path, {}) as recording:
            recording.extend(notifications(force_n, per_frame=per_frame, rate_hz=args.rate))

        def replay() -> int:
            with Recording.open(path) as recording:
                return len(read_session(recording).analysis.reps)

        reps, peaks = replay(), yardstick(force_n, args.rate)
        ours, theirs = [], []
        for _ in range(args.runs):
            ours.append(timed(replay))
            theirs.append(timed(lambda: yardstick(force_n, args.rate)))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"{force_n.size} samples at {args.rate:g} Hz, {reps} reps (scipy: {peaks} peaks)")
    print(f"recording to final reps: {statistics.median(ours) * 1000:.1f} ms")
    print(f"sosfiltfilt + find_peaks: {statistics.median(theirs) * 1000:.1f} ms")
    print(f"ratio: {ratio:.2f}")
    few, many = cpu_of_gaps(GAPS // 4), cpu_of_gaps(GAPS)
    print(f"{GAPS} gaps: {many / few:.1f} times the CPU of {GAPS // 4} (linear: 4)")
    some, more = bytes_of_slow(SLOW_S // 4), bytes_of_slow(SLOW_S)
    print(f"{SLOW_S} s at 1 Hz: {more / some:.1f} times the memory of a quarter (linear: ≤ 4)")


if __name__ == "__main__":
    main()
