from __future__ import annotations

from pipeline.sinks.mqtt.messages import Message
from pipeline.sinks.mqtt.suspect import STRIKES, Suspect


def test_a_broker_that_hangs_up_on_everything_finds_nothing_too_big() -> None:
    suspect = Suspect()
    big, small = Message("t", b"x" * 9), Message("t", b"x")
    for _ in range(5):
        for _ in range(STRIKES + 1):
            suspect.lost(big)
        assert (suspect.size_bytes, suspect.guilty(big)) == (9, False)
        suspect.lost(small)
    suspect.taken(small)
    for _ in range(STRIKES):
        suspect.lost(big)
    assert suspect.guilty(big)
