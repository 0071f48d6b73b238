"""Any bytes to everything that reads bytes from outside: a result or a named error, nothing else.

    python -m benchmarks.fuzz [--inputs N] [--seed S] [--only NAME]

Inputs are valid ones with bits flipped, bytes replaced, cut, doubled and inserted, and plain noise;
the checksum of half of the force frames is made good again, so that what lies behind it is reached.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.fuzz import TARGETS, fuzz
from benchmarks.report import table


def main() -> int:
    """Print the table; 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*TARGETS])
    args = parser.parse_args()
    rows, broken = fuzz(args.inputs, args.seed, args.only)
    print(table(["Target", "Inputs", "Rate", "Outcomes"], rows))
    for each in broken:
        print(f"BROKEN: {each.target}: {each.what}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
