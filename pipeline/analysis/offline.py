"""The analysis of samples that are all there: the live analysis, told everything at once."""

from __future__ import annotations

from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.result import Analysis, Partial, Rep, SetSummary
from pipeline.analysis.settings import Settings
from pipeline.analysis.stamps import repaired
from pipeline.session.events import SetClosed
from sensor.samples import Floats, ForceBlock
from sensor.wire.profile import BandCurve


def analyse(
    time_s: Floats,
    force_n: Floats,
    *,
    curve: BandCurve | None = None,
    settings: Settings | None = None,
) -> Analysis:
    """Find the reps, partials, sets and gaps in samples of force.

    Parameters
    ----------
    time_s, force_n : (n,)
        Time in s in the order of the samples, at any rate from about 10 Hz, even or not; stamps may
        repeat or lag. Force in N; nan where a sample is unknown.
    curve
        The band's force-elongation curve, for the metrics that need it.

    Raises
    ------
    ValueError
        If the arrays do not match or the samples are not in the order of time.
    """
    times, forces = repaired(time_s, force_n)
    live = LiveAnalysis(settings, curve, live=False)
    events = live.push(ForceBlock(0, times, forces)) if times.size else []
    events += live.flush()
    reps: list[Rep] = []
    partials: list[Partial] = []
    sets: list[SetSummary] = []
    for event in events:
        if isinstance(event, SetClosed):
            reps += event.reps
            partials += event.partials
            if event.reps:
                sets.append(event.summary)
    partials += live.stray_partials
    partials.sort(key=lambda partial: partial.start_s)
    holes = sum(gap.end_s - gap.start_s for gap in live.gaps)
    span_s = float(times[-1] - times[0]) - holes if times.size > 1 else 0.0
    rate_hz = (times.size - 1 - len(live.gaps)) / span_s if span_s > 0 else 0.0
    return Analysis(rate_hz, reps, partials, sets, list(live.gaps))
