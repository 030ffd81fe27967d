"""Nothing that comes over the network is run, and nothing of it is a format: told from the package's source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "rxws"
FILES = sorted(PACKAGE.rglob("*.py"))

RUNS = frozenset({"eval", "exec", "compile", "__import__", "execfile", "globals", "locals", "breakpoint"})
RUNNING_MODULES = frozenset(
    {"pickle", "cPickle", "dill", "marshal", "shelve", "yaml", "code", "codeop", "runpy", "logging.config", "xml"}
)
# Modules that have functions of such names, and what may be called there.
SUBPROCESSES = frozenset({"subprocess", "os.system", "os.popen", "pty"})
LOGS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
# `Lifecycle.log` hands its caller's format on; its callers are looked at too.
HANDS_ON = {("telling.py", "message")}


def found(source: str, name: str) -> list[str]:
    """What in a source runs data or takes it for a format, by line."""
    tree = ast.parse(source)
    return [f"{name}:{line}: {what}" for line, what in sorted({*_runs(tree), *_formats(tree, name)})]


def _runs(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [each.name for each in node.names]
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            for each in [*names, module, *(f"{module}.{name}" for name in names)]:
                if {each, each.partition(".")[0]} & (RUNNING_MODULES | SUBPROCESSES):
                    yield node.lineno, f"imports {each}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS:
            yield node.lineno, f"calls {node.func.id}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"import_module", "system", "popen", "loads"}:
                yield node.lineno, f"calls {node.func.attr}"


def _formats(tree: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _may_be_a_format(node):
            yield node.lineno, "% on what is no constant"
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in {"format", "format_map"} and not isinstance(node.func.value, ast.Constant):
            yield node.lineno, f"{node.func.attr} on what is no constant"
        # A logger's own method has its format first; `Lifecycle.log` has it second, behind what it is about.
        if node.func.attr in LOGS and node.args:
            place = 1 if node.func.attr == "log" else 0
            format = node.args[place] if place < len(node.args) else None
            handed_on = isinstance(format, ast.Name) and (name, format.id) in HANDS_ON
            if not (handed_on or (isinstance(format, ast.Constant) and isinstance(format.value, str))):
                yield node.lineno, f"{node.func.attr} with a format that is no constant"


def _may_be_a_format(node: ast.BinOp) -> bool:
    # What is computed is a number, and so is what is divided by one.
    computed = isinstance(node.left, ast.Constant | ast.BinOp | ast.Call)
    by_a_number = isinstance(node.right, ast.Constant | ast.BinOp)
    return not (computed or by_a_number)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_runs_data_or_takes_it_for_a_format(path: Path) -> None:
    """JSON is read by msgspec, which makes values and nothing else; what is logged has a constant format."""
    assert found(path.read_text(encoding="utf-8"), path.name) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(frame)",
        "exec(frame)",
        "import pickle",
        "from pickle import loads",
        "import yaml as y",
        "from logging import config",
        "import logging.config",
        "import importlib\nimportlib.import_module(name)",
        "import os\nos.system(frame)",
        "import subprocess",
        "message % values",
        "reason.format(1)",
        "log.warning(reason)",
        "log.warning(f'{reason}')",
        "log.warning('a' + reason)",
        "life.log('about', reason)",
    ],
)
def test_what_would_is_found(source: str) -> None:
    """Else the test above would say nothing."""
    assert found(source, "any.py") != []
