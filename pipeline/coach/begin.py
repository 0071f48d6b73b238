"""What the coach is asked to begin: a programme, and all else that its plan depends on.

It is a line of text, so that the recording has it and a replay plans the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.coach.library import Library, LibraryError
from pipeline.coach.plan import Plan, plan_of

LONGEST = 900
"""Letters of the line: a mark takes no more."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A programme's name with the sets asked for, the exercises chosen, and the usual forces."""

    name: str
    sets: int | None = None
    chosen: tuple[str, ...] = ()
    """Where the programme chooses among its steps."""
    usual_n: Mapping[str, float] = field(default_factory=dict)
    """This person's usual rise by exercise on this band, from earlier sessions."""

    def __str__(self) -> str:
        options: dict[str, object] = {}
        if self.sets is not None:
            options["sets"] = self.sets
        if self.chosen:
            options["chosen"] = list(self.chosen)
        usual_n: dict[str, float] = {}
        for exercise, force_n in self.usual_n.items():
            more = {**usual_n, exercise: round(force_n, 1)}
            if len(json.dumps({**options, "usual_n": more})) + len(self.name) < LONGEST:
                usual_n = more
        if usual_n:
            options["usual_n"] = usual_n
        return f"{self.name} {json.dumps(options)}" if options else self.name

    @classmethod
    def of(cls, text: str) -> Begin:
        """From a line; LibraryError where it is none."""
        name, brace, rest = text.partition(" {")
        if not brace:
            return cls(text)
        try:
            options = json.loads("{" + rest)
            sets, usual_n = options.get("sets"), options.get("usual_n", {})
            return cls(
                name,
                None if sets is None else int(sets),
                tuple(map(str, options.get("chosen", ()))),
                {str(exercise): float(force_n) for exercise, force_n in usual_n.items()},
            )
        except (ArithmeticError, ValueError, TypeError, AttributeError) as error:
            raise LibraryError(f"nothing to begin with: {text[:60]!r}") from error

    def plan(self, library: Library) -> Plan:
        """Its plan; LibraryError where the library has no such programme."""
        programme = library.programme(self.name)
        return plan_of(programme, library, sets=self.sets, chosen=self.chosen, usual_n=self.usual_n)
