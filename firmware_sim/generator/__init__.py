"""Sessions whose true reps are known: a person, a band and a gauge, apart from the simulated band.

The person's force is drawn without noise on a grid of 1 kHz; the truth is read off that curve by
the definitions of docs/analysis.md; then a gauge with its faults samples it.
"""

from firmware_sim.generator.kinds import KINDS, make_session
from firmware_sim.generator.truth import TrueRep, Truth

__all__ = ["KINDS", "TrueRep", "Truth", "make_session"]
