"""Make newtons of a sensor's counts, by known weights that hang from it.

    forceband calibrate --known-kg 0 5 10            a band within reach: weights are asked for
    forceband calibrate                              its zero alone: offers a tare if it drifted
    forceband calibrate hung.csv --known-kg 0 5 10   a file of another sensor

Two weights are the least, one of them may be 0; three tell how far they are off a line. Our own
band keeps its calibration itself; for a device of others `scale` is written into the configuration.

A file holds the weights one after the other, each still for a second or more; or give a file for
each weight. The sensor is known by the name of its column, or by --sensor; files of it are then
told in newtons.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import date
from pathlib import Path

from pipeline.commands.options import (
    add_band_arguments,
    add_table_arguments,
    config_of,
    table_options,
)
from sensor.errors import BandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE",
        help="recordings or tables of force; none: a band",
    )  # fmt: skip
    parser.add_argument(
        "--known-kg", nargs="+", type=_weight, default=[], metavar="KG",
        help="what hangs from it, in this order",
    )  # fmt: skip
    add_band_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="write or tare without a question")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    add_table_arguments(parser)


def _weight(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < 5000:
        raise argparse.ArgumentTypeError(f"a weight is 0 or more kg, not {text!r}")
    return value


def run(args: argparse.Namespace) -> int:
    if len(args.known_kg) == 1:
        raise BandError("--known-kg needs two weights or more; one of them may be 0")
    if not args.files:
        from pipeline.calibration.dialogue import calibrate

        return asyncio.run(calibrate(config_of(args), args.known_kg, args.config, args.yes))
    return _of_files(args)


def _of_files(args: argparse.Namespace) -> int:
    import numpy as np

    from pipeline.files.calibrations import FILE_NAME, KeptCalibration, fit, keep, plateaus
    from pipeline.files.reading import read_counts
    from pipeline.files.words import KG

    if not args.known_kg:
        raise BandError("--known-kg says which weights hung from it; two or more")
    if len(args.files) not in (1, len(args.known_kg)):
        raise BandError(
            f"{len(args.files)} files for {len(args.known_kg)} weights: give one file with all of "
            "them, or one for each"
        )
    options = table_options(args)
    read = [read_counts(path, options) for path in args.files]
    path, column = args.files[0], read[0][0]
    try:
        if len(read) == 1:
            levels = plateaus(read[0][1], read[0][2], len(args.known_kg))
        else:
            levels = np.array([float(np.median(counts)) for _, _, counts in read])
        known_n = np.array(args.known_kg) * KG
        zero, scale, worst_n = fit(levels, known_n)
    except ValueError as error:
        raise BandError(f"{path}: {error}") from error
    sensor = options.sensor or column
    made = KeptCalibration(sensor, zero, scale, date.today().isoformat())
    kept = config_of(args).data_dir / FILE_NAME
    keep(kept, made)
    for kg, level in zip(args.known_kg, levels, strict=True):
        print(f"{kg:g} kg: {level:.6g} counts")
    off = f"; the weights lie within {worst_n:.2g} N of the line" if len(levels) > 2 else ""
    factor = f"{scale:.6g} newtons a count ({1 / scale:.6g} counts a newton)"
    print(f"'{sensor}': {factor}, zero at {zero:.6g}{off}. Kept in {kept}")
    return 0
