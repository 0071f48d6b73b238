"""What is wrong with a band's stream that no radio does: the firmware's own faults, named.

A radio loses notifications, and sometimes damages one. It never cuts them, sends an index twice, or
changes the rate. Notifications in, sentences out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from sensor.errors import FrameError
from sensor.samples import Channel, Notification
from sensor.wire.frames import HEADER, MAX_SAMPLES, Flag, ForceFrame
from sensor.wire.profile import VERSION, Info

OFTEN = 0.1
"""What happens to fewer notifications than this share may be the radio's doing."""
ALWAYS = 0.8
LEAST_FRAMES = 20
LEAST_S = 3.0
"""Of a stream that is judged by its rates."""
RATE_TOLERANCE = 0.2
"""The true rate may be a sixth off what the ADC is said to do."""
CLOCK_TOLERANCE = 0.05
"""A clock may be 0.5 % off; the rest is what a few seconds of a late radio can feign."""
FRAMES_PER_S = 25.0
MOST_ARRIVALS = 10_000
WRAP = 2**32


@dataclass(slots=True)
class _Stretch:
    """Frames between a connection and the end of it, first and last."""

    frames: int = 0
    first: tuple[int, int, int] | None = None
    """Index, device time, receive time, as they stand at its first frame."""
    last: tuple[int, int, int] | None = None
    next_index: int | None = None
    samples: int = 0
    run_us: int = 0
    """Device time passed, not wrapped."""
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    """Samples before a frame, and when it came."""


@dataclass(slots=True)
class StreamCheck:
    """Looks at all that a link brings."""

    info: Info | None = None
    frames: int = 0
    bad: int = 0
    cut: dict[int, int] = field(default_factory=dict)
    """By length: notifications shorter than they say."""
    wrong_sums: int = 0
    other_versions: int = 0
    behind: dict[int, int] = field(default_factory=dict)
    """By size: how many samples the index went back into those that were sent."""
    ahead: dict[int, int] = field(default_factory=dict)
    """By size: how many samples the index ran on beyond those of the frame before."""
    clock_back: int = 0
    calibrations: set[int] = field(default_factory=set)
    beyond_bits: int = 0
    frame_sizes: dict[int, int] = field(default_factory=dict)
    _stretch: _Stretch = field(default_factory=_Stretch)
    _longest: _Stretch = field(default_factory=_Stretch)

    def receive(self, notification: Notification) -> None:
        """Take what comes of any channel."""
        match notification.channel:
            case Channel.INFO:
                try:
                    self.info = Info.from_bytes(notification.payload)
                except FrameError:
                    self.info = None
                self._begin()
            case Channel.LINK | Channel.COMMAND:
                self._begin()
            case Channel.FORCE:
                self._force(notification.payload, notification.received_us)
            case _:
                pass

    def _begin(self) -> None:
        """After another START, rate or link the frames need not follow those before."""
        if self._stretch.frames > self._longest.frames:
            self._longest = self._stretch
        self._stretch = _Stretch()

    def _force(self, payload: bytes, received_us: int) -> None:
        try:
            frame = ForceFrame.from_bytes(payload)
        except FrameError:
            self._unreadable(payload)
            return
        self.frames += 1
        self.calibrations.add(frame.calibration_id)
        if self.info is not None and abs(frame.counts).max() > 2 ** (self.info.adc_bits - 1):
            self.beyond_bits += 1
        if frame.flags & Flag.RESENT:
            return
        self._place(frame, received_us)

    def _unreadable(self, payload: bytes) -> None:
        self.bad += 1
        whole = (
            len(payload) >= 2 and payload[0] & 0x0F == VERSION and 1 <= payload[1] <= MAX_SAMPLES
        )
        if len(payload) < HEADER.size or (whole and len(payload) < HEADER.size + 3 * payload[1]):
            self.cut[len(payload)] = self.cut.get(len(payload), 0) + 1
        elif whole and len(payload) == HEADER.size + 3 * payload[1]:
            self.wrong_sums += 1
        elif payload[0] & 0x0F != VERSION:
            self.other_versions += 1

    def _place(self, frame: ForceFrame, received_us: int) -> None:
        at, size = self._stretch, frame.counts.size
        self.frame_sizes[size] = self.frame_sizes.get(size, 0) + 1
        now = (frame.first_sample, frame.device_us, received_us)
        if at.first is None or at.last is None or at.next_index is None:
            at.first = now
        else:
            jump = (frame.first_sample - at.next_index + WRAP // 2) % WRAP - WRAP // 2
            if jump < 0:
                self.behind[-jump] = self.behind.get(-jump, 0) + 1
            elif jump:
                self.ahead[jump] = self.ahead.get(jump, 0) + 1
            at.samples += (frame.first_sample - at.last[0] + WRAP // 2) % WRAP - WRAP // 2
            passed_us = (frame.device_us - at.last[1] + WRAP // 2) % WRAP - WRAP // 2
            at.run_us += passed_us
            self.clock_back += passed_us < 0 <= jump
        at.frames += 1
        if len(at.arrivals) < MOST_ARRIVALS:
            at.arrivals.append((at.samples, received_us))
        at.last = now
        at.next_index = (frame.first_sample + size) % WRAP

    def faults(self) -> list[str]:
        """A sentence for each fault that is the firmware's."""
        return [*self._form(), *self._numbers(), *self._rates()]

    def _form(self) -> list[str]:
        told, total = [], self.frames + self.bad
        cut = sum(self.cut.values())
        if cut and cut >= OFTEN * total:
            longest = max(self.cut)
            told.append(
                f"the firmware cuts its notifications: {cut} of {total} end after {longest} bytes "
                "or less, before the samples that their head counts; send a frame in one "
                "notification of up to 180 bytes"
            )
        if self.wrong_sums >= max(OFTEN * total, 3):
            told.append(
                f"{self.wrong_sums} of {total} frames have a wrong checksum: it is CRC-8/SMBUS of "
                "all bytes but the fourth, which holds it"
            )
        if self.other_versions >= max(OFTEN * total, 3):
            told.append(
                f"{self.other_versions} of {total} frames are of another version than {VERSION}: "
                "the low nibble of the first byte says it"
            )
        return told

    def _numbers(self) -> list[str]:
        told = []
        repeated = sum(self.behind.values())
        if self.frames >= LEAST_FRAMES and repeated >= ALWAYS * (self.frames - 1):
            most = max(self.behind, key=lambda jump: self.behind[jump])
            told.append(
                f"the firmware repeats sample indices: in {repeated} of {self.frames} frames the "
                f"index runs on by {most} less than the frame before holds; it counts samples "
                "since power-on, not frames"
            )
        elif repeated:
            told.append(
                f"the firmware repeats sample indices: {repeated} of {self.frames} frames "
                "begin with an index that was sent before, without being marked as resent; the "
                "index counts samples since power-on"
            )
        jumps = sum(self.ahead.values())
        if self.frames >= LEAST_FRAMES and jumps >= ALWAYS * (self.frames - 1):
            most = max(self.ahead, key=lambda jump: self.ahead[jump])
            told.append(
                f"the index runs ahead of the samples: by {most} more than each frame holds, in "
                f"{jumps} of {self.frames} frames; the index counts samples, neither bytes nor ADC "
                "ticks"
            )
        if self.clock_back:
            told.append(f"the device time goes back in {self.clock_back} of {self.frames} frames")
        if self.info is not None:
            known = {each.id for each in self.info.calibrations}
            if unknown := sorted(self.calibrations - known):
                told.append(
                    f"frames name calibration {', '.join(map(str, unknown))}, which Info lacks: "
                    f"it has {', '.join(map(str, sorted(known)))}"
                )
            if self.beyond_bits:
                told.append(
                    f"{self.beyond_bits} frames hold counts beyond the {self.info.adc_bits} bits "
                    "that Info tells"
                )
        return told

    def rates_hz(self) -> tuple[float, float] | None:
        """Samples a second by the index, of device time and of ours; None for a short stream."""
        at = max(self._stretch, self._longest, key=lambda each: each.frames)
        if at.frames < LEAST_FRAMES or at.first is None or at.last is None:
            return None
        passed_s = (at.last[2] - at.first[2]) / 1e6
        if passed_s < LEAST_S or at.samples <= 0:
            return None
        by_device = at.samples / (at.run_us / 1e6) if at.run_us > 0 else 0.0
        return by_device, _rate_hz(at.arrivals)

    def _rates(self) -> list[str]:
        rates_hz = self.rates_hz()
        if rates_hz is None or self.info is None or self.behind:
            return []
        by_device, by_host = rates_hz
        said, told = self.info.rate_hz, []
        if abs(by_host / said - 1) > RATE_TOLERANCE:
            told.append(
                f"the firmware sends at another rate than it says: {by_host:.1f} samples come in a "
                f"second, Info says {said:g}"
            )
        if not by_device:
            told.append("the device time stands still")
        elif abs(by_device / by_host - 1) > CLOCK_TOLERANCE:
            told.append(
                f"the device time is wrong: by it {by_host / by_device:.2f} s pass a second"
            )
        usual = max(self.frame_sizes, key=lambda size: self.frame_sizes[size])
        frames_per_s = by_host / usual
        if frames_per_s > FRAMES_PER_S and usual < MAX_SAMPLES / 2:
            told.append(
                f"{frames_per_s:.0f} frames of {usual} samples come in a second: gather samples to "
                "about ten frames a second, as phones take no more than a few dozen notifications"
            )
        return told


def _rate_hz(arrivals: list[tuple[int, int]]) -> float:
    """Samples a second by when they came: too late now and then, and never too soon.

    So the truth lies along the lower edge of times over samples: the longest side of their hull.
    """
    hull: list[tuple[int, int]] = []
    for at in arrivals:
        while len(hull) > 1 and _turn(hull[-2], hull[-1], at) <= 0:
            hull.pop()
        hull.append(at)
    one, other = max(pairwise(hull), key=lambda side: side[1][0] - side[0][0])
    return 1e6 * (other[0] - one[0]) / max(other[1] - one[1], 1)


def _turn(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
    """Above 0 where the way a, b, c bends upwards."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
