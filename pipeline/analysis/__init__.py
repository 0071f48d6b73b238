"""Samples of force in; reps, partials, sets and what to say of them out.

Pure functions and one fold (`live.LiveAnalysis`); no clock, no I/O. Anybody may import it; it
imports `sensor` alone. `analyse` is loaded when it is first asked for, so that types cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.analysis.offline import analyse as analyse

__all__ = ["analyse"]


def __getattr__(name: str) -> Any:
    if name == "analyse":
        from pipeline.analysis.offline import analyse

        return analyse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
