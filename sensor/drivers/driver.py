"""What a driver is: how to know a device, what to write to it, and how to read what it sends."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np

from sensor.samples import Floats, Ints

KGF_N = 9.80665
LBF_N = 4.4482216152605
CUT = "its notifications come cut short: the Bluetooth adapter allows too small an MTU"
MIN_RFD_HZ = 50.0
COARSE_N = 1.0
"""A step of the force larger than this is named as an uncertainty."""
SLOW_HZ = 20.0
"""Below, no phase shorter than `SHORTEST_PHASE_S` is told."""
SHORTEST_PHASE_S = 0.5


class Timing(StrEnum):
    """How one knows when a sample was taken, and whether one before it is missing."""

    STAMPED = "stamped"
    """The device stamps each sample with its clock: losses show."""
    COUNTED = "counted"
    """The device counts its samples, which it takes evenly: losses are exact."""
    EVEN = "even"
    """Samples are even, nothing counts them: a long silence shows, a single loss does not."""
    ARRIVAL = "arrival"
    """A sample is as old as its arrival; what did not arrive does not show."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a device can do, and so which metrics of its forces mean anything."""

    timing: Timing
    rate_hz: float | None
    """Nominal; None where nobody says."""
    resolution_n: float = 0.0
    """Step of the force; 0 for one below the noise."""
    signed: bool = True
    own_tare: bool = False
    """Zero is set by us either way, so that it can be computed again."""
    verified: bool = True
    """False: only one implementation is known, and nobody has checked it against a weight."""
    in_counts: bool = False
    """It sends raw counts: somebody has to say how many newtons one is."""

    @property
    def names_losses(self) -> bool:
        return self.timing in (Timing.STAMPED, Timing.COUNTED)

    @property
    def tells_rfd(self) -> bool:
        """Whether its samples are even and fine enough for a rate of force development."""
        fast = self.rate_hz is None or self.rate_hz >= MIN_RFD_HZ
        return self.names_losses and fast and self.resolution_n < COARSE_N

    @property
    def shortest_phase_s(self) -> float:
        """The shortest phase that may be told, s."""
        slow = self.rate_hz is not None and self.rate_hz < SLOW_HZ
        return SHORTEST_PHASE_S if slow else 0.0

    def words(self) -> str:
        """All of it, for a person."""
        parts = [
            "rate not documented" if self.rate_hz is None else f"about {self.rate_hz:g} Hz",
            {
                Timing.STAMPED: "own clock",
                Timing.COUNTED: "counts its samples",
                Timing.EVEN: "no clock",
                Timing.ARRIVAL: "no clock",
            }[self.timing],
            "losses are named" if self.names_losses else "a lost sample does not show",
        ]
        if self.resolution_n >= COARSE_N:
            parts.append(f"force ± {self.resolution_n / 2:.1f} N")
        if not self.signed:
            parts.append("no force below zero")
        if not self.tells_rfd:
            parts.append("no rate of force development")
        if self.shortest_phase_s:
            parts.append(f"no phase below {self.shortest_phase_s:g} s")
        if self.in_counts:
            parts.append("needs a calibration")
        if not self.verified:
            parts.append("format unverified: only with --address")
        return ", ".join(parts)


@dataclass(slots=True)
class Decoded:
    """What a payload held: forces in N, and a stamp for each where the device gives one."""

    force_n: list[float] = field(default_factory=list)
    """NaN where the device says that it does not know, or what it says cannot be."""
    stamps: list[int] = field(default_factory=list)
    bad: int = 0
    """Parts that could not be read."""
    said: list[str] = field(default_factory=list)
    """Sentences about the device."""
    battery_percent: int | None = None

    def arrays(self) -> tuple[Floats, Ints | None]:
        """Forces (n,), and stamps (n,) or None."""
        stamps = np.array(self.stamps, np.int64) if self.stamps else None
        return np.array(self.force_n, np.float64), stamps


class Decoder(Protocol):
    """The state of one link: frames may be split over payloads."""

    def receive(self, payload: bytes, /) -> Decoded:
        """Take any bytes; nothing is raised."""


@dataclass(frozen=True, slots=True)
class Write:
    """One value to write. `with_response` as the device wants it; then a wait."""

    uuid: str
    value: bytes
    with_response: bool = False
    then_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An advertisement: all parts may be missing."""

    name: str | None
    service_uuids: Sequence[str] = ()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Driver:
    """A family of devices.

    Parameters
    ----------
    name, title
        The name stands in recordings: never change it. The title is for people.
    decoder
        Makes a decoder for one link; its argument is newtons per count, or a correcting factor for
        a device that sends newtons.
    services, names, prefixes
        What an advertisement has at least one of: a service, a whole name, the start of one.
    notify
        Characteristics to hear. Of several, each payload is recorded behind a byte with its place.
    start, stop
        What to write when all is heard, and before leaving.
    company
        Manufacturer number whose data are the payloads: the device is heard, never connected to.
    tick_us, wrap
        Of a stamp: what one is, µs, and where it begins again.
    min_mtu
        Of its longest notification.
    patience_s
        How long it may be silent.
    """

    name: str
    title: str
    capabilities: Capabilities
    decoder: Callable[[float], Decoder]
    services: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    start: tuple[Write, ...] = ()
    stop: tuple[Write, ...] = ()
    company: int | None = None
    is_own: Callable[[bytes], bool] = lambda data: True
    """Whether data of the company are of such a device: numbers are used by many."""
    tick_us: int = 1
    wrap: int = 2**32
    min_mtu: int = 23
    patience_s: float = 3.0
    automatic: bool = True
    """Whether to take it for the band where nobody named one."""

    def knows(self, heard: Heard) -> bool:
        """Whether an advertisement is of such a device."""
        if self.company is not None:
            data = heard.manufacturer_data.get(self.company)
            return data is not None and self.is_own(data)
        name = heard.name or ""
        return (
            any(uuid in heard.service_uuids for uuid in self.services)
            or name in self.names
            or name.startswith(self.prefixes)
        )


def charge_percent(now: float, empty: float, full: float) -> int:
    """Charge of a lithium cell by its voltage, in any unit."""
    return round(100 * min(max((now - empty) / (full - empty), 0.0), 1.0))


def plausible(force_n: float, most_n: float) -> float:
    """A force, or NaN for one that no such device can mean."""
    return force_n if math.isfinite(force_n) and abs(force_n) <= most_n else math.nan
