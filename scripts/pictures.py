"""The picture in docs/analysis.md, from the analysis itself. python -m scripts.pictures"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from pipeline.analysis import analyse
from tests.pipeline.analysis.people import Pull, force_of

OUT = Path(__file__).parents[1] / "docs" / "images" / "stretched-set.png"
COLOURS = {"concentric": "#2a78b5", "hold": "#d9a520", "eccentric": "#4c9a5f"}
DIP_S, VALLEY_N, PEAKS_N = 15.4, 52.0, (98.0, 101.0, 97.0, 99.0, 94.0)


def main() -> None:
    """Draw a set on a stretched band with a dip in one hold, and what is found in it."""
    pulls = [Pull(peak_n=peak_n, hold_s=1.2, pause_s=1.0) for peak_n in PEAKS_N]
    time_s, force_n = force_of(pulls, rest_n=VALLEY_N, lead_s=5.0, tail_s=4.5, noise_n=0.3)
    force_n *= np.clip((time_s - 1.5) / 1.5, 0, 1) * np.clip(
        (time_s[-1] - 1.5 - time_s) / 0.9, 0, 1
    )
    force_n -= 9 * np.exp(-(((time_s - DIP_S) / 0.12) ** 2))
    reps = analyse(time_s, force_n).reps
    figure, axes = plt.subplots(figsize=(9.6, 3.9), layout="constrained")
    axes.plot(time_s, force_n, color="#33363b", linewidth=1.2)
    for rep in reps:
        edges_s = (rep.start_s, rep.top_start_s, rep.top_end_s, rep.end_s)
        for (name, colour), low_s, high_s in zip(
            COLOURS.items(), edges_s, edges_s[1:], strict=False
        ):
            label = name if rep is reps[0] else None
            axes.axvspan(low_s, high_s, color=colour, alpha=0.35, linewidth=0, label=label)
        axes.text(rep.peak_s, 107, str(rep.rep), ha="center", weight="bold")
    notes = (
        ("taken up: no part\nof the first rep", (3.0, 46), (0.3, 64)),
        ("valley: more than half of the peak,\nand yet it parts two reps", (9.1, 51), (6.2, 18)),
        ("a dip in the hold, far smaller\nthan the swings: no rep", (DIP_S, 88), (16.2, 22)),
        ("put down: no part\nof the last rep", (time_s[-1] - 2.1, 30), (time_s[-1] - 3.4, 76)),
    )
    for text, at, where in notes:
        arrow = {"arrowstyle": "->", "color": "#6b7078"}
        axes.annotate(text, at, where, arrowprops=arrow, fontsize=8.5)
    axes.set(xlabel="time, s", ylabel="force, N", xlim=(0, time_s[-1]), ylim=(-4, 118))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize=8.5)
    figure.savefig(OUT, dpi=110)
    print(f"{OUT.name}: {len(reps)} reps")


if __name__ == "__main__":
    main()
