"""Timers by name: what is to happen when; nothing runs by itself."""

from __future__ import annotations


class Timers:
    """Names with the time at which they ring."""

    def __init__(self) -> None:
        self._at_s: dict[str, float] = {}

    def set(self, name: str, at_s: float) -> None:
        """Ring then, in place of what was set."""
        self._at_s[name] = at_s

    def set_once(self, name: str, at_s: float) -> None:
        """Ring then, if that does not ring already."""
        self._at_s.setdefault(name, at_s)

    def drop(self, *names: str) -> None:
        """Do not ring."""
        for name in names:
            self._at_s.pop(name, None)

    def drop_all_but(self, name: str) -> None:
        """Let only this one ring."""
        self._at_s = {each: at_s for each, at_s in self._at_s.items() if each == name}

    def due(self, now_s: float) -> tuple[str, float] | None:
        """The one that rings next, if it does by now; it rings once."""
        if not self._at_s:
            return None
        name = min(self._at_s, key=lambda each: (self._at_s[each], each))
        at_s = self._at_s[name]
        if at_s > now_s:
            return None
        del self._at_s[name]
        return name, at_s
