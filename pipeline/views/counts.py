"""Results of samples whose newtons nobody knows: times as they are, no newtons, peaks in counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

WHY = "the sensor's scale is not known (forceband calibrate)"
_FORCE_ENDS = ("_n", "_n_s", "_n_per_s", "_j", "_w", "_m", "_m_per_s", "_percent")
_RATIOS = ("release_smoothness", "median_period_s")


def without_newtons(value: Any, reading: Callable[[float], float]) -> Any:
    """JSON values without whatever needs newtons; peaks as the sensor's own reading beside.

    Parameters
    ----------
    reading
        What the sensor read at a force of the analysis.
    """
    if isinstance(value, list):
        return [without_newtons(each, reading) for each in value]
    if not isinstance(value, dict):
        return value
    out: dict[str, Any] = {}
    for key, each in value.items():
        if key == "rfd_n_per_s":
            out[key] = {}
        elif key == "metrics":
            out[key] = {name: v for name, v in each.items() if not name.endswith(_FORCE_ENDS)}
        elif key.endswith(_FORCE_ENDS):
            out[key] = None
        else:
            out[key] = without_newtons(each, reading)
    if isinstance(value.get("peak_n"), float):
        out["peak_counts"] = round(reading(value["peak_n"]), 1)
    return out
