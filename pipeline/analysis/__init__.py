"""From force to reps, phases, sets and metrics: pure functions and one stage with state.

`analyse` is loaded when it is first asked for, so that the result types alone cost nothing.
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
