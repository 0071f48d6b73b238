"""Keys are typed in a real terminal: a pair of pseudo terminals."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from pipeline.views.keys import keys
from sensor.errors import BandError


class Terminal(NamedTuple):
    """Both ends."""

    typist: int
    program: int


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    typist, program = pty.openpty()
    with os.fdopen(program, closefd=False) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())
        yield Terminal(typist, program)
    for each in (typist, program):
        try:
            os.close(each)
        except OSError:
            continue  # the test has closed it


async def heard(terminal: Terminal, *typed: bytes, wanted: int, close: bool = False) -> list[str]:
    """What is asked of the coach when that is typed, piece after piece."""
    got: list[str] = []
    enough = asyncio.Event()

    async def handle(wish: str) -> str:
        got.append(wish)
        if len(got) >= wanted:
            enough.set()
        if wish == "coach end":
            raise BandError("nothing to end")
        return "done"

    typing = asyncio.create_task(keys(handle))
    await asyncio.sleep(0)
    for each in typed:
        os.write(terminal.typist, each)
    await asyncio.wait_for(enough.wait(), 20)
    if close:
        os.close(terminal.typist)
        await asyncio.sleep(0.05)
        assert not typing.done()
    typing.cancel()
    await asyncio.gather(typing, return_exceptions=True)
    return got


def test_each_key_is_one_wish_however_fast_they_are_typed(terminal: Terminal) -> None:
    got = asyncio.run(heard(terminal, b"05\n x", b"st", wanted=6))
    assert got == [
        "coach pain 0", "coach pain 5", "coach start", "coach pause", "coach skip", "coach tap",
    ]  # fmt: skip


def test_arrows_and_letters_of_other_scripts_ask_for_nothing(terminal: Terminal) -> None:
    got = asyncio.run(heard(terminal, "é€".encode(), b"q", wanted=1))
    assert got == ["coach stop"]

    async def arrows() -> list[str]:
        # what one key sends comes at once
        typing = asyncio.create_task(heard(terminal, b"\x1b[A", wanted=1))
        await asyncio.sleep(0.05)
        os.write(terminal.typist, b"g")
        return await typing

    assert asyncio.run(arrows()) == ["coach go-on"]


def test_a_wish_that_cannot_be_done_ends_nothing(terminal: Terminal) -> None:
    assert asyncio.run(heard(terminal, b"er", wanted=2)) == ["coach end", "coach repeat"]


def test_the_terminal_is_left_as_it_was(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal.program)
    asyncio.run(heard(terminal, b"s", wanted=1))
    assert termios.tcgetattr(terminal.program) == before


def test_a_terminal_that_is_closed_costs_nothing(terminal: Terminal) -> None:
    assert asyncio.run(heard(terminal, b"s", wanted=1, close=True)) == ["coach skip"]


def test_a_program_in_the_background_leaves_the_terminal_alone(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)

    async def handle(wish: str) -> str:
        raise AssertionError(wish)

    before = termios.tcgetattr(terminal.program)
    asyncio.run(asyncio.wait_for(keys(handle), 5))
    assert termios.tcgetattr(terminal.program) == before
