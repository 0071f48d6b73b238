"""Named tuples from plain ones."""

from __future__ import annotations

import pytest

from pipeline.analysis.swings import Turn
from pipeline.analysis.tuples import named


def test_a_named_tuple_takes_a_value_for_each_field() -> None:
    assert named(Turn, [(1, 2.0, True, 3)]) == [Turn(1, 2.0, True, 3)]
    with pytest.raises(TypeError, match="4 fields, not 3"):
        named(Turn, [(1, 2.0, True)])
