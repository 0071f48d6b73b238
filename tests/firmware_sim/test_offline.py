"""Sessions without a radio: what they hold, that they repeat, and what faults do to them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.device.gauge import GaugeConfig
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.offline import Radio, notifications
from firmware_sim.person.workout import LOW_ROW, PULL_APART, Workout
from firmware_sim.radio.faults import Chances, Faults
from sensor.errors import FrameError
from sensor.samples import Channel, Notification
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Info

SHORT = BandSetup(
    seed=5, workout=Workout((replace(LOW_ROW, reps=4, rest_after_s=5.0),), lead_in_s=2.0)
)
ROUGH = Radio(Chances(drop=0.05, corrupt=0.05, stall=0.02), outages=((6.0, 4.0), (15.0, 2.0)))


def session(
    setup: BandSetup, duration_s: float | None = None, radio: Radio | None = None
) -> list[Notification]:
    return list(notifications(Band(setup), duration_s, radio))


def received(notes: list[Notification]) -> dict[int, int]:
    """Counts by index, of the frames that can be read."""
    counts: dict[int, int] = {}
    for note in notes:
        if note.channel is Channel.FORCE:
            try:
                frame = ForceFrame.from_bytes(note.payload)
            except FrameError:
                continue
            for k, count in enumerate(frame.counts.tolist()):
                index = (frame.first_sample + k) % 2**32
                assert counts.setdefault(index, count) == count
    return counts


def test_a_session_begins_with_what_the_band_says_of_itself_and_ends() -> None:
    notes = session(SHORT)
    assert [note.channel for note in notes[:5]] == [
        Channel.LINK,
        Channel.INFO,
        Channel.BATTERY,
        Channel.COMMAND,
        Channel.RESPONSE,
    ]
    assert notes[-1].channel is Channel.END
    assert Info.from_bytes(notes[1].payload).rate_hz == 80.0
    assert all(a.received_us < b.received_us for a, b in pairwise(notes))


def test_force_decodes_to_what_the_person_pulled() -> None:
    band = Band(replace(SHORT, gauge=GaugeConfig(noise_sd_n=0.0, drift_n=0.0, wander_n=0.0)))
    notes = list(notifications(band))
    calibration = Info.from_bytes(notes[1].payload).calibrations[0]
    counts = received(notes)
    force_n = (np.array([counts[k] for k in range(len(counts))]) - calibration.zero_counts) * (
        calibration.newtons_per_count
    )
    reps = [rep for rep in band.truth() if rep.counted]
    assert len(reps) == 4
    time_s = np.array([band.firmware.sample_time_s(k) for k in range(force_n.size)])
    for rep in reps:
        inside = (time_s >= rep.start_s) & (time_s <= rep.end_s)
        assert force_n[inside].max() == pytest.approx(rep.peak_n, rel=0.03)
        assert np.interp(rep.start_s, time_s, force_n) == pytest.approx(
            rep.valley_before_n + 0.1 * (rep.peak_n - rep.valley_before_n), abs=0.5
        )


def test_the_same_setup_gives_the_same_bytes_and_another_seed_others() -> None:
    assert session(SHORT, 10.0, ROUGH) == session(SHORT, 10.0, ROUGH)
    assert session(SHORT, 10.0) != session(replace(SHORT, seed=6), 10.0)


def test_notifications_arrive_at_connection_events_within_their_interval() -> None:
    radio = Radio(interval_s=0.03, jitter_s=0.0)
    forces = [note for note in session(SHORT, 8.0, radio) if note.channel is Channel.FORCE]
    started_us = session(SHORT, 1.0)[0].received_us
    for k, note in enumerate(forces):
        ready_s = (8 * k + 7) / 80
        late_s = (note.received_us - started_us) / 1e6 - ready_s
        assert -1e-6 <= late_s <= 0.03 + 1e-3


def test_without_repairs_faults_leave_gaps() -> None:
    counts = received(session(SHORT, 20.0, replace(ROUGH, repairs=False)))
    assert max(counts) >= 1500
    assert len(counts) < 0.8 * max(counts)


@pytest.mark.parametrize("first_sample", [0, 2**32 - 700])
def test_with_repairs_every_sample_arrives_in_the_end(first_sample: int) -> None:
    setup = replace(SHORT, clock=ClockConfig(first_sample=first_sample))
    clean = received(session(setup, 20.0))
    rough = session(setup, 20.0, ROUGH)
    counts = received(rough)
    assert set(clean) <= set(counts)
    assert all(counts[index] == count for index, count in clean.items())
    resent = [
        note for note in rough if note.channel is Channel.FORCE and note.payload[0] & Flag.RESENT
    ]
    assert len(resent) > 10
    assert sum(note.channel is Channel.LINK for note in rough) == 6


def test_a_stalled_link_lets_go_of_everything_at_once() -> None:
    radio = Radio(Chances(stall=0.05, stall_s=1.0), jitter_s=0.0)
    forces = [note for note in session(SHORT, 15.0, radio) if note.channel is Channel.FORCE]
    waits_s = np.diff([note.received_us for note in forces]) / 1e6
    assert waits_s.max() > 0.9
    assert (waits_s < 0.001).sum() >= 5


def test_a_long_session_holds_all_its_samples_and_the_truth_of_all_its_reps() -> None:
    band = Band(BandSetup(seed=1, workout=Workout((LOW_ROW, PULL_APART), endless=True)))
    samples = sum(
        note.payload[1] for note in notifications(band, 1200.0) if note.channel is Channel.FORCE
    )
    assert samples == pytest.approx(1200 * 80, abs=8)
    reps = band.truth(1200.0)
    assert len(reps) > 130
    assert all(a.end_s < b.start_s for a, b in pairwise(reps))


def test_the_truth_waits_for_the_stream_when_the_person_does() -> None:
    setup = replace(SHORT, waits=True)
    band = Band(setup)
    band.firmware.advance(30.0)
    assert band.truth() == []
    band.firmware.command(b"\x01")
    band.firmware.advance(60.0)
    shift_s = band.truth()[0].start_s - Band(setup).setup.workout.lead_in_s
    assert 30.0 < shift_s < 34.0
    assert band.end_s is None or band.end_s > 30.0


def test_an_endless_workout_needs_a_duration() -> None:
    with pytest.raises(ValueError, match="needs a duration_s"):
        session(BandSetup(workout=Workout(endless=True)))


def test_the_air_hook_touches_notifications_only() -> None:
    faults = Faults(Chances(drop=1.0))
    write_request = bytes.fromhex("0600 0400 12 1000 aabb".replace(" ", ""))
    signalling = bytes.fromhex("0600 0500 1b 1000 aabb".replace(" ", ""))
    notification = bytes.fromhex("0600 0400 1b 1000 aabb".replace(" ", ""))
    assert faults(None, None, write_request) == write_request
    assert faults(None, None, signalling) == signalling
    assert faults(None, None, notification) is None
    flipped = Faults(Chances(corrupt=1.0))(None, None, notification)
    assert isinstance(flipped, bytes)
    assert flipped[:7] == notification[:7]
    difference = int.from_bytes(flipped[7:], "big") ^ int.from_bytes(notification[7:], "big")
    assert difference.bit_count() == 1
    held = Faults(Chances(stall=1.0, stall_s=2.0))(None, None, notification)
    assert held == (2.0, notification)


def test_impossible_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="chances"):
        Chances(drop=1.5)
    with pytest.raises(ValueError, match="stall_s"):
        Chances(stall_s=-1.0)
