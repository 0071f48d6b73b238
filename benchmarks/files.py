"""A file of twelve hours at 80 Hz: what reading it costs, as a ratio to the readers of others.

    python -m benchmarks.files [--hours H] [--rounds N]

The yardsticks only make columns of numbers; ours also finds titles, dialect, units and gaps, and
looks whether the numbers can be what they seem to be. CPU, the least of some rounds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
from pyarrow import csv

from benchmarks.report import table
from pipeline.files.reading import read_force

RATE_HZ = 80
MOST_RATIO = 2.0
"""To pyarrow's own reader in one thread."""


def made(path: Path, hours: float) -> Path:
    """Pulls with noise, times to 0.1 ms, forces to 1 mN."""
    time_s = np.arange(round(hours * 3600 * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(1).normal(0, 0.3, time_s.size)
    columns = np.column_stack((time_s, 60 - 50 * np.cos(1.5 * time_s) + noise))
    np.savetxt(
        path, columns, fmt=("%.4f", "%.3f"), delimiter=",", header="time_s,force_n", comments=""
    )
    return path


def _ours(path: Path) -> None:
    (found,) = read_force(path)
    assert found.time_s.size > 1


def _ours_alone(path: Path) -> None:
    with patch.dict(sys.modules, {"pyarrow": None}):
        _ours(path)


def _pyarrow(path: Path) -> None:
    read = csv.read_csv(path, csv.ReadOptions(use_threads=False))
    _ = [column.to_numpy() for column in read.columns]


def _numpy(path: Path) -> None:
    np.loadtxt(path, delimiter=",", skiprows=1)


READERS: dict[str, Callable[[Path], None]] = {
    "pyarrow.csv.read_csv, one thread": _pyarrow,
    "numpy.loadtxt": _numpy,
    "forceband": _ours,
    "forceband without pyarrow": _ours_alone,
}


def main() -> int:
    """Print the table; 1 if ours takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=12.0)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    least_s = dict.fromkeys(READERS, np.inf)
    with tempfile.TemporaryDirectory() as folder:
        path = made(Path(folder) / "a.csv", args.hours)
        for _ in range(args.rounds):
            for name, read in READERS.items():
                began_s = time.process_time()
                read(path)
                least_s[name] = min(least_s[name], time.process_time() - began_s)
    yardstick_s = least_s["pyarrow.csv.read_csv, one thread"]
    rows = [[name, f"{s:.2f} s", f"{s / yardstick_s:.2f}"] for name, s in least_s.items()]
    print(table(["Reader", "CPU", "Ratio"], rows))
    return int(least_s["forceband"] > MOST_RATIO * yardstick_s)


if __name__ == "__main__":
    sys.exit(main())
