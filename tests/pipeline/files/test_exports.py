"""Exports of the field, in the layouts that their programs write, with numbers of our own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.__main__ import main
from pipeline.analysis import analyse
from pipeline.files.choosing import Options
from pipeline.files.errors import FileError
from pipeline.files.parts import tables_with_force
from pipeline.files.reading import read_force
from tests.pipeline.signals import pulls

FORCE_N = pulls(sets=1, reps=4)
TIME_S = np.arange(FORCE_N.size) / 80
KG = FORCE_N / 9.80665
BEGAN_MS = 1_767_002_400_000


def tindeq() -> bytes:
    lines = [",Overall Avg", "Avg,0.0", "Peak,0.0", ",", "time,weight"]
    lines += [f"{t + 0.054:.6f},{kg:.7f}" for t, kg in zip(TIME_S, KG, strict=True)]
    return "\n".join(lines).encode()


def tindeq_two_sides() -> bytes:
    lines = [",Rep 1,Overall Avg", "Avg Left,0.0,0.0", "Peak Left,0.0,0.0", "Avg Right,0.0,0.0"]
    lines += ["Peak Right,0.0,0.0", ",", "time left,weight left,time right,weight right"]
    rows = [
        f"{t:.6f},{kg:.7f},{t + 0.004:.6f},{kg / 2:.7f}" for t, kg in zip(TIME_S, KG, strict=True)
    ]
    rows += [f"{TIME_S[-1] + k / 80:.6f},0.1,," for k in range(1, 9)]
    return "\n".join(lines + rows).encode()


def tindeq_archive(*sessions: bytes) -> bytes:
    info = (
        "date,tag,comment,unit,reps,work dur.,pause btw. reps,sets,pause btw. sets,type\n"
        "2026-20-08 19:55:38,pulls,,SI,4,10,20,1,120,single\n"
    )
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, session in enumerate(sessions, 1):
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as part:
                part.writestr("info.csv", info)
                part.writestr("data_set_1.csv", session)
            archive.writestr(f"session_{number}.zip", inner.getvalue())
    return outer.getvalue()


def chronojump(decimal: str) -> bytes:
    lines = ["Time (micros);Force(N)"]
    lines += [f"{t * 1e6:.0f};{f:.2f}" for t, f in zip(TIME_S, FORCE_N, strict=True)]
    return "\n".join(lines).replace(".", decimal).encode()


def packets() -> list[dict[str, Any]]:
    """Eight samples come together, as a Progressor sends them."""
    return [
        {
            "received": BEGAN_MS + 100 * (k // 8), "sampleNum": 5_000_000 + 12_500 * k,
            "battRaw": 0, "samples": [round(float(kg) + 1.5, 4)], "masses": [round(float(kg), 4)],
        }
        for k, kg in enumerate(KG)
    ]  # fmt: skip


def hangtime_csv() -> bytes:
    cells = [
        [each[0] if isinstance(each, list) else each for each in p.values()] for p in packets()
    ]
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in cells).encode()


def hangtime_motherboard_csv() -> bytes:
    """Three cells, whose masses add up; packets are numbered."""
    lines = []
    for k, kg in enumerate(KG):
        masses = [0.2 * kg, 0.5 * kg, 0.3 * kg]
        row = [BEGAN_MS + round(12.5 * k), k, 2900, *(round(1e4 * m) for m in masses), *masses]
        lines.append(",".join(f'"{cell}"' for cell in row))
    return "\r\n".join(lines).encode()


def hangtime_json() -> bytes:
    return json.dumps(packets(), indent=2).encode()


def hangtime_measurements_json() -> bytes:
    rows = [
        {
            "timestamp": BEGAN_MS + 12.5 * k, "unit": "lbs", "current": float(kg) / 0.45359237,
            "peak": 60.0, "mean": 9.0, "samples": [1.0], "battRaw": 0,
        }
        for k, kg in enumerate(KG)
    ]  # fmt: skip
    return json.dumps(rows).encode()


def hangtime_xml() -> bytes:
    packet = (
        "\n        <packet>\n          <received>{received}</received>\n"
        "          <sampleNum>{sampleNum}</sampleNum>\n          <battRaw>{battRaw}</battRaw>\n"
        "          <samples><sample>{samples[0]}</sample></samples>\n"
        "          <masses><mass>{masses[0]}</mass></masses>\n        </packet>\n      "
    )
    inside = "".join(packet.format(**each) for each in packets())
    return f"<DownloadPackets>{inside}</DownloadPackets>".encode()


def phoenix_backup(*sessions: str) -> bytes:
    samples = [
        {
            "id": k, "sessionId": session,
            "timestamp": BEGAN_MS + 600_000 * number + round(12.5 * k),
            "position": 100.0, "positionB": 101.0, "velocity": 0.0, "velocityB": 0.0,
            "load": round(float(kg) / 2, 4), "loadB": round(float(kg) / 2, 4),
            "power": 0.0, "status": 0,
        }
        for number, session in enumerate(sessions)
        for k, kg in enumerate(KG)
    ]  # fmt: skip
    workouts = [{"id": session, "timestamp": BEGAN_MS, "mode": "Pump"} for session in sessions]
    data = {"workoutSessions": workouts, "metricSamples": samples, "routines": []}
    return json.dumps({"version": 1, "exportedAt": "now", "appVersion": "1", "data": data}).encode()


def phoenix_csv() -> bytes:
    lines = ["Timestamp,LoadA,LoadB,PositionA,PositionB,Ticks"]
    lines += [
        f"{BEGAN_MS + round(12.5 * k)},{kg / 2:.4f},{kg / 2:.4f},2000,2000,{k}"
        for k, kg in enumerate(KG)
    ]
    return "\n".join(lines).encode()


EXPORTS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "Tindeq": ("data_set_1.csv", tindeq, "export of Tindeq, kg from 'weight', 80.0 Hz"),
    "Tindeq's archive": (
        "export.zip", lambda: tindeq_archive(tindeq()), "export of Tindeq, kg from 'weight'"
    ),
    "chronojump": ("a.csv", lambda: chronojump("."), "export of chronojump, N from 'Force(N)'"),
    "chronojump, before 2.0.3": ("a.csv", lambda: chronojump(","), "export of chronojump, N"),
    "hangtime CSV": ("a.csv", hangtime_csv, "export of hangtime-grip-connect, kg"),
    "hangtime CSV, three cells": (
        "a.csv", hangtime_motherboard_csv, "kg from 'column 7 + column 8 + column 9'"
    ),
    "hangtime JSON": ("a.json", hangtime_json, "export of hangtime-grip-connect, kg from 'masses'"),
    "hangtime JSON, measurements": (
        "a.json", hangtime_measurements_json, "export of hangtime-grip-connect, lb from 'current'"
    ),
    "hangtime XML": ("a.xml", hangtime_xml, "export of hangtime-grip-connect, kg from 'mass'"),
    "Phoenix backup": (
        "a.json", lambda: phoenix_backup("one"), "export of Phoenix, kg from 'load + loadB'"
    ),
    "Phoenix CSV": ("a.csv", phoenix_csv, "export of Phoenix, kg from 'LoadA + LoadB'"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPORTS)
def test_exports_are_known_by_name(tmp_path: Path, name: str) -> None:
    file, make, words = EXPORTS[name]
    path = tmp_path / file
    path.write_bytes(make())
    (found,) = read_force(path)
    assert words in found.understood
    assert found.rate_hz == pytest.approx(80, rel=1e-3)
    assert found.force_n == pytest.approx(FORCE_N, abs=0.02)
    assert np.diff(found.time_s) == pytest.approx(1 / 80, abs=0.001)
    analysis = analyse(found.time_s, found.force_n)
    assert (len(analysis.reps), len(analysis.gaps)) == (4, 0)


def test_two_sides_are_asked_for_and_read_apart_or_added_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data_set_1.csv"
    path.write_bytes(tindeq_two_sides())
    with pytest.raises(FileError, match=r"give --force-column .*'weight left\+weight right'"):
        read_force(path)
    both = read_force(path, Options(force_columns=("weight left", "weight right")))
    assert [each.side for each in both] == ["left", "right"]
    assert both[1].force_n == pytest.approx(FORCE_N / 2, abs=1e-3)
    assert both[1].time_s[0] == pytest.approx(0.004)
    (total,) = read_force(path, Options(force_columns=("weight left+weight right",)))
    assert total.force_n == pytest.approx(1.5 * FORCE_N[1:], abs=0.5)  # 4 ms apart
    flags = ["--force-column", "weight left", "--force-column", "weight right", "--json"]
    assert main(["analyse", str(path), *flags]) == 0
    left, right = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (left["column"], right["column"]) == ("weight left", "weight right")
    assert len(left["reps"]) == len(right["reps"]) == 4


def test_several_sessions_are_asked_for_and_imported_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in (
        ("export.zip", tindeq_archive(tindeq(), tindeq().replace(b"0.0541", b"0.0542"))),
        ("backup.json", phoenix_backup("one", "two")),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert len(tables_with_force(path, Options())) == 2
        with pytest.raises(FileError, match=r"several parts .* give --sheet NAME"):
            read_force(path)
        (found,) = read_force(path, Options(sheet="2" if name == "export.zip" else "two"))
        assert found.time_s.size == TIME_S.size
        assert main(["import", str(path), "--data", str(tmp_path / name[:3])]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 2
