"""The table of settings in docs/configuration.md: `python -m scripts.settings_table`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.config import SECRETS, Config

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/configuration.md"
BETWEEN = re.compile(r"(<!-- settings: .*? -->\n).*(<!-- end of settings -->)", re.DOTALL)


def documented() -> Iterator[tuple[str, str, str, str]]:
    """Class, field, kind and docstring of each field in the order of the code."""
    tree = ast.parse((ROOT / "pipeline/config.py").read_text(encoding="utf-8"))
    for made in tree.body:
        if not isinstance(made, ast.ClassDef):
            continue
        for field, following in zip(made.body, [*made.body[1:], ast.Pass()], strict=True):
            if not isinstance(field, ast.AnnAssign):
                continue
            assert isinstance(field.target, ast.Name)
            said = ""
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                said = " ".join(str(following.value.value).split())
            yield made.name, field.target.id, ast.unparse(field.annotation), said


def table() -> str:
    """Markdown, one line a setting."""
    lines = ["| Setting | Default | Meaning |", "|---|---|---|"]
    config = Config()
    sections = {type(value).__name__: key for key, value in _values(config).items()}
    for made, name, kind, said in documented():
        section = sections.get(made, "")
        if (made != "Config" and not section) or (made == "Config" and name in sections.values()):
            continue
        if not said:
            raise ValueError(f"pipeline/config.py: {made}.{name} has no docstring")
        setting = f"{section}.{name}" if section else name
        value = _values(getattr(config, section) if section else config)[name]
        secret = f"; or `{setting}_file`, a file that holds it" if name in SECRETS else ""
        lines.append(f"| `{setting}` | {_shown(value, kind)} | {said.rstrip('.')}{secret}. |")
    return "\n".join(lines) + "\n"


def _values(thing: object) -> dict[str, object]:
    return {name: getattr(thing, name) for name in type(thing).__dataclass_fields__}  # type: ignore[attr-defined]


def _shown(value: object, kind: str) -> str:
    if kind == "Path":
        return "where the system keeps such files"
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def written(page: str) -> str:
    """The page with the table of today's code."""
    made, count = BETWEEN.subn(lambda match: match[1] + table() + match[2], page)
    if count != 1:
        raise ValueError(f"{PAGE} has no place for the settings")
    return made


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
