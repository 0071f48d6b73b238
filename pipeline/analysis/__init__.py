"""From force to reps, phases, sets and metrics: pure functions and one stage with state."""
