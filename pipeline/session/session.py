"""A session: notifications in, events out; no clock, no I/O.

Everything that is told can be computed again from the recording, and comes out the same: live, from
a replay at any speed, and when a sink that was away catches up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.settings import Settings
from pipeline.session.events import (
    BatteryChanged,
    Event,
    ForceSamples,
    GapFound,
    LinkChanged,
    LiveState,
    Marked,
    Phase,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SessionEnded,
    SetClosed,
    Tared,
    Told,
)
from pipeline.session.time_axis import PowerOn, TimeAxis
from sensor.errors import FrameError
from sensor.samples import Channel, ForceBlock, Gap, Notification, Run
from sensor.timeline.calibration import CalibrationTable
from sensor.timeline.ledger import Hole, Piece
from sensor.wire.frames import ForceFrame, decode_equal_frames
from sensor.wire.profile import Answer, BandCurve, Calibration, Info, Opcode, Status

STALLED_S = 0.5
"""Held back for longer than this, the phase is unknown."""
STATES_PER_S = 4
SMALL_RUN = 16


class Session:
    """From a band's notifications to what happened.

    Parameters
    ----------
    live
        Whether to tell provisional reps and states and the samples themselves. Without, only what
        is final is told.
    settings
        Of the analysis.
    keep_samples
        Whether to keep every sample in `blocks`: for reading a whole recording.
    """

    def __init__(
        self, *, live: bool = True, settings: Settings | None = None, keep_samples: bool = False
    ) -> None:
        self._live = live
        self._keep_samples = keep_samples
        self._settings = settings or Settings()
        self._analysis: LiveAnalysis | None = None
        self._calibrations = CalibrationTable()
        self._curve: BandCurve | None = None
        self._axis = TimeAxis()
        self._power = PowerOn(None)
        self._seq = 0
        self._row = 0
        self._end_s = 0.0
        self._next_index = 0
        self._state: LiveState | None = None
        self._stalled_s = 0.0
        self._in_gap = False
        self._lost: int | None = None
        self._now_us = 0
        self._ended = False
        self.bad_frames = 0
        self.samples = 0
        self.missing = 0
        self.gaps: list[Gap] = []
        self.sets: list[SetClosed] = []
        self.blocks: list[ForceBlock] = []

    @property
    def started_utc_us(self) -> int | None:
        """UTC of the first sample; None before there is one."""
        return self._axis.utc_us_at(0.0)

    @property
    def power_ons(self) -> int:
        """How often the band was switched on, as its samples tell."""
        return len(self._axis)

    @property
    def clock_facts(self) -> dict[str, float]:
        """The fit of the band's clock to UTC, for the recording; empty before there is one."""
        fit = self._power.clock.fit
        if fit is None:
            return {}
        return {
            "clock_device_us": fit.device_us,
            "clock_utc_us": round(fit.utc_us),
            "skew_ppm": round(fit.skew_ppm, 2),
            "clock_residual_ms": round(fit.residual_ms, 3),
        }

    # -- in --------------------------------------------------------------------------------------

    def receive(self, notification: Notification, row: int) -> list[Told]:
        """Take the next row of the log; return what it makes known. Any bytes are taken."""
        if self._ended:
            return []
        self._row = row
        self._now_us = notification.received_us
        return self._tell(self._handle(notification))

    def receive_run(self, run: Run) -> list[Told]:
        """Take consecutive rows of one channel at once, where nothing live is asked for.

        Gives what `receive` gives one by one, but for UTC: the band's clock is not followed after
        its first arrival.
        """
        told: list[Told] = []
        if run.channel is Channel.FORCE and not self._live:
            if self._power.device_us0 is None:
                told, run = self._one_by_one(run.part(0, 1)), run.part(1)
            batch = decode_equal_frames(run.joined, run.size) if run.received_us else None
            piece = None if batch is None else self._power.timeline.place_batch(batch)
            if piece is not None:
                self._row, self._now_us = run.last_row, run.received_us[-1]
                return told + self._tell(self._analyse(piece))
        count = len(run.received_us)
        if count <= SMALL_RUN:
            return told + self._one_by_one(run)
        half = count // 2
        return told + self.receive_run(run.part(0, half)) + self.receive_run(run.part(half))

    def _one_by_one(self, run: Run) -> list[Told]:
        return [told for row, each in run.rows() for told in self.receive(each, row)]

    def finish(self) -> list[Told]:
        """End a session whose log has no end: its recorder was killed."""
        return self.receive(Notification(self._now_us, b"", Channel.END), self._row)

    def _handle(self, notification: Notification) -> list[Event]:
        payload = notification.payload
        match notification.channel:
            case Channel.FORCE:
                return self._force(payload, notification.received_us)
            case Channel.INFO:
                return self._info(payload)
            case Channel.ANSWER:
                return self._answer(payload)
            case Channel.BATTERY:
                return [BatteryChanged(payload[0])] if payload and payload[0] <= 100 else []
            case Channel.LINK:
                words = payload.decode("utf-8", "replace")[:500]
                return [LinkChanged(words == "up", words.removeprefix("down").lstrip(": "))]
            case Channel.MARK:
                return self._mark(payload)
            case Channel.END:
                return self._end()
            case Channel.COMMAND:
                return []

    # -- force -----------------------------------------------------------------------------------

    def _force(self, payload: bytes, received_us: int) -> list[Event]:
        try:
            frame = ForceFrame.from_bytes(payload)
        except FrameError:
            self.bad_frames += 1
            return []
        impossible = self._power.timeline.impossible
        pieces = self._power.timeline.place(frame)
        if self._power.timeline.restarted:
            began = self._power.timeline.began
            events = self._new_power(self._power.info)
            if began is not None:
                self._power.timeline.reached(began)
            return events + self._force(payload, received_us)
        self.bad_frames += self._power.timeline.impossible - impossible
        if not pieces:
            return []
        last_us = int(pieces[-1].device_us[-1])
        if not pieces[-1].late:
            self._power.clock.arrived(last_us, received_us)
        if self._power.device_us0 is None:
            first, device_us = pieces[0].first, int(pieces[0].device_us[0])
            self._axis.add(self._power, first, device_us, self._end_s, self._next_index)
        events = [self._samples(piece) for piece in pieces] if self._live else []
        events += self._settle()
        if self._live:
            events += self._stalled()
        return events

    def _samples(self, piece: Piece) -> Event:
        return ForceSamples(
            piece.first + self._power.index0,
            self._power.time_s(piece.device_us),
            self._calibrations.force_n(piece.counts, piece.calibration_id),
            self._power.clock.utc_us(piece.device_us),
            piece.flags,
            piece.late,
        )

    def _settle(self, *, end: bool = False) -> list[Event]:
        events: list[Event] = []
        for part in self._power.timeline.settled(end=end):
            if isinstance(part, Hole):
                self.missing += part.end - part.first
                self._lost = (self._lost or 0) + part.end - part.first
                self._in_gap = True
            else:
                events += self._gap_until(float(self._power.time_s(part.device_us[0])))
                events += self._analyse(part)
        return events

    def _gap_until(self, time_s: float) -> list[Event]:
        """A gap ends where the band's clock says that samples go on."""
        if not self._in_gap:
            return []
        gap = Gap(self._end_s, time_s, self._lost)
        self._in_gap, self._lost = False, None
        self.gaps.append(gap)
        return [GapFound(gap)]

    def _analyse(self, piece: Piece) -> list[Event]:
        time_s = self._power.time_s(piece.device_us)
        force_n = self._calibrations.force_n(piece.counts, piece.calibration_id)
        self.samples += force_n.size
        self._end_s = float(time_s[-1])
        self._next_index = piece.end + self._power.index0
        if self._analysis is None:
            self._analysis = LiveAnalysis(self._settings, self._curve, live=self._live)
        block = ForceBlock(piece.first + self._power.index0, time_s, force_n)
        if self._keep_samples:
            self.blocks.append(block)
        return self._kept(self._analysis.push(block))

    def _kept(self, events: Iterable[Event]) -> list[Event]:
        out = list(events)
        for event in out:
            if isinstance(event, SetClosed):
                self.sets.append(event)
            elif isinstance(event, LiveState):
                self._state = event
        return out

    def _stalled(self) -> list[Event]:
        """While a hole may still be filled, say so four times a second instead of guessing."""
        timeline = self._power.timeline
        held_s = timeline.waiting * timeline.period_us / 1e6
        if held_s < STALLED_S:
            self._stalled_s = 0.0
            return []
        if held_s - self._stalled_s < 1 / STATES_PER_S:
            return []
        self._stalled_s = held_s
        state = self._state or LiveState(0.0, 0.0, Phase.UNKNOWN, 0, 0, None)
        return [replace(state, time_s=self._end_s + held_s, phase=Phase.UNKNOWN)]

    # -- facts about the band --------------------------------------------------------------------

    def _info(self, payload: bytes) -> list[Event]:
        try:
            info = Info.from_bytes(payload)
        except FrameError:
            self.bad_frames += 1
            return []
        for calibration in info.calibrations:
            self._calibrations.add(calibration)
        for calibration in info.calibrations:
            if calibration.id == info.active_calibration:
                self._calibrations.add(calibration)
        if self._analysis is None:
            self._curve = info.curve
        known = self._power.info
        if self._power.device_us0 is None:
            self._power = PowerOn(info)
            return []
        if known is None or known.boot_id == info.boot_id:
            if known is not None and known.rate_hz != info.rate_hz:
                self._power.timeline.set_rate(info.rate_hz, info.ring_samples)
            self._power.info = info
            return []
        return self._new_power(info)

    def _new_power(self, info: Info | None) -> list[Event]:
        """The band was switched off and on: what it had not sent is lost, how much is unknown."""
        events = self._settle(end=True)
        self._power = PowerOn(info)
        self._in_gap = self._in_gap or self.samples > 0
        return events

    def _answer(self, payload: bytes) -> list[Event]:
        try:
            answer = Answer.from_bytes(payload)
            if answer.status is not Status.OK:
                return []
            if answer.opcode in (Opcode.TARE, Opcode.SET_CALIBRATION):
                return self._calibrated(answer.calibration())
            if answer.opcode in (Opcode.START, Opcode.STOP):
                index = answer.next_sample()
                if index is not None:
                    self._power.timeline.reached(index)
                return []
            if answer.opcode == Opcode.SET_RATE and answer.rate_hz() > 0:
                self._power.timeline.set_rate(answer.rate_hz())
        except FrameError:
            self.bad_frames += 1
        return []

    def _calibrated(self, calibration: Calibration) -> list[Event]:
        self._calibrations.add(calibration)
        return [Tared(calibration.id, calibration.zero_counts)]

    def _mark(self, payload: bytes) -> list[Event]:
        try:
            mark = json.loads(payload)
            kind = str(mark["kind"])
            if kind == "gave_up":
                self._power.timeline.give_up(int(mark["first"]), int(mark["count"]))
                return self._settle()
            return [Marked(kind[:100], str(mark.get("text", ""))[:1000])]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            self.bad_frames += 1
            return []

    def _end(self) -> list[Event]:
        self._ended = True
        events = self._settle(end=True) + self._gap_until(self._end_s)
        if self._analysis is not None:
            events += self._kept(self._analysis.flush())
        fit = self._power.clock.fit
        events.append(
            SessionEnded(
                duration_s=self._end_s,
                sets=len(self.sets),
                reps=sum(len(each.reps) for each in self.sets),
                samples=self.samples,
                missing=self.missing,
                bad_frames=self.bad_frames,
                skew_ppm=fit.skew_ppm if fit else None,
                clock_residual_ms=fit.residual_ms if fit else None,
            )
        )
        return events

    # -- out -------------------------------------------------------------------------------------

    def _tell(self, events: list[Event]) -> list[Told]:
        told = []
        for event in events:
            told.append(Told(self._row, self._seq, self._when(event), event))
            self._seq += 1
        return told

    def _when(self, event: Event) -> int:
        match event:
            case ForceSamples():
                return int(event.utc_us[-1])
            case RepAnnounced() | RepCorrected():
                return self._utc_us_at(event.rep.end_s)
            case SetClosed():
                return self._utc_us_at(event.summary.end_s)
            case RepWithdrawn() | LiveState():
                return self._utc_us_at(event.time_s)
            case GapFound():
                return self._utc_us_at(event.gap.start_s)
            case _:
                return self._now_us

    def _utc_us_at(self, time_s: float) -> int:
        """UTC of a moment on the session's time axis; receive time where nothing told a clock."""
        utc_us = self._axis.utc_us_at(time_s)
        return self._now_us if utc_us is None else utc_us
