"""The command `forceband`: finds the subcommand, and turns errors into one sentence."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

from pipeline.commands.parser import command_module, command_parser, complete
from pipeline.views.process import ending_signals, patient_stderr

SUMMARIES = {
    "demo": "try everything with a simulated band: no Bluetooth, no set-up",
    "live": "train with a band: live page, MQTT, InfluxDB and a recording",
    "serve": "always on: a session whenever a band appears, one after the other",
    "record": "only record a band into a file",
    "scan": "find bands within reach",
    "sim": "run a simulated band for other programs or, with a radio, for phones",
    "replay": "play a recording or another file as if the band were here",
    "analyse": "find reps, tempo and sets in recordings and other files of force",
    "import": "make recordings of other files of force",
    "calibrate": "make newtons of a sensor's counts, by known weights",
    "sessions": "list recordings: which are unfinished, what is not delivered",
    "deliver": "bring recordings to MQTT and InfluxDB, once or again",
    "programs": "list the programmes that the coach leads, and show one",
    "exercises": "list the exercises that the coach knows, and how each is done",
    "progress": "look back: weeks against the plan, bests, sides, tests, what is next",
    "export": "write a recording as CSV or Parquet",
    "dataset": "write an open data set: sessions whose true reps are known",
    "score": "rank counters of reps against the truth of a data set",
    "conform": "connect to a band and say which promises of the profile it keeps",
    "completion": "let bash, zsh or fish complete commands and flags",
    "doctor": "check Bluetooth, broker, InfluxDB and disk, and say what to do",
}
EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
NO_WAY_THERE = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ELOOP,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
}
"""What a path of the person's own can run into, whatever the command does with it."""


def main(argv: list[str] | None = None) -> int:
    """Run one subcommand; 0 done, 1 failed with a sentence, 2 wrong usage, 130 interrupted."""
    complete(SUMMARIES)
    _end_as_with_ctrl_c()
    with patient_stderr():
        return _main(sys.argv[1:] if argv is None else argv)


def _main(argv: list[str]) -> int:
    if not argv or argv[0] not in SUMMARIES:
        return _top_level(argv)
    from pipeline.neighbours import clash

    if problem := clash():
        print(f"forceband: {problem}", file=sys.stderr)
    args = command_parser(argv[0]).parse_args(argv[1:])
    _set_up_logging(verbose=args.verbose)
    from sensor.errors import BandError
    from sensor.extras import what_is_missing

    try:
        code = int(command_module(argv[0]).run(args))
        sys.stdout.flush()
    except BandError as error:
        print(f"forceband: {error}", file=sys.stderr)
        return EXIT_FAILURE
    except ImportError as error:
        if not (missing := what_is_missing(error)):
            raise
        print(f"forceband: {missing}", file=sys.stderr)
        return EXIT_FAILURE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except OSError as error:
        if error.filename and error.errno in NO_WAY_THERE:
            what = f"{error.filename}: {error.strerror}"
            print(f"forceband: {what}: check the path and its permissions", file=sys.stderr)
            return EXIT_FAILURE
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO):
            raise
        # `forceband ... | head`, a full disk, or a closed terminal: nothing can be written there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.ENOSPC:
            print("forceband: the disk is full: free some space, and try again", file=sys.stderr)
        return EXIT_FAILURE
    return code


def _top_level(argv: list[str]) -> int:
    if argv and argv[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"forceband {version('forceband')}")
        return 0
    width = max(map(len, SUMMARIES))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in SUMMARIES.items()]
    text = "\n".join(
        ["usage: forceband COMMAND [--help]", "", *lines, "", "Start with: forceband demo"]
    )
    if argv and argv[0] in ("-h", "--help", "help"):
        print(text)
        return 0
    if argv:
        from difflib import get_close_matches

        near = get_close_matches(argv[0], SUMMARIES, 1)
        hint = f": did you mean {near[0]}?" if near else ""
        print(f"forceband: there is no command {argv[0]!r}{hint}\n", file=sys.stderr)
    print(text, file=sys.stderr)
    return EXIT_USAGE


def _set_up_logging(*, verbose: bool) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if verbose else logging.ERROR,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s" if verbose else "%(message)s",
    )
    for noisy in ("bumble", "amqtt", "transitions", "asyncio", "matplotlib", "websockets"):
        logging.getLogger(noisy).setLevel(logging.INFO if verbose else logging.CRITICAL)


def _end_as_with_ctrl_c() -> None:
    """SIGTERM and a closed terminal end as Ctrl-C does: stop the stream, write everything.

    As a container's first process, too, where the system has no answer of its own to SIGTERM.
    """
    with suppress(ValueError):  # not in the main thread: whoever called us has its own ways
        for number in ending_signals():
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
