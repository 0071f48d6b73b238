"""CSV files are read as they come, and wrong ones get one sentence with the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.files.csv_file import CsvError, read_csv


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.csv"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "unit", "force_n"),
    [
        ("time_s,force_n\n0,1\n0.1,2\n", None, [1, 2]),
        ("time,force_kg\n0,1\n0.1,2\n", None, [9.80665, 19.6133]),
        ("Time_S;Force_lb;note\n0;1;x\n0,1;2;y\n", None, [4.4482216, 8.8964432]),
        ("force\ttime\r\n1\t0\r\n2\t0.1\r\n", "kg", [9.80665, 19.6133]),
        ("\ufefftime,force\n0,1\n0.1,2", None, [1, 2]),
        ('time_s,"note, free",force_n\n0,"a, b",1\n0.1,c,2\n', None, [1, 2]),
        ("time_s;force_n (tared, N)x;force_n\n0;9;1\n0.1;9;2\n", None, [1, 2]),
        ('"time_s","force_n"\n"0,0","1,0"\n"0,1","2,0"\n', None, [1, 2]),
        ("# logger 3\n\nsep=;\ntime_s;force_n\n0;1\n# pause\n0,1;2\n", None, [1, 2]),
        ("Time (\u03bcs)\tforce_n\n0\t1\n1e5\t2\n", None, [1, 2]),
        ('"Time (ms)","Force (N)"\n0,1\n100,2\n', None, [1, 2]),
        ("t [s],Weight [kg]\n0,1\n0.1,2\n", "lb", [9.80665, 19.6133]),
        ("timestamp_us;load\n0;1\n1e5;2\n", "n", [1, 2]),
        ("force\tforce_lbf\ttime\n9\t1\t0\n9\t2\t0,1\n", None, [4.4482216, 8.8964432]),
    ],
)
def test_reads_the_columns_it_knows(
    tmp_path: Path, text: str, unit: str | None, force_n: list[float]
) -> None:
    found = read_csv(write(tmp_path, text), unit)
    assert found.time_s == pytest.approx([0, 0.1])
    assert np.allclose(found.force_n, force_n)


def test_a_force_without_unit_is_remarked(tmp_path: Path) -> None:
    assert "taken as N" in read_csv(write(tmp_path, "time,force\n0,1\n1,2\n")).remarks[0]


@pytest.mark.parametrize(
    ("header", "unit", "words"),
    [
        ("force_n,force_n,time_s", None, "`force_n`, `force_n` the first is taken"),
        ("time_s,force_n,time_ms", None, "`time_s`, `time_ms` the first is taken"),
        ("time_s,force_n", "kg", "--unit kg is not used"),
    ],
)
def test_what_is_not_used_is_remarked(
    tmp_path: Path, header: str, unit: str | None, words: str
) -> None:
    rows = "\n".join(",".join([str(i / 10)] * 3) for i in range(20))
    assert words in read_csv(write(tmp_path, f"{header}\n{rows}\n"), unit).remarks[0]


def test_a_sensor_that_is_wired_the_wrong_way_round_is_remarked(tmp_path: Path) -> None:
    pulls = [40 * (i // 100 % 2) - 0.1 for i in range(2000)]
    up = "\n".join(f"{i / 80},{force}" for i, force in enumerate(pulls))
    down = "\n".join(f"{i / 80},{-force}" for i, force in enumerate(pulls))
    assert not read_csv(write(tmp_path, f"time,force_n\n{up}")).remarks
    (words,) = read_csv(write(tmp_path, f"time,force_n\n{down}")).remarks
    assert "from -40 to 0 N" in words


def test_times_in_minutes_are_remarked_where_the_name_says_nothing(tmp_path: Path) -> None:
    lines = "\n".join(f"{i / 80 / 60:.9f},{i % 7}" for i in range(400))
    (words,) = read_csv(write(tmp_path, f"time,force_n\n{lines}")).remarks
    assert "time_min" in words
    found = read_csv(write(tmp_path, f"time_min,force_n\n{lines}"))
    assert not found.remarks
    assert np.allclose(np.diff(found.time_s), 1 / 80)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("time_s,force_n\n", "no samples"),
        ("time_s,force_n\n# nothing\n", "no samples"),
        ("time_s,speed\n0,1\n", "no force column"),
        ("when,force_n\n0,1\n", "no time column"),
        ("time_s,force_n\n0,1\n1,abc\n", "line 3: 'abc' is not a number"),
        ("time_s,force_n\n0,1\n1,\n", "line 3"),
        ("time_s,force_n\n0,1\n1\n", "line 3"),
        ("time_s,force_n\n0,1\n1,nan\n", "line 3: a value is not a finite number"),
        ("time_s,force_n\n0,1\n1,1e300\n", "line 3: a value is not"),
        ("time_s,force_n\n0,1\n1e9,1\n2e9,1\n", "are they in seconds"),
        ("x" * 10_000, "no time column"),
        ("time_s,force_n\n0,1\n2,1\n1,1\n", "line 4: the time goes back"),
        ("time_s,force_n\n0,1\n0,1\n1,1\n", "line 3: the time repeats"),
        ("# x\ntime_s,force_n\n0,1\n\n# y\n1,abc\n", "line 6: 'abc' is not a number"),
        ("# x\ntime_s,force_n\n0,1\n\n# y\n1,inf\n", "line 6: a value is not a finite"),
        ("# x\ntime_s,force_n\n0,1\n\n5,1\n# y\n1,1\n", "line 7: the time goes back"),
        ("time_min,force_kg\n1e308,1e308\n", "line 2: a value is not a finite"),
        ("time_ms\tforce_n\n0\t1.5\n1,250\t2.5\n", "line 3: numbers hold commas"),
        ("\x1b[31mwhen,\x00b\n0,1\n", "first line has: \\?.31mwhen,\\?b$"),
    ],
)
def test_wrong_files_get_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CsvError, match=words) as caught:
        read_csv(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(("rate_hz", "slow"), [(1, True), (5, True), (10, False), (80, False)])
def test_a_slow_rate_is_remarked(tmp_path: Path, rate_hz: int, slow: bool) -> None:
    rows = "".join(f"{i / rate_hz:.4f},1\n" for i in range(50))
    remarks = read_csv(write(tmp_path, "time_s,force_n\n" + rows)).remarks
    assert any("slow" in remark for remark in remarks) is slow


def test_a_few_stale_times_are_remarked_not_refused(tmp_path: Path) -> None:
    times = np.arange(200) / 80
    times[100] = times[98]
    rows = "\n".join(f"{t},{i}" for i, t in enumerate(times))
    assert "1 of 200" in read_csv(write(tmp_path, "time_s,force_n\n" + rows)).remarks[0]


@pytest.mark.parametrize("stamped", ["by packets of 8", "to 0.1 s", "with jitter"])
def test_rough_times_of_lines_in_order_are_remarked_not_refused(
    tmp_path: Path, stamped: str
) -> None:
    times = np.arange(800) / 80
    match stamped:
        case "by packets of 8":
            times = times[np.arange(800) // 8 * 8]
        case "to 0.1 s":
            times = np.round(times, 1)
        case _:
            times += np.random.default_rng(1).normal(0, 0.03, 800)
    rows = "\n".join(f"{t},{i}" for i, t in enumerate(times))
    assert "of 800" in read_csv(write(tmp_path, "time_s,force_n\n" + rows)).remarks[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300))
def test_any_bytes_give_samples_or_a_sentence(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk.csv"
    for head in (b"", b"time_s,force_n\n"):
        path.write_bytes(head + junk)
        try:
            found = read_csv(path)
        except CsvError:
            continue
        assert found.time_s.shape == found.force_n.shape
