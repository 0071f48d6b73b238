"""How right the analysis is: randomised sessions of every kind, against scipy and NeuroKit2.

python -m benchmarks.accuracy [--sessions N] [--seed S] [--kind K] [--jobs J]
    [--json | --write | --dump DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks import accuracy_page, dump, marks, report
from benchmarks.outcome import PUBLICATION_SEED, jobs_for, run
from firmware_sim.generator.kinds import CALIBRATION, KINDS, make_session


def _at(what: str, times_s: list[float]) -> str:
    """How many, and where the first five are."""
    text = f"{len(times_s)} {what}"
    if times_s:
        text += " at " + " ".join(f"{time_s:.1f}" for time_s in times_s[:5])
        text += (" ..." if len(times_s) > 5 else "") + " s"
    return text


def main(argv: list[str] | None = None) -> int:
    """Run and print; 1 if a mark is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("--sessions", type=int, default=320)
    parser.add_argument("--seed", type=int, help="first seed; below 1000000 for development")
    parser.add_argument("--kind", choices=[*KINDS, CALIBRATION])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-rivals", action="store_true", help="leave out scipy and NeuroKit2")
    parser.add_argument("--no-live", action="store_true", help="leave out the live analysis")
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    parser.add_argument("--json", action="store_true", help="one line for each session, no tables")
    parser.add_argument("--dump", type=Path, metavar="DIR", help="only write the sessions there")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else (PUBLICATION_SEED if args.write else 0)
    if args.write and seed < PUBLICATION_SEED:
        parser.error(f"what is published has seeds from {PUBLICATION_SEED} on, not {seed}")
    todo = jobs_for(
        args.sessions, seed, args.kind, rivals=not args.no_rivals, live=not args.no_live
    )
    if args.dump:
        for job in todo:
            print(dump.write(make_session(job.kind, job.seed), args.dump))
        return 0
    started = time.perf_counter()
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            outcomes = list(pool.map(run, todo, chunksize=4))
    else:
        outcomes = [run(job) for job in todo]
    seconds = time.perf_counter() - started
    if args.json:
        for outcome in outcomes:
            print(json.dumps(report.summary(outcome)))
        return 1 if marks.missed_marks(outcomes) else 0
    text = report.tables(outcomes)
    print(text)
    print(f"\n{len(todo)} sessions in {seconds:.0f} s")
    wrong = [o for o in outcomes if not o.ours.right and o.kind != CALIBRATION]
    for o in wrong:
        print(
            f"wrong: {o.kind}, seed {o.seed}, {o.rate_hz:.1f} Hz, {o.ours.reps} reps: "
            f"{_at('missed', o.ours.missed_s)}, {_at('extra', o.ours.extra_s)} {o.note}"
            + " says that the sign is inverted"
            * o.ours.wrong_remark
        )
    for o in outcomes:
        if o.live and (not o.live.agrees or o.live.changed_ids or o.live.unannounced):
            print(
                f"live: {o.kind}, seed {o.seed}, {o.rate_hz:.1f} Hz: "
                + "not as offline, " * (not o.live.agrees)
                + f"{o.live.changed_ids} ids changed, {o.live.unannounced} not announced"
            )
    if args.write:
        command = f"python -m benchmarks.accuracy --sessions {args.sessions} --seed {seed} --write"
        path = Path(__file__).parents[1] / "docs" / "accuracy.md"
        path.write_text(accuracy_page.page(text, command), encoding="utf-8")
        print(f"wrote {path}")
    return 1 if marks.missed_marks(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
