"""Hostile inputs around valid ones."""

from __future__ import annotations

import random

from sensor.wire.frames import crc8


class Mutator:
    """Draws hostile inputs around valid ones; the same for the same seed."""

    def __init__(self, corpus: list[bytes], seed: int) -> None:
        self.random = random.Random(seed)
        self._corpus = corpus

    def draw(self) -> bytes:
        r = self.random
        base = self._corpus[int(r.random() * len(self._corpus))]
        kind = int(r.random() * 8)
        if kind == 0:
            return r.randbytes(int(r.random() * 200))
        if kind == 1:
            return base
        data = bytearray(base)
        size = len(data)
        at = int(r.random() * (size + 1))
        if kind == 2:
            return bytes(data[:at])
        if kind == 3:
            data[at:at] = r.randbytes(1 + int(r.random() * 8))
        elif kind == 4:
            data[at:at] = data[int(r.random() * (size + 1)) :]
        else:
            for _ in range(1 + int(r.random() * 4)):
                if size:
                    place = int(r.random() * size)
                    data[place] = r.choice(
                        (
                            data[place] ^ 1 << int(r.random() * 8),
                            0,
                            255,
                            127,
                            128,
                            int(r.random() * 256),
                        )
                    )
        return bytes(data)

    def frame(self) -> bytes:
        """A hostile force frame, half of them with a checksum that is right."""
        data = self.draw()
        if len(data) > 4 and self.random.random() < 0.5:
            return data[:3] + bytes([crc8(data[:3] + data[4:])]) + data[4:]
        return data
