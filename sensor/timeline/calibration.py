"""Raw counts to newtons, with every calibration that the band has reported."""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats, Ints
from sensor.wire.profile import Calibration


class CalibrationTable:
    """Calibrations by id. A tare adds one, so samples taken before it keep theirs."""

    def __init__(self) -> None:
        self._by_id: dict[int, Calibration] = {}
        self._last: Calibration | None = None
        self.unknown = 0
        """Frames that named a calibration the band never reported; the last one it did was used."""

    def add(self, calibration: Calibration) -> None:
        """Learn a calibration; one with the same id is replaced."""
        self._by_id[calibration.id] = self._last = calibration

    @property
    def known(self) -> bool:
        """Whether the band has reported any."""
        return self._last is not None

    def force_n(self, counts: Ints, calibration_id: int) -> Floats:
        """Force in N of raw counts, both of shape (n,); 1 N per count before any calibration."""
        calibration = self._by_id.get(calibration_id)
        if calibration is None:
            self.unknown += 1
            calibration = self._last or Calibration(calibration_id, 0, 1.0)
        return (counts - calibration.zero_counts).astype(np.float64) * calibration.newtons_per_count
