"""Whether another distribution brings packages of our names, which are plain words.

Two that do cannot share an environment: the one that was installed last overwrote the other.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

OURS = ("sensor", "firmware_sim", "pipeline", "dashboards")
REMEDY = "install forceband in an environment of its own, such as `pipx install forceband` makes"


def clash(folder: Path | None = None) -> str | None:
    """The sentence about it; None where there is no other.

    Parameters
    ----------
    folder
        Where our packages lie; by default beside this one.
    """
    folder = folder or Path(__file__).parents[1]
    for name in OURS:
        spec = find_spec(name)
        origin = None if spec is None or spec.origin is None else Path(spec.origin)
        if origin is None or origin.parents[1].resolve() != folder.resolve():
            where = "no folder" if origin is None else origin.parent
            return f"`import {name}` finds {where} instead of forceband's own: {REMEDY}"
    for record in folder.glob("*.dist-info/RECORD"):
        if record.parent.name.startswith("forceband-"):
            continue
        taken = _taken(record)
        if taken:
            other = record.parent.name.removesuffix(".dist-info").replace("-", " ")
            return f"{other} brings a package named {taken} too, as forceband does: {REMEDY}"
    return None


def _taken(record: Path) -> str | None:
    try:
        listed = b"\n" + record.read_bytes()
    except OSError:
        return None
    return next((name for name in OURS if f"\n{name}/__init__.py,".encode() in listed), None)
