"""Cues: what is shown, spoken and sounded, and which of them gives way.

The eye and the ear are two channels with one cue in each. There is no queue: what comes too late is
never given. Tones carry the tempo and are not withheld. What was said is never unsaid.
"""

from __future__ import annotations

from dataclasses import dataclass

URGENT = 60
"""From this rank on, a cue cuts another off."""
CORRECT_EVERY = 3
"""At most each third rep is corrected, so that silence means good."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A cue before its facts are filled in."""

    rank: int
    text: str = ""
    say: str = ""
    sound: str = ""
    holds_s: float = 2.0
    """So long the text stays."""
    late_s: float = 0.6
    """After which it is better left out."""
    correction: bool = False


KINDS = {
    "pull": Kind(20, "", "", "up", 1.0, 0.15),
    "breathe": Kind(21, "breathe out", "Breathe out.", "", 1.0, 0.4),
    "hold": Kind(41, "", "", "level", 0.4, 0.3),
    "release": Kind(60, "", "", "down", 0.4, 0.15),
    "count": Kind(30, "", "{n}", "", 0.6, 0.5),
    "in-range": Kind(35, "in range", "{n}. In range."),
    "more": Kind(34, "{left} more", "{n}. {left} more."),
    "last": Kind(36, "last one", "Last one."),
    "one-more": Kind(73, "one more", "One more.", "", 2.0, 3.0),
    "hold-longer": Kind(50, "hold longer", "Hold longer.", "", 2.4, 0.8, True),
    "all-the-way": Kind(51, "full pull", "All the way.", "", 2.4, 0.8, True),
    "slower-back": Kind(52, "slower back", "Slower back.", "", 2.4, 0.8, True),
    "enough": Kind(70, "rest", "Enough. Rest.", "end", 3.0, 2.0),
    "past": Kind(31, "enough", "", "", 2.0, 2.0),
    "rest": Kind(70, "rest", "{n}. Rest.", "end", 3.0, 3.0),
    "announce": Kind(64, "{what}", "{what}.", "", 3.0, 2.0),
    "tick": Kind(65, "", "{n}", "tick", 0.5, 0.2),
    "side": Kind(72, "change side", "Now the {side} side.", "turn", 4.0, 3.0),
    "grip": Kind(72, "change grip", "{grip}.", "turn", 4.0, 3.0),
    "next": Kind(72, "next", "Next: {what}.", "turn", 4.0, 3.0),
    "go": Kind(40, "pull to start", "Pull to start.", "", 3.0, 2.0),
    "unfelt": Kind(40, "no pull felt yet", "I feel no pull yet.", "", 4.0, 5.0),
    "check-band": Kind(53, "check the band", "{how} than usual. Check the band.", "", 4.0, 2.0),
    "paused": Kind(66, "", "Paused. Tug twice to go on.", "", 3.0, 5.0),
    "go-on": Kind(66, "go on", "Go on.", "up", 2.0, 2.0),
    "set-over": Kind(66, "", "{n} reps noted.", "", 3.0, 10.0),
    "lost": Kind(90, "", "The band is away. Your reps are kept.", "low", 4.0, 10.0),
    "back": Kind(80, "", "The band is back.", "up", 3.0, 5.0),
    "stop": Kind(99, "", "Stopped.", "", 9.0, 10.0),
    "done": Kind(75, "", "Done. {n} reps.", "end", 5.0, 10.0),
}


@dataclass(frozen=True, slots=True)
class Cue:
    """Given at `due_s` of the session's time: shown, said and sounded, each where not empty."""

    id: int
    name: str
    due_s: float
    text: str
    say: str
    sound: str
    holds_s: float
    rank: int
    late_s: float


@dataclass(frozen=True, slots=True)
class CueWithdrawn:
    """A cue that is not due yet, and will not be."""

    id: int
    time_s: float


@dataclass(slots=True)
class _Channel:
    until_s: float = -1e9
    rank: int = 0

    def free(self, at_s: float, rank: int) -> bool:
        return at_s >= self.until_s or (rank >= URGENT and rank > self.rank)


class Arbiter:
    """Decides what is given of a cue; deterministic, without a clock."""

    def __init__(self) -> None:
        self._eye, self._ear = _Channel(), _Channel()
        self._given = 0
        self._corrected = -CORRECT_EVERY

    def offer(
        self, name: str, happened_s: float, due_s: float, *, rep: int = 0, **facts: object
    ) -> Cue | None:
        """The cue, as far as there is room for it; None where nothing of it is left.

        Of what is known at the same moment the highest rank is offered first.
        """
        kind = KINDS[name]
        if due_s - happened_s > kind.late_s:
            return None
        text = kind.text.format(**facts) if self._eye.free(due_s, kind.rank) else ""
        say = kind.say.format(**facts) if self._ear.free(due_s, kind.rank) else ""
        if kind.correction:
            if not (text and say) or 0 <= rep - self._corrected < CORRECT_EVERY:
                return None
            self._corrected = rep
        if not (text or say or kind.sound):
            return None
        if text:
            self._eye = _Channel(due_s + kind.holds_s, kind.rank)
        if say:
            # a voice needs some 70 ms a letter
            self._ear = _Channel(due_s + max(0.4, 0.07 * len(say)), kind.rank)
        self._given += 1
        return Cue(
            self._given, name, due_s, text, say, kind.sound, kind.holds_s, kind.rank, kind.late_s
        )

    def new_set(self) -> None:
        """Reps are counted from 1 again."""
        self._corrected = -CORRECT_EVERY
