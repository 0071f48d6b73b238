"""Screens and cues as plain values, for the page, for MQTT and for programs."""

from __future__ import annotations

from typing import Any

from pipeline.coach.cues import Cue
from pipeline.coach.doing import SetDone
from pipeline.coach.view import View

DIGITS = 3


def view_object(view: View) -> dict[str, Any]:
    """Everything that a screen shows."""
    block, exercise, guide = view.block, view.block.exercise, view.guide
    then = view.then
    return {
        "screen": view.screen.value,
        "now_s": round(view.now_s, DIGITS),
        "programme": view.plan.name,
        "programme_title": view.plan.title,
        "exercise": exercise.name,
        "title": exercise.title,
        "part": part(view),
        "set": block.set,
        "sets": block.sets,
        "side": block.side,
        "grip": block.grip,
        "place": view.place,
        "blocks": len(view.plan.blocks),
        "count": view.count,
        "least": block.least,
        "most": block.most,
        "until_s": None if view.until_s is None else round(view.until_s, DIGITS),
        "rest_s": block.rest_s,
        "guide": None
        if guide is None
        else [
            round(each, DIGITS)
            for each in (guide.pull_s, guide.top_s, guide.release_s, guide.end_s, guide.next_s)
        ],
        "scores": [
            {
                "rep": each.rep,
                "percent": round(100 * each.total),
                "worst": each.worst,
                "long": each.off_s > 0,
            }
            for each in view.scores
        ],
        "usual_n": None if view.usual_n is None else round(view.usual_n, DIGITS),
        "led": exercise.counted == "time" and not view.by_touch,
        "by_touch": view.by_touch,
        "change": view.change,
        "tempo": [
            block.tempo.eccentric_s,
            block.tempo.bottom_s,
            block.tempo.concentric_s,
            block.tempo.hold_s,
        ],
        "setup": list(exercise.setup),
        "cues": list(exercise.cues),
        "caution": exercise.caution,
        "equipment": list(exercise.equipment),
        "figure": exercise.figure,
        "then": None if then is None else _then(view),
        "last": None if view.last is None else set_object(view.last),
        "done": [set_object(each) for each in view.done],
        "asked": view.plan.reps,
        "pain_before": view.pain_before,
        "pain": view.pain,
        "pain_after": view.pain_after,
        "stopped": view.stopped,
    }


def _then(view: View) -> dict[str, Any]:
    then = view.then
    assert then is not None
    exercise = then.exercise
    return {
        "named": then.named, "title": exercise.title, "side": then.side, "grip": then.grip,
        "setup": list(exercise.setup), "caution": exercise.caution, "figure": exercise.figure,
        "equipment": list(exercise.equipment),
    }  # fmt: skip


def part(view: View) -> str:
    """Which set, side and grip, in words."""
    block = view.block
    words = [f"set {block.set} of {block.sets}"] if block.sets > 1 else []
    words += [f"{block.side} side"] if block.side != "both" else []
    words += [block.grip] if block.grip else []
    return ", ".join(words) or f"{view.place + 1} of {len(view.plan.blocks)}"


def set_object(done: SetDone) -> dict[str, Any]:
    """What a block came to."""
    return {
        "number": done.number,
        "exercise": done.block.exercise.name,
        "named": done.block.named,
        "side": done.block.side,
        "grip": done.block.grip,
        "reps": done.reps,
        "least": done.block.least,
        "most": done.block.most,
        "start_s": round(done.start_s, DIGITS),
        "end_s": round(done.end_s, DIGITS),
        "how": done.how,
        "tut_s": round(done.tut_s, DIGITS),
        "tempo_percent": None if done.tempo is None else round(100 * done.tempo, 1),
        "peak_n": None if done.peak_n is None else round(done.peak_n, DIGITS),
        "rise_n": None if done.rise_n is None else round(done.rise_n, DIGITS),
    }


def cue_object(cue: Cue) -> dict[str, Any]:
    """A cue, to be given when it is due."""
    return {
        "id": cue.id, "name": cue.name, "due_s": round(cue.due_s, DIGITS), "text": cue.text,
        "say": cue.say, "sound": cue.sound, "holds_s": cue.holds_s, "rank": cue.rank,
        "late_s": cue.late_s,
    }  # fmt: skip
