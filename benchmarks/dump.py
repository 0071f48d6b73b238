"""A drawn session as files to look at: NAME.csv as `forceband analyse` reads it, NAME.json."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np

from firmware_sim.generator.kinds import Session


def write(session: Session, folder: Path) -> Path:
    """Write samples and truth; the path of the samples."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-z0-9.-]+", "_", session.kind.lower())
    path = folder / f"{name}-{session.seed}.csv"
    columns = np.c_[session.time_s, session.force_n]
    np.savetxt(path, columns, "%.6f", ",", header="time_s,force_n", comments="")
    truth = {"kind": session.kind, "seed": session.seed, "rate_hz": session.rate_hz}
    truth |= {"tags": session.plan.tags, **asdict(session.truth)}
    path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return path
