"""Always on: a session whenever a band appears, one after the other, until it is told to end.

The page and the broker stay. A session ends after a pause without a pull or without its band; a
band that is still there then begins the next one when somebody pulls. docs/always-on.md has a
systemd unit, a container and a Raspberry Pi.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.options import (
    add_band_arguments,
    add_identity_arguments,
    add_mqtt_arguments,
    add_page_arguments,
    config_of,
    positive,
)
from pipeline.commands.programs import add_library_argument
from sensor.errors import BandError, LinkError, NotHeardError, RecordingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.config import Config
    from pipeline.delivery.servers import Servers
    from pipeline.session.events import Emitted
    from pipeline.sources.held import HeldBand
    from sensor.ble.source import BleSource
    from sensor.bumble_backend import BumbleCentral
    from sensor.samples import Notification

LISTEN_S = 30.0
"""A band that was not heard for so long was away: the next time, it begins a session at once."""
RETRY_S, LONGEST_RETRY_S = 5.0, 60.0
FOR_A_BAND = "Waiting for a band: switch it on and keep it near."
FOR_A_PULL = "The band is here. Pull, and the next session begins."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_band_arguments(parser)
    add_identity_arguments(parser)
    add_page_arguments(parser)
    add_mqtt_arguments(parser)
    add_library_argument(parser)
    parser.add_argument(
        "--pause",
        type=positive,
        metavar="S",
        help="a session ends after so long without a pull or a band",
    )


def run(args: argparse.Namespace) -> int:
    asyncio.run(_serve(config_of(args), args.library))
    return 0


async def _serve(config: Config, library: Path | None) -> None:
    from pipeline.app import interrupts
    from pipeline.commands.coaching import open_coaching
    from pipeline.delivery.outlets import influx_settings, mqtt_settings
    from pipeline.delivery.servers import open_servers
    from pipeline.delivery.session_log import check_data_dir
    from pipeline.views.manager import stay_alive, tell_manager

    # what is wrong with the settings is said at once, not when a band comes
    mqtt_settings(config)
    if config.influx.url is not None:
        influx_settings(config)
    open_coaching(config, library)
    check_data_dir(config.data_dir)
    async with AsyncExitStack() as stack:
        asked = stack.enter_context(interrupts())
        servers = await stack.enter_async_context(open_servers(config))
        print("\n".join(servers.lines), file=sys.stderr)
        alive = asyncio.create_task(stay_alive())
        stack.callback(alive.cancel)
        tell_manager("READY=1")
        await _Service(config, library, servers, asked).run()
        tell_manager("STOPPING=1")


class _Service:
    """Sessions one after the other.

    Parameters
    ----------
    asked
        Set when the service is to end.
    """

    def __init__(
        self, config: Config, library: Path | None, servers: Servers, asked: asyncio.Event
    ) -> None:
        self._config = config
        self._library = library
        self._servers = servers
        self._asked = asked
        self._ending: asyncio.Event | None = None
        """Ends the session that runs."""
        self._said = ""
        self._printed: set[str] = set()
        self._retry_s = RETRY_S
        self._until_pull = False
        """The last session ended because nobody pulled, and its band has not been away."""

    async def run(self) -> None:
        """Serve until it is asked for the end; a session comes to its own."""
        serving = asyncio.create_task(self._serve())
        asking = asyncio.create_task(self._asked.wait())
        await asyncio.wait({serving, asking}, return_when=asyncio.FIRST_COMPLETED)
        if self._ending is not None:
            self._ending.set()
        while not serving.done():
            if self._ending is None:
                serving.cancel()
            await asyncio.wait({serving}, timeout=0.2)
        asking.cancel()
        if not serving.cancelled():
            serving.result()

    async def _serve(self) -> None:
        from pipeline.sources.radio import open_radio

        while not self._asked.is_set():
            try:
                async with open_radio(self._config.band.transport) as central:
                    await self._over(central)
            except LinkError as error:
                await self._after(error)

    async def _over(self, central: BumbleCentral | None) -> None:
        """Serve over one radio until it fails."""
        while not self._asked.is_set():
            await self._hear(central)
            try:
                await self._connected(central)
            except (LinkError, RecordingError) as error:
                if central is not None and central.is_lost:
                    raise
                await self._after(error)

    async def _hear(self, central: BumbleCentral | None) -> None:
        """Return when a band is in the air; LinkError if the radio fails."""
        from sensor.ble.finder import find

        while True:
            self._wait(FOR_A_PULL if self._until_pull else FOR_A_BAND)
            try:
                await find(self._config.band.address, LISTEN_S, central=central)
            except NotHeardError:
                self._until_pull = False
            else:
                return

    async def _connected(self, central: BumbleCentral | None) -> None:
        """Connect to the band, and run a session with it; LinkError if there is no link to it."""
        from pipeline.sources.held import HeldBand
        from sensor.ble.source import BleSource

        band = self._config.band
        async with BleSource(
            band.address, central=central, pair=band.pair, scale=band.scale
        ) as source:
            held = HeldBand(source)
            if not self._until_pull or await held.wait_for(_Pulls().felt):
                await self._session(source, held)

    async def _session(self, source: BleSource, held: HeldBand) -> None:
        from pipeline.app import run_session
        from pipeline.commands.coaching import open_coaching
        from pipeline.commands.summary import print_outcome
        from pipeline.delivery.session_log import session_recording
        from pipeline.sources.band_commands import BandCommands
        from pipeline.views.manager import tell_manager

        self._said, self._retry_s = "", RETRY_S
        self._printed.clear()
        self._ending = asyncio.Event()
        pulls = _Pulls()
        ending = asyncio.create_task(pulls.end_after(self._config.serve.pause_s, self._ending))
        coaching = open_coaching(self._config, self._library)
        try:
            with session_recording(self._config) as log:
                tell_manager(f"STATUS=session {log.facts.session}")
                outcome = await run_session(
                    self._config,
                    held,
                    log,
                    command=BandCommands(source),
                    announce=self._announce,
                    on_emitted=pulls.note,
                    coaching=coaching,
                    servers=self._servers,
                    ending=self._ending,
                )
        finally:
            ending.cancel()
            self._ending = None
        print_outcome(outcome)
        sys.stdout.flush()
        self._until_pull = pulls.left_there

    def _announce(self, lines: list[str]) -> None:
        new = [line for line in lines if line not in self._servers.lines]
        print("\n".join(["a session begins", *new]), file=sys.stderr)

    async def _after(self, error: BandError) -> None:
        """Say what went wrong, and let a while pass: ever longer, up to the next session."""
        self._wait(f"{error}. Trying again.")
        await asyncio.sleep(self._retry_s)
        self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)

    def _wait(self, text: str) -> None:
        """Say what is waited for, where that is news; once in the log until the next session."""
        from pipeline.views.manager import tell_manager

        if text == self._said:
            return
        self._said = text
        if text not in self._printed:
            self._printed.add(text)
            print(text, file=sys.stderr)
        tell_manager(f"STATUS={text}")
        if self._servers.page is not None:
            self._servers.page.wait(text)


class _Pulls:
    """When somebody was there last: pulled, tared, or asked for something."""

    def __init__(self) -> None:
        from pipeline.session.session import Session

        self._session, self._row = Session(), 0
        self._last_s = _now_s()
        self._linked = True
        self.left_there = False
        """Whether the session was ended while its band was there."""

    def felt(self, notification: Notification) -> bool:
        """Whether this notification brings a pull; of a band that has no session yet."""
        before_s = self._last_s
        self._row += 1
        self.note(self._session.receive(notification, self._row))
        return self._last_s != before_s

    def note(self, emitted: Sequence[Emitted]) -> None:
        """Follow the events of a session."""
        from pipeline.analysis.types import LiveState, Phase
        from pipeline.coach.coach import TICK
        from pipeline.session.events import LinkChanged, Marked, Tared

        for each in emitted:
            match each.event:
                case LinkChanged() as link:
                    self._linked = link.up
                case LiveState(phase=Phase.CONCENTRIC | Phase.HOLD | Phase.ECCENTRIC) | Tared():
                    self._last_s = _now_s()
                case Marked() as mark if mark.kind in ("coach", "label") and mark.text != TICK:
                    self._last_s = _now_s()
                case _:
                    pass

    async def end_after(self, pause_s: float, ending: asyncio.Event) -> None:
        """Set `ending` when nobody has been there for so long."""
        while (left_s := self._last_s + pause_s - _now_s()) > 0:  # noqa: ASYNC110 - time passes
            await asyncio.sleep(left_s)
        self.left_there = self._linked
        ending.set()


def _now_s() -> float:
    return asyncio.get_running_loop().time()
