"""A session with a device of others: its samples, its gaps, and what it cannot tell."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from pipeline.session.events import BatteryChanged, Emitted, ForceSamples, GapFound, Marked, Tared
from pipeline.session.session import Session
from sensor.drivers import chronojump, force_board, motherboard, progressor, wh_c06
from sensor.drivers.attached import Attached
from sensor.drivers.driver import KGF_N, LBF_N, Driver
from sensor.samples import Channel, Floats, Notification

NOW_US = 1_790_000_000_000_000


def pulls_n(time_s: Floats, every_s: float = 3.0, peak_n: float = 90.0) -> Floats:
    """Ten slow pulls after three seconds of rest."""
    phase = np.clip((time_s - 3.0) / every_s, 0.0, 10.0) % 1.0
    return np.where(phase < 0.8, peak_n * np.sin(np.pi * phase / 0.8) ** 2, 0.0)


class Log:
    """Rows of a session, as a source would bring them."""

    def __init__(self, driver: Driver, *, live: bool = True) -> None:
        self.session = Session(live=live, keep_samples=True)
        self.emitted: list[Emitted] = []
        self._row = 0
        self.now_us = NOW_US
        self.row(Channel.LINK, b"up")
        self.row(Channel.DRIVER, bytes(Attached(driver)))

    def row(self, channel: Channel, payload: bytes, at_s: float = 0.0) -> list[Emitted]:
        self._row += 1
        self.now_us = max(self.now_us, NOW_US + round(at_s * 1e6))
        made = self.session.receive(Notification(self.now_us, payload, channel), self._row)
        self.emitted += made
        return made

    def of(self, kind: type) -> list[object]:
        return [each.event for each in self.emitted if isinstance(each.event, kind)]

    def end(self) -> Session:
        self.emitted += self.session.finish()
        return self.session


def weights(time_s: Floats, force_n: Floats, start_us: int = 0) -> bytes:
    """A notification of a Progressor."""
    values = b"".join(
        struct.pack("<fI", force / KGF_N, (start_us + round(at * 1e6)) % 2**32)
        for at, force in zip(time_s.tolist(), force_n.tolist(), strict=True)
    )
    return bytes([1, len(values)]) + values


def progressor_log(
    *, lost: range = range(0), start_us: int = 0, offset_n: float = 0.0, live: bool = True
) -> Log:
    log = Log(progressor.DRIVER, live=live)
    time_s = np.arange(0, 36, 1 / 80)
    force_n = pulls_n(time_s) + offset_n
    for k in range(0, time_s.size, 8):
        if k // 8 not in lost:
            part = slice(k, k + 8)
            log.row(Channel.FORCE, weights(time_s[part], force_n[part], start_us), time_s[k] + 0.1)
    return log


def test_ten_pulls_on_a_progressor_are_ten_reps_with_all_metrics_over_a_wrap_of_its_clock() -> None:
    session = progressor_log(start_us=2**32 - 9_000_000).end()
    reps = [rep for closed in session.sets for rep in closed.reps]
    assert len(reps) == 10
    assert all(rep.rfd_n_per_s for rep in reps)
    assert np.median([rep.peak_n for rep in reps]) == pytest.approx(90, abs=1.5)
    assert (session.missing, session.bad_frames, session.gaps) == (0, 0, [])
    assert session.samples == 36 * 80


def test_a_lost_notification_is_counted_and_a_long_loss_is_a_gap() -> None:
    session = progressor_log(lost=range(100, 105)).end()
    assert session.missing == 40
    (gap,) = session.gaps
    assert gap.missing == 40
    assert gap.end_s - gap.start_s == pytest.approx(0.5, abs=0.02)


def test_a_device_that_comes_back_goes_on_later_and_what_went_missing_is_unknown() -> None:
    log = progressor_log()
    before_s = log.session.blocks[-1].time_s[-1]
    log.row(Channel.LINK, b"down: gone", 40.0)
    log.row(Channel.DRIVER, bytes(Attached(progressor.DRIVER)), 50.0)
    time_s = np.arange(0, 8) / 80
    log.row(Channel.FORCE, weights(time_s, np.zeros(8)), 50.1)
    session = log.end()
    (gap,) = session.gaps
    assert gap.missing is None
    assert gap.end_s - before_s == pytest.approx(14.1, abs=0.3)
    assert session.power_ons == 2


def test_the_zero_is_ours_and_stands_in_the_log() -> None:
    log = progressor_log(offset_n=25.0)
    (tared,) = [each.event for each in log.row(Channel.MARK, b'{"kind": "tare"}', 36.2)]
    assert isinstance(tared, Tared)
    assert tared.zero_counts == 25_000
    time_s = 36 + np.arange(8) / 80
    log.row(Channel.FORCE, weights(time_s, np.full(8, 25.0)), 36.3)
    assert log.session.blocks[-1].force_n == pytest.approx(np.zeros(8), abs=1e-3)
    assert log.session.blocks[0].force_n == pytest.approx(np.full(8, 25.0), abs=1e-3)


def scale_log(*, every_s: float = 3.0) -> Session:
    """A session with a crane scale whose adverts come irregularly."""
    log = Log(wh_c06.DRIVER)
    rng = np.random.default_rng(5)
    at_s = np.cumsum(rng.uniform(0.09, 0.19, 300))
    for when_s, force_n in zip(at_s.tolist(), pulls_n(at_s, every_s).tolist(), strict=True):
        hundredths = round(max(force_n, 0) / KGF_N * 100)
        payload = b"\x02\x03\x11" + bytes(7) + hundredths.to_bytes(2, "big") + b"\x01\xf4\x01\0\0"
        log.row(Channel.FORCE, payload, when_s)
    return log.end()


def test_a_crane_scale_counts_but_tells_no_rate_of_force_development() -> None:
    session = scale_log()
    reps = [rep for closed in session.sets for rep in closed.reps]
    assert len(reps) == 10
    assert not any(rep.rfd_n_per_s for rep in reps)
    assert all("no clock" in rep.absent["rfd_n_per_s"] for rep in reps)
    assert any("crane scale" in remark for remark in session.remarks)


def test_a_crane_scale_tells_no_phase_shorter_than_half_a_second() -> None:
    session = scale_log(every_s=1.2)
    reps = [rep for closed in session.sets for rep in closed.reps]
    assert reps
    short = [rep for rep in reps if "concentric_s" in rep.absent]
    assert short
    assert all(rep.concentric_s is None for rep in short)
    told = [rep.concentric_s for rep in reps if rep.concentric_s is not None]
    assert all(each >= 0.5 for each in told)


def board_payload(pounds: list[int]) -> bytes:
    return len(pounds).to_bytes(2, "big") + b"".join(
        bytes([each >> 15, each >> 8 & 0x7F, each & 0xFF]) for each in pounds
    )


def test_steps_of_a_pound_are_no_pulls_and_are_named_as_an_uncertainty() -> None:
    log = Log(force_board.DRIVER)
    time_s = np.arange(0, 36, 1 / 80)
    rng = np.random.default_rng(2)
    pounds = np.rint((pulls_n(time_s) + 2.2 + rng.normal(0, 0.5, time_s.size)) / LBF_N)
    for k in range(0, time_s.size, 8):
        log.row(
            Channel.FORCE, board_payload(pounds[k : k + 8].astype(int).tolist()), time_s[k] + 0.1
        )
    session = log.end()
    reps = [rep for closed in session.sets for rep in closed.reps]
    assert len(reps) == 10
    assert all(rep.metrics["peak_uncertainty_n"] == pytest.approx(2.22) for rep in reps)
    assert not any(closed.partials for closed in session.sets)


def test_what_the_device_says_of_itself_is_an_event_and_said_once() -> None:
    log = Log(progressor.DRIVER)
    log.row(Channel.FORCE, bytes.fromhex("0004AC0F0000"))
    for _ in range(3):
        log.row(Channel.FORCE, bytes.fromhex("0400"))
    assert log.of(BatteryChanged) == [BatteryChanged(79)]
    low = [each for each in log.of(Marked) if isinstance(each, Marked) and "battery" in each.text]
    assert len(low) == 1


def test_a_sensor_beyond_its_calibration_is_a_gap_and_no_force() -> None:
    log = Log(motherboard.DRIVER)
    rows = "".join(f"{sensor},{k},{k * 20},{k * 1000}\n" for sensor in range(4) for k in range(3))
    log.row(Channel.FORCE, rows.encode())
    for k in range(200):
        raw = 1000 if not 100 <= k < 120 else 9000
        line = k.to_bytes(2, "little") + bytes(2) + raw.to_bytes(3, "little") + bytes(9)
        log.row(Channel.FORCE, line.hex().encode() + b"\n", k * 0.02)
    session = log.end()
    assert (session.samples, session.missing) == (180, 20)
    assert [gap.missing for gap in session.gaps] == [20]
    assert len(log.of(GapFound)) == 1
    forces = np.concatenate([block.force_n for block in session.blocks])
    assert np.isfinite(forces).all()
    assert forces == pytest.approx(np.full(180, 20 * KGF_N))


def test_utc_and_index_increase_with_every_sample() -> None:
    log = Log(chronojump.DRIVER)
    for k in range(400):
        log.row(Channel.FORCE, b"\x00%.2f" % (k % 7), k / 160)
        log.row(Channel.FORCE, b"\x01%d" % (k * 6250), k / 160)
    log.end()
    samples = [each for each in log.of(ForceSamples) if isinstance(each, ForceSamples)]
    utc_us = np.concatenate([each.utc_us for each in samples])
    assert utc_us.size == 400
    assert (np.diff(utc_us) > 0).all()
    assert [each.index for each in samples] == sorted({each.index for each in samples})


def test_a_driver_that_this_version_does_not_know_is_a_sentence() -> None:
    session = Session()
    row = json.dumps({"driver": "of-tomorrow"}).encode()
    session.receive(Notification(NOW_US, row, Channel.DRIVER), 1)
    assert any("update forceband" in remark for remark in session.remarks)
    for number, payload in enumerate((b"", b"[]", b"{}", b'{"driver": 1, "scale": "x"}'), 2):
        session.receive(Notification(NOW_US, payload, Channel.DRIVER), number)
    assert session.bad_frames == 5


def test_what_is_final_does_not_depend_on_whether_anybody_watched() -> None:
    watched = progressor_log(lost=range(100, 105))
    silent = progressor_log(lost=range(100, 105), live=False)
    assert silent.end().sets == watched.end().sets
    assert silent.session.gaps == watched.session.gaps
