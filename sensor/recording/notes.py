"""What a recording holds beside its log: facts, cursors, and what was rejected."""

from __future__ import annotations

import json
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from sensor.recording.checksums import PREFIX
from sensor.recording.file import translated


class Notes:
    """The tables beside the log of one file."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._facts: dict[str, Any] = {}
        self._cursors: dict[str, int] = {}
        """What was set here: known whatever becomes of the file."""

    @property
    def facts(self) -> dict[str, Any]:
        """What was noted about the session, by name."""
        with translated(self.path):
            rows = self._database.execute("SELECT key, value FROM facts").fetchall()
        facts = {}
        for key, value in rows:
            if str(key).startswith(PREFIX):
                continue
            with suppress(ValueError, TypeError, RecursionError):
                facts[str(key)] = json.loads(value)
        return facts

    @property
    def utc_shift_us(self) -> int | None:
        """By how much the recording computer's clock was wrong, µs; None where it was not set."""
        shift_us = self.facts.get("utc_shift_us")
        return shift_us if isinstance(shift_us, int) and abs(shift_us) < 2**53 else None

    def set_facts(self, facts: dict[str, Any]) -> None:
        """Note or replace facts."""
        self._facts |= facts
        with translated(self.path):
            self._database.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in facts.items()],
            )

    def cursors(self) -> dict[str, int]:
        """The last row whose events each sink has acknowledged; a new sink starts at 0."""
        with translated(self.path):
            rows = self._database.execute("SELECT sink, row FROM cursors").fetchall()
        return {str(sink): row for sink, row in rows if isinstance(row, int)}

    def set_cursor(self, sink: str, row: int) -> None:
        """Note that a sink has everything up to and with `row`."""
        self._cursors[sink] = row
        with translated(self.path):
            self._database.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (sink, row))

    def dead_letters(self) -> list[tuple[str, str, str]]:
        """What a server rejected for good: sink, body and the server's words."""
        with translated(self.path):
            query = "SELECT sink, body, error FROM dead_letters ORDER BY id"
            return [(str(s), str(b), str(e)) for s, b, e in self._database.execute(query)]

    def add_dead_letter(self, sink: str, body: str, error: str) -> None:
        """Keep what a server rejected, with the reason; once, however often it is tried."""
        with translated(self.path):
            self._database.execute(
                "INSERT INTO dead_letters (sink, body, error) SELECT :sink, :body, :error "
                "WHERE NOT EXISTS "
                "(SELECT 1 FROM dead_letters WHERE sink = :sink AND body = :body)",
                {"sink": sink, "body": body, "error": error[:1000]},
            )

    def forget_dead_letters(self, sink: str) -> None:
        """Everything is about to be tried again; what is still rejected comes back."""
        with translated(self.path):
            self._database.execute("DELETE FROM dead_letters WHERE sink = ?", (sink,))
