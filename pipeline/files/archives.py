"""What is packed: one file, or the files of an archive that may be tables, by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.files.errors import FileError, shown

MAX_BYTES = 2**29
MAX_MEMBERS = 1000
ENDINGS = (
    ".csv", ".tsv", ".txt", ".dat", ".asc", ".prn", ".log", ".json", ".jsonl", ".ndjson", ".xml",
    ".zip", ".parquet", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".lvm", ".tra", ".arrow",
    ".feather", ".gz", ".bz2", ".xz", ".tar", ".tgz", ".htm", ".html",
)  # fmt: skip
"""Of a folder or an archive the files with such names are read."""
_FOREIGN = {b"7z\xbc\xaf": "7-Zip", b"Rar!": "RAR"}
_PACKED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open,
}  # fmt: skip
_ZIP, _TAR = b"PK\x03\x04", b"ustar"
_HIDDEN = re.compile(r"(?:^|/)(?:__MACOSX/|\.[^/]*$)|/$")
_WORKBOOKS = frozenset({"xl/workbook.xml", "xl/workbook.bin", "content.xml"})
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, RuntimeError, NotImplementedError, EOFError, ValueError,
    IndexError, KeyError, OSError, zlib.error, struct.error, lzma.LZMAError,
)  # fmt: skip
"""What the standard library raises where an archive is damaged."""


def unpacked(path: Path, data: bytes) -> bytes | None:
    """What one packed file holds; None if it is none.

    Raises
    ------
    FileError
        If it is damaged, too large, or packed by a program whose files we do not read.
    """
    for mark, name in _FOREIGN.items():
        if data.startswith(mark):
            raise FileError(f"{path}: is packed ({name}): unpack it first")
    unpack = next((each for mark, each in _PACKED.items() if data.startswith(mark)), None)
    if unpack is None:
        return None
    try:
        inner: bytes = unpack(io.BytesIO(data)).read(MAX_BYTES + 1)
    except _BROKEN as error:
        raise FileError(f"{path}: cannot be unpacked: {shown(error, 80)}") from error
    if len(inner) > MAX_BYTES:
        raise FileError(f"{path}: is too large when unpacked: unpack and split it")
    return inner


def is_archive(data: bytes) -> bool:
    """Whether it holds files; a workbook does too."""
    return data.startswith(_ZIP) or data[257:262] == _TAR


def is_workbook(path: Path, data: bytes) -> bool:
    """Whether an archive is a workbook of Excel or OpenDocument."""
    if not data.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return bool(_WORKBOOKS.intersection(archive.namelist()))
    except _BROKEN as error:
        raise _unreadable(path, error) from error


def files_within(path: Path, data: bytes) -> dict[str, bytes]:
    """The files of an archive that are tables by their names.

    Raises
    ------
    FileError
        If it is damaged or holds too much.
    """
    try:
        found = _of_zip(data) if data.startswith(_ZIP) else _of_tar(data)
    except _BROKEN as error:
        raise _unreadable(path, error) from error
    if found is None:
        raise FileError(f"{path}: holds too many or too large files: unpack it first")
    return found


def _of_zip(data: bytes) -> dict[str, bytes] | None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        wanted = [each for each in archive.infolist() if _is_wanted(each.filename)]
        size = sum(each.file_size for each in wanted)
        if len(wanted) > MAX_MEMBERS or size > MAX_BYTES:
            return None
        return {each.filename: archive.read(each) for each in wanted}


def _of_tar(data: bytes) -> dict[str, bytes] | None:
    """Files that a tar holds as they are: no links, and none with holes, which cost no bytes."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for each in archive:
            held = _is_wanted(each.name) and each.isreg() and not each.issparse()
            inner = archive.extractfile(each) if held else None
            if inner is not None:
                found[each.name] = inner.read()
            if len(found) > MAX_MEMBERS:
                return None
    return found


def _is_wanted(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not _HIDDEN.search(name)


def _unreadable(path: Path, error: Exception) -> FileError:
    return FileError(f"{path}: is an archive that cannot be read: {shown(error, 80)}")
