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
    "cp949", "koi8_r", "cp437", "mac_roman", "cp866", "iso8859_5", "cp850", "cp852", "cp1255",
    "cp1256", "cp874", "mac_cyrillic",
)  # fmt: skip


def as_utf8(data: bytes, understood: Callable[[str], int]) -> bytes | None:
    """The text as UTF-8 without byte-order mark; None if it is no text.

    Parameters
    ----------
    understood
        How many words of a beginning of the text are known: of the code pages that a file may be
        written in, the one that makes most words counts.
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


def _from_code_page(data: bytes, head: bytes, understood: Callable[[str], int]) -> bytes | None:
    from charset_normalizer import from_bytes

    start = head[:8192]
    if sum(byte < 9 or 13 < byte < 32 for byte in start) > 0.02 * len(start):
        return None
    likely = [match.encoding for match in from_bytes(start, cp_isolation=list(CODE_PAGES))]
    pages = list(dict.fromkeys(("cp1252", *likely, *CODE_PAGES)))
    known = [understood(start.decode(page, "ignore")) for page in pages]
    return _again(data, pages[known.index(max(known))] if any(known) else (likely or pages)[0])
