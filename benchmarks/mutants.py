"""Small faults put into the modules on which "nothing is lost" rests: do the fast tests notice?

    python -m benchmarks.mutants                     twenty faults in each module
    python -m benchmarks.mutants --only ledger -n 60

A fault changes one place: a comparison, a number, a sign, a condition, or a statement left out. A
module's own constants, where 5 s and 6 s are both right, become ten times as much or a tenth. The
same seed draws the same places. What no test notices is shown: it is harmless, or lacks a test.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.util
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
SEED, EACH = 15, 20
LEAST_SHARE = 0.9
PATIENCE, LEAST_WAIT_S = 4.0, 40.0
"""A test run is over after so many times what it usually takes; a fault that hangs is noticed."""
TIMELINE, SESSION, BLE = "tests/sensor/timeline/", "tests/pipeline/session/", "tests/sensor/ble/"
DELIVERY, MQTT = "tests/pipeline/delivery/", "tests/pipeline/sinks/mqtt/"
MODULES = {
    "sensor/timeline/ledger.py": (
        *(f"{TIMELINE}test_{name}.py" for name in ("ledger", "requests")),
        f"{SESSION}test_when.py",
    ),
    "sensor/timeline/pace.py": tuple(
        f"{TIMELINE}test_{name}.py" for name in ("pace", "ledger", "requests")
    ),
    "sensor/timeline/requests.py": (f"{TIMELINE}test_requests.py",),
    "sensor/timeline/clock.py": (f"{TIMELINE}test_clock.py",),
    "sensor/recording/log.py": ("tests/sensor/recording",),
    "sensor/ble/connection.py": (BLE,),
    "sensor/ble/link.py": (BLE,),
    "sensor/ble/resend.py": (f"{BLE}test_source.py",),
    "sensor/ble/inbox.py": (f"{BLE}test_inbox.py", f"{BLE}test_source.py"),
    "pipeline/session/session.py": tuple(
        f"{SESSION}test_{name}.py" for name in ("when", "wrong_clock", "session", "foreign")
    ),
    "pipeline/session/assembly.py": tuple(
        f"{SESSION}test_{name}.py" for name in ("when", "session", "liars")
    ),
    "pipeline/delivery/delivery.py": (DELIVERY,),
    "pipeline/delivery/recorder.py": (DELIVERY,),
    "pipeline/sinks/mqtt/link.py": tuple(
        f"{MQTT}test_{name}.py" for name in ("timing", "link", "sink")
    ),
    "pipeline/sinks/mqtt/sink.py": tuple(
        f"{MQTT}test_{name}.py" for name in ("timing", "commands", "sink", "homeassistant")
    ),
    "pipeline/sinks/influx/lines.py": ("tests/pipeline/sinks/influx/test_lines.py",),
}
"""Module by module the fast tests that tell of it, the quickest first."""
BEFOREHAND = (
    "numpy", "scipy.signal", "scipy.optimize", "bleak", "bumble.device", "bumble.controller",
    "paho.mqtt.client", "influxdb_client", "aiohttp.web", "pytest", "rich.table",
)  # fmt: skip

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
NEAR = 10
"""A smaller number becomes its neighbour, a larger one its double or half."""
_QUIET = ("logger.", "logging.")


@dataclass(frozen=True)
class Mutant:
    """One fault: what stands there, and what stands there instead."""

    node: ast.AST
    instead: ast.AST

    def __str__(self) -> str:
        after = "(left out)" if isinstance(self.instead, ast.Pass) else _line_of(self.instead)
        return f"{getattr(self.node, 'lineno', 0)}: {_line_of(self.node)}  ->  {after}"

    def code(self, tree: ast.Module) -> str:
        """The module's code with the fault in it."""
        _replace(tree, self.node, self.instead)
        try:
            return ast.unparse(ast.fix_missing_locations(tree))
        finally:
            _replace(tree, self.instead, self.node)


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """All faults of our kinds that there are in a module."""
    constants = [each for each in tree.body if isinstance(each, ast.Assign | ast.AnnAssign)]
    tuned = {id(each) for constant in constants for each in ast.walk(constant)}
    for node in _working(tree):
        for kind in range(2):
            instead = _fault(node, kind, tuned=id(node) in tuned)
            if instead is not None:
                yield Mutant(node, instead)


def _working(tree: ast.Module) -> Iterator[ast.AST]:
    """What does something when the code runs: no annotations, docstrings or logs."""

    def walk(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Constant):
                return
            if ast.unparse(node).startswith(_QUIET):
                return
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                continue
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.AST) and not isinstance(each, ast.JoinedStr):
                    yield from walk(each)

    yield from walk(tree)


def _fault(node: ast.AST, kind: int, *, tuned: bool) -> ast.AST | None:
    """What may stand there by mistake; None where there is no fault of this kind."""
    new = copy.copy(node)
    match new, kind:
        case ast.Compare(ops=[op, *more]), 0 if type(op) in _COMPARISONS:
            new.ops = [_COMPARISONS[type(op)](), *more]
        case ast.BinOp(op=op), 0 if type(op) in _OPERATORS:
            new.op = _OPERATORS[type(op)]()
        case ast.BoolOp(op=op), 0:
            new.op = ast.And() if isinstance(op, ast.Or) else ast.Or()
        case ast.UnaryOp(op=ast.Not(), operand=operand), 0:
            return operand
        case ast.Constant(value=bool() as value), 0:
            new.value = not value
        case ast.Constant(value=int() | float() as value), _ if tuned:
            new.value = value * 10 if kind == 0 else type(value)(value / 10)
        case ast.Constant(value=bool()), _:
            return None
        case ast.Constant(value=int() | float() as value), 0:
            new.value = value + 1 if abs(value) < NEAR else value * 2
        case ast.Constant(value=int() | float() as value), 1 if value > 1:
            new.value = value - 1 if value < NEAR else type(value)(value / 2)
        case ((ast.If() | ast.While() | ast.IfExp()), 1):
            new.test = ast.UnaryOp(ast.Not(), new.test)
        case ((ast.Expr() | ast.Assign() | ast.AugAssign() | ast.Break() | ast.Continue()), 0):
            return ast.Pass()
        case _:
            return None
    return new


def _replace(tree: ast.Module, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(each is old for each in value):
                value[:] = [new if each is old else each for each in value]


def _line_of(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]


class _Altered(MetaPathFinder, Loader):
    """Imports one module from other code."""

    def __init__(self, name: str, path: Path, code: str) -> None:
        self._name, self._path, self._code = name, path, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._code, str(self._path), "exec"), module.__dict__)


def tried(module: str, code: str, tests: Sequence[str], limit_s: float) -> tuple[int, float]:
    """Exit code of the tests (0: all pass, -9: they hang), and how long they took in s."""
    began_s = time.monotonic()
    child = os.fork()
    if child == 0:
        _run_tests(module, code, tests)
    limit = threading.Timer(limit_s, os.killpg, (child, signal.SIGKILL))
    limit.start()
    _, status = os.waitpid(child, 0)
    limit.cancel()
    limit.join()
    return os.waitstatus_to_exitcode(status), time.monotonic() - began_s


def _run_tests(module: str, code: str, tests: Sequence[str]) -> None:
    """In a process of its own, which ends here."""
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    name = module.removesuffix(".py").replace("/", ".")
    sys.meta_path.insert(0, _Altered(name, ROOT / module, code))
    sys.dont_write_bytecode = True
    import pytest

    flags = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist"]
    flags.append(f"--hypothesis-seed={SEED}")
    result = 3
    try:
        result = int(pytest.main([*flags, *tests]))
    finally:
        os._exit(result)


def judge(module: str, tests: Sequence[str], count: int, seed: int) -> float:
    """Try a sample of a module's faults; the share that is noticed."""
    source = (ROOT / module).read_text("utf-8")
    tree = ast.parse(source)
    result, usual_s = tried(module, source, tests, 600.0)
    if result:
        raise SystemExit(f"{module}: its tests fail without any fault")
    all_of_them = list(mutants(tree))
    sample = random.Random(f"{seed} {module}").sample(all_of_them, min(count, len(all_of_them)))
    noticed = 0
    limit_s = max(PATIENCE * usual_s, LEAST_WAIT_S)
    for mutant in sorted(sample, key=lambda each: getattr(each.node, "lineno", 0)):
        if tried(module, mutant.code(tree), tests, limit_s)[0]:
            noticed += 1
        else:
            print(f"    {module}:{mutant}", flush=True)
    share = noticed / len(sample)
    print(
        f"| {module} | {len(sample)} of {len(all_of_them)} | {noticed} | {100 * share:.0f} % |",
        flush=True,
    )
    return share


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("-n", type=int, default=EACH, help="faults in each module")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="", help="modules whose path holds this")
    args = parser.parse_args()
    os.nice(19)
    os.chdir(ROOT)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in BEFOREHAND:  # once, and not for each fault
        importlib.import_module(name)
    print("| Module | Faults tried | Noticed | Share |", flush=True)
    chosen = {module: tests for module, tests in MODULES.items() if args.only in module}
    shares = [judge(module, tests, args.n, args.seed) for module, tests in chosen.items()]
    return int(min(shares) < LEAST_SHARE)


if __name__ == "__main__":
    sys.exit(main())
