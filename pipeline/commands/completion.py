"""Let the shell complete commands, flags and names with TAB: prints what it needs for that.

bash: put   eval "$(forceband completion bash)"     into ~/.bashrc
zsh:  put   eval "$(forceband completion zsh)"      into ~/.zshrc, after compinit
fish:       forceband completion fish > ~/.config/fish/completions/forceband.fish
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which one")


def run(args: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["forceband"], shell=args.shell))
    return 0
