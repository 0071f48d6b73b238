"""The bytes of a text file in UTF-8, whatever it was written in."""

from __future__ import annotations

import codecs
from collections.abc import Callable

LOOK_BYTES = 2**18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
CODE_PAGES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "cp932", "gb18030", "big5",
    "cp949", "koi8_r", "cp437", "mac_roman",
)  # fmt: skip


def as_utf8(data: bytes, understood: Callable[[str], bool]) -> bytes | None:
    """The text as UTF-8 without byte-order mark; None if it is no text.

    Parameters
    ----------
    understood
        Whether a beginning of the text has words that are known: among the code pages that a file
        may be written in, one in which it has comes first.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return rest if encoding == "utf-8" else _again(rest, encoding)
    head = data[:LOOK_BYTES]
    if b"\0" in head:
        zeros_even, zeros_odd = head[::2].count(0), head[1::2].count(0)
        half = len(head) // 2
        if zeros_odd > 0.7 * half and zeros_even < 0.1 * half:
            return _again(data, "utf-16-le")
        if zeros_even > 0.7 * half and zeros_odd < 0.1 * half:
            return _again(data, "utf-16-be")
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _from_code_page(data, head, understood)
    return data


def _again(data: bytes, encoding: str) -> bytes | None:
    try:
        return data.decode(encoding, "replace").lstrip("\ufeff").encode("utf-8", "replace")
    except UnicodeError:
        return None


def _from_code_page(data: bytes, head: bytes, understood: Callable[[str], bool]) -> bytes | None:
    from charset_normalizer import from_bytes

    start = head[:8192]
    if sum(byte < 9 or 13 < byte < 32 for byte in start) > 0.02 * len(start):
        return None
    likely = [match.encoding for match in from_bytes(start, cp_isolation=list(CODE_PAGES))]
    for encoding in dict.fromkeys(("cp1252", *likely, *CODE_PAGES)):
        try:
            if understood(start.decode(encoding, "ignore")):
                return _again(data, encoding)
        except LookupError:
            continue
    return _again(data, likely[0] if likely else "cp1252")
