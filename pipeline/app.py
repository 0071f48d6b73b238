"""The composition root: joins a source, its recording, the session and all sinks."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.coach.workout import KIND
from pipeline.config import Config
from pipeline.delivery.coaching import Coaching, CoachSink
from pipeline.delivery.delivery import Delivery, DeliveryStatus
from pipeline.delivery.outlets import Outlets, open_outlets
from pipeline.delivery.recorder import Recorder
from pipeline.delivery.servers import Servers, open_servers
from pipeline.delivery.session_log import SessionLog
from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.sink import CommandHandler
from pipeline.views.keys import keys
from pipeline.views.process import ending_signals
from pipeline.views.terminal import TerminalLine
from sensor.errors import BandError
from sensor.recording.log import Recording
from sensor.source import About, Source
from sensor.timeline.ledger import Ledger

if TYPE_CHECKING:
    from pipeline.sinks.page.web import WebSink

LAST_DELIVERY_S = 5.0
"""How long a session's end waits for sinks that are behind; the recording keeps the rest."""
MOMENT_S = 0.1
"""That wait is counted in moments, not by the clock: a computer may stand still for seconds."""
LAST_SAMPLES_S = 8.0
"""How long a stopped source may bring what is still under way."""


class StoppableSource(Source, Protocol):
    """A source that can be asked to come to its end; go on iterating for the rest."""

    @property
    def about(self) -> About:
        """What the band says of itself, once the source is entered."""

    async def stop(self) -> None: ...

    def now_us(self) -> int:
        """Steady UTC of the source, in µs."""

    def clock_shift_us(self) -> int:
        """How far the computer's clock was set forward since that began, µs."""

    def follow(self, ledger: Callable[[], Ledger], /) -> None:
        """Bring, where that is possible, what this ledger misses."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session came to."""

    session: Session
    path: Path | None
    undelivered: tuple[DeliveryStatus, ...]
    not_recorded: int = 0
    """Notifications that the recording lacks, because the disk was full."""
    rows: int = 0
    """How many rows its recording should have."""


async def run_session(
    config: Config,
    source: StoppableSource,
    log: SessionLog,
    *,
    command: CommandHandler | None = None,
    duration_s: float | None = None,
    page_stays: bool = False,
    announce: Callable[[list[str]], None] = lambda lines: None,
    on_emitted: Callable[[list[Emitted]], None] = lambda emitted: None,
    coaching: Coaching | None = None,
    programme: str | None = None,
    asks: Sequence[tuple[float, str]] = (),
    servers: Servers | None = None,
    ending: asyncio.Event | None = None,
) -> Outcome:
    """Run one session until the source ends, the time is over, or somebody interrupts.

    Parameters
    ----------
    log
        A new recording to write; without one for a replay.
    command
        Carries out `tare`, `start` and `stop` of the page and of MQTT.
    page_stays
        When the source has ended, go on showing the page until somebody interrupts.
    coaching, programme
        The coach, and what it leads from the start; without a programme one may be chosen.
    asks
        What a simulated person asks of the coach, so many seconds after the first sample.
    announce
        Called once with what to say to the person, when everything listens.
    servers
        Page and broker that are there already, and stay; by default the session has its own.
    ending
        Set by whoever ends the session and hears the signals; by default it hears them itself.
    """
    session = Session()
    source.follow(lambda: session.ledger)
    recording = log.recording
    recorder: Recorder | None = None
    tasks_of_coach: list[asyncio.Task[None]] = []

    async def handle(name: str) -> str:
        if name.startswith("mark") and recorder is not None:
            recorder.mark("label", name.removeprefix("mark").strip() or "mark")
            return "marked"
        if name.startswith("coach ") and recorder is not None and coaching is not None:
            recorder.mark(KIND, coaching.ask(name.removeprefix("coach ")))
            return "done"
        if command is None:
            raise BandError("there is no band to command in a replay")
        return await command(name)

    async with AsyncExitStack() as stack:
        asked = stack.enter_context(interrupts()) if ending is None else ending
        terminal = stack.enter_context(closing(TerminalLine()))
        if servers is None:
            servers = await stack.enter_async_context(
                open_servers(config, broker=recording is not None)
            )
        page = servers.page
        notices = _Notices(terminal, page)
        if page is not None:
            page.begin(log.facts, handle, [] if coaching is None else coaching.offered)
        async with open_outlets(
            config, servers, recording, log.facts, handle, notices.notice
        ) as outlets:
            outlets.live.append(terminal)
            deliveries = _deliveries(recording, log.facts, outlets, notices)
            recorder = Recorder(
                recording,
                session,
                log.facts,
                live_sinks=outlets.live,
                deliveries=deliveries,
                now_us=source.now_us,
                clock_shift_us=source.clock_shift_us,
                notice=notices.notice,
            )
            if recording is not None:
                recording.set_facts({"sinks": outlets.lasting})
            announce(outlets.lines)
            tasks = _started(deliveries, asked)
            if coaching is not None:
                _join(coaching, programme, outlets, recorder, notices)
                tasks_of_coach = [
                    asyncio.create_task(coaching.keep_time()),
                    asyncio.create_task(keys(handle)),
                    asyncio.create_task(_ask_in_time(asks, session, handle)),
                ]
            recorder.watch()
            sync = asyncio.create_task(recorder.keep_synced())
            try:
                known = partial(_note_band, source, log, outlets)
                await _take_all(source, recorder, asked, duration_s, known, on_emitted)
                if page_stays and page is not None and not asked.is_set():
                    terminal.say("that was all of it; the page stays until Ctrl-C")
                    await asked.wait()
            finally:
                if recording is not None:
                    recorder.end()
                for each in (sync, *tasks_of_coach):
                    each.cancel()
                undelivered = await _finish(deliveries, tasks)
                recorder.finish()
                log.note_result(session, None if coaching is None else coaching.diary.workouts)
    path = recording.path if recording else None
    return Outcome(session, path, undelivered, recorder.not_recorded, recorder.row)


def _deliveries(
    recording: Recording | None, facts: SessionFacts, outlets: Outlets, notices: _Notices
) -> list[Delivery]:
    """One for each sink that follows the recording."""
    if recording is None:
        return []
    return [
        Delivery(recording, sink, facts, on_status=notices.status, on_rejected=notices.rejected)
        for sink in outlets.durable
    ]


def _started(deliveries: list[Delivery], asked: asyncio.Event) -> list[asyncio.Task[None]]:
    """Their tasks; one that ends early has failed: end the session, `_finish` says why."""
    tasks = [asyncio.create_task(each.run()) for each in deliveries]
    for task in tasks:
        task.add_done_callback(lambda _: asked.set())
    return tasks


def _join(
    coaching: Coaching,
    programme: str | None,
    outlets: Outlets,
    recorder: Recorder,
    notices: _Notices,
) -> None:
    """Let the coach follow the session, and be seen and heard."""
    coaching.mark = recorder.mark
    coaching.notice = partial(notices.notice, "warning", about="coach")
    outlets.live.append(coaching)
    coaching.sinks += [each for each in outlets.live if isinstance(each, CoachSink)]
    if programme is not None:
        recorder.mark(KIND, coaching.ask(f"begin {programme}"))


async def _ask_in_time(
    asks: Sequence[tuple[float, str]], session: Session, handle: CommandHandler
) -> None:
    """Ask the coach on behalf of a simulated person, by the band's clock."""
    for at_s, text in asks:
        while not session.samples or session.end_s < at_s:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(MOMENT_S)
        await handle(f"coach {text}")


class _Notices:
    """Sentences for the person, in the terminal and on the page."""

    def __init__(self, terminal: TerminalLine, page: WebSink | None) -> None:
        self._terminal = terminal
        self._page = page

    def notice(self, level: str, text: str, about: str = "session") -> None:
        self._terminal.say(text)
        if self._page is not None:
            self._page.notice(level, text, about)

    def status(self, status: DeliveryStatus) -> None:
        self._terminal.say(f"{status.sink}: {status.problem or 'delivering again'}")
        if self._page is not None:
            self._page.delivery(status.sink, status.waiting_rows, status.problem)

    def rejected(self, status: DeliveryStatus) -> None:
        text = f"{status.sink}: {status.rejected}"
        self.notice("warning", text, about=f"rejected by {status.sink}")


def _note_band(source: StoppableSource, log: SessionLog, outlets: Outlets) -> None:
    """Tell recording and listeners which band it is, now that this is known."""
    about = source.about
    log.note_band(about)
    for tell in outlets.about:
        tell(about)


async def _take_all(
    source: StoppableSource,
    recorder: Recorder,
    asked: asyncio.Event,
    duration_s: float | None,
    entered_first: Callable[[], None],
    on_emitted: Callable[[list[Emitted]], None],
) -> None:
    """Feed the recorder until the source ends, the time is over, or somebody asked for the end.

    The source is stopped gently: it tells the band, and brings what is still under way.
    """
    entered = asyncio.Event()

    async def pump() -> None:
        async with source:
            entered.set()
            entered_first()
            async for notification in source:
                on_emitted(recorder.take(notification))

    pumping = asyncio.create_task(pump())
    asking = asyncio.create_task(asked.wait())
    entering = asyncio.create_task(entered.wait())
    try:
        # the time to find a band is no time of the session
        await asyncio.wait({pumping, asking, entering}, return_when=asyncio.FIRST_COMPLETED)
        if entered.is_set():
            await asyncio.wait(
                {pumping, asking}, timeout=duration_s, return_when=asyncio.FIRST_COMPLETED
            )
        if not pumping.done() and entered.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_SAMPLES_S):
                    await source.stop()
                    await asyncio.shield(pumping)
        while not pumping.done():  # asyncio.wait_for of Python 3.11 may swallow a cancellation
            pumping.cancel()
            await asyncio.wait({pumping}, timeout=0.5)
        with suppress(asyncio.CancelledError):
            await pumping
    finally:
        asking.cancel()
        entering.cancel()


@contextmanager
def interrupts() -> Iterator[asyncio.Event]:
    """Set by Ctrl-C, SIGTERM and a closed terminal, for what runs to end by itself."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in ending_signals()}
    for number in before:
        try:
            loop.add_signal_handler(number, asked.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(asked.set))
    try:
        yield asked
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            # Not the system's own, which would kill while the recording is closed. A closed
            # terminal asks twice, a service's manager too; a second Ctrl-C is meant.
            again = asked.is_set() and callable(handler) and number != signal.SIGINT
            signal.signal(number, signal.SIG_IGN if again else handler)


async def _finish(
    deliveries: list[Delivery], tasks: list[asyncio.Task[None]]
) -> tuple[DeliveryStatus, ...]:
    """Give the sinks a moment to take what is left; name those that could not."""
    for delivery in deliveries:
        delivery.close()
    if tasks:
        late = set(tasks)
        for _ in range(round(LAST_DELIVERY_S / MOMENT_S)):
            _, late = await asyncio.wait(tasks, timeout=MOMENT_S)
            if not late:
                break
        for task in late:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
    statuses = [each.status for each in deliveries]
    return tuple(each for each in statuses if each.waiting_rows or each.rejected)
