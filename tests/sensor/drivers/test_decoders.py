"""What devices of others send, byte by byte: published examples, splits, and any bytes at all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.drivers import (
    chronojump,
    cts500,
    force_board,
    frez,
    motherboard,
    progressor,
    sig,
    wh_c06,
)
from sensor.drivers.driver import CUT, KGF_N, LBF_N, Decoded, Driver, Heard
from sensor.drivers.registry import DRIVERS, driver_named, recognised

KG = "force in kg"
PUBLISHED = [
    ("progressor", "011000002041E803000000004841BC340000", [10.0, 12.5], [1000, 13500]),
    ("progressor", "0108744193C276BBC70100000000", [-73.62784], [29866870]),
    ("progressor", "0108EF5093C2594FC90100000000", [-73.65807], [29970265]),
    ("progressor", "01082E4893C238E3CA0100000000", [-73.64098], [30073656]),
    ("progressor", "0110000020410102", [], []),
    ("wh-c06", "0203112AC0191122E201092901F4019990", [23.45], []),
    ("force-board", "000300002C00002D00002F", [n * LBF_N / KGF_N for n in (44, 45, 47)], []),
    ("force-board", "00010003E8", [453.59237], []),
    ("cts500", "0501000004D2DC", [12.34], []),
    ("sig-force", "98C40200", [181.4 / KGF_N], []),
    ("sig-force", "3CF6FFFF", [-2.5 / KGF_N], []),
    ("sig-force", "FFFFFF7F", [math.nan], []),
    ("sig-weight", "00740E", [18.5], []),
    ("sig-weight", "01EF0F", [40.79 * LBF_N / KGF_N], []),
]


@pytest.mark.parametrize(("name", "payload", "kg", "stamps"), PUBLISHED)
def test_published_examples_are_read_as_published(
    name: str, payload: str, kg: list[float], stamps: list[int]
) -> None:
    got = _driver(name).decoder(1.0).receive(bytes.fromhex(payload))
    assert got.force_n == pytest.approx([each * KGF_N for each in kg], abs=1e-4, nan_ok=True)
    assert got.stamps == stamps


def test_what_is_written_is_what_the_makers_say() -> None:
    assert bytes.fromhex("05AA000000AF") == cts500.START
    assert bytes.fromhex("05AB000000B0") == cts500.STOP
    assert cts500.frame(0xC1, 0, 0, 3) == bytes.fromhex("05C1000003C9")
    assert [each.value for each in progressor.DRIVER.start] == [b"o", b"e"]
    assert [each.value for each in force_board.DRIVER.start] == [b"\x04"]
    assert [each.value for each in frez.DRIVER.start] == [b"\x01\x00"]
    forbidden = {0x69, 0x6A, 0x71, 0x73, 0x75, 0x76}
    writes = [*progressor.DRIVER.start, *progressor.DRIVER.stop]
    assert not forbidden & {each.value[0] for each in writes}


def test_battery_and_warnings_of_a_progressor_are_no_forces() -> None:
    decoder = progressor.ProgressorDecoder()
    battery = decoder.receive(bytes.fromhex("0004AC0F0000"))
    assert battery.battery_percent == round(100 * (4012 - 3300) / 900)
    assert decoder.receive(bytes.fromhex("0400")).said == [progressor.LOW]
    for answer in ("0007312E322E332E34", "000C82A8FB380000C5C20000803E", "0003010203"):
        got = decoder.receive(bytes.fromhex(answer))
        assert (got.force_n, got.bad) == ([], 0)


def test_what_a_small_mtu_leaves_is_read_as_far_as_it_goes_and_named() -> None:
    whole = bytes.fromhex("0110000020410000000000004841BC340000")
    cut = progressor.ProgressorDecoder().receive(whole[:14])
    assert cut.force_n == [10 * KGF_N]
    assert (cut.bad, cut.said) == (1, [CUT])
    board = force_board.ForceBoardDecoder().receive(bytes.fromhex("000300002C00002D"))
    assert board.force_n == [44 * LBF_N, 45 * LBF_N]
    assert (board.bad, board.said) == (1, [CUT])
    dyno = frez.FrezDecoder().receive(bytes.fromhex("0100 18FCFFFF00000000 4AFC"))
    assert (dyno.bad, dyno.said) == (1, [CUT])


def test_a_crane_scale_on_hold_or_in_an_unknown_unit_says_no_force_but_a_sentence() -> None:
    scale = bytearray.fromhex("0203112AC0191122E201092901F4019990")
    scale[14] = 0xA1
    held = wh_c06.WhC06Decoder().receive(bytes(scale))
    assert [math.isnan(each) for each in held.force_n] == [True]
    assert held.said == [wh_c06.HELD]
    scale[14] = 0x04
    (said,) = wh_c06.WhC06Decoder().receive(bytes(scale)).said
    assert "number 4" in said
    scale[14] = 0x02
    assert wh_c06.WhC06Decoder().receive(bytes(scale)).force_n == [pytest.approx(23.45 * LBF_N)]


def test_of_two_scales_behind_one_address_the_first_is_followed() -> None:
    one = bytes.fromhex("0203112AC0191122E201092901F4019990")
    other = one[:3] + bytes(6) + one[9:]
    decoder = wh_c06.WhC06Decoder()
    assert len(decoder.receive(one).force_n) == 1
    got = decoder.receive(other)
    assert (got.force_n, got.bad, got.said) == ([], 1, [wh_c06.TWO])
    assert len(decoder.receive(one).force_n) == 1


def test_the_company_number_alone_makes_no_crane_scale() -> None:
    assert recognised(Heard(None, (), {0x0100: bytes(17)})) is None
    assert recognised(Heard("IF_B7", (), {})) is None
    real = bytes.fromhex("0203112AC0191122E201092901F4019990")
    assert recognised(Heard(None, (), {0x0100: real})) is wh_c06.DRIVER


def test_compression_of_a_force_board_is_named_and_left_out() -> None:
    got = force_board.ForceBoardDecoder().receive(bytes.fromhex("0002FFFFFF00002C"))
    assert math.isnan(got.force_n[0])
    assert got.force_n[1] == 44 * LBF_N
    assert got.said == [force_board.PUSHED]


def test_a_frez_dyno_is_in_newtons_once_its_zero_is_known() -> None:
    decoder = frez.FrezDecoder(0.01 * KGF_N)
    pairs = [(-1000, 4 * k) for k in range(100)] + [(-500, 400)]
    got = Decoded()
    for at in range(0, len(pairs), 9):
        payload = b"\x01\x00" + b"".join(
            counts.to_bytes(4, "little", signed=True) + ms.to_bytes(4, "little")
            for counts, ms in pairs[at : at + 9]
        )
        each = decoder.receive(payload)
        got.force_n += each.force_n
        got.stamps += each.stamps
    assert got.force_n == [0.0] * 100 + [pytest.approx(5 * KGF_N)]
    assert got.stamps == [ms for _, ms in pairs]


def _motherboard(*rows: str) -> motherboard.MotherboardDecoder:
    decoder = motherboard.MotherboardDecoder()
    lines = [f"{sensor},{row}" for sensor in range(4) for row in rows]
    assert decoder.receive(("\r\n".join(lines) + "\r\n").encode()).bad == 0
    return decoder


def test_a_motherboard_is_read_by_the_table_that_it_says() -> None:
    decoder = _motherboard("0,0,0", "1,1000000,1000000")
    got = decoder.receive(b"01002C010A0000ECFFFFE2FFFF000000\r\n")
    assert got.force_n == [pytest.approx(60 * KGF_N)]
    assert got.stamps == [1]
    decoder = _motherboard("0,0,10000", "1,10,60000", "2,50,260000")
    assert _left(decoder, 110_000) == pytest.approx(20.0)
    assert _left(decoder, -40_000) == pytest.approx(-10.0), "mirrored about zero as calibrated"
    assert math.isnan(_left(decoder, 300_000))


def _left(decoder: motherboard.MotherboardDecoder, raw: int) -> float:
    zero = (10_000).to_bytes(3, "little")
    data = bytes(4) + raw.to_bytes(3, "little", signed=True) + zero + zero + bytes(3)
    return decoder.receive(data.hex().upper().encode() + b"\n").force_n[0] / KGF_N


def test_a_motherboard_without_its_table_says_no_force() -> None:
    got = motherboard.MotherboardDecoder().receive(b"01002C010A0000ECFFFFE2FFFF000000\n")
    assert [math.isnan(each) for each in got.force_n] == [True]
    assert got.said == [motherboard.UNCALIBRATED]


@given(cuts=st.lists(st.integers(1, 20), min_size=1, max_size=60), noise=st.binary(max_size=4))
def test_frames_of_a_serial_line_may_be_split_and_joined_anywhere(
    cuts: list[int], noise: bytes
) -> None:
    weights = [cts500_weight(k) for k in range(20)]
    stream = noise + bytes(7) + b"".join(weights) + cts500.START + b"".join(weights)
    decoder, at, kg = cts500.Cts500Decoder(), 0, []
    for cut in (*cuts, len(stream)):
        kg += [each / KGF_N for each in decoder.receive(stream[at : at + cut]).force_n]
        at += cut
    assert kg[-39:] == pytest.approx(
        [*(k / 100 for k in range(1, 20)), *(k / 100 for k in range(20))]
    )


def cts500_weight(hundredths: int) -> bytes:
    """The frame of a weight."""
    body = bytes([5, 1]) + hundredths.to_bytes(4, "big")
    return body + bytes([sum(body) & 0xFF])


def test_text_of_a_chronojump_sensor_is_newtons_in_either_of_its_ways() -> None:
    decoder = chronojump.ChronojumpDecoder()
    got = [decoder.receive(part) for part in (b"\x0012.50", b"\x016250", b"\x001250", b"\x0112500")]
    assert [each.force_n for each in got] == [[], [12.5], [], [12.5]]
    assert [each.stamps for each in got] == [[], [6250], [], [12500]]
    lost = [decoder.receive(part) for part in (b"\x0118750", b"\x001.0", b"\x002.0", b"\x0125000")]
    assert [each.force_n for each in lost] == [[], [], [], [2.0]]
    assert sum(each.bad for each in lost) == 2


def test_of_a_chronojump_sensor_one_half_heard_before_the_other_is_no_damage() -> None:
    """The two characteristics are subscribed one after the other, while it sends."""
    decoder = chronojump.ChronojumpDecoder()
    early = (b"\x001.0", b"\x002.0", b"\x0112500", b"\x003.0", b"\x0118750")
    got = [decoder.receive(part) for part in early]
    assert [each for part in got for each in part.force_n] == [2.0, 3.0]
    assert sum(each.bad for each in got) == 0
    assert decoder.receive(b"\x0125000").bad == 1


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)
@given(payloads=st.lists(st.binary(max_size=140), max_size=20))
def test_any_bytes_give_forces_or_are_counted(driver: Driver, payloads: list[bytes]) -> None:
    decoder = driver.decoder(1.0)
    for payload in payloads:
        got = decoder.receive(payload)
        assert not any(math.isinf(each) for each in got.force_n)
        assert len(got.stamps) in (0, len(got.force_n))
        assert all(0 <= stamp < driver.wrap for stamp in got.stamps)


def test_an_advertisement_may_lack_its_name_or_its_services() -> None:
    assert recognised(Heard(None)) is None
    assert recognised(Heard("Progressor_1234")) is progressor.DRIVER
    assert recognised(Heard(None, (progressor.SERVICE_UUID,))) is progressor.DRIVER
    assert recognised(Heard("Force Board 2")) is None
    assert recognised(Heard("FrezDyno-17")) is frez.DRIVER
    assert recognised(Heard(None, (sig.FORCE_SERVICE_UUID,))) is sig.FORCE


def test_every_driver_has_a_name_of_its_own_and_says_what_it_can_do() -> None:
    assert len({driver.name for driver in DRIVERS}) == len(DRIVERS)
    words = {driver.name: driver.capabilities.words() for driver in DRIVERS}
    assert "losses are named" in words["progressor"]
    assert "no rate of force development" in words["wh-c06"]
    assert "no phase below 0.5 s" in words["wh-c06"]
    assert "± 2.2 N" in words["force-board"]
    assert "a lost sample does not show" in words["force-board"]
    assert "unverified" in words["cts500"]
    assert "unverified" in words["motherboard"]
    assert "needs a calibration" in words["frez"]


def _driver(name: str) -> Driver:
    driver = driver_named(name)
    assert driver is not None
    return driver
