"""Layouts of loggers, programs and countries, each with our own numbers: all come out the same."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import tarfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from pipeline.analysis import analyse
from pipeline.files.choosing import Options
from pipeline.files.columns import force_columns, time_column
from pipeline.files.errors import FileError
from pipeline.files.looks import Look, looks
from pipeline.files.opening import text_table
from pipeline.files.reading import read_force
from pipeline.files.words import (
    FORCE_SPELLINGS,
    FORCES,
    TIME_SPELLINGS,
    TIMES,
    force_unit,
    time_unit,
)
from tests.pipeline.signals import pulls

FORCE_N = pulls(sets=1, reps=4)
TIME_S = np.arange(FORCE_N.size) / 80
KG = 9.80665
BEGAN = datetime(2025, 3, 4, 23, 59, 50)


def rows(form: str, end: str = "\n") -> str:
    """A line a sample, times in several units and forces as well."""
    return "".join(
        form.format(
            i=i, t=t, ms=round(1e3 * t), us=round(1e6 * t), f=f, kg=f / KG, g=round(1e3 * f / KG),
            lb=f / KG / 0.45359237, h=f / 2, d=BEGAN + timedelta(seconds=float(t)),
            day=45720.75 + t / 86400, ns=1767002400 * 10**9 + round(1e9 * t), mn=round(1000 * f),
            kn=f / 1000,
        ) + end
        for i, (t, f) in enumerate(zip(TIME_S, FORCE_N, strict=True))
    )  # fmt: skip


def comma(text: str) -> str:
    return text.replace(".", ",")


CLOCK = "{d:%H:%M:%S.%f}"
LABVIEW = (
    "LabVIEW Measurement\t\nSeparator\tTab\nDate\t2025/12/29\n***End_of_Header***\t\n\t\t\n"
    "Channels\t1\t\t\nSamples\t100\t\t\nX0\t0.0E+0\t\t\nDelta_X\t0.0125\t\t\n***End_of_Header***\t\t\t\n"
)
TEXTS: dict[str, tuple[str, str, Options]] = {}


def layout(name: str, text: str, encoding: str = "utf-8", **options: object) -> None:
    TEXTS[name] = text, encoding, Options(**options)  # type: ignore[arg-type]


# -- languages and code pages
for language, title, page in [
    ("Spanish", "Tiempo (s);Fuerza (N)", "cp1252"),
    ("French", "Temps (s);Force mesurée (N)", "cp1252"),
    ("Italian", "Tempo;Forza\n(s);(N)", "utf-8"), ("Portuguese", "Tempo (s);Força (N)", "cp1252"),
    ("Dutch", "Tijd;Kracht\ns;N", "utf-8"), ("Polish", "Czas [s];Siła [N]", "cp1250"),
    ("Czech", "Čas (s);Síla (N)", "cp1250"), ("Hungarian", "Idő;Erő\n[s];[N]", "utf-8"),
    ("Finnish", "Aika (s);Voima (N)", "utf-8"), ("Turkish", "Zaman;Kuvvet\nsn;N", "cp1254"),
    ("Russian", "Время, с;Сила, Н", "cp1251"), ("Greek", "Χρόνος (s);Δύναμη (N)", "utf-8"),
    ("Arabic", "الزمن (ث);القوة (N)", "utf-8"),
    ("Danish", "Tid;Kraft (N)", "utf-8"), ("German", "Zeit in s;Kraft in N", "utf-16"),
]:  # fmt: skip
    layout(language, title + "\n" + comma(rows("{t:.4f};{f:.2f}")), page)
layout("French, kg in ms", "Temps [ms]\tPoids [kg]\n" + comma(rows("{ms}\t{kg:.3f}")), "latin-1")
layout("Russian, kg in ms", "Время (мс);Вес (кг)\n" + comma(rows("{ms};{kg:.3f}")))
layout("Chinese", "时间(s),力(N)\n" + rows("{t:.4f},{f:.2f}"), "gb18030")
layout("Chinese, kg in ms", "时间/ms,拉力/kg\n" + rows("{ms},{kg:.3f}"))
layout("Japanese", "時間(秒),荷重(N)\n" + rows("{t:.4f},{f:.2f}"), "cp932")
layout("Korean", "시간(ms),힘(N)\n" + rows("{ms},{f:.2f}"))
layout("Chinese, wide brackets", "时间（毫秒）,拉力（千克）\n" + rows("{ms},{kg:.3f}"))
layout("Russian, kN", "Время, с;Усилие, кН\n" + comma(rows("{t:.4f};{kn:.5f}")))
layout("Lithuanian", "Laikas;Jėga (N)\n" + rows("{t:.4f};{f:.2f}"))
layout("Hebrew", "זמן,כוח\n" + rows("{t:.4f},{f:.2f}"))
for page, title in [
    ("cp866", "Время;Усилие (Н)"),
    ("cp1255", "זמן;כוח"),
    ("cp874", "เวลา;แรง (N)"),
]:
    layout(f"in {page}", title + "\n" + rows("{t:.4f};{f:.2f}"), page)
# -- numbers
layout("units behind numbers", "time,force\n" + rows("{t:.4f} s,{f:.2f} N"))
layout("thousands apart", "Time (ms),Force (mN)\n" + rows('"{ms:,}","{mn:,}"'))
layout("a unit in a column", "time,value,unit\n" + rows("{t:.4f},{kg:.3f},kg"))
layout("glued", "Timems,forcekg\n" + rows("{ms},{kg:.3f}"))
layout("a unit above", "Device: x\nUnits: kg\n\nTime (s),Load\n" + rows("{t:.4f},{kg:.3f}"))
layout("pounds in Spanish", "Tiempo (s);Fuerza (libras)\n" + rows("{t:.4f};{lb:.3f}"))
layout("pounds", "Time(sec),Load(lbs)\n" + rows("{t:.4f},{lb:.3f}"))
layout("grams", "Timestamp_ms;Weight_grams\n" + rows("{ms};{g}"))
# -- times
layout("clock", "Time,Weight (kg)\n" + rows(CLOCK + ",{kg:.3f}"))
layout("clock of twelve hours", "Time,Weight (lbs)\n" + rows("{d:%I:%M:%S.%f %p},{lb:.3f}"))
layout("whole seconds", "Time,Weight (kg)\n" + rows("{d:%H:%M:%S},{kg:.3f}"))
layout("minutes and seconds", "Time,Force N\n" + rows("{d:%M:%S.%f},{f:.2f}"))
layout("date and clock", "Datum;Uhrzeit;Kraft (N)\n" + rows("{d:%d.%m.%Y};" + CLOCK + ";{f:.2f}"))
layout("American", "Timestamp,Force (N)\n" + rows("{d:%m/%d/%Y %H:%M:%S.%f},{f:.2f}"))
layout("ISO with a zone", "ts,force_n\n" + rows("{d:%Y-%m-%d %H:%M:%S.%f}+02:00,{f:.2f}"))
layout("ISO with a comma", "Zeit;Kraft (N)\n" + rows("{d:%Y-%m-%d %H:%M:%S},{d:%f};{f:.2f}"))
layout("ISO in UTC", "ts,force_n\n" + rows("{d:%Y-%m-%dT%H:%M:%S.%f}Z,{f:.2f}"))
layout("days of a sheet", "Time,Force (N)\n" + rows("{day:.10f},{f:.2f}"))
layout("pandas, spans", "elapsed,Force (N)\n" + rows("0 days 00:00:{t:09.6f},{f:.2f}"))
layout("parts of a day", "Time,Force (N)\n" + "".join(
    f"{0.6 + t / 86400:.12f},{f:.2f}\n" for t, f in zip(TIME_S, FORCE_N, strict=True)))  # fmt: skip
layout("a clock of twelve hours without halves", "Time,Force (N)\n" + "".join(
    f"{BEGAN.replace(hour=12) + timedelta(seconds=float(t)):%I:%M:%S.%f},{f:.2f}\n"
    for t, f in zip(TIME_S, FORCE_N, strict=True)))  # fmt: skip
layout("micros that begin again", "us,force_n\n" + "".join(
    f"{(2**32 - 3_000_000 + round(1e6 * t)) % 2**32},{f:.2f}\n"
    for t, f in zip(TIME_S, FORCE_N, strict=True)))  # fmt: skip
layout("the last first", "time_s,force_n\n" + "".join(
    rows("{t:.4f},{f:.2f}").splitlines(keepends=True)[::-1]))  # fmt: skip
layout("ns since 1970", "time,force_kg\n" + rows("{ns},{kg:.4f}"))
layout("micros without a unit", "time,force\n" + rows("{us},{f:.2f}"))
layout("a rate alone", "Kraft (N)\n" + comma(rows("{f:.2f}")), rate_hz=80.0)
# -- loggers
layout("numpy", "# time_s force_n\n" + rows("{t:.18e} {f:.18e}"))
layout("pandas", ",time,force\n" + rows("{i},{t:.4f},{f:.2f}"))
layout("R", '"time" "force"\n' + rows('"{i}" {t:.4f} {f:.2f}'), unit="N")
layout("MATLAB", "   Time      Force\n" + rows("  {t: .7e}   {f: .7e}"))
layout("LabVIEW", LABVIEW + "X_Value\tForce\tComment\n" + rows("{t:.6f}\t{f:.6f}"))
layout("serial monitor", rows(CLOCK + " -> {kg:.3f}"), unit="kg")
layout("named values", rows("Load: {kg:.2f} kg\tTime: {ms} ms"))
layout("serial monitor, a name", rows(CLOCK + " -> Weight: {kg:.3f} kg"))
layout("logging", rows("{d:%Y-%m-%d %H:%M:%S},{d:%f} - root - DEBUG - weight: {kg:.3f} kg"))
layout("stamps in brackets", rows("[" + CLOCK + "] {kg:.3f} kg"))
layout("ESPHome", rows("[" + CLOCK + "][D][sensor:094]: 'Load': Sending state {kg:.4f} kg with 2"
                       " decimals of accuracy"))  # fmt: skip
layout("date, clock and force", rows("{d:%Y-%m-%d %H:%M:%S.%f} {f:.2f} N"))
layout("a log below its start", "Booting...\nwifi ok 192.168.0.4\n" + rows("{ms} ms: {kg:.3f} kg"))
layout("line protocol", rows("band,side=left force_n={f:.2f} {ns}"))
layout("serial plotter", rows("Time:{ms},Force:{f:.2f}"))
layout("Home Assistant", "entity_id,state,last_changed\n" + rows(
    "sensor.scale,{kg:.2f},{d:%Y-%m-%dT%H:%M:%S.%f}Z"), unit="kg")  # fmt: skip
layout("InfluxDB", "#group,false,false,true,true\n#datatype,string,long,dateTime:RFC3339,double\n"
       "#default,_result,,,\n,result,table,_time,_value\n"
       + rows(",,0,{d:%Y-%m-%dT%H:%M:%S.%f}Z,{f:.2f}"), unit="N")  # fmt: skip
layout("Grafana", '"Time","force {{device=""band""}}"\n'.replace("{{", "{").replace("}}", "}")
       + rows('"{d:%Y-%m-%d %H:%M:%S.%f}","{f:.2f}"'))  # fmt: skip
layout("force plate", "Time,Fx,Fy,Fz,Mx,My,Mz\n" + rows("{t:.4f},0.1,0.2,{f:.2f},1.{ms},2.1,3.{i}"))
layout("beside an IMU", "time_ms,acc_x (g),acc_z (g),gyro_x,force (kg),battery\n" + rows(
    "{ms},0.01,0.98,3.2,{kg:.3f},97"))  # fmt: skip
layout("two sides and their sum", "Time (s),Left (N),Right (N),Total (N)\n" + rows(
    "{t:.4f},{h:.2f},{h:.2f},{f:.2f}"))  # fmt: skip
layout("the same in N and kg", "time_s,force_n,force_kg\n" + rows("{t:.4f},{f:.3f},{kg:.4f}"))
layout("groups above titles", "Left,,Right,\nTime (s),Force (N),Time (s),Force (N)\n" + rows(
    "{t:.4f},{f:.2f},{t:.4f},{h:.2f}"), force_columns=("Left Force (N)",))  # fmt: skip
# -- lines that are no samples
layout("titles of two lines", '"Time\n(s)","Force\n(kg)"\n' + rows("{t:.4f},{kg:.3f}"))
layout("a delimiter too many", "Time (s),Force (N)\n" + rows("{t:.4f},{f:.2f},"))
layout("a summary above", "Rep,Peak,Took\n1,98,2\n2,99,2\n\nTime (s),Force (N)\n"
       + rows("{t:.4f},{f:.2f}"))  # fmt: skip
layout("results above with titles as wide", '"Results"\n"","Peak (N)","Way (mm)"\n"1","98","80"\n\n'
       '"Time","Way","Load"\n"(s)","(mm)","(N)"\n'
       + rows('"{t:.4f}","{h:.3f}","{f:.2f}"'))  # fmt: skip
layout("numbers of rows as readings", "Reading,Value,Units,Time (s)\n" + rows(
    "{i},{lb:.3f},lbF,{t:.4f}"))  # fmt: skip
layout("in turn with another", "time_s,channel,value\n" + rows(
    "{t:.4f},force,{f:.2f}\n{t:.4f},temp,21.0"))  # fmt: skip
layout("its name in a column", "_time,_value,_field\n" + rows(
    "{d:%Y-%m-%dT%H:%M:%S.%f}Z,{f:.2f},force_n"))  # fmt: skip
layout("raw and filtered", "t,force_raw,force_filtered\n" + rows("{t:.4f},{mn},{f:.2f}"))
layout("a table below", "time_s,force_n\n" + rows("{t:.4f},{f:.2f}") + "\nRep,Peak\n1,98\n2,99")
layout("sixty lines above", "".join(f"Param{i}: {i * 1.5}\n" for i in range(60))
       + "\n\nTime;Force\n" + rows("{t:.4f};{f:.2f}"))  # fmt: skip
layout("facts above", "Subject,me\nSampling rate (Hz),80\nMass (kg),75.2\n\nTime (s),Force (N)\n"
       + rows("{t:.4f},{f:.2f}"))  # fmt: skip
layout("cut off in a line", "time_s,force_n\n" + rows("{t:.4f},{f:.2f}") + "35.")
layout("a faster column beside", "time_s,emg,force_n\n" + "".join(
    f"{k / 320:.5f},0.{k % 97},{f'{FORCE_N[k // 4]:.2f}' if k % 4 == 0 else ''}\n"
    for k in range(4 * FORCE_N.size)))  # fmt: skip
layout("old Macintosh", "Time (s),Force (N)\r" + rows("{t:.4f},{f:.2f}", "\r"))
layout("line feeds above, returns below", "# logger\nTime (s),Force (N)\r"
       + rows("{t:.4f},{f:.2f}", "\r"))  # fmt: skip
layout("Markdown", "| Time | Force |\n|---|---|\n" + rows("| {t:.4f} | {f:.2f} |"))
layout("LabChart", "Interval=\t0.0125 s\nTimeFormat=\tStartOfBlock\nChannelTitle=\tPull\tEMG\n"
       "Range=\t500 N\t10 mV\nUnitName=\tN\tmV\nTopValue=\t500\t10\nBottomValue=\t-500\t-10\n"
       + rows("{t:.4f}\t{f:.3f}\t0.01"))  # fmt: skip
layout("ESP-IDF in colours", rows("\x1b[0;32mI ({ms}) scale: weight {kg:.3f} kg\x1b[0m"))
layout("a sum of unlike words", "Zeit;Kraft links;Kraft rechts;Summe\ns;N;N;N\n" + comma(rows(
    "{t:.4f};{h:.2f};{h:.2f};{f:.2f}")))  # fmt: skip
layout("nouns that are joined", "Zeit (s);Seilkraft\n" + comma(rows("{t:.4f};{f:.2f}")))
layout("commas alone", comma(rows("{f:.2f}")), rate_hz=80.0, unit="N")
PAGE = "<tr><td>{t:.4f}</td><td>{kg:.3f}<br></td></tr>"
layout("a page that is called a workbook", "<html><meta charset='utf-8'><table border=1>"
       "<tr><th>Time<th>Weight (kg)</tr>" + rows(PAGE) + "</table>")  # fmt: skip
# -- JSON
PAIRS = list(zip(TIME_S.tolist(), FORCE_N.tolist(), strict=True))
layout("JSON by columns", json.dumps({"a": {"time": TIME_S.tolist(), "force": FORCE_N.tolist()}}))
layout("JSON pairs", json.dumps(PAIRS), unit="N")
layout("JSON rows below titles", json.dumps([["time_s", "force_n"], *PAIRS]))
layout("JSON rows beside titles", json.dumps({"columns": ["time_s", "force_n"], "data": PAIRS}))
layout("JSON by pandas, rows", json.dumps(
    {str(i): {"time_s": t, "force_n": f} for i, (t, f) in enumerate(PAIRS)}))  # fmt: skip
layout("JSON by pandas, columns", json.dumps(
    {"time_s": {i: t for i, (t, _) in enumerate(PAIRS)},
     "force_n": {i: f for i, (_, f) in enumerate(PAIRS)}}))  # fmt: skip
layout("JSON with a unit beside", json.dumps(
    {"unit": "kg", "samples": [{"time_s": t, "load": f / KG} for t, f in PAIRS]}))  # fmt: skip
layout("JSON texts", json.dumps(
    [{"time_s": comma(f"{t:.4f}"), "force": comma(f"{f:.2f} N")} for t, f in PAIRS]))  # fmt: skip
layout("XML in a namespace", "<a xmlns='urn:x'>" + rows(
    "<p><time>{t:.4f}</time><force>{f:.2f}</force></p>") + "</a>")  # fmt: skip
layout("JSON records within", json.dumps(
    {"session": {"samples": [{"t": t, "sensor": {"force_n": f}} for t, f in PAIRS]}}))  # fmt: skip
layout("JSON Lines with a unit", rows(
    '{{"at": {{"ts": "{d:%Y-%m-%dT%H:%M:%S.%f}"}}, "weight": {kg}, "unit": "kg"}}'))  # fmt: skip


def check(path: Path, options: Options) -> None:
    (found,) = read_force(path, options)
    analysis = analyse(found.time_s, found.force_n)
    assert found.counts is None
    assert found.rate_hz == pytest.approx(80, rel=0.02)
    assert np.percentile(found.force_n, 99) == pytest.approx(np.percentile(FORCE_N, 99), abs=0.6)
    assert (len(analysis.reps), len(analysis.gaps)) == (4, 0)


@pytest.mark.parametrize("name", TEXTS)
def test_layouts_give_the_same(tmp_path: Path, name: str) -> None:
    text, encoding, options = TEXTS[name]
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    check(path, options)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_gives_the_same(tmp_path: Path, unit: str) -> None:
    moments = np.array([BEGAN + timedelta(seconds=t) for t, _ in PAIRS], dtype="datetime64[ns]")
    stamps = pa.array(moments).cast(pa.timestamp(unit), safe=False)
    table = pa.table({"timestamp": stamps, "force_kg": FORCE_N / KG})
    pq.write_table(table, tmp_path / "a.parquet")
    check(tmp_path / "a.parquet", Options())


@pytest.mark.parametrize("inner", [b"force_n", b"kilogram"])
def test_a_damaged_parquet_is_one_sentence(tmp_path: Path, inner: bytes) -> None:
    path = tmp_path / "a.parquet"
    units = ["kilogram"] * len(PAIRS)
    columns = {"time_s": TIME_S, "force_n": FORCE_N, "unit": units}
    pq.write_table(pa.table(columns), path, compression="none", store_schema=False)
    data = path.read_bytes()
    assert inner in data
    path.write_bytes(data.replace(inner, b"\xff" + inner[1:]))
    with pytest.raises(FileError, match="no Parquet that can be read"):
        read_force(path)


def test_what_is_packed_or_arrow_gives_the_same(tmp_path: Path) -> None:
    text = ("time_s,force_n\n" + rows("{t:.4f},{f:.2f}")).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.csv", text)
        packed.writestr("__MACOSX/._a.csv", b"\0\5\x16\7")
        packed.writestr("notes.txt", b"\0\1\2 no table")
    moments = np.array([BEGAN + timedelta(seconds=t) for t, _ in PAIRS], dtype="datetime64[ns]")
    arrow = io.BytesIO()
    feather.write_feather(pa.table({"force_n": FORCE_N, "__index_level_0__": moments}), arrow)
    for content in (gzip.compress(text), bz2.compress(text), archive.getvalue(), arrow.getvalue()):
        (tmp_path / "a").write_bytes(content)
        check(tmp_path / "a", Options())


@pytest.mark.parametrize("mode", ["w:", "w:gz"])
def test_a_tar_gives_the_same_and_its_holes_are_not_filled(tmp_path: Path, mode: str) -> None:
    path, inner = tmp_path / "a.tar", tmp_path / "a.csv"
    inner.write_text("time_s,force_n\n" + rows("{t:.4f},{f:.2f}"))
    sparse = tarfile.TarInfo("sparse.csv")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 0
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.add(inner, "folder/a.csv")
        archive.addfile(tarfile.TarInfo("folder/notes.md"), io.BytesIO())
        archive.addfile(sparse)
    check(path, Options())
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(FileError):
        read_force(path)


def test_an_archive_may_hold_whatever_a_folder_may(tmp_path: Path) -> None:
    table = pa.table({"time_s": TIME_S, "force_n": FORCE_N})
    files = {name: io.BytesIO() for name in ("a.parquet", "a.feather", "a.xlsx", "a.csv.gz")}
    pq.write_table(table, files["a.parquet"])
    feather.write_feather(table, files["a.feather"])
    book = openpyxl.Workbook()
    for row in (["Time (s)", "Force (N)"], *PAIRS):
        book.active.append(list(row))
    book.save(files["a.xlsx"])
    text = ("time_s,force_n\n" + rows("{t:.4f},{f:.2f}")).encode()
    files["a.csv.gz"].write(gzip.compress(text))
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content.getvalue())
    for name in files:
        check(path, Options(sheet=name))


def test_a_workbook_gives_the_same_from_its_one_sheet_of_force(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Name", "Value"])
    sheet = book.create_sheet("Samples")
    for row in (["Test of", "today"], [], ["Time (s)", "Force (N)"], *PAIRS, [], ["Max", 103.2]):
        sheet.append(list(row))
    content = io.BytesIO()
    book.save(content)
    (tmp_path / "a.xlsx").write_bytes(content.getvalue())
    check(tmp_path / "a.xlsx", Options())
    check(tmp_path / "a.xlsx", Options(sheet="Samples"))


def _looks(titles: str) -> list[Look]:
    lines = "".join(f"{k / 80};{k % 7}\n" for k in range(9))
    table = text_table(Path("a"), f"{titles}\n{lines}".encode())
    assert table is not None
    return looks(table)


@pytest.mark.parametrize("word", sorted(set(" ".join(FORCES.values()).split())))
def test_every_word_for_force_is_one(word: str) -> None:
    found = _looks(f"Time (s);{word.capitalize()} (N)")
    assert [look.place for look in force_columns(found, found[0])] == [1]


@pytest.mark.parametrize("word", sorted(TIMES.split()))
def test_every_word_for_time_is_one(word: str) -> None:
    time = time_column(_looks(f"{word} [s];Force (N)"))
    assert time is not None
    assert time.place == 0


def test_every_spelling_of_a_unit_is_it_and_no_other() -> None:
    for unit, words in FORCE_SPELLINGS.items():
        assert {force_unit(word) for word in words} == {unit}
    for unit, words in TIME_SPELLINGS.items():
        assert {time_unit(f"({word})") for word in words} == {unit}
