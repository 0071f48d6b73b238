"""Which samples are missing, and what is asked for."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.timeline.ledger import Ledger
from sensor.timeline.pace import WRAP
from sensor.timeline.requests import ATTEMPTS, BUSY_S, QUIET_S, Requests
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Opcode, Response, Status

RATE_HZ = 80.0
LIVE = Flag(0)


def frame(first: int, n: int = 8, flags: Flag = LIVE, base: int = 0) -> ForceFrame:
    """Frame of the samples from `base + first` on, with device time to match."""
    device_us = round(first * 1e6 / RATE_HZ) % WRAP
    return ForceFrame((base + first) % WRAP, device_us, 0, flags, np.zeros(n, np.int64))


def ok(first: int, count: int) -> Response:
    result = first.to_bytes(4, "little") + count.to_bytes(4, "little")
    return Response(Opcode.RESEND, Status.OK, result)


def refused(status: Status) -> Response:
    return Response(Opcode.RESEND, status)


def with_gap(gap: tuple[int, int] = (8, 16), ring: int = 9600) -> Requests:
    asking = Requests(Ledger(RATE_HZ, ring))
    asking.ledger.place(frame(0))
    asking.ledger.place(frame(gap[1]))
    return asking


def test_without_a_loss_there_is_nothing_to_ask() -> None:
    asking = Requests(Ledger(RATE_HZ, 9600))
    for first in range(0, 80, 8):
        asking.ledger.place(frame(first))
    assert asking.missing == 0
    assert asking.request(0.0) is None
    assert asking.wait_s(0.0) is None


def test_a_missing_range_is_asked_for_once_and_filled() -> None:
    asking = with_gap()
    assert asking.request(0.0) == (8, 8)
    assert asking.request(1e9) is None
    asking.answered(ok(8, 8), 0.1)
    assert asking.request(0.2) is None
    assert asking.wait_s(0.2) == pytest.approx(QUIET_S - 0.1)
    asking.ledger.place(frame(8, flags=Flag.RESENT))
    assert asking.missing == 0
    assert asking.take_abandoned() == []


def test_the_last_frame_of_a_resend_ends_the_wait() -> None:
    asking = with_gap((8, 40))
    assert asking.request(0.0) == (8, 32)
    asking.answered(ok(8, 32), 0.0)
    asking.ledger.place(frame(16, flags=Flag.RESENT))
    assert asking.request(0.1) is None
    asking.ledger.place(frame(32, flags=Flag.RESENT))
    assert asking.request(0.2) == (8, 24)


def test_what_is_still_coming_is_not_asked_for_again() -> None:
    asking = with_gap((8, 800))
    first, count = asking.request(0.0) or (0, 0)
    asking.answered(ok(first, count), 0.0)
    now_s = 0.0
    for at in range(8, 80, 8):
        now_s += 0.9
        asking.ledger.place(frame(at, flags=Flag.RESENT))
        assert asking.request(now_s) is None
    assert asking.request(now_s + 0.9) is None
    assert asking.request(now_s + 1.0) == (80, 720)


def test_what_no_resend_brings_is_given_up_after_some_attempts() -> None:
    asking, now_s, asked = with_gap(), 0.0, 0
    while (wanted := asking.request(now_s)) is not None:
        asked += 1
        asking.answered(ok(*wanted), now_s)
        now_s += QUIET_S
    assert asked == ATTEMPTS
    assert asking.take_abandoned() == [(8, 8)]
    assert asking.take_abandoned() == []
    assert asking.missing == 0


def test_what_the_band_does_not_have_is_given_up_at_once() -> None:
    asking = with_gap((8, 40))
    asking.request(0.0)
    asking.answered(ok(24, 16), 0.0)
    assert asking.take_abandoned() == [(8, 16)]
    assert asking.missing == 16
    asking.unanswered(0.0)
    asking.request(0.0)
    asking.answered(refused(Status.NOT_AVAILABLE), 0.0)
    assert asking.take_abandoned() == [(24, 16)]


def test_what_is_given_up_in_pieces_is_named_as_one() -> None:
    asking = with_gap((8, 40))
    asking.request(0.0)
    asking.answered(ok(24, 16), 0.0)
    asking.unanswered(0.0)
    asking.request(0.0)
    asking.answered(refused(Status.NOT_AVAILABLE), 0.0)
    assert asking.take_abandoned() == [(8, 32)]


def test_what_start_told_of_may_not_be_in_a_frame_yet() -> None:
    asking, now_s = with_gap(), 0.0
    asking.ledger.place(frame(8, flags=Flag.RESENT))
    asking.ledger.reached(28)
    for _ in range(2 * ATTEMPTS):
        assert asking.request(now_s) == (24, 4)
        asking.answered(refused(Status.NOT_AVAILABLE), now_s)
        now_s += QUIET_S
    asking.ledger.place(frame(32))
    assert asking.take_abandoned() == []
    assert asking.request(now_s) == (24, 8)


def test_a_resend_that_leaves_out_what_is_in_no_frame_gives_nothing_up() -> None:
    asking = with_gap()
    asking.ledger.reached(28)
    assert asking.request(0.0) == (8, 20)
    asking.answered(ok(8, 16), 0.0)
    asking.ledger.place(frame(8, n=16, flags=Flag.RESENT))
    assert asking.missing == 4
    assert asking.take_abandoned() == []


def test_a_busy_band_is_asked_later_and_that_does_not_count() -> None:
    asking = with_gap()
    for attempt in range(3 * ATTEMPTS):
        assert asking.request(attempt * BUSY_S) == (8, 8)
        asking.answered(refused(Status.BUSY), attempt * BUSY_S)
    assert asking.take_abandoned() == []


def test_a_band_that_cannot_resend_is_not_asked_again() -> None:
    asking = with_gap()
    asking.request(0.0)
    asking.answered(refused(Status.UNKNOWN_COMMAND), 0.0)
    assert asking.request(0.0) is None
    assert asking.take_abandoned() == [(8, 8)]
    asking.ledger.place(frame(80))
    assert asking.request(0.0) is None
    assert asking.take_abandoned() == [(24, 56)]


def test_the_answer_to_an_earlier_request_is_not_taken_for_this_ones() -> None:
    asking = with_gap()
    asking.request(0.0)
    asking.answered(ok(4000, 100), 0.0)
    assert asking.take_abandoned() == []
    assert asking.request(0.0) == (8, 8)
    asking.answered(Response(Opcode.RESEND, Status.OK, b"short"), 0.0)
    assert asking.request(0.0) == (8, 8)


def test_what_is_older_than_the_memory_is_given_up() -> None:
    asking = with_gap((8, 1000), ring=500)
    # Sample 1007 is the newest, so the memory starts at 508.
    assert asking.request(0.0) == (508, 492)
    assert asking.take_abandoned() == [(8, 500)]


def test_near_ranges_are_asked_for_together_and_far_ones_apart() -> None:
    asking = Requests(Ledger(RATE_HZ, 9600))
    for first in (0, 16, 32, 800):
        asking.ledger.place(frame(first))
    assert asking.request(0.0) == (8, 792)
    asking = Requests(Ledger(RATE_HZ, 9600))
    for first in (0, 16, *range(24, 400, 8), 408):
        asking.ledger.place(frame(first))
    assert asking.request(0.0) == (8, 8)


def test_the_band_tells_where_the_session_starts_and_ends() -> None:
    asking = Requests(Ledger(RATE_HZ, 9600))
    asking.ledger.reached(1000)
    asking.ledger.place(frame(1016))
    assert asking.request(0.0) == (1000, 16)
    asking.unanswered(0.0)
    asking.ledger.reached(1040)
    assert asking.request(0.0) == (1000, 40)


def test_the_index_may_wrap() -> None:
    base = WRAP - 12
    asking = Requests(Ledger(RATE_HZ, 9600))
    asking.ledger.place(frame(0, base=base))
    asking.ledger.place(frame(24, base=base))
    assert asking.request(0.0) == (WRAP - 4, 16)
    asking.answered(ok(WRAP - 4, 16), 0.0)
    asking.ledger.place(frame(8, base=base, flags=Flag.RESENT))
    assert asking.missing == 8
    assert asking.request(0.5) is None
    assert asking.request(0.5 + QUIET_S) == (4, 8)
    asking.answered(refused(Status.NOT_AVAILABLE), 0.0)
    assert asking.take_abandoned() == [(4, 8)]


def test_a_frame_whose_index_contradicts_its_clock_is_left_out() -> None:
    asking = with_gap()
    far = ForceFrame(2**19, 200_000, 0, LIVE, np.zeros(8, np.int64))
    asking.ledger.place(far)
    assert asking.missing == 8
    asking.ledger.place(frame(24))
    assert asking.missing == 8


def test_another_rate_is_followed() -> None:
    asking = Requests(Ledger(RATE_HZ, 9600))
    asking.ledger.place(frame(0))
    asking.ledger.set_rate(1000.0)
    for k in range(4):
        fast = ForceFrame(16 + 56 * k, 150_000 + 56_000 * k, 0, LIVE, np.zeros(56, np.int64))
        asking.ledger.place(fast)
    assert asking.missing == 8


def test_a_resend_from_before_another_rate_fills_its_place() -> None:
    asking = with_gap((8, 16))
    asking.ledger.set_rate(1000.0)
    for k in range(4):
        fast = ForceFrame(40 + 56 * k, 500_000 + 56_000 * k, 0, LIVE, np.zeros(56, np.int64))
        asking.ledger.place(fast)
    assert asking.missing == 24
    asking.ledger.place(frame(8, flags=Flag.RESENT))
    asking.ledger.place(frame(24, 16, flags=Flag.RESENT))
    assert asking.missing == 0


def test_at_a_faster_rate_more_can_be_asked_for() -> None:
    asking = Requests(Ledger(RATE_HZ, 9600))
    asking.ledger.place(frame(0))
    asking.ledger.set_rate(1000.0, 120_000)
    for k in range(2):
        fast = ForceFrame(30_008 + 56 * k, 30_100_000 + 56_000 * k, 0, LIVE, np.zeros(56, np.int64))
        asking.ledger.place(fast)
    assert asking.request(0.0) == (8, 30_000)


def test_a_lone_frame_from_far_ahead_is_not_asked_for() -> None:
    asking = Requests(Ledger(RATE_HZ, 9600))
    asking.ledger.place(frame(0))
    asking.ledger.place(frame(2**30))
    asking.ledger.place(frame(8))
    assert asking.missing == 0
    assert asking.take_abandoned() == []


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_it_converges_while_as_many_resends_are_lost(loss: float) -> None:
    rng = random.Random(f"loss {loss}")
    asking, now_s, have = Requests(Ledger(RATE_HZ, 9600)), 0.0, set[int]()

    def arrive(first: int, n: int, flags: Flag) -> None:
        if rng.random() >= loss:
            asking.ledger.place(frame(first, n, flags))
            have.update(range(first, first + n))

    asking.ledger.reached(0)
    for first in range(0, 80_000, 8):
        now_s = first / RATE_HZ
        arrive(first, 8, LIVE)
        while (wanted := asking.request(now_s)) is not None:
            asking.answered(ok(*wanted), now_s)
            for at in range(wanted[0], sum(wanted), 56):
                arrive(at, min(56, sum(wanted) - at), Flag.RESENT)
    asking.ledger.reached(80_000)
    while asking.missing:
        now_s += QUIET_S
        wanted = asking.request(now_s)
        assert wanted is not None
        asking.answered(ok(*wanted), now_s)
        arrive(*wanted, Flag.RESENT)
    assert asking.take_abandoned() == []
    assert len(have) == 80_000


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 56)), max_size=40))
def test_missing_is_exactly_what_did_not_come(arrivals: list[tuple[int, int]]) -> None:
    asking, have, end = Requests(Ledger(RATE_HZ, 9600)), set[int](), 0
    asking.ledger.reached(0)
    for first, n in arrivals:
        asking.ledger.place(frame(first, n))
        have.update(range(first, first + n))
        end = max(end, first + n)
    lost = [k for each in asking.ledger.missing for k in range(each.first, each.end)]
    assert lost == sorted(set(range(end)) - have)
    assert asking.missing == len(lost)


@given(st.data())
def test_any_frames_and_answers_leave_it_sane(data: st.DataObject) -> None:
    asking, now_s = Requests(Ledger(RATE_HZ, 500)), 0.0
    for _ in range(data.draw(st.integers(0, 30))):
        now_s += data.draw(st.floats(0, 5))
        index, device_us = data.draw(st.tuples(*[st.integers(0, WRAP - 1)] * 2))
        flags = data.draw(st.sampled_from([LIVE, Flag.RESENT]))
        asking.ledger.place(ForceFrame(index, device_us, 0, flags, np.zeros(8, np.int64)))
        if (wanted := asking.request(now_s)) is not None:
            assert 0 <= wanted[0] < WRAP
            assert 0 < wanted[1] <= 500
            status = data.draw(st.sampled_from(Status))
            asking.answered(
                Response(Opcode.RESEND, status, data.draw(st.binary(max_size=8))), now_s
            )
        assert all(0 <= first < WRAP and count > 0 for first, count in asking.take_abandoned())
        wait_s = asking.wait_s(now_s)
        assert wait_s is None or (wait_s >= 0 and math.isfinite(wait_s))
