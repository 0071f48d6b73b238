"""What of a running session is shown now, and how often: force batches, state, status.

Knows no clock: every call gives the time in seconds on one that never steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from pipeline.session.events import Emitted, ForceSamples
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.happenings import Happenings
from pipeline.sinks.mqtt.messages import OFFLINE, ONLINE, Message, Topics, to_json
from pipeline.sinks.mqtt.state import DeviceState

FORCE_EVERY_S = 0.06
STATE_EVERY_S = 1.0
HEARTBEAT_S = 30.0
MOST_SAMPLES = 4000
"""Kept between two batches; older ones are dropped when a replay outruns the network."""
MOST_HAPPENINGS = 20
NEWTON_DECIMALS = 3
NEVER = float("inf")


class LiveFeed:
    """Turns the events of one device into the messages that are due.

    Resent samples are left out: a live curve has moved on, and the recording has them.
    """

    def __init__(
        self, base: str, facts: SessionFacts, home_assistant: bool, program: str = ""
    ) -> None:
        self.facts = facts
        self.dropped_samples = 0
        self._program = program
        self._topics = Topics(base, facts.device)
        self._home_assistant = home_assistant
        self._state = DeviceState(facts)
        self._automates = Happenings(base)
        self._blocks: deque[ForceSamples] = deque()
        self._waiting_samples = 0
        self._happenings: deque[Message] = deque(maxlen=MOST_HAPPENINGS)
        self._force_at_s = self._state_at_s = -NEVER
        self._shown_state: object = None
        self._shown_status: bytes | None = None
        self._shown_last_set: object = None

    def take(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        """Fold events in; `due` tells what follows from them."""
        if facts.session != self.facts.session:
            self._state = DeviceState(facts, battery_percent=self._state.battery_percent)
        self.facts = self._state.facts = facts
        # a replay must not switch the light on
        automates = self._home_assistant and facts.replay_speed is None
        for each in emitted:
            self._state.take(each)
            if isinstance(each.event, ForceSamples):
                self._keep(each.event)
            elif automates:
                self._happenings += self._automates.take(facts, each)

    def due(self, now_s: float) -> list[Message]:
        """The messages to publish now.

        A band that comes is preceded by its state, and one that goes is followed by it: whoever
        believes the status never shows the force of another time. A set's end comes before both.
        """
        messages = list(self._happenings)
        self._happenings.clear()
        messages += self._last_set()
        status = self._status()
        if status:
            self._state_at_s = -NEVER
        if not self._state.online:
            messages += status
        if self._blocks and now_s >= self._force_at_s + FORCE_EVERY_S:
            self._force_at_s = now_s
            messages += self._force()
        if now_s >= self._state_due_s():
            self._state_at_s = now_s
            messages.append(self._state_message())
        if self._state.online:
            messages += status
        return messages

    def next_due_s(self) -> float:
        """When `due` has something to say if nothing more happens."""
        force_s = self._force_at_s + FORCE_EVERY_S if self._blocks else NEVER
        return min(force_s, self._state_due_s())

    def renew(self) -> None:
        """Have status and state told again: a broker may have forgotten them."""
        self._shown_state = self._shown_status = self._shown_last_set = None
        self._state_at_s = -NEVER

    def skip(self) -> int:
        """Forget what is waiting while nobody listens; the number of messages lost so."""
        lost = len(self._happenings) + bool(self._blocks)
        self.dropped_samples += self._waiting_samples
        self._blocks.clear()
        self._happenings.clear()
        self._waiting_samples = 0
        return lost

    def _keep(self, samples: ForceSamples) -> None:
        if samples.late or not len(samples.force_n):
            return
        self._blocks.append(samples)
        self._waiting_samples += len(samples.force_n)
        while self._waiting_samples > MOST_SAMPLES and len(self._blocks) > 1:
            oldest = len(self._blocks.popleft().force_n)
            self._waiting_samples -= oldest
            self.dropped_samples += oldest

    def _status(self) -> list[Message]:
        status = ONLINE if self._state.online else OFFLINE
        if status == self._shown_status:
            return []
        self._shown_status = status
        return [Message(self._topics.status, status, retain=True)]

    def _state_message(self) -> Message:
        self._shown_state = self._state.summary()
        replay = self.facts.replay_speed is not None
        more = {"replay": replay, "program": self._program, **self._state.when()}
        body = to_json({**self._shown_state, **more})
        return Message(self._topics.state, body, qos=0, retain=True)

    def _last_set(self) -> list[Message]:
        last = self._state.last_set
        if last is None or last == self._shown_last_set:
            return []
        self._shown_last_set = last
        return [Message(self._topics.last_set, to_json(last), retain=True)]

    def _state_due_s(self) -> float:
        changed = self._state.summary() != self._shown_state
        return self._state_at_s + (STATE_EVERY_S if changed else HEARTBEAT_S)

    def _force(self) -> list[Message]:
        """One batch for each run of samples without a gap."""
        runs: list[list[ForceSamples]] = []
        for block in self._blocks:
            last = runs[-1][-1] if runs else None
            if last is not None and block.index == last.index + len(last.force_n):
                runs[-1].append(block)
            else:
                runs.append([block])
        self._blocks.clear()
        self._waiting_samples = 0
        return [self._batch(run) for run in runs]

    def _batch(self, run: Sequence[ForceSamples]) -> Message:
        force_n = np.concatenate([block.force_n for block in run])
        utc_us = np.concatenate([block.utc_us for block in run])
        apart_us = (utc_us[-1] - utc_us[0]) / (len(utc_us) - 1) if len(utc_us) > 1 else 0.0
        body = {
            "session": self.facts.session,
            "index": run[0].index,
            "t0_us": utc_us[0],
            "dt_us": round(float(apart_us), 1),
            "n": np.round(force_n, NEWTON_DECIMALS),
        }
        return Message(self._topics.force, to_json(body), qos=0)
