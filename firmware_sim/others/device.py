"""A gauge that is not ours, pure: time and writes in, notifications out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sensor.samples import Floats

Sent = tuple[str, bytes]
"""A characteristic's UUID and the value to notify; an empty UUID is an advertisement's data."""


WARM_S = 60.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong, as seen on real devices. Times are s since the stream began."""

    rate_ratio: float = 1.0
    """True rate over nominal: an HX711 was measured at 0.967 to 1.17."""
    noise_sd_n: float = 0.1
    offset_n: float = 0.0
    """What it shows without load."""
    pad: int = 0
    """Zero bytes behind each notification, as a clone of the Progressor sends."""
    one_each: bool = False
    """A sample in each notification, as such a clone does."""
    chunk: int = 20
    """Bytes of a serial line that go together."""
    start_us: int = 0
    """Where its clock or its count stands at first: near the end it soon wraps."""
    restart_at_s: float = np.inf
    """When its clock or its count begins again."""
    gap_s: tuple[float, float] = (np.inf, np.inf)
    """Between these nothing is sent, and the link stays."""
    twice_at_s: float = np.inf
    """Of this moment a notification is sent twice."""
    swap_at_s: float = np.inf
    """Of this moment two notifications change places."""
    low_power_at_s: float = np.inf
    """It warns and turns itself off."""
    hold_s: tuple[float, float] = (np.inf, np.inf)
    """Somebody presses HOLD."""
    pounds_at_s: float = np.inf
    """Somebody presses the unit's button."""
    pushed_s: tuple[float, float] = (np.inf, np.inf)
    """It is compressed, which it cannot measure."""
    most_n: float = np.inf
    """Its sensor or amplifier takes no more: beyond, it shows this."""
    drift_n: float = 0.0
    """How far its zero goes after it was switched on cold, most of it within two minutes."""
    cut_to: int = 512
    """Bytes after which a notification ends, as where the link's MTU is too small."""
    hundredths: bool = False
    """It writes forces as whole hundredths, as Chronojump does from version 0.2 on."""
    nameless: bool = False
    """Its advertisement has no name."""


class OtherDevice(ABC):
    """Samples evenly while it streams; `encode` of a kind makes its notifications.

    Parameters
    ----------
    force_n
        Force at times (n,) in s since the stream began first.
    """

    rate_hz = 80.0
    bundle = 8

    def __init__(
        self, force_n: Callable[[Floats], Floats], trouble: Trouble | None = None, seed: int = 1
    ) -> None:
        self.trouble = trouble or Trouble()
        self.streaming = False
        self.off = False
        self.sampled = 0
        """Samples of this stream."""
        self.began_s: float | None = None
        """When the stream began first."""
        self._force_n = force_n
        self._rng = np.random.default_rng((seed, 0x07E6))
        self._start_s = 0.0
        self._queue: list[Sent] = []
        self._swapped: list[Sent] = []
        self._done: set[str] = set()
        self._from = 0
        self.taken: list[tuple[float, float]] = []
        """Time since `began_s` and force of each sample that was sent, or lost on the way."""
        if self.trouble.one_each:
            self.bundle = 1

    # -- for a kind to fill in -----------------------------------------------------------------

    def write(self, uuid: str, value: bytes, now_s: float) -> None:  # noqa: B027
        """What a client wrote; some devices only send."""

    @abstractmethod
    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        """Notifications of samples (n,) from `index` on, at times since the stream began first."""

    def farewell(self) -> list[Sent]:
        """What it says before it turns itself off."""
        return []

    # -- what all do ---------------------------------------------------------------------------

    def start(self, now_s: float) -> None:
        """Stream from now on; its clock begins at 0."""
        self.streaming, self._start_s, self.sampled = True, now_s, 0
        self.began_s = now_s if self.began_s is None else self.began_s

    def stop(self) -> None:
        """Fall silent."""
        self.streaming = False

    def link_lost(self) -> None:
        """Nobody listens."""
        self.stop()
        self._queue.clear()

    @property
    def true_hz(self) -> float:
        return self.rate_hz * self.trouble.rate_ratio

    def due_s(self) -> float:
        """When `pump` has something to send; inf while silent."""
        if self._queue:
            return 0.0
        if not self.streaming:
            return float(np.inf)
        return self._start_s + (self.sampled + self.bundle - 1) / self.true_hz

    def pump(self, now_s: float) -> list[Sent]:
        """All that is to be sent by now."""
        out, self._queue = self._queue, []
        while self.streaming and self.due_s() <= now_s + 1e-9:
            out += self._bundle()
        return out

    def answer(self, uuid: str, value: bytes) -> None:
        """Put what a command is answered with."""
        self._queue.append((uuid, value))

    def _bundle(self) -> list[Sent]:
        assert self.began_s is not None
        index = np.arange(self.sampled, self.sampled + self.bundle)
        time_s = self._start_s - self.began_s + index / self.true_hz
        noise = self._rng.normal(0, self.trouble.noise_sd_n, index.size)
        drift_n = self.trouble.drift_n * -np.expm1(-time_s / WARM_S)
        force_n = self._force_n(time_s) + self.trouble.offset_n + drift_n + noise
        force_n = np.clip(force_n, -self.trouble.most_n, self.trouble.most_n)
        self.taken += zip(time_s.tolist(), force_n.tolist(), strict=True)
        self.sampled += self.bundle
        at_s = float(time_s[0])
        if at_s >= self.trouble.low_power_at_s and self._once("low power"):
            self.stop()
            self.off = True
            return self.farewell()
        sent = [
            (uuid, value[: self.trouble.cut_to])
            for uuid, value in self.encode(int(index[0]), time_s, force_n)
        ]
        begin_s, end_s = self.trouble.gap_s
        if begin_s <= at_s < end_s:
            return []
        if at_s >= self.trouble.twice_at_s and self._once("twice"):
            return sent + sent
        if at_s >= self.trouble.swap_at_s and self._once("swap"):
            self._swapped = sent
            return []
        late, self._swapped = self._swapped, []
        return sent + late

    def _once(self, what: str) -> bool:
        new = what not in self._done
        self._done.add(what)
        return new

    def counted(self, index: int, at_s: float) -> int:
        """How many samples the device believes to have taken: it may have begun again."""
        if at_s < self.trouble.restart_at_s:
            return index
        if "restart" not in self._done:
            self._done.add("restart")
            self._from = index
        return index - self._from


def during(span_s: tuple[float, float], at_s: float) -> bool:
    """Whether a moment lies within a span."""
    return span_s[0] <= at_s < span_s[1]
