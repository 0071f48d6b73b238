"""The texts of docs/accuracy.md."""

from __future__ import annotations

import platform
from importlib.metadata import version

from benchmarks.outcome import PUBLICATION_SEED
from firmware_sim.generator.kinds import KINDS

PAGE = """# How right the analysis is

Written by `{command}`; do not edit.

Each session is drawn again from its seed by `firmware_sim/generator/`, which shares nothing
with the rest of the simulated band: a person ({kinds} kinds of session, eight shapes of rise and
fall), a rubber band (Mooney-Rivlin) and a gauge with its faults. The kinds are what people do, not
what the analysis can do. The truth is read off the noise-free curve by the definitions of
[analysis.md](analysis.md). Seeds from {first} on are for this page; those below were used during
development. `python -m benchmarks.accuracy --kind K --seed S --sessions 1 --dump DIR` writes a
session as CSV with its truth, to look at.

- *right*: every true rep is matched by one found rep, and nothing else is found. Matched means that
  each covers at least half of the other; of a rep that the recording cuts, 10 % is enough. Where a
  person could not say (a whole practice pull before a set, a pull in which the band slips from the
  hand, a recording trimmed to a hold), either count is right. With an inverted sensor the right
  count is right, and so is a result that says that the sign is inverted; to say so of any other
  sensor is wrong.
- *stretched*: the band is pulled already when the rep begins, with valleys at 0.3 to 0.85 of the
  peak and swings of 6 N and more, alike within a set to about a tenth, or changing steadily. The
  first rep begins where the stretched band is pulled on, the last ends where it is back there.
  *Holds* wander by up to 35 % at odd times and by odd depths; those that happen to swing evenly
  are drawn again.
- `mixed` sessions join a manner of moving, one of the set, and one to three faults of the gauge;
  `whole session` joins sets, holds and what people do between them. Noise is at most 1/25 and hum
  1/15 of the smallest swing.
- No truth is a toss: what does not count is at most 40 % of its neighbours (knocks 50 %), reps are
  at least 55 % of theirs, and gaps are shorter than the upper half of a rep.
- *bound.*: absolute error of the four phase boundaries, mean and 95th percentile, at 80 Hz and
  above. Left out are those outside the recording, those where they or the peak lie within a
  gap, and the undecided: a level of 1 % more or less moves them by over 300 ms, as where a long
  hold wanders along 90 % and noise chooses the crossing. The table of boundaries says how many
  those are, gives the errors with them, and sets the first start and the last end of each set
  beside all others.
- *peak*: absolute error of the peak as a share of the force applied, at every rate. Tare error and
  drift are part of the true curve, as no gauge can know them; tremor, hum and noise are not.
- *TUT*: absolute error of a rep's time under tension as a share of it, at 80 Hz and above.
- *scipy*: `sosfiltfilt` at 5 Hz and `find_peaks` with a prominence of 30 % of the range.
  *NeuroKit2*: its low pass at 5 Hz and `signal_findpeaks` at 30 %. For both, one peak within every
  rep and none elsewhere counts as right, which is less than what is asked of ours.
- *confidence*: of the reps that were given so much, how many are right. Here alone count sessions
  with pulls of 40 to 62 % of their neighbours, which a person might count or not.
- *live*: every other session with the steady clock of a band, its samples cut at random into blocks
  of up to 0.1 s, and once more of up to 2 s. *As offline*: reps and sets are those of the whole
  file to the last bit, for both cuts. *Withdrawn*: announcements taken back, in a session. *Ids
  changed*: pulls announced again under another id. *Early*: announced before the fall of the rep
  began. Times are from the true end of the rep to the sample at which it is announced for good.

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
        command=command,
        first=PUBLICATION_SEED,
        kinds=len(KINDS),
        tables=tables_text,
        versions=versions + ".",
    )
