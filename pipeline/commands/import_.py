"""Make recordings of files of force, so that history, replay, export and delivery work on them.

Of a folder those files are tried that are tables by their names, each sheet and part of them. What
was imported before is known by its content and left as it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.commands.long_job import shown_progress
from pipeline.commands.options import add_table_arguments, config_of, table_options
from pipeline.files.errors import shown
from sensor.errors import BandError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.files.choosing import Options
    from pipeline.files.reading import ForceFile
    from pipeline.files.table import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="or a folder of them")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder for the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    parser.add_argument("--name", metavar="NAME", help="of the device, in topics and points")
    parser.add_argument("--side", choices=("left", "right", "both"), help="which arm or leg")
    parser.add_argument("--exercise", metavar="NAME", help="such as low-row, in any language")
    parser.add_argument("--athlete", metavar="NAME", help="whose session it was")
    add_table_arguments(parser)


def run(args: argparse.Namespace) -> int:
    config, options = config_of(args), table_options(args)
    paths = [each for path in args.files for each in _files(path)]
    failed = 0
    with shown_progress(f"{len(paths)} files" if len(paths) > 1 else paths[0].name) as progress:
        for number, path in enumerate(paths):
            step = _step(progress, number, len(paths))
            failed += not _import(path, config, options, args, step)
    if failed and len(paths) > 1:
        print(f"forceband: {failed} of {len(paths)} files were not imported", file=sys.stderr)
    return 1 if failed else 0


def _step(progress: Progress | None, number: int, of: int) -> Progress | None:
    """What to tell which part of one of several steps is done."""
    if progress is None:
        return None

    def tell(done: float) -> None:
        progress((number + done) / of)

    return tell


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    from pipeline.files.archives import ENDINGS

    files = sorted(each for each in path.iterdir() if each.is_file())
    found = [each for each in files if each.name.lower().endswith(ENDINGS)]
    if not found:
        raise BandError(f"{path}: no file in this folder is a table by its name")
    if len(found) < len(files):
        others = shown(", ".join(each.name for each in files if each not in found), 100)
        print(f"{path}: no tables by their names, not tried: {others}", file=sys.stderr)
    yield from found


def _import(
    path: Path, config: Config, options: Options, args: argparse.Namespace,
    progress: Progress | None,
) -> bool:  # fmt: skip
    """Import every part of a file; whether all went well."""
    from pipeline.files.calibrations import FILE_NAME
    from pipeline.files.inputs import is_table
    from pipeline.files.parts import tables_with_force
    from pipeline.files.reading import read_table
    from sensor.recording.log import Recording

    kept = config.data_dir / FILE_NAME
    well = True
    try:
        if not is_table(path):
            Recording.open(path).close()
            raise BandError(f"{path}: is a recording already: copy it into {config.data_dir}")
        tables = tables_with_force(path, options)
    except BandError as error:
        print(f"forceband: {error}", file=sys.stderr)
        return False
    for number, table in enumerate(tables):
        reads, writes = (_step(progress, 2 * number + k, 2 * len(tables)) for k in (0, 1))
        try:
            for found in read_table(path, table, options, reads, kept):
                _write(found, config, args, writes)
        except BandError as error:
            print(f"forceband: {error}", file=sys.stderr)
            well = False
    return well


def _write(
    found: ForceFile, config: Config, args: argparse.Namespace, progress: Progress | None
) -> None:
    from pipeline.files.importing import import_force

    where = f"{found.path}" + (f" ({found.part})" if found.part else "")
    for remark in () if found.counts is not None else (found.understood, *found.remarks):
        print(f"{where}: {remark}", file=sys.stderr)
    facts: dict[str, Any] = {
        "device": args.name or found.layout or config.band.name,
        "side": args.side or found.side or config.band.side,
        "exercise": config.band.exercise,
        "athlete": config.band.athlete,
    }
    made = import_force(found, config.data_dir, facts, progress)
    if made is None:
        print(f"{where}: was imported before", file=sys.stderr)
    else:
        print(made)
