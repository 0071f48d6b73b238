"""Info, commands and answers survive the way, and any bytes give a value or a named error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.errors import FrameError
from sensor.wire.profile import BandCurve, Calibration, Command, Info, Opcode, Response, Status

INFO = Info(
    0xDEADBEEF,
    80.0,
    9600,
    24,
    2,
    (Calibration(1, -5, 2.5e-4), Calibration(2, 99, 2.5e-4)),
    BandCurve(3.75, 2.25, 0.5, 0.125),
    "red",
    "1.2.3",
)


def test_info_comes_back_as_it_went() -> None:
    again = Info.from_bytes(bytes(INFO) + b"later fields")
    assert again.calibrations[1].zero_counts == 99
    assert again.curve == INFO.curve
    assert (again.boot_id, again.rate_hz, again.model) == (0xDEADBEEF, 80.0, "red")
    assert bytes(again) == bytes(INFO)


@given(st.integers(0, len(bytes(INFO)) - 1))
def test_info_cut_short_is_a_frame_error(size: int) -> None:
    with pytest.raises(FrameError):
        Info.from_bytes(bytes(INFO)[:size])


@given(st.binary(max_size=400))
def test_any_bytes_give_a_value_or_a_frame_error(data: bytes) -> None:
    for decode in (Info.from_bytes, Response.from_bytes, Calibration.from_bytes):
        try:
            decode(data)
        except FrameError as error:
            assert error.payload == data


@given(st.lists(st.tuples(st.integers(0, len(bytes(INFO)) - 1), st.integers(0, 255)), max_size=4))
def test_a_changed_info_gives_a_value_or_a_frame_error(changes: list[tuple[int, int]]) -> None:
    data = bytearray(bytes(INFO))
    for place, value in changes:
        data[place] = value
    try:
        info = Info.from_bytes(bytes(data))
    except FrameError:
        return
    assert 1 <= info.rate_hz <= 2000


def test_answers_tell_their_results() -> None:
    calibration = Calibration(3, 1000, 0.5)
    tared = Response(Opcode.TARE, Status.OK, bytes(calibration))
    assert Response.from_bytes(bytes(tared)).calibration() == calibration
    resend = Command.resend(2**32 + 5, 7)
    assert Response(Opcode.RESEND, Status.OK, resend.argument).resend_range() == (5, 7)
    rate = Command.set_rate(320.0)
    assert Response(Opcode.SET_RATE, Status.OK, rate.argument).rate_hz() == 320.0
    for wrong in (Response.resend_range, Response.rate_hz, Response.calibration):
        with pytest.raises(FrameError):
            wrong(Response(Opcode.TARE, Status.OK, b"abc"))
