"""A session: notifications in, events out; no clock, no I/O.

Every event can be computed again from the recording, and comes out the same: live, from a replay at
any speed, and when a sink that was away catches up.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.types import (
    AnalysisEvent,
    Expect,
    Expectations,
    LiveState,
    Phase,
    Remarked,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
    Settings,
)
from pipeline.session.assembly import Assembly, Part, Remembered
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    Event,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.foreign import ForeignAssembly, allowed, settings_for
from pipeline.session.voided import voided
from sensor.drivers.attached import Attached
from sensor.drivers.driver import Driver
from sensor.samples import Batch, Channel, ForceBlock, Gap, Notification
from sensor.timeline.ledger import Ledger
from sensor.wire.profile import Calibration

STALLED_S = 0.5
"""Held back for longer than this, the phase is unknown."""
SCALE_LATE_S = 5.0
"""A device of another maker may be silent for so long and be there."""
STATES_PER_S = 4
EXPECT = "expect"
"""Of the marks that say what the person does from now on."""
TAIL = "what the band remembered of the session's end follows"
SMALL_BATCH = 16
MOST_TAILS = 50


class Session:
    """From a band's notifications to what happened.

    Parameters
    ----------
    live
        Whether to emit provisional reps and states and the samples themselves. Without, only what
        is final is emitted.
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
        self._expect = Expectations()
        self._assembly: Assembly | ForeignAssembly = Assembly(arrivals=live)
        self._seq = 0
        self._row = 0
        self._state: LiveState | None = None
        self._stalled_s = 0.0
        self._now_us = 0
        self._ended = False
        self._bad_marks = 0
        self.utc_shift_us = 0
        """How much later all was than its receive times say: the computer's clock was wrong."""
        self._utc_is_mended = False
        self._battery_percent: int | None = None
        self._untold: list[str] = []
        self._down = False
        self._tails = 0
        self.until_us: int | None = None
        """When the session was over, where what the band remembered of it came afterwards."""
        self.gaps: list[Gap] = []
        self.sets: list[SetClosed] = []
        self.remarks: list[str] = []
        """Sentences about the sensor."""
        self.blocks: list[ForceBlock] = []

    @property
    def samples(self) -> int:
        """How many samples are final."""
        return self._assembly.samples

    @property
    def end_s(self) -> float:
        """Time of the last final sample."""
        return self._assembly.end_s

    @property
    def missing(self) -> int:
        """How many samples are lost for good."""
        return self._assembly.missing

    @property
    def bad_frames(self) -> int:
        """Notifications that could not be read, or contradict the others."""
        return self._assembly.bad_frames + self._bad_marks

    @property
    def ledger(self) -> Ledger:
        """Which samples of the present power-on are there."""
        return self._assembly.ledger

    @property
    def started_utc_us(self) -> int | None:
        """UTC of the first sample; None before there is one."""
        utc_us = self._assembly.axis.utc_us_at(0.0)
        return None if utc_us is None else utc_us + self.utc_shift_us

    @property
    def power_ons(self) -> int:
        """How often the band was switched on, as its samples show."""
        return len(self._assembly.axis)

    @property
    def driver(self) -> Driver | None:
        """Of the device, where it is not our band."""
        return self._assembly.driver if isinstance(self._assembly, ForeignAssembly) else None

    @property
    def clock_facts(self) -> dict[str, float]:
        """The fit of the band's clock to UTC, for the recording; empty before there is one."""
        fit = self._assembly.clock_fit
        if fit is None:
            return {}
        return {
            "clock_device_us": fit.device_us,
            "clock_utc_us": round(fit.utc_us) + self.utc_shift_us,
            "skew_ppm": round(fit.skew_ppm, 2),
            "clock_residual_ms": round(fit.residual_ms, 3),
        }

    def mend_utc(self, shift_us: int | None) -> None:
        """What the log learns later of the computer's clock holds from its start; None: nothing."""
        if shift_us is not None:
            self.utc_shift_us, self._utc_is_mended = shift_us, True

    # -- in --------------------------------------------------------------------------------------

    def receive(self, notification: Notification, row: int) -> list[Emitted]:
        """Take the next row of the log; return what it makes known. Any bytes are taken."""
        if self._ended:
            return []
        self._row = row
        self._now_us = notification.received_us
        return self._emit(self._handle(notification) + self._doubts())

    def receive_batch(self, batch: Batch) -> list[Emitted]:
        """Take consecutive rows of one channel at once, where nothing live is asked for.

        Gives what `receive` gives one by one.
        """
        emitted: list[Emitted] = []
        if batch.channel is Channel.FORCE and not self._live:
            if not self._assembly.begun:
                emitted, batch = self._one_by_one(batch.part(0, 1)), batch.part(1)
            assembly = self._assembly
            block = assembly.batch(batch) if isinstance(assembly, Assembly) else None
            if block is not None:
                self._row, self._now_us = batch.last_row, batch.received_us[-1]
                return emitted + self._emit(self._analyse(block) + self._doubts())
        count = len(batch.received_us)
        if count <= SMALL_BATCH:
            return emitted + self._one_by_one(batch)
        half = count // 2
        parts = batch.part(0, half), batch.part(half)
        return emitted + [each for part in parts for each in self.receive_batch(part)]

    def _one_by_one(self, batch: Batch) -> list[Emitted]:
        return [emitted for row, each in batch.rows() for emitted in self.receive(each, row)]

    def finish(self) -> list[Emitted]:
        """End a session whose log has no end: its recorder was killed."""
        return self.receive(Notification(self._now_us, b"", Channel.END), self._row)

    def _handle(self, notification: Notification) -> list[Event]:
        payload = notification.payload
        match notification.channel:
            case Channel.FORCE:
                events = self._follow(self._assembly.frame(payload, notification.received_us))
                events += self._said()
                return events + self._stalled() if self._live and events else events
            case Channel.DRIVER:
                return self._attach(payload)
            case Channel.INFO:
                return self._follow(self._assembly.info(payload))
            case Channel.RESPONSE:
                return _tared(self._assembly.response(payload, notification.received_us))
            case Channel.BATTERY:
                return [BatteryChanged(payload[0])] if payload and payload[0] <= 100 else []
            case Channel.LINK:
                words = payload.decode("utf-8", "replace")[:500]
                up, reason = words == "up", words.removeprefix("down").lstrip(": ")
                self._down = not up and reason != "stopped"
                return [LinkChanged(up, reason)]
            case Channel.MARK:
                return self._mark(payload)
            case Channel.END:
                return self._end()
            case Channel.COMMAND:
                return []

    # -- devices of others -----------------------------------------------------------------------

    def _attach(self, payload: bytes) -> list[Event]:
        """The log says that a device was connected which is not ours."""
        try:
            attached = Attached.from_bytes(payload)
            assembly, driver = self._assembly, attached.driver
            if not isinstance(assembly, ForeignAssembly) or assembly.driver is not driver:
                if assembly.begun or assembly.samples:
                    raise ValueError(f"{driver.title} came into the session of another device")
                self._assembly = assembly = ForeignAssembly(driver, arrivals=self._live)
                self._settings = settings_for(self._settings, driver.capabilities)
                self._remark(f"{driver.title}: {driver.capabilities.words()}")
        except ValueError as error:
            self._bad_marks += 1
            self._remark(str(error))
            return self._take_remarks()
        events = self._follow(assembly.attach(attached.scale))
        return [*self._take_remarks(), *events]

    def _said(self) -> list[Event]:
        """What a device let us know beside its forces."""
        if not isinstance(self._assembly, ForeignAssembly):
            return []
        for sentence in self._assembly.take_said():
            self._remark(f"{self._assembly.driver.title}: {sentence}")
        events = self._take_remarks()
        percent = self._assembly.battery_percent
        if percent is not None and percent != self._battery_percent:
            self._battery_percent = percent
            events.append(BatteryChanged(percent))
        return events

    def _remark(self, text: str) -> None:
        self.remarks.append(text)
        self._untold.append(text)

    def _take_remarks(self) -> list[Event]:
        untold, self._untold = self._untold, []
        return [Marked("sensor", text) for text in untold]

    # -- samples ---------------------------------------------------------------------------------

    def _follow(self, parts: Iterable[Part]) -> list[Event]:
        """What follows from samples that arrived, became final, or are lost for good."""
        events: list[Event] = []
        for part in parts:
            match part:
                case ForceSamples():
                    events.append(part)
                case Gap():
                    self.gaps.append(part)
                    events.append(GapFound(part))
                case ForceBlock():
                    events += self._analyse(part)
        return events

    def _analyse(self, block: ForceBlock) -> list[Event]:
        if self._analysis is None:
            self._analysis = LiveAnalysis(
                self._settings, self._assembly.curve, expect=self._expect, live=self._live
            )
        if self._keep_samples:
            self.blocks.append(block)
        return self._kept(self._analysis.push(block))

    def _kept(self, events: Iterable[AnalysisEvent]) -> list[Event]:
        out: list[Event] = []
        for event in map(self._allowed, events):
            if isinstance(event, Remarked):
                self.remarks.append(event.text)
                out.append(Marked("sensor", event.text))
                continue
            if isinstance(event, SetClosed):
                self.sets.append(event)
            elif isinstance(event, LiveState):
                self._state = event
            out.append(event)
        return out

    def _allowed(self, event: AnalysisEvent) -> AnalysisEvent:
        """Without what the device's samples do not carry."""
        if (driver := self.driver) is None:
            return event
        match event:
            case RepAnnounced() | RepCorrected():
                return replace(event, rep=allowed(event.rep, driver.capabilities))
            case SetClosed():
                reps = tuple(allowed(rep, driver.capabilities) for rep in event.reps)
                return replace(event, reps=reps)
            case _:
                return event

    def _doubts(self) -> list[Event]:
        """What the band says that cannot be true."""
        if isinstance(self._assembly, Assembly) and self._assembly.remarks:
            texts, self._assembly.remarks = self._assembly.remarks, []
            for text in texts:
                self._remark(text)
            return self._take_remarks()
        return []

    def _stalled(self) -> list[Event]:
        """While missing samples may still come, say so four times a second instead of guessing."""
        held_s = self._assembly.held_s
        if held_s < STALLED_S:
            self._stalled_s = 0.0
            return []
        if held_s - self._stalled_s < 1 / STATES_PER_S:
            return []
        self._stalled_s = held_s
        state = self._state or LiveState(0.0, 0.0, Phase.UNKNOWN, 0, 0, None)
        return [replace(state, time_s=self._assembly.end_s + held_s, phase=Phase.UNKNOWN)]

    # -- what else the log says ------------------------------------------------------------------

    def _mark(self, payload: bytes) -> list[Event]:
        try:
            mark = json.loads(payload)
            kind = str(mark["kind"])
            if kind == "gave_up":
                self._assembly.ledger.give_up(int(mark["first"]), int(mark["count"]))
            elif kind == EXPECT:
                self._expect_from_now(Expect.of(str(mark["text"])))
                return []
            elif kind == "tail":
                return self._go_on(int(mark["first"]), int(mark["until_us"]), bool(mark["told"]))
            elif kind == "tare" and isinstance(self._assembly, ForeignAssembly):
                return _tared(self._assembly.tare())
            else:
                if kind == "clock" and not self._utc_is_mended:
                    self.utc_shift_us = min(max(int(mark["shift_us"]), -(2**53)), 2**53)
                return [Marked(kind[:100], str(mark.get("text", ""))[:1000])]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            self._bad_marks += 1
            return []
        return self._follow(self._assembly.settle())

    def _expect_from_now(self, expect: Expect) -> None:
        """What is final is so without it, so that it does not matter when it was looked at."""
        if self._analysis is None:
            self._expect = self._expect.then(0.0, expect)
        else:
            self._analysis.expect(self._assembly.end_s, expect)

    def _end(self) -> list[Event]:
        self._ended = True
        events = self._follow(self._assembly.finish())
        if self._analysis is not None:
            events += self._kept(self._analysis.flush())
        events += self._tail()
        fit = self._assembly.clock_fit
        events.append(
            SessionEnded(
                duration_s=self._assembly.end_s,
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

    def _tail(self) -> list[Event]:
        """Without the band at the end nobody knows what it took since its last frame."""
        assembly, streams, usual_s = self._assembly, None, SCALE_LATE_S
        if isinstance(assembly, Assembly):
            streams, usual_s = assembly.streams, assembly.usual_s
        if not (self._down if streams is None else streams) or not self.samples:
            return []
        until_us = self._now_us if self.until_us is None else self.until_us
        silent_s = (until_us - self._utc_us_at(assembly.end_s)) / 1e6
        if silent_s <= usual_s:
            return []
        gap = Gap(assembly.end_s, assembly.end_s + silent_s, None)
        self.gaps.append(gap)
        return [GapFound(gap)]

    @property
    def remembered(self) -> Remembered | None:
        """What the band may still have of the session, as far as it is taken in."""
        assembly = self._assembly
        if not isinstance(assembly, Assembly):
            return None
        went_on = self._down if assembly.streams is None else assembly.streams
        return assembly.remembered(went_on=went_on)

    def _go_on(self, first: int, until_us: int, told: bool) -> list[Event]:
        """What the band remembered of the end follows; what was told of that end is void."""
        if not isinstance(self._assembly, Assembly) or self._tails >= MOST_TAILS:
            raise ValueError("nothing can follow")
        self._tails += 1
        before = self._as_if_ended(until_us) if told else []
        self._seq += len(before)
        self.until_us = until_us
        self._assembly.go_on(first)
        return [Marked("tail", TAIL), *(void for each in before for void in voided(each.event))]

    def _as_if_ended(self, at_us: int) -> list[Emitted]:
        """What the log's end at a moment made known."""
        known: list[list[Any]] = [self.gaps, self.sets, self.remarks]
        memo: dict[int, Any] = {id(self.blocks): [], **{id(each): [*each] for each in known}}
        other = copy.deepcopy(self, memo)
        return other.receive(Notification(at_us, b"", Channel.END), self._row)

    # -- out -------------------------------------------------------------------------------------

    def _emit(self, events: list[Event]) -> list[Emitted]:
        emitted, shift_us = [], self.utc_shift_us
        for event in events:
            utc_us = self._when(event) + shift_us
            if shift_us and isinstance(event, ForceSamples):
                event = replace(event, utc_us=event.utc_us + shift_us)  # noqa: PLW2901
            emitted.append(Emitted(self._row, self._seq, utc_us, event))
            self._seq += 1
        return emitted

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
        """UTC of a moment on the session's time axis; receive time where no clock is known."""
        utc_us = self._assembly.axis.utc_us_at(time_s)
        return self._now_us if utc_us is None else utc_us


def _tared(calibration: Calibration | None) -> list[Event]:
    return [Tared(calibration.id, calibration.zero_counts)] if calibration else []
