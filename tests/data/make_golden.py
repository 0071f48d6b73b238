"""Makes the golden recording: `python -m tests.data.make_golden`.

A simulated person does the default workout on a band whose ADC runs at 88.2 Hz instead of 80, over
a radio that loses 3 % of the notifications, damages some and is out of reach for 20 s. What the
person really did is written beside it; the recording is made once and then kept, so that a later
version is held against the bytes of an earlier one.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from firmware_sim.band import Band, BandSetup
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.offline import Radio, notifications
from firmware_sim.radio.faults import Chances
from sensor.recording.log import Recording

FOLDER = Path(__file__).parent
GOLDEN = FOLDER / "workout.forceband"
TRUTH = FOLDER / "workout.json"
PPM = 120.0


def main() -> None:
    """Write recording and truth."""
    band = Band(BandSetup(seed=2026, clock=ClockConfig(rate_ratio=1.1025, ppm=PPM)))
    radio = Radio(Chances(drop=0.03, corrupt=0.005, stall=0.002), outages=((63.0, 20.0),))
    GOLDEN.unlink(missing_ok=True)
    with Recording.create(GOLDEN, {"session": "golden", "device": "band"}) as recording:
        recording.extend(list(notifications(band, radio=radio)))
    began_s = band.firmware.sample_time_s(0)
    truth = [_rounded(asdict(pull.shifted(-began_s))) for pull in band.truth()]
    TRUTH.write_text(json.dumps(truth, indent=1) + "\n", "utf-8")
    print(f"{GOLDEN.stat().st_size} bytes, {len(truth)} pulls")


def _rounded(fields: dict[str, Any]) -> dict[str, Any]:
    """Times as the band's own clock, which runs fast, tells them."""
    fields = {k: v * (1 + PPM * 1e-6) if k.endswith("_s") else v for k, v in fields.items()}
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in fields.items()}


if __name__ == "__main__":
    main()
