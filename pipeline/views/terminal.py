"""The terminal while a session runs: one quiet line that is kept up to date, then the sets."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from pipeline.analysis.types import LiveState, RepAnnounced, RepCorrected, RepWithdrawn, SetClosed
from pipeline.coach.cues import Cue
from pipeline.coach.view import Screen, View
from pipeline.coach.workout import CoachEvent
from pipeline.session.events import BatteryChanged, Emitted, ForceSamples, LinkChanged, Marked
from pipeline.session.facts import SessionFacts

REFRESH_S = 0.1


class TerminalLine:
    """A LiveSink: force, phase, reps, tempo and link on one line of a terminal.

    Where the output is no terminal, a line for each set and each change of the link is written.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._tty = self._out.isatty()
        self._force_n = 0.0
        self._phase = "waiting"
        self._set = 0
        self._reps = 0
        self._tempo = "-"
        self._link = "searching"
        self._battery = ""
        self._drawn_s = 0.0
        self._width = 0
        self._place: tuple[int, Screen] | None = None
        self._exercise = ""

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        """Take events in and redraw, at most ten times a second."""
        for each in emitted:
            self._take(each)
        now_s = time.monotonic()
        if self._tty and emitted and now_s - self._drawn_s >= REFRESH_S:
            self._drawn_s = now_s
            self._draw()

    def _take(self, emitted: Emitted) -> None:
        match emitted.event:
            case ForceSamples(late=False) as samples:
                self._force_n = float(samples.force_n[-1])
            case LiveState() as state:
                self._phase, self._set, self._reps = str(state.phase), state.set, state.reps
                self._tempo = state.tempo or self._tempo
            case RepAnnounced() | RepCorrected() as rep:
                self._tempo = rep.rep.tempo or self._tempo
            case RepWithdrawn():
                pass
            case SetClosed() as closed if closed.reps:
                summary = closed.summary
                self.say(
                    f"set {summary.set}: {summary.reps} reps, peak {summary.peak_n:.0f} N, "
                    f"{summary.tut_s:.1f} s under tension"
                )
            case LinkChanged() as link:
                self._link = "connected" if link.up else f"no link ({link.reason})"
                if not self._tty:
                    self.say(f"band: {self._link}")
                if not link.up:
                    self._phase = "waiting"
            case Marked(kind="sensor") as mark:
                self.say(mark.text)
            case BatteryChanged() as battery:
                self._battery = f"  battery {battery.percent} %"
            case _:
                pass

    def coach(self, facts: SessionFacts, events: Sequence[CoachEvent]) -> None:
        """Write what the coach says, and each exercise as it comes."""
        for event in events:
            match event:
                case Cue() as cue if cue.say or cue.text:
                    self.say(f"coach: {cue.say or cue.text}")
                case View() as view if self._place != (view.place, view.screen):
                    self._place = view.place, view.screen
                    self._introduce(view)
                case _:
                    pass

    def _introduce(self, view: View) -> None:
        exercise = view.block.exercise
        if view.screen is Screen.SETUP:
            self.say(f"{view.plan.title}. Not a medical device. If it hurts, stop.")
            self.say("Any pain right now? 0 none to 9 worst, then it starts")
        if view.screen is Screen.READY and exercise.name != self._exercise:
            self._exercise = exercise.name
            for line in (exercise.title, *exercise.setup, f"! {exercise.caution}"):
                self.say(f"  {line}")
        if view.screen is Screen.HURT:
            self.say("How much does it hurt? 0 to 9, then e ends here; n: no pain, on to the pause")
        if view.screen is Screen.DONE:
            self.say("Any pain now? 0 none to 9 worst")

    def say(self, line: str) -> None:
        """Write a line that stays."""
        self._clear()
        self._out.write(f"{line}\n")
        self._out.flush()

    def close(self) -> None:
        """Leave the terminal clean."""
        self._clear()
        self._out.flush()

    def _draw(self) -> None:
        line = (
            f"{self._force_n:6.1f} N  {self._phase:<10} set {self._set}  reps {self._reps:<2} "
            f"tempo {self._tempo}  {self._link}{self._battery}"
        )
        # a line that wraps would scroll with every redraw
        line = line[: shutil.get_terminal_size().columns - 1]
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)

    def _clear(self) -> None:
        if self._tty and self._width:
            self._out.write("\r" + " " * self._width + "\r")
            self._width = 0
