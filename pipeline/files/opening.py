"""A path as the tables that are in it, whatever kind of file it is."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import BinaryIO

from pipeline.files import records
from pipeline.files.archives import (
    MAX_BYTES,
    files_within,
    is_archive,
    is_workbook,
    unpacked,
)
from pipeline.files.delimited import TextTable
from pipeline.files.dialect import Dialect, detect
from pipeline.files.errors import FileError
from pipeline.files.header import Header, find_header
from pipeline.files.jsons import json_tables
from pipeline.files.logs import pattern_of
from pipeline.files.memory import MemoryTable
from pipeline.files.series import series_of
from pipeline.files.table import Table
from pipeline.files.text import LOOK_BYTES, as_utf8
from pipeline.files.words import FORCE_WORDS, TIME_WORDS, plain, tokens

MAX_NESTED = 2
"""What is packed within what is packed."""
LOOK_LINES, TITLE_BYTES = 2000, 4096
WORDS_ASKED, SEVERAL = 50, 200
"""Of the first lines, and of the last that are looked at, so many tell the dialect."""
_NO_JSON = re.compile(rb"\[[^\[\]{}\"\n]*\](?:[ \t]*[^\s,\]]|\s*[^\s,\]\[])")
"""A line that begins with a stamp or a heading in brackets."""
_HTML = re.compile(rb"<t[dh]\b", re.I)
"""Cells of a page, as many programs call a workbook."""
_COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
_FOLDED = re.compile(rb'(?:(?<=[",;\t\n])|^)"[^"\n;,\t]*\n[^"]{0,60}"(?=[",;\t\r\n])')


def tables_of(path: Path) -> list[Table]:
    """Every table of a file: one of a text, more of a workbook or an archive.

    Raises
    ------
    FileError
        If it cannot be read, or is nothing that holds tables.
    """
    try:
        if path.is_dir():
            raise FileError(f"{path}: is a folder; `forceband import` takes folders")
        if not path.is_file() and path.exists() and not _is_sent(path):
            raise FileError(f"{path}: is a pipe or a device: name a file, or - for what is sent")
        data = _read(path)
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from error
    if not data[:65536].strip() and not data.strip():
        raise FileError(f"{path}: is empty")
    if data.startswith(b"SQLite format 3\0") and not path.is_file():
        raise FileError(f"{path}: a recording or another database is read from its file: name that")
    return [part for table in _tables(path, data, "", 0) for part in series_of(table)]


def is_input(path: Path) -> bool:
    """Whether a path stands for standard input."""
    return str(path) == "-"


def _is_sent(path: Path) -> bool:
    """Whether a path stands for what a shell sends; a pipe of its own may wait for ever."""
    return is_input(path) or (path.is_fifo() and str(path).startswith(("/dev/fd/", "/dev/stdin")))


def _read(path: Path) -> bytes:
    """All bytes, up to the most that are read."""
    if path.is_file():
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FileError(
                f"{path}: {size / 2**30:.1f} GiB; {MAX_BYTES // 2**20} MiB are the most: split it"
            )
        return path.read_bytes()
    if is_input(path):
        sent: BinaryIO | None = getattr(sys.stdin, "buffer", None)
        if sent is None or sent.closed or sent.isatty():
            raise FileError(f"{path}: nothing is sent to standard input: name a file")
        data = sent.read(MAX_BYTES + 1)
    else:
        with path.open("rb") as pipe:
            data = pipe.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise FileError(f"{path}: {MAX_BYTES // 2**20} MiB are the most: split it")
    return data


def _tables(path: Path, data: bytes, part: str, depth: int) -> list[Table]:
    if data.startswith((b"PAR1", b"ARROW1")):
        return _named(records.arrow_tables(path, data), part)
    if is_archive(data) and not is_workbook(path, data):
        return _members(path, data, part, depth)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise FileError(f"{path}: is locked with a password: save it without one")
        return _texts(path, records.sheets(path, data), part)
    inner = unpacked(path, data) if depth < MAX_NESTED else None
    if inner is not None:
        return _tables(path, inner, part, depth + 1)
    utf8 = as_utf8(data, _understood)
    if utf8 is None:
        raise FileError(
            f"{path}: is neither a recording nor a table: export it as CSV, JSON, Parquet or Excel"
        )
    start = utf8[:LOOK_BYTES].lstrip()
    if start[:1] in (b"{", b"[") and not _NO_JSON.match(start):
        return _named(json_tables(path, utf8.decode("utf-8", "replace")), part)
    if start.startswith(b"<") and _HTML.search(start):
        return _texts(path, records.html_tables(path, utf8.decode("utf-8", "replace")), part)
    if start.startswith(b"<") and b">" in start:
        return _named(records.xml_tables(path, utf8), part)
    table = text_table(path, utf8, part)
    return [] if table is None else [table]


def text_table(path: Path, utf8: bytes, part: str = "") -> TextTable | None:
    """The largest table among the first lines of a text; None if no line has a number."""
    if b"\x1b[" in utf8[:LOOK_BYTES]:
        utf8 = _COLOURS.sub(b"", utf8)
    start = utf8[:LOOK_BYTES]
    if start.count(b"\r") - start.count(b"\r\n") > start.count(b"\n"):
        utf8 = utf8.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    utf8, folded = _unfolded(utf8)
    head = utf8[:LOOK_BYTES].decode("utf-8", "replace")
    lines = head.split("\n")
    if len(utf8) > LOOK_BYTES and len(lines) > 1:
        lines.pop()  # cut in the middle
    lines = lines[:LOOK_LINES]
    if lines and lines[0].lower().startswith("sep="):
        lines[0] = ""
    pattern = pattern_of(lines)
    some = lines if len(lines) <= 2 * SEVERAL else lines[:SEVERAL] + lines[-SEVERAL:]
    dialect = detect([line[:4096] for line in some])
    header = find_header(lines, dialect) if dialect is not None else None
    if pattern is not None and (pattern.named or header is None or not _titled(header, dialect)):
        values = pattern.values(utf8.decode("utf-8", "replace"))
        titles = Header(pattern.titles, [""] * len(pattern.titles), 0, [])
        rows = values.split("\n", LOOK_LINES)[:LOOK_LINES]
        return TextTable(path, values.encode(), rows, Dialect(";", "."), titles, part)
    if dialect is None or header is None:
        return None
    return TextTable(path, utf8, lines, dialect, header, part, folded)


def _titled(header: Header, dialect: Dialect | None) -> bool:
    """Whether columns have titles, and not words of another line with as many blanks."""
    words = {plain(word) for title in header.titles for word in tokens(title)}
    blanks = dialect is not None and dialect.delimiter == " "
    return bool(words & (FORCE_WORDS.keys() | TIME_WORDS)) if blanks else any(header.titles)


def _unfolded(utf8: bytes) -> tuple[bytes, int]:
    """Titles that go over several lines within quotes, each in one; and how many lines less."""
    head = utf8[:TITLE_BYTES]
    if b'"' not in head:
        return utf8, 0
    flat = _FOLDED.sub(lambda found: found[0].replace(b"\r", b"").replace(b"\n", b" "), head)
    return flat + utf8[TITLE_BYTES:], head.count(b"\n") - flat.count(b"\n")


def _understood(text: str) -> int:
    """How many words in other than plain letters are such as columns are called."""
    signs = [word for word in re.split(r"[\W\d_]+", text[:4096]) if not word.isascii()]
    words = {plain(each) for word in signs[:WORDS_ASKED] for each in tokens(word)}
    return len(words & (FORCE_WORDS.keys() | TIME_WORDS))


def _named(tables: list[MemoryTable], part: str) -> list[Table]:
    for table in tables:
        table.part = " ".join(filter(None, (part, table.part)))
    return [*tables]


def _texts(path: Path, texts: dict[str, str], part: str) -> list[Table]:
    found = [
        text_table(path, text.encode(), f"{part} {name}".strip()) for name, text in texts.items()
    ]
    return [table for table in found if table is not None]


def _members(path: Path, data: bytes, part: str, depth: int) -> list[Table]:
    """The tables of an archive's files; what is none is left out where another is."""
    if depth >= MAX_NESTED:
        raise FileError(f"{path}: holds archives in archives: unpack it first")
    found: list[Table] = []
    problem: FileError | None = None
    for name, content in files_within(path, data).items():
        try:
            if content.strip():
                found += _tables(path, content, f"{part}/{name}" if part else name, depth + 1)
        except FileError as error:
            problem = problem or error
    if problem is not None and not found:
        raise problem
    return found
