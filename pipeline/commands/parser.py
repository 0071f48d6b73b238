"""A command's flags: what was meant, what is taken where nothing is said, what TAB can complete."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

CLOSE = 0.7
"""How alike a word must be to what was meant, from 0 to 1."""


def command_module(name: str) -> ModuleType:
    """The module of a command, with `add_arguments` and `run`."""
    return import_module(f"pipeline.commands.{name}{'_' if iskeyword(name) else ''}")


def command_parser(name: str) -> CommandParser:
    """The parser of one command."""
    command = command_module(name)
    parser = CommandParser(
        f"forceband {name}", description=command.__doc__, formatter_class=HelpFormatter
    )
    _fill(parser, command)
    return parser


def _fill(parser: argparse.ArgumentParser, command: ModuleType) -> None:
    command.add_arguments(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="log what happens inside")


class CommandParser(argparse.ArgumentParser):
    """Says of a flag or choice that it does not know which one was meant."""

    def error(self, message: str) -> NoReturn:
        """End with the sentence, and with what is near to what was given."""
        if message.startswith("unrecognized arguments: "):
            known = list(self._option_string_actions)
            words = [each.partition("=")[0] for each in message.split() if each.startswith("-")]
        else:
            match = re.match(r"argument (\S+): invalid choice: '(.*?)'", message)
            known = [] if match is None else self._choices(match[1])
            words = [] if match is None else [match[2]]
        meant = [near for word in words for near in get_close_matches(word, known, 1, CLOSE)]
        super().error(f"{message}: did you mean {' and '.join(meant)}?" if meant else message)

    def _choices(self, argument: str) -> list[str]:
        names = {"/".join(e.option_strings) or e.metavar or e.dest: e for e in self._actions}
        action = names.get(argument)
        return [] if action is None else [str(each) for each in action.choices or ()]


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help that tells each default; of a flag that stands for a setting, the setting's."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        from pipeline.commands.options import default_of_flag

        text = action.help or ""
        if action.default is argparse.SUPPRESS or "default" in text:
            return text
        value = default_of_flag(action.dest) if action.default is None else action.default
        if value is None or value is False or value == []:
            return text
        return f"{text} (default: {_shown(value)})".strip().replace("%", "%%")


def _shown(value: Any) -> str:
    if isinstance(value, Path):
        home = Path.home()
        return f"~/{value.relative_to(home)}" if value.is_relative_to(home) else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def completed_with(action: argparse.Action, names: Callable[..., Iterable[str]]) -> None:
    """Let TAB offer these for a flag."""
    action.completer = names  # type: ignore[attr-defined]  # argcomplete looks there


def complete(summaries: Mapping[str, str]) -> None:
    """Answer the shell, if it asks what may follow, and end; else return."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    import argcomplete

    words = os.environ.get("COMP_LINE", "").split()
    parser = argparse.ArgumentParser("forceband")
    commands = parser.add_subparsers()
    for name, summary in summaries.items():
        command = commands.add_parser(name, help=summary)
        if name in words[1:2]:
            _fill(command, command_module(name))
    argcomplete.autocomplete(parser)
