"""The portable firmware, compiled by the system's C compiler and driven from Python."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

from sensor.wire.profile import Info
from tests.mosquitto_server import find_program

SOURCE = Path(__file__).parents[3] / "firmware_sim" / "device" / "c" / "band.c"
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")
RING_SAMPLES = 148_000
SHIM = """
#include "band.h"
size_t band_size(void) { return sizeof(band); }
void band_begin(band *b, uint64_t at) { b->first = b->next = b->live = at; }
"""


def compile_band(folder: Path) -> ctypes.CDLL:
    """Build it with every warning an error, and with the run-time checks of the compiler."""
    compiler = find_program("cc", "gcc")
    shim = folder / "shim.c"
    shim.write_text(SHIM)
    library = folder / "band.so"
    command = [
        compiler, *STRICT, "-O1", "-ftrapv", "-fPIC", "-shared", f"-I{SOURCE.parent}",
        f"-DBAND_RING_SAMPLES={RING_SAMPLES}", str(SOURCE), str(shim), "-o", str(library),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)
    found = ctypes.CDLL(str(library))
    for name in ("band_size", "band_command", "band_frame", "band_info"):
        getattr(found, name).restype = ctypes.c_size_t
    return found


class _Calibration(ctypes.Structure):
    _fields_ = (
        ("id", ctypes.c_uint8),
        ("zero_counts", ctypes.c_int32),
        ("newtons_per_count", ctypes.c_float),
    )


class _Config(ctypes.Structure):
    _fields_ = (
        ("boot_id", ctypes.c_uint32),
        ("rate_mhz", ctypes.c_uint32),
        ("rates_mhz", ctypes.POINTER(ctypes.c_uint32)),
        ("rates", ctypes.c_uint8),
        ("adc_bits", ctypes.c_uint8),
        ("curve", ctypes.c_float * 4),
        ("model", ctypes.c_char_p),
        ("firmware", ctypes.c_char_p),
    )


class CompiledBand:
    """One band, switched on as an Info says."""

    def __init__(self, library: ctypes.CDLL, info: Info, rates_hz: list[float], first: int) -> None:
        self._library = library
        self._band = ctypes.create_string_buffer(library.band_size())
        self._rates = (ctypes.c_uint32 * len(rates_hz))(*(round(1000 * each) for each in rates_hz))
        curve = (ctypes.c_float * 4)()
        if info.curve is not None:
            each = info.curve
            curve = (ctypes.c_float * 4)(each.a_n, each.b_n, each.rest_length_m, each.relative_sd)
        config = _Config(
            info.boot_id, round(1000 * info.rate_hz), self._rates, len(rates_hz), info.adc_bits,
            curve, info.model.encode(), info.firmware.encode(),
        )  # fmt: skip
        self._texts = config.model, config.firmware
        self._config = config
        table = (_Calibration * len(info.calibrations))(
            *(_Calibration(c.id, c.zero_counts, c.newtons_per_count) for c in info.calibrations)
        )
        library.band_init(self._band, ctypes.byref(config), table, len(info.calibrations))
        library.band_begin(self._band, ctypes.c_uint64(first))

    def sample(self, counts: int, time_us: int, flags: int) -> None:
        self._library.band_sample(
            self._band, counts, ctypes.c_uint32(time_us % 2**32), ctypes.c_uint8(flags)
        )

    def frames(self, now_us: int) -> list[bytes]:
        out, found = ctypes.create_string_buffer(180), []
        while size := self._library.band_frame(self._band, ctypes.c_uint32(now_us), out):
            found.append(out.raw[:size])
        return found

    def command(self, data: bytes, now_us: int) -> bytes:
        out = ctypes.create_string_buffer(11)
        size = self._library.band_command(
            self._band, data, ctypes.c_size_t(len(data)), ctypes.c_uint32(now_us), out
        )
        return out.raw[:size]

    def info(self) -> bytes:
        out = ctypes.create_string_buffer(512)
        size = self._library.band_info(self._band, out)
        return out.raw[:size]

    def link_lost(self) -> None:
        self._library.band_link_lost(self._band)
