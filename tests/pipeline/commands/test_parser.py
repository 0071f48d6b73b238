"""Flags that are nearly right, help that tells what holds, and TAB in a real shell."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import SUMMARIES, main
from pipeline.commands.options import FLAGS, default_of_flag
from pipeline.commands.parser import command_parser
from scripts.settings_table import PAGE, written

FORCEBAND = Path(sys.executable).with_name("forceband")
TAB = """
eval "$(forceband completion bash)"
COMP_LINE="$1"; COMP_POINT=${#1}; COMP_TYPE=9
read -ra COMP_WORDS <<< "$1"
[[ "$1" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_python_argcomplete forceband "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("argv", "meant"),
    [
        (["live", "--atlete", "me"], "did you mean --athlete?"),
        (["live", "--htp-port=0"], "did you mean --http-port?"),
        (["demo", "--progam", "x", "--exercice", "y"], "did you mean --program and --exercise?"),
        (["live", "--side", "lft"], "did you mean left?"),
        (["completion", "fihs"], "did you mean fish?"),
        (["sim", "--as", "forcebnd"], "did you mean forceband?"),
    ],
)
def test_a_flag_that_is_nearly_right_is_said(
    argv: list[str], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert meant in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["live", "--wholly-else"], ["live", "--side", "up"], ["export"]])
def test_nothing_is_made_up_for_what_is_near_to_nothing(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert "did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(SUMMARIES))
def test_help_has_a_word_on_every_flag_and_its_default(name: str) -> None:
    parser = command_parser(name)
    text = " ".join(parser.format_help().split())
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        assert action.help, action.dest
        default = default_of_flag(action.dest) if action.default is None else action.default
        if "default" in action.help:
            continue  # told in its own words
        if isinstance(default, int | float | str) and default is not False:
            shown = f"{default:g}" if isinstance(default, float) else str(default)
            assert f"(default: {shown})" in text, action.dest


def test_every_flag_of_a_setting_is_one() -> None:
    flags = {action.dest for name in SUMMARIES for action in command_parser(name)._actions}
    assert set(FLAGS) <= flags


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("forceband li", {"live"}),
        ("forceband live --ath", {"--athlete"}),
        ("forceband live --side ", {"left", "right", "both"}),
        ("forceband demo --program first", {"first-steps"}),
        ("forceband completion z", {"zsh"}),
        ("forceband nonsense --x", set()),
    ],
)
def test_tab_completes_in_bash(line: str, offered: set[str]) -> None:
    path = f"{FORCEBAND.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", TAB, "bash", line],
        env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(done.stdout.split()) == offered
    assert done.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_own_lines(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    lines = capsys.readouterr().out
    own = {"bash": "complete ", "zsh": "compdef ", "fish": "complete --command forceband"}
    assert re.search(rf"(?m)^\s*{own[shell]}.*forceband", lines)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page, "run: python -m scripts.settings_table"
