"""Tables of force are read as they come, and wrong ones get one sentence with the line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.analysis import analyse
from pipeline.files.choosing import Options
from pipeline.files.errors import FileError
from pipeline.files.reading import ForceFile, read_force
from tests.pipeline.signals import pulls

FORCE_N = pulls(sets=1, reps=4)
TIME_S = np.arange(FORCE_N.size) / 80
KG = 9.80665
CASES = Path(__file__).parents[4] / "shared" / "cases" / "files"
COUNTS_OF = {"tindeq_app_repeaters.csv": 4, "poll_jitter_10ms.csv": 6, "overshoot_then_hold.csv": 1}


def write(tmp_path: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path, unit: str | None = None, **options: object) -> ForceFile:
    (found,) = read_force(path, Options(unit=unit, **options))  # type: ignore[arg-type]
    return found


def rows(form: str, force: np.ndarray[tuple[int], np.dtype[np.float64]] = FORCE_N) -> str:
    """A line for each sample: `t` and `f` by format, `i` its number."""
    return "".join(
        form.format(i=i, t=t, f=f) for i, (t, f) in enumerate(zip(TIME_S, force, strict=True))
    )


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("name", sorted(path.name for path in CASES.glob("*.*")) or ["none"])
def test_files_as_people_have_them_give_the_right_count(name: str) -> None:
    if name == "README.md":
        return
    found = read(CASES / name)
    analysis = analyse(found.time_s, found.force_n)
    assert len(analysis.reps) == COUNTS_OF.get(name, 5)
    assert not analysis.gaps
    assert (found.counts is not None) == name.startswith("raw_counts")
    if name.startswith("on_change"):
        assert sum(each.tut_s for each in analysis.sets) == pytest.approx(43.4, abs=0.5)


@pytest.mark.parametrize(
    ("text", "unit", "force_n"),
    [
        ("time_s,force_n\n0,1\n0.1,2\n", None, [1, 2]),
        ("time,force_kg\n0,1\n0.1,2\n", None, [9.80665, 19.6133]),
        ("Time_S;Force_lb;note\n0;1;x\n0,1;2;y\n", None, [4.4482216, 8.8964432]),
        ("force\ttime\r\n1\t0\r\n2\t0.1\r\n", "kg", [9.80665, 19.6133]),
        ("\ufefftime,force\n0,1\n0.1,2", None, [1, 2]),
        ('time_s,"note, free",force_n\n0,"a, b",1\n0.1,c,2\n', None, [1, 2]),
        ('"time_s","force_n"\n"0,0","1,0"\n"0,1","2,0"\n', None, [1, 2]),
        ("# logger 3\n\nsep=;\ntime_s;force_n\n0;1\n# pause\n0,1;2\n", None, [1, 2]),
        ("Time (\u03bcs)\tforce_n\n0\t1\n1e5\t2\n", None, [1, 2]),
        ('"Time (ms)","Force (N)"\n0,1\n100,2\n', None, [1, 2]),
        ("t [s],Weight [kg]\n0,1\n0.1,2\n", "lb", [4.4482216, 8.8964432]),
        ("timestamp_us;load\n0;1\n1e5;2\n", "n", [1, 2]),
        ("force\tforce_lbf\ttime\n9\t1\t0\n9\t2\t0,1\n", None, [4.4482216, 8.8964432]),
    ],
)
def test_reads_the_columns_it_knows(
    tmp_path: Path, text: str, unit: str | None, force_n: list[float]
) -> None:
    found = read(write(tmp_path, text), unit)
    assert found.time_s == pytest.approx([0, 0.1])
    assert np.allclose(found.force_n, force_n)


def test_a_force_without_unit_is_remarked(tmp_path: Path) -> None:
    assert "taken as N" in read(write(tmp_path, "time,force\n0,1\n1,2\n")).remarks[0]


def test_a_given_unit_counts_and_is_said(tmp_path: Path) -> None:
    found = read(write(tmp_path, "time_s,force_n\n0,1\n0.1,2\n"), "kg")
    assert found.force_n == pytest.approx([KG, 2 * KG])
    assert "taken as kg as given, though the column says N" in found.remarks[0]


def test_a_sensor_that_is_wired_the_wrong_way_round_is_remarked(tmp_path: Path) -> None:
    pulls = [40 * (i // 100 % 2) - 0.1 for i in range(2000)]
    up = "\n".join(f"{i / 80},{force}" for i, force in enumerate(pulls))
    down = "\n".join(f"{i / 80},{-force}" for i, force in enumerate(pulls))
    assert not read(write(tmp_path, f"time,force_n\n{up}")).remarks
    (words,) = read(write(tmp_path, f"time,force_n\n{down}")).remarks
    assert "from -40 to 0 N" in words


def test_times_in_minutes_are_told_by_their_pace(tmp_path: Path) -> None:
    lines = "\n".join(f"{i / 80 / 60:.9f},{i % 7}" for i in range(400))
    found = read(write(tmp_path, f"time,force_n\n{lines}"))
    assert "times taken as min" in found.remarks
    assert np.allclose(np.diff(found.time_s), 1 / 80)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n  \n", "is empty"),
        ("time_s,force_n\n", "no samples"),
        ("time_s,force_n\n# nothing\n", "no samples"),
        ("time_s,speed\n0,1\n", "no force column .* 'speed' .always 1."),
        ("when,force_n\n1,1\n0,2\n", "no time column .* --rate HZ"),
        ("time_s,force_n\n0,1\n1,abc\n2,2\n", "line 3: 'abc' is not a number"),
        ("time_s,force_n\n0,1\n1,\n", "only 1 sample .* 1 line without a force"),
        ("time_s,force_n\n0,1\n1\n2,3\n", "line 3: a cell is missing"),
        ("time_s,force_n\n0,1\n1,nan\n2,3\n", "line 3: 'nan' is not a number"),
        ("time_s,force_n\nnan,1\n1,2\n2,3\n", "line 2: 'nan' is not a number"),
        ("time_s,force_n\n0,1\n1,inf\n2,3\n", "line 3: 'inf' is not a number"),
        ("time_s,force_n\n0,1\n1,1e300\n", "line 3: 1e.300 is no force"),
        ("time_s,force_n\n0,1\n1e9,3\n2e9,1\n3e9,2\n", "are they in seconds"),
        ("time_s,force_n\n0,1\n1,1\n2,1\n", "every force in 'force_n' is 1: nothing was"),
        ("time_s,force_n\n1,1\n1,2\n1,3\n", "every time is 1"),
        ("x" * 10_000, "no line has a number"),
        ("time_s,force_n\n0,1\n2.5,2\n1,1\n", "line 4: the time goes back by 1.5 s"),
        ("# x\ntime_s,force_n\n0,1\n\n# y\n1,abc\n2,3", "line 6: 'abc' is not a number"),
        ("# x\ntime_s,force_n\n0,1\n\n5,2\n# y\n1,1\n", "line 7: the time goes back"),
        ("time_min,force_kg\n1e308,1e308\n1e308,1\n", "line 2: 1e.308 is no force"),
        ("time_s;force_n\n0;1.5\n1;2,5\n2;3.5\n", "line 3: '2,5' has a ',' where other"),
        ("\x1b]2;when,b\n1,1\n0,2\n", "no force column .* '\\?.2;when'"),
        ("time,left force,right force\n0,1,2\n0.1,3,1\n", "several .*'left force\\+right force'"),
        ("time,value\n0,1\n0.1,3\n", "unit of 'value' .* cannot be told: give --unit"),
        ("time,force\n" + "".join(f"{i},{i % 9}\n" for i in range(50)), "unit of the times"),
    ],
)
def test_wrong_files_get_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FileError, match=words) as caught:
        read(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "table",
    [
        "time (s),force (kip)\n" + rows("{t:.4f},{f:.2f}\n"),
        "time,force\n" + rows("{t:.4f},{f:.2f} kip\n"),
        "time,force,unit\n" + rows("{t:.4f},{f:.2f},kip\n"),
    ],
)
def test_a_unit_that_is_not_known_is_asked_for_and_never_taken_as_newtons(
    tmp_path: Path, table: str
) -> None:
    with pytest.raises(FileError, match=r"'kip' .*no unit of force that is known.* --unit N"):
        read(write(tmp_path, table))
    assert read(write(tmp_path, table), unit="lb").unit == "lb"


def test_the_unit_of_a_person_is_none_of_the_force(tmp_path: Path) -> None:
    found = read(
        write(tmp_path, "Body mass unit: kg\nTime (s),Force\n" + rows("{t:.4f},{f:.2f}\n"))
    )
    assert found.unit == "N"
    assert any("names no unit" in remark for remark in found.remarks)


@pytest.mark.parametrize("title", ["sensor", "channel 1"])
def test_whole_numbers_that_are_readings_are_no_names_of_series(tmp_path: Path, title: str) -> None:
    text = f"time_s,{title}\n" + rows("{t:.4f},{f:.0f}\n")
    assert read(write(tmp_path, text), unit="N").force_n.size == FORCE_N.size


def test_sides_in_turn_are_parts_and_sides_in_blocks_are_one_signal(tmp_path: Path) -> None:
    in_turn = rows("{t:.4f},L,{f:.2f}\n{t:.4f},R,{f:.2f}\n")
    path = write(tmp_path, "time_s,side,force_n\n" + in_turn)
    with pytest.raises(FileError, match=r"in several parts .'L', 'R'.: give --sheet"):
        read(path)
    assert read(path, sheet="R").force_n == pytest.approx(FORCE_N, abs=0.01)
    blocks = "".join(
        f"{t:.4f},{'L' if t < 3 else 'R'},{f:.2f}\n" for t, f in zip(TIME_S, FORCE_N, strict=True)
    )
    found = read(write(tmp_path, "time_s,side,force_n\n" + blocks))
    assert found.force_n == pytest.approx(FORCE_N, abs=0.01)


def test_force_by_body_mass_is_no_force(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no force column"):
        read(write(tmp_path, "time (s),force (N/kg)\n" + rows("{t:.4f},{f:.2f}\n")))


def test_a_line_is_named_right_below_titles_of_two_lines(tmp_path: Path) -> None:
    text = '"Time\n(s)","Force\n(N)"\n0,1\n0.1,2\n0.2,x\n0.3,4\n'
    with pytest.raises(FileError, match="line 6: 'x' is not a number"):
        read(write(tmp_path, text))


def test_a_clock_that_was_set_after_the_start_is_counted_back(tmp_path: Path) -> None:
    times = np.where(np.arange(TIME_S.size) < 50, 0.0, 1_767_002_400 + TIME_S)
    lines = "".join(f"{t:.4f},{f:.2f}\n" for t, f in zip(times, FORCE_N, strict=True))
    found = read(write(tmp_path, "time_s,force_n\n" + lines))
    assert found.time_s == pytest.approx(1_767_002_400 + TIME_S, abs=0.001)
    assert "49 of" in found.remarks[0]


@pytest.mark.parametrize(
    ("form", "mark"),
    [("{},{}", "."), ("{};{}", ","), ("{} {}", "."), ('"{}";"{}"', "."), ('"{}";"{}"', ",")],
)
def test_without_pyarrow_the_same_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, mark: str
) -> None:
    lines = [form.format("time_s", "force_n")]
    for t, f in zip(TIME_S, FORCE_N, strict=True):
        lines.append(form.format(f"{t:.4f}".replace(".", mark), f"{f:.3f}".replace(".", mark)))
    path = write(tmp_path, "\n".join([*lines, form.format("Max", 1), ""]))
    quick = read(path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    slow = read(path)
    assert quick.time_s.size == TIME_S.size
    assert np.array_equal(quick.time_s, slow.time_s)
    assert np.array_equal(quick.force_n, slow.force_n)


def test_a_cell_with_a_line_break_makes_no_second_line(tmp_path: Path) -> None:
    records = [{"time": f"2026-01-01T12:00:0{k}", "force_n": k} for k in range(9)]
    records.append({"time": "12\n13", "force_n": 3})
    with pytest.raises(FileError, match=r"record 10: '12.13' is no time"):
        read(write(tmp_path, json.dumps(records), "a.json"))


def test_thousands_apart_are_read_and_said(tmp_path: Path) -> None:
    found = read(write(tmp_path, "time_ms\tforce_n\n0\t1.5\n1,250\t2.5\n"))
    assert found.time_s[1] == 1.25
    assert "'1,250' is read with thousands apart" in found.remarks


@pytest.mark.parametrize(
    ("between", "mark", "quote"), [(",", ",", '"'), (";", ",", ""), ("\t", ",", ""), (";", ".", "")]
)
def test_whole_numbers_with_and_without_thousands_apart_are_no_fractions(
    tmp_path: Path, between: str, mark: str, quote: str
) -> None:
    grams = [980 + 20 * k for k in range(50)]
    lines = [f"{20 * k}{between}{quote}{g:,}{quote}" for k, g in enumerate(grams)]
    text = "\n".join(line.replace(",", mark) if between != "," else line for line in lines)
    found = read(write(tmp_path, f"time (ms){between}load (g)\n{text}\n"))
    assert np.allclose(found.force_n, np.array(grams) * 9.80665e-3)
    assert f"'1{mark}000' is read with thousands apart" in found.remarks


def test_fractions_without_zeros_at_their_ends_stay_fractions(tmp_path: Path) -> None:
    kg = [5, 5.125, 5.25, 6, 6.375, 7] * 5
    text = "".join(f"{20 * k};{w:g}\n".replace(".", ",") for k, w in enumerate(kg))
    found = read(write(tmp_path, "time (ms);load (kg)\n" + text))
    assert np.allclose(found.force_n, np.array(kg) * 9.80665)


def test_a_first_sample_without_its_number_is_no_title(tmp_path: Path) -> None:
    lines = "".join(
        f"sensor.band,{k % 9 + 0.5},2025-03-14T17:05:{k:02}.000Z\n" for k in range(1, 50)
    )
    first = "sensor.band,unavailable,2025-03-14T17:05:00.000Z\n"
    text = "entity_id,state,last_changed\n" + first + lines
    found = read(write(tmp_path, text), unit="kg")
    assert "from 'state" in found.understood
    assert found.time_s.size == 49


@pytest.mark.parametrize("title", ["force (%MVC)", "Kraft [% BW]"])
def test_a_share_of_something_is_no_force_in_newtons(tmp_path: Path, title: str) -> None:
    with pytest.raises(FileError, match="no force column that can be told"):
        read(write(tmp_path, f"time_s,{title}\n" + rows("{t:.4f},{f:.2f}\n")))


@pytest.mark.parametrize("form", ["{t},{f} {u}", "{t},{f},{u}"])
@pytest.mark.parametrize("change", [5, 900])
def test_a_unit_that_changes_on_the_way_is_refused(tmp_path: Path, form: str, change: int) -> None:
    lines = [
        form.format(t=k / 80, f=k % 9 + 0.5, u="kg" if k < change else "lb") for k in range(1000)
    ]
    title = "time_s,weight" + ",unit" * (form.count(",") - 1)
    with pytest.raises(FileError, match=r"kg and lb|is in lb where others are in kg"):
        read(write(tmp_path, "\n".join([title, *lines, ""])))


@pytest.mark.parametrize(("rate_hz", "slow"), [(1, True), (5, True), (10, False), (80, False)])
def test_a_slow_rate_is_remarked(tmp_path: Path, rate_hz: int, slow: bool) -> None:
    lines = "".join(f"{i / rate_hz:.4f},{i % 9}\n" for i in range(50))
    remarks = read(write(tmp_path, "time_s,force_n\n" + lines)).remarks
    assert any("slow" in remark for remark in remarks) is slow


def test_a_few_stale_times_are_remarked_not_refused(tmp_path: Path) -> None:
    times = np.arange(200) / 80
    times[100] = times[98]
    lines = "\n".join(f"{t},{i}" for i, t in enumerate(times))
    assert "1 of 200" in read(write(tmp_path, "time_s,force_n\n" + lines)).remarks[0]


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
    lines = "\n".join(f"{t},{i}" for i, t in enumerate(times))
    assert "of 800" in read(write(tmp_path, "time_s,force_n\n" + lines)).remarks[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=st.binary(max_size=300))
def test_any_bytes_give_samples_or_a_sentence(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "junk.csv"
    for head in (b"", b"time_s,force_n\n"):
        path.write_bytes(head + junk)
        try:
            found = read(path)
        except FileError:
            continue
        assert found.time_s.shape == found.force_n.shape
