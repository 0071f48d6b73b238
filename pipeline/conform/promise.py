"""A promise of the profile, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kept(StrEnum):
    """What came of a promise."""

    YES = "kept"
    NO = "BROKEN"
    LACKING = "lacking"
    """Of what a band may offer and need not."""
    UNTRIED = "not tried"


class Promise(NamedTuple):
    """One promise, and what was seen."""

    what: str
    kept: Kept
    seen: str = ""


def is_kept(what: str, kept: bool, seen: str) -> Promise:
    """Kept without a word, or broken with what was seen."""
    return Promise(what, Kept.YES if kept else Kept.NO, "" if kept else seen)
