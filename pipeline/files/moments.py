"""Cells as moments: ISO 8601, dates of several countries, clocks, as seconds on one axis."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from sensor.samples import Floats

DAY_S = 86_400.0
_DATE = r"(?P<a>\d{1,4})(?P<sign>[-./])(?P<b>\d{1,2}|[A-Za-z]{3})(?P=sign)(?P<c>\d{1,4})\.?"
_CLOCK = r"(?P<h>\d{1,3}):(?P<m>\d{2})(?::(?P<s>\d{2}))?(?:[.,:](?P<f>\d{1,9}))?"
_ZONE = r"(?P<zone>\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}))?"
STAMP = re.compile(
    rf"(?:(?P<days>\d+) days? )?(?:{_DATE}(?:[T ,;_-]+|$))?(?:{_CLOCK})?\s*"
    rf"(?P<half>[AaPp]\.?[Mm]\.?)?{_ZONE}"
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})[T _-]?(\d{2})(\d{2})(\d{2})((?:[.,]\d+)?)(Z?)")
_ISO_SIGNS = frozenset("0123456789-:. T\n")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@lru_cache(4096)
def is_stamp(cell: str) -> bool:
    """Whether a cell is a date, a clock time, or both."""
    cell = cell.strip()
    if len(cell) < 4 or not cell[0].isdigit():
        return False
    if _COMPACT.fullmatch(cell):
        return "T" in cell or "_" in cell or " " in cell
    found = STAMP.fullmatch(cell)
    return found is not None and (found["a"] is not None or found["h"] is not None)


def is_date(cell: str) -> bool:
    """Whether a cell is a date without a time of day."""
    found = STAMP.fullmatch(cell.strip())
    return found is not None and found["a"] is not None and found["h"] is None


def has_date(cell: str) -> bool:
    """Whether a date is in the cell."""
    cell = cell.strip()
    found = STAMP.fullmatch(cell)
    return _COMPACT.fullmatch(cell) is not None or (found is not None and found["a"] is not None)


def seconds(cells: Sequence[str]) -> tuple[Floats, bool] | int:
    """Seconds of many stamps, shape (n,), and whether they are UTC or a zone is named.

    With dates they count from 1970, as if local time were UTC where no zone is named; clocks alone
    count from midnight and go on over the next. The place of the first cell that is no stamp
    instead, if there is one.
    """
    iso = _iso(cells)
    if iso is not None:
        return iso
    day_first = _day_first(cells)
    out = np.empty(len(cells))
    known: dict[str, float] = {}
    zoned = False
    minutes = any(
        ":" in cell and cell.count(":") == 1 and re.search(r"[.,]\d", cell) for cell in cells[:50]
    )
    for place, cell in enumerate(cells):
        found = STAMP.fullmatch(cell.strip())
        if found is None or (found["a"] is None and found["h"] is None):
            compact = _COMPACT.fullmatch(cell.strip())
            if compact is None:
                return place
            y, mo, d, h, m, s, part, zone = compact.groups()
            found = STAMP.fullmatch(f"{y}-{mo}-{d}T{h}:{m}:{s}{part}{zone}")
            assert found is not None
        day = cell.strip()[: found.end("c")] if found["a"] else ""
        if day not in known:
            start = _midnight(found, day_first) if day else 0.0
            if start is None:
                return place
            known[day] = start
        zoned |= bool(found["zone"])
        out[place] = known[day] + _of_day(found, minutes=minutes)
    if "" in known and len(known) == 1:
        steps = np.diff(out, prepend=out[:1])
        half = DAY_S / 2
        twelve = not any(cell.strip()[-1:] in "mM." for cell in cells[:1]) and out.max() < 13 * 3600
        turn = 3600.0 if minutes else half if twelve and steps.min() < -0.9 * half else DAY_S
        out += turn * np.cumsum(steps < -turn / 2)
    return out, zoned


def _iso(cells: Sequence[str]) -> tuple[Floats, bool] | None:
    """The same, quickly, for ISO 8601 alone."""
    if not cells or not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", cells[0].strip()):
        return None
    zone = re.search(r"(?:Z|[+-]\d{2}:?\d{2})$", cells[0].strip())
    zoned = zone is not None
    text = [cell.strip() for cell in cells]
    if zone is not None:
        if not all(cell.endswith(zone[0]) for cell in text):
            return None
        text = [cell[: -len(zone[0])] for cell in text]
    joined = "\n".join(text).replace(",", ".")
    if not _ISO_SIGNS.issuperset(joined):
        return None
    text = joined.split("\n")
    if len(text) != len(cells):  # a cell with a line break in it
        return None
    try:
        stamps = np.array(text, dtype="datetime64[ns]")
    except ValueError:
        return None
    if np.isnat(stamps).any():
        return None
    offset_s = 0.0
    if zone is not None and zone[0] != "Z":
        digits = zone[0].replace(":", "")
        offset_s = (int(digits[1:3]) * 3600 + int(digits[3:5]) * 60) * (
            -1 if digits[0] == "-" else 1
        )
    whole = stamps.astype(np.int64)
    return whole // 10**9 + (whole % 10**9) / 1e9 - offset_s, zoned


def _day_first(cells: Sequence[str]) -> bool:
    """Whether days stand before months, as far as can be told: dots and 13 and above say so."""
    for cell in cells[:: max(len(cells) // 1000, 1)]:
        found = STAMP.fullmatch(cell.strip())
        if found is None or found["a"] is None or not found["b"].isdigit():
            continue
        if len(found["a"]) == 4:
            return False
        if int(found["a"]) > 12:
            return True
        if int(found["b"]) > 12:
            return False
        if found["half"]:
            return False
    first = cells[0] if cells else ""
    return "." in first[:6] or "-" in first[:6]


def _midnight(found: re.Match[str], day_first: bool) -> float | None:
    a, b, c = found["a"], found["b"], found["c"]
    try:
        month = _MONTHS.index(b.lower()) + 1 if not b.isdigit() else int(b)
        if len(a) == 4:
            year, day = int(a), int(c)
        elif day_first or not b.isdigit():
            year, day = int(c), int(a)
        else:
            year, month, day = int(c), int(a), month
        if month > 12:  # year, day, month, as one app writes it
            month, day = day, month
        year += 2000 if year < 100 else 0
        return datetime(year, month, day, tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _of_day(found: re.Match[str], *, minutes: bool) -> float:
    if found["h"] is None:
        return 0.0
    hour, minute, second = int(found["h"]), int(found["m"]), int(found["s"] or 0)
    if minutes and found["s"] is None:  # mm:ss.fff
        hour, minute, second = 0, hour, minute
    if found["half"]:
        hour = hour % 12 + (12 if found["half"][0] in "Pp" else 0)
    whole = (
        int(found["days"] or 0) * DAY_S
        + hour * 3600
        + minute * 60
        + second
        + (int(f"1{found['f']}") / 10 ** len(found["f"]) - 1 if found["f"] else 0)
    )
    zone = (found["zone"] or "").strip()
    if zone[:1] in "+-" and zone:
        digits = zone.replace(":", "")
        offset = int(digits[1:3]) * 3600 + int(digits[3:5] or 0) * 60
        whole -= offset if zone[0] == "+" else -offset
    return whole
