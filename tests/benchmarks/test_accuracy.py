"""The accuracy command: its marks can be missed, its seeds stay apart, its sessions can be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import accuracy, marks
from benchmarks.live_score import LiveScore
from benchmarks.outcome import PUBLICATION_SEED, Outcome, jobs_for
from firmware_sim.generator import KINDS, make_session
from pipeline.dataset.judging import EdgeError, Score


def outcome(kind: str = "ordinary", live: LiveScore | None = None, **score: object) -> Outcome:
    ours = Score(right=True, reps=5)
    for name, value in score.items():
        setattr(ours, name, value)
    return Outcome(kind, 0, 80.0, "", ours, None, None, live)


def missed(*outcomes: Outcome) -> list[str]:
    return marks.missed_marks(outcomes)


def test_a_run_without_a_mistake_misses_no_mark() -> None:
    assert missed(*[outcome()] * 100) == []


def test_one_wrong_session_of_ten_of_a_kind_misses_the_mark_of_the_worst_kind() -> None:
    wrong = outcome("stretched", right=False, missed=9)
    rest = [outcome("stretched")] * 9 + [outcome()] * 190
    assert missed(wrong, *rest) == ["worst kind, %"]


def test_late_first_starts_miss_their_own_mark_even_if_all_others_are_exact() -> None:
    exact = [EdgeError(0, 0.0, decided=True, outer=False)] * 99
    late = EdgeError(0, 0.5, decided=True, outer=True)
    names = missed(outcome(edges=[*exact, late]))
    assert names == ["first starts and last ends, mean, ms", "first starts and last ends, p95, ms"]


def test_marks_of_live_can_be_missed() -> None:
    slow = LiveScore(agrees=False, latency_s=[0.5] * 10, withdrawn=1, changed_ids=1)
    assert missed(outcome(live=LiveScore(agrees=True, latency_s=[0.05] * 10))) == []
    assert missed(outcome(live=slow)) == [
        "announced after the end, p95, ms", "announced within 300 ms, %", "withdrawn in a session",
        "reps that changed their id", "live as offline, sessions",
    ]  # fmt: skip


def test_a_rep_that_is_never_announced_was_not_announced_within_300_ms() -> None:
    live = LiveScore(agrees=True, latency_s=[0.05] * 10, unannounced=1)
    assert missed(outcome(live=live)) == ["announced within 300 ms, %"]


def test_every_kind_is_drawn_before_one_comes_twice() -> None:
    jobs = jobs_for(len(KINDS), 0, None, rivals=False, live=False)
    assert {job.kind for job in jobs} >= set(KINDS)


def test_what_is_published_is_never_drawn_from_the_seeds_of_development(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        accuracy.main(["--write", "--seed", str(PUBLICATION_SEED - 1)])
    assert "seeds from 1000000 on" in capsys.readouterr().err


def test_a_dumped_session_holds_the_samples_and_the_truth(tmp_path: Path) -> None:
    arguments = ["--kind", "stretched, few reps", "--seed", "3", "--sessions", "1"]
    assert accuracy.main([*arguments, "--dump", str(tmp_path)]) == 0
    session = make_session("stretched, few reps", 3)
    path = tmp_path / "stretched_few_reps-3.csv"
    time_s, force_n = np.loadtxt(path, delimiter=",", skiprows=1).T
    assert time_s == pytest.approx(session.time_s, abs=1e-6)
    assert force_n == pytest.approx(session.force_n, abs=1e-6)
    truth = json.loads(path.with_suffix(".json").read_text())
    assert [rep["peak_s"] for rep in truth["reps"]] == [r.peak_s for r in session.truth.reps]


def test_json_names_each_session_and_what_is_wrong_with_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--kind", "ordinary", "--sessions", "2", "--jobs", "1", "--no-rivals", "--json"]
    accuracy.main(arguments)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["kind"], line["seed"]) for line in lines] == [("ordinary", 0), ("ordinary", 1)]
    assert all({"right", "missed", "extra", "edges_ms"} <= set(line) for line in lines)
