"""A taste of `benchmarks.fuzz`: any bytes from outside give a result or a named error."""

from __future__ import annotations

import pytest

from benchmarks.fuzz import TARGETS, fuzz

INPUTS = 300


@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_give_a_result_or_a_named_error(name: str) -> None:
    rows, broken = fuzz(INPUTS, seed=3, only=name)
    assert broken == []
    assert int(rows[0][1]) == INPUTS
    assert "nameless," not in rows[0][3] + ","
