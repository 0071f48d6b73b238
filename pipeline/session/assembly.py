"""Notifications to samples in their place: timed and calibrated once, over all power-ons."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.session.events import ForceSamples
from pipeline.session.time_axis import PowerOn, TimeAxis
from sensor.errors import FrameError
from sensor.samples import Batch, ForceBlock, Gap
from sensor.timeline.calibration import CalibrationTable
from sensor.timeline.clock import ClockFit
from sensor.timeline.ledger import Ledger, Missing, Piece
from sensor.timeline.pace import signed
from sensor.wire.frames import MAX_SAMPLES, ForceFrame, decode_equal_frames
from sensor.wire.profile import BandCurve, Calibration, Info, Opcode, Response, Status

MOST_N = 20_000.0
"""Twice the most that anybody presses with both legs; cranes' scales are for other work."""
MOST_LATE_S = 30.0
"""So late may a frame be, and so much ahead of it what the band says it has taken."""
LATE_S = 1.0
"""A frame is not later than this on a good link, beside the time that it takes to fill."""

Part = ForceSamples | ForceBlock | Gap
"""Samples as they arrived; then, in order and once, what is final: samples, and gaps."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where a session stands with its band, which may still have some of it."""

    boot_id: int
    end: int
    """Index after the last sample that it is known to have taken."""
    newest: int
    newest_us: int
    """A sample that came, and its UTC."""
    rate_hz: float
    memory_s: float
    lacks: bool
    """Whether samples before `end` are missing."""
    went_on: bool
    """Whether it may have taken more."""

    def index_at(self, utc_us: int) -> int:
        """Index of the sample that it took at a moment, about."""
        return self.newest + round((utc_us - self.newest_us) * self.rate_hz / 1e6)


class Assembly:
    """The samples of a session, whatever the radio and the band did in between.

    Parameters
    ----------
    arrivals
        Whether samples are wanted as they arrive, too.
    """

    def __init__(self, *, arrivals: bool) -> None:
        self.axis = TimeAxis()
        self.curve: BandCurve | None = None
        self.samples = 0
        self.missing = 0
        self.bad_frames = 0
        self.end_s = 0.0
        self.remarks: list[str] = []
        """What the band says that cannot be true; whoever reads takes them away."""
        self.streams: bool | None = None
        """Whether the band was started and not stopped, by its own answers; None: it never said."""
        self._arrivals = arrivals
        self._is_late = False
        self._calibrations = CalibrationTable()
        self._power = PowerOn(None)
        self._held: dict[int, ForceBlock] = {}
        self._next_index = 0
        self._in_gap = False
        self._lost: int | None = None
        self._taken_by: tuple[int, int] | None = None
        """An index after samples that came, and when it was heard of, µs."""
        self._remarked: set[object] = set()

    @property
    def ledger(self) -> Ledger:
        """Of the present power-on."""
        return self._power.ledger

    @property
    def begun(self) -> bool:
        """Whether any sample of the present power-on came."""
        return self._power.device_us0 is not None

    @property
    def clock_fit(self) -> ClockFit | None:
        """The band's clock against UTC, once there is enough of it."""
        return self._power.clock.fit

    @property
    def held_s(self) -> float:
        """How long samples have been waiting for missing ones before them."""
        return self.ledger.waiting * self.ledger.pace.period_us / 1e6

    def frame(self, payload: bytes, received_us: int) -> list[Part]:
        """A force notification. Any bytes are taken; bad ones are counted."""
        try:
            frame = ForceFrame.from_bytes(payload)
        except FrameError:
            self.bad_frames += 1
            return []
        doubted = self.ledger.pace.doubted
        pieces = self.ledger.place(frame)
        if (rate_hz := self.ledger.pace.unannounced_hz) is not None:
            self.ledger.pace.unannounced_hz = None
            self._remark(
                ("rate", round(rate_hz)),
                f"the band sends {rate_hz:.3g} samples a second and never said so: "
                "they are taken as they come; update its firmware",
            )
        parts: list[Part] = []
        if self.ledger.pace.restarted:
            began = self.ledger.pace.began
            parts = self._switched_on(self._power.info)
            if began is not None:
                self.ledger.reached(began)
            doubted = 0
            pieces = self.ledger.place(frame)
        self.bad_frames += self.ledger.pace.doubted - doubted
        if not pieces:
            return parts
        if not pieces[-1].late:
            self._taken_by = pieces[-1].end, received_us
            if not self._is_late:
                self._power.clock.arrived(int(pieces[-1].device_us[-1]), received_us)
        if not self.begun:
            first, first_us = pieces[0].first, int(pieces[0].device_us[0])
            self.axis.add(self._power, first, first_us, self.end_s, self._next_index)
        parts += [each for piece in pieces for each in self._arrived(piece)]
        return parts + self.settle()

    def batch(self, batch: Batch) -> ForceBlock | None:
        """Consecutive force notifications at once; None where they have to be taken singly."""
        if not self.begun or not batch.received_us:
            return None
        frames = decode_equal_frames(batch.joined, batch.size)
        piece = None if frames is None else self.ledger.place_batch(frames)
        if piece is None:
            return None
        self._taken_by = piece.end, batch.received_us[-1]
        last_us = piece.device_us.reshape(len(batch.received_us), -1)[:, -1].tolist()
        times = zip(last_us, batch.received_us, strict=True)
        for device_us, received_us in () if self._is_late else times:
            self._power.clock.arrived(device_us, received_us)
        return self._taken(self._block(piece))

    def info(self, payload: bytes) -> list[Part]:
        """What the band says of itself; with another boot id it was switched off and on."""
        try:
            info = Info.from_bytes(payload)
        except FrameError:
            self.bad_frames += 1
            return []
        for each in sorted(info.calibrations, key=lambda each: each.id == info.active_calibration):
            self._calibrations.add(each)
        self.curve = info.curve
        known = self._power.info
        if known is not None and known.boot_id == info.boot_id:
            if known.rate_hz != info.rate_hz:
                self.ledger.set_rate(info.rate_hz, info.ring_samples)
            self._power.info = info
        elif not self.begun:
            self._power = PowerOn(info)
        elif known is None:  # the one before was lost
            self.ledger.set_rate(info.rate_hz, info.ring_samples)
            self._power.info = info
        else:
            return self._switched_on(info)
        return []

    def response(self, payload: bytes, received_us: int) -> Calibration | None:
        """How the band answered a command; the calibration that it takes from now on, if any."""
        try:
            response = Response.from_bytes(payload)
            if response.status is not Status.OK:
                return None
            if response.opcode in (Opcode.TARE, Opcode.SET_CALIBRATION):
                calibration = response.calibration()
                self._calibrations.add(calibration)
                return calibration
            if response.opcode in (Opcode.START, Opcode.STOP, Opcode.SLEEP):
                self.streams = response.opcode == Opcode.START
            if response.opcode in (Opcode.START, Opcode.STOP):
                index = response.next_sample()
                if index is not None and self._can_be(index, received_us):
                    self.ledger.reached(index)
            elif response.opcode == Opcode.SET_RATE and response.rate_hz() > 0:
                self.ledger.set_rate(response.rate_hz())
        except FrameError:
            self.bad_frames += 1
        return None

    def _can_be(self, index: int, received_us: int) -> bool:
        """Whether the band can have taken all samples before `index` by now."""
        if self._taken_by is None:
            self._taken_by = index, received_us
            return True
        at, at_us = self._taken_by
        passed_s = max(received_us - at_us, 0) / 1e6 + MOST_LATE_S
        ahead = signed(index - at)
        if ahead <= passed_s * self.ledger.pace.fastest_hz:
            return True
        self.bad_frames += 1
        self._remark(
            "index",
            f"the band says that it took {ahead} samples within {passed_s - MOST_LATE_S:.0f} s, "
            "more than its rate allows: not believed; update its firmware",
        )
        return False

    def _remark(self, about: object, text: str) -> None:
        """Once about each thing."""
        if about not in self._remarked:
            self._remarked.add(about)
            self.remarks.append(text)

    def settle(self, *, end: bool = False) -> list[Part]:
        """What became final; with `end`, everything, as nothing more will come."""
        parts: list[Part] = []
        for each in self.ledger.settled(end=end):
            if isinstance(each, Missing):
                self.missing += each.count
                self._lost = (self._lost or 0) + each.count
                self._in_gap = True
            else:
                block = self._held.pop(each.first)
                parts += [*self._gap_until(float(block.time_s[0])), self._taken(block)]
        return parts

    def finish(self) -> list[Part]:
        """The end of the log."""
        return [*self.settle(end=True), *self._gap_until(self.end_s)]

    def go_on(self, first: int) -> None:
        """What the band remembered of the end follows, long after it was taken.

        `first` is the oldest sample (mod 2^32) that it still had.
        """
        self._is_late = True
        if signed(first - self.ledger.end) > 0:
            self.ledger.reached(first)

    def remembered(self, *, went_on: bool) -> Remembered | None:
        """What the band may still have, where enough is known of it."""
        info, newest, clock = self._power.info, self.ledger.pace.newest, self._power.clock
        if info is None or newest is None or not clock.known:
            return None
        later_us = newest[1] + 1e6
        slope = 1e-6 * (clock.utc_us_at(later_us) - clock.utc_us_at(newest[1]))
        rate_hz = 1e6 / self.ledger.pace.period_us / slope
        return Remembered(
            info.boot_id,
            self.ledger.end,
            newest[0],
            clock.utc_us_at(newest[1]),
            rate_hz,
            info.ring_samples / info.rate_hz,
            bool(self.ledger.missing),
            went_on,
        )

    @property
    def usual_s(self) -> float:
        """The band may be silent for so long while it streams."""
        return LATE_S + MAX_SAMPLES * self.ledger.pace.period_us / 1e6

    def _gap_until(self, time_s: float) -> list[Gap]:
        """A gap ends where the band's clock says that samples go on."""
        if not self._in_gap:
            return []
        gap = Gap(self.end_s, time_s, self._lost)
        self._in_gap, self._lost = False, None
        return [gap]

    def _switched_on(self, info: Info | None) -> list[Part]:
        """The band was switched off and on: what it had not sent is lost, how much is unknown."""
        parts = self.settle(end=True)
        self._power = PowerOn(info)
        self._taken_by = None
        self._held.clear()
        self._in_gap = self._in_gap or self.samples > 0
        return parts

    def _arrived(self, piece: Piece) -> list[ForceSamples]:
        block = self._held[piece.first] = self._block(piece)
        if not self._arrivals:
            return []
        utc_us = self._power.clock.utc_us(piece.device_us)
        return [
            ForceSamples(block.index, block.time_s, block.force_n, utc_us, piece.flags, piece.late)
        ]

    def _block(self, piece: Piece) -> ForceBlock:
        force_n = self._calibrations.force_n(piece.counts, piece.calibration_id)
        most_n = max(float(force_n.max()), -float(force_n.min()))
        if most_n > MOST_N and self._calibrations.known:
            self._remark(
                piece.calibration_id,
                f"the band says {most_n:.0f} N, which nobody can pull: its calibration "
                f"{piece.calibration_id} is wrong, and so are all forces and repetitions",
            )
        return ForceBlock(
            piece.first + self._power.index0, self._power.time_s(piece.device_us), force_n
        )

    def _taken(self, block: ForceBlock) -> ForceBlock:
        self.samples += block.force_n.size
        self.end_s = float(block.time_s[-1])
        self._next_index = block.index + block.force_n.size
        return block
