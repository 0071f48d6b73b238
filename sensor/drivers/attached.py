"""The row of a recording that says which driver reads what follows."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sensor.drivers.driver import Driver
from sensor.drivers.registry import driver_named


@dataclass(frozen=True, slots=True)
class Attached:
    """What the log says when a device is connected: its driver, and newtons per unit of it."""

    driver: Driver
    scale: float = 1.0

    def __bytes__(self) -> bytes:
        return json.dumps({"driver": self.driver.name, "scale": self.scale}).encode()

    @classmethod
    def from_bytes(cls, payload: bytes) -> Attached:
        """Read a row of the log; ValueError, with a sentence, for what this version cannot use."""
        try:
            said = json.loads(payload)
            name, scale = str(said["driver"]), float(said.get("scale", 1.0))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("a damaged row names no driver") from error
        driver = driver_named(name)
        if driver is None:
            raise ValueError(f"no driver {name[:40]!r} in this version: update forceband")
        if not 0 < abs(scale) < 1e6:
            raise ValueError(f"a scale of {scale:g} newtons makes no sense")
        return cls(driver, scale)
