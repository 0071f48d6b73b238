"""Commands that arrive over MQTT: which are obeyed, how often, and what is answered.

Whatever the payload, the outcome is a command, a sentence why not, or nothing at all.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.sinks.mqtt.messages import Message, Topics, to_json, utc_text
from pipeline.sinks.sink import CommandHandler
from sensor.errors import BandError

logger = logging.getLogger(__name__)

COMMANDS = ("tare", "start", "stop", "identify")
COACH = ("coach-start", "coach-skip", "coach-pause", "coach-repeat", "coach-stop")
"""What may be asked of the coach."""
MOST_BYTES = 1024
LONGEST_REQUEST = 64
WORD = re.compile(r"[a-z0-9-]{1,32}")
BURST, PER_S = 5.0, 1.0
MOST_WAITING = 8
ANSWER_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Command:
    """What somebody asked of a device; `request` is theirs, to find the answer by."""

    device: str
    name: str
    request: str | None = None
    refusal: str | None = None
    """Why it is not carried out."""


class RateLimit:
    """Admits a burst, and then so many a second."""

    def __init__(self, burst: float = BURST, per_s: float = PER_S) -> None:
        self._burst = self._left = burst
        self._per_s = per_s
        self._at_s: float | None = None

    def admits(self, now_s: float) -> bool:
        """Whether one more may pass at `now_s`, on a clock that never steps."""
        passed_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._at_s = now_s
        self._left = min(self._burst, self._left + passed_s * self._per_s)
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


def parse_command(base: str, topic: str, payload: bytes) -> Command | None:
    """The command in a message, with its refusal if it is not one of ours.

    The payload is `PRESS`, or a JSON object with an optional `request` (at most 64 characters).
    None means that the topic is not a command's: there is nobody to answer.
    """
    levels = topic.removeprefix(f"{base}/").split("/")
    if not topic.startswith(f"{base}/") or len(levels) != 3 or levels[1] != "cmd":
        return None
    device, _, name = levels
    if not WORD.fullmatch(device) or not WORD.fullmatch(name):
        return None
    if name not in COMMANDS + COACH:
        known = ", ".join(COMMANDS + COACH)
        return Command(device, name, refusal=f"unknown command: use {known}")
    if len(payload) > MOST_BYTES:
        return Command(device, name, refusal=f"the payload is longer than {MOST_BYTES} bytes")
    if payload.strip().upper() == b"PRESS":
        return Command(device, name)
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return Command(device, name, refusal="the payload is neither PRESS nor a JSON object")
    request = body.get("request")
    if request is not None and not (isinstance(request, str) and len(request) <= LONGEST_REQUEST):
        limit = f"request is not a text of at most {LONGEST_REQUEST} characters"
        return Command(device, name, refusal=limit)
    return Command(device, name, request)


class CommandDesk:
    """Takes commands from paho's thread and has them carried out one after the other.

    Parameters
    ----------
    carry_out : CommandHandler
        Called on the event loop.
    knows : callable
        Whether a device is one of ours; commands for others are not even answered.
    answer : callable
        Publishes an answer.
    """

    def __init__(
        self,
        base: str,
        carry_out: CommandHandler,
        knows: Callable[[str], bool],
        answer: Callable[[Message], object],
    ) -> None:
        self._base = base
        self._carry_out = carry_out
        self._knows = knows
        self._answer = answer
        self._limit = RateLimit()
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[Command] = asyncio.Queue(MOST_WAITING)

    def hear(self, topic: str, payload: bytes) -> None:
        """Take a message in, in paho's thread; what exceeds the limit is left there."""
        command = parse_command(self._base, topic, payload)
        if command is None or not self._knows(command.device):
            return
        if self._limit.admits(time.monotonic()):
            self._loop.call_soon_threadsafe(self._take, command)
        else:
            logger.debug("MQTT: too many commands, one dropped")

    async def work(self) -> None:
        """Carry out what was taken in, until cancelled."""
        while True:
            command = await self._waiting.get()
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    result = await self._carry_out(command.name.replace("coach-", "coach "))
            except BandError as error:
                self._reply(command, error=str(error))
            except TimeoutError:
                self._reply(command, error=f"no answer within {ANSWER_WITHIN_S:g} s")
            except Exception:
                # a button pressed in another room must not end the session
                logger.exception("MQTT: the command %s failed", command.name)
                self._reply(command, error="it failed for an unforeseen reason; see the log")
            else:
                self._reply(command, result=result)

    def _take(self, command: Command) -> None:
        if command.refusal is not None:
            self._reply(command, error=command.refusal)
            return
        try:
            self._waiting.put_nowait(command)
        except asyncio.QueueFull:
            self._reply(command, error=f"{MOST_WAITING} commands are waiting already")

    def _reply(
        self, command: Command, *, result: str | None = None, error: str | None = None
    ) -> None:
        utc_us = time.time_ns() // 1000
        body = {
            "id": secrets.token_hex(8),
            "command": command.name,
            "request": command.request,
            "ok": error is None,
            "result": result,
            "error": error,
            "utc": utc_text(utc_us),
            "utc_us": utc_us,
        }
        self._answer(Message(Topics(self._base, command.device).event("command"), to_json(body)))
