"""Force frames: what goes in comes out, and any bytes give a frame or a named error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.errors import FrameError
from sensor.wire.frames import MAX_SAMPLES, Flag, ForceFrame, crc8, decode_equal_frames

COUNTS = st.lists(st.integers(-(2**23), 2**23 - 1), min_size=1, max_size=MAX_SAMPLES)
FRAMES = st.builds(
    lambda index, us, cal, flags, counts: ForceFrame(index, us, cal, Flag(flags), np.array(counts)),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.sampled_from([0, 0x10, 0x30, 0xF0]),
    COUNTS,
)


def same(a: ForceFrame, b: ForceFrame) -> bool:
    return (
        (a.first_sample, a.device_us, a.calibration_id, a.flags)
        == (b.first_sample, b.device_us, b.calibration_id, b.flags)
    ) and a.counts.tolist() == b.counts.tolist()


def test_the_checksum_is_the_published_one() -> None:
    assert crc8(b"123456789") == 0xF4


@given(FRAMES)
def test_a_frame_comes_back_as_it_went(frame: ForceFrame) -> None:
    payload = bytes(frame)
    assert len(payload) <= 180
    assert same(ForceFrame.from_bytes(payload), frame)


@given(st.binary(max_size=200))
def test_any_bytes_give_a_frame_or_a_frame_error(payload: bytes) -> None:
    try:
        frame = ForceFrame.from_bytes(payload)
    except FrameError as error:
        assert error.payload == payload
        return
    assert bytes(frame) == payload


@given(FRAMES, st.integers(0, 179), st.integers(1, 255))
def test_one_wrong_byte_is_always_found(frame: ForceFrame, place: int, change: int) -> None:
    payload = bytearray(bytes(frame))
    payload[place % len(payload)] ^= change
    with pytest.raises(FrameError):
        ForceFrame.from_bytes(bytes(payload))


@given(st.lists(FRAMES, min_size=1, max_size=5), st.integers(1, 8))
def test_many_at_once_decode_as_one_by_one(frames: list[ForceFrame], n: int) -> None:
    equal = [
        ForceFrame(f.first_sample, f.device_us, f.calibration_id, f.flags, np.resize(f.counts, n))
        for f in frames
    ]
    payload = b"".join(bytes(frame) for frame in equal)
    batch = decode_equal_frames(payload, len(bytes(equal[0])))
    assert batch is not None
    for i, frame in enumerate(equal):
        assert int(batch.first_sample[i]) == frame.first_sample
        assert int(batch.device_us[i]) == frame.device_us
        assert int(batch.flags[i]) == frame.flags
        assert batch.counts[i].tolist() == frame.counts.tolist()


@given(FRAMES, st.integers(1, 4), st.data())
def test_many_at_once_refuse_what_one_by_one_would_refuse(
    frame: ForceFrame, many: int, data: st.DataObject
) -> None:
    payloads = [bytes(frame)] * many
    spoilt = data.draw(st.integers(0, len(payloads) - 1))
    payload = bytearray(payloads[spoilt])
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    payloads[spoilt] = bytes(payload)
    assert decode_equal_frames(b"".join(payloads), len(payload)) is None


@pytest.mark.parametrize("n", [0, MAX_SAMPLES + 1])
def test_frames_of_an_impossible_size_are_not_made(n: int) -> None:
    with pytest.raises(ValueError, match="samples"):
        bytes(ForceFrame(0, 0, 0, Flag(0), np.zeros(n, np.int64)))


def test_counts_beyond_24_bits_are_not_made() -> None:
    with pytest.raises(ValueError, match="24 bits"):
        bytes(ForceFrame(0, 0, 0, Flag(0), np.array([2**23])))
