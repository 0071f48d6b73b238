"""The texts of docs/accuracy.md."""

from __future__ import annotations

import platform
from importlib.metadata import version

from benchmarks.outcome import PUBLICATION_SEED

PAGE = """# How right the analysis is

Written by `{command}`; do not edit.

Each session is drawn anew from its seed by `benchmarks/generator/`, which shares nothing with the
simulated band of `firmware_sim/`: a person (thirty manners of pulling and waiting, eight shapes of
rise and fall), a rubber band (Mooney-Rivlin) and a gauge with its faults. The truth is read off the
noise-free curve by the definitions of [analysis.md](analysis.md). Seeds from {first} on are for
this page; those below were used during development.

- *right*: every true rep is matched by one found rep, and nothing else is found. Matched means that
  each covers at least half of the other. Where the extent of a rep is open, less of the true one is
  enough: 10 % where the recording cuts it, 30 % beside the taking up or putting down of the band.
- `mixed` sessions join a manner of moving, one of the set, and one to three faults of the gauge;
  their noise is at most 1/25 and their hum 1/15 of the smallest peak.
- No truth is a toss: what does not count is at most 40 % of its neighbours (knocks 50 %), reps are
  at least 55 % of theirs, and missing stretches are shorter than the upper half of a rep.
- *bound.*: absolute error of the four phase boundaries, mean and 95th percentile, at 80 Hz and
  above. Left out are those outside the recording, those where they or the peak lie within missing
  samples, those beside the picking up and putting down of a pulled band, where the valley is a
  matter of taste, and the undecided: a level of 1 % more or less moves them by over 300 ms, as
  where a long hold wanders along 90 % and noise chooses the crossing. The table of boundaries tells
  how many those are, and the errors with them.
- *peak*: absolute error of the peak as a share of the force applied, at every rate. Tare error and
  drift are part of the true curve, as no gauge can know them; tremor, hum and noise are not.
- *TUT*: absolute error of a rep's time under tension as a share of it, at 80 Hz and above.
- *scipy*: `sosfiltfilt` at 5 Hz and `find_peaks` with a prominence of 30 % of the range.
  *NeuroKit2*: its low pass at 5 Hz and `signal_findpeaks` at 30 %. For both, one peak within every
  rep and none elsewhere counts as right, which is less than what is asked of ours.
- *confidence*: of the reps that were given so much, how many are right. Here alone count sessions
  with pulls of 40 to 62 % of their neighbours, which a person might count or not.

{tables}

{versions}
"""


def page(tables_text: str, command: str) -> str:
    """The text of docs/accuracy.md."""
    names = ("numpy", "scipy", "neurokit2")
    versions = f"Python {platform.python_version()}, " + ", ".join(
        f"{n} {version(n)}" for n in names
    )
    return PAGE.format(
        command=command, first=PUBLICATION_SEED, tables=tables_text, versions=versions + "."
    )
