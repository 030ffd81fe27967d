"""A module imports only from what stands above it in the table, and the lower layers stay pure.

The table is the design's: the order of its lines is the order of the layers. What is imported for
annotations alone, under `if TYPE_CHECKING`, is no import here; what a function imports when it is
called is one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "rxws"

SOCKETS = frozenset(
    {
        "aiohttp",
        "http.client",
        "picows",
        "selectors",
        "socket",
        "ssl",
        "urllib.request",
        "websockets",
    }
)
IMPURE = SOCKETS | {"asyncio", "reactivex"}

# (layer, module or folder, what it never imports)
TABLE: list[tuple[int, str, frozenset[str]]] = [
    (0, "redaction", IMPURE),
    (0, "errors", IMPURE),
    (0, "events", IMPURE),
    (0, "types", IMPURE),
    (1, "arguments", IMPURE),
    (1, "decoding", IMPURE),
    (1, "backoff", IMPURE),
    (1, "_calendar", IMPURE),
    (1, "windows", IMPURE),
    (1, "rotation", IMPURE),
    (1, "splice", IMPURE),
    (1, "unsent", IMPURE),
    (1, "payloads", IMPURE),
    (1, "_presets", IMPURE),
    (1, "_sources", IMPURE),
    (1, "settings", IMPURE),
    (1, "stats", IMPURE),
    (1, "_sliding", IMPURE),
    (1, "governor", IMPURE),
    (1, "limits", IMPURE),
    (1, "alerts", IMPURE),
    (1, "market", IMPURE),
    (1, "gaps", IMPURE),
    (1, "venue", IMPURE),
    (1, "orderbook", IMPURE),
    (1, "scheduler", SOCKETS),
    (1, "lingering", SOCKETS),
    (2, "operators", SOCKETS),
    (2, "transport", frozenset()),
    (2, "exchanges", IMPURE),
    (3, "consumers", SOCKETS),
    (3, "watchman", SOCKETS),
    (3, "overhearing", SOCKETS),
    (3, "telling", SOCKETS),
    (3, "generation", SOCKETS),
    (3, "succession", SOCKETS),
    (3, "lifecycle", SOCKETS),
    (3, "keepalive", SOCKETS),
    (3, "backlog", SOCKETS),
    (3, "collector", SOCKETS),
    (3, "inbox", SOCKETS),
    (3, "bounds", SOCKETS),
    (3, "pacing", SOCKETS),
    (3, "outbox", SOCKETS),
    (3, "attempt", SOCKETS),
    (3, "turn", SOCKETS),
    (3, "connection", SOCKETS),
    (3, "outgoing", SOCKETS),
    (3, "controls", SOCKETS),
    (3, "way_back", SOCKETS),
    (3, "planned_ends", SOCKETS),
    (3, "topics", SOCKETS),
    (3, "buffer", SOCKETS),
    (3, "running", SOCKETS),
    (3, "options", SOCKETS),
    (3, "connections", SOCKETS),
    (3, "stream", SOCKETS),
    (3, "desired", SOCKETS),
    (3, "deadlines", SOCKETS),
    (3, "request_rate", SOCKETS),
    (3, "correspondence", SOCKETS),
    (3, "standing", SOCKETS),
    (3, "dialogue", SOCKETS),
    (3, "venue_stream", SOCKETS),
    (3, "venue_observable", SOCKETS),
    (3, "shard", SOCKETS),
    (3, "multiplex", SOCKETS),
    (3, "session", SOCKETS),
    (3, "handlers", SOCKETS),
    (3, "channels", SOCKETS),
    (3, "requests", SOCKETS),
    (3, "driving", SOCKETS),
    (3, "reading", SOCKETS),
    (3, "client", SOCKETS),
    (3, "recording", SOCKETS),
    (3, "book_fetch", SOCKETS),
    (3, "topical", SOCKETS),
    (3, "feed", SOCKETS),
    (3, "feeds", SOCKETS),
    (3, "__init__", SOCKETS),  # the public names: the edges below use them, nothing above does
    (4, "testing", frozenset()),
    (4, "live", SOCKETS),
    (4, "notebook", frozenset()),
    (4, "terminal", frozenset()),
    (4, "cli", frozenset()),
    (4, "__main__", frozenset()),
]
RANK = {name: rank for rank, (_, name, _) in enumerate(TABLE)}
LAYER = {name: layer for layer, name, _ in TABLE}
NEVER = {name: never for _, name, never in TABLE}
SIBLINGS = 2


@dataclass(frozen=True)
class Import:
    """One imported module, by its full dotted name, and the line that imports it."""

    module: str
    line: int


def violations(package: Path) -> list[str]:
    """Return what breaks the rules in the tree of `package`, a sentence each."""
    paths = sorted(package.rglob("*.py"))
    return [told for path in paths for told in dict.fromkeys(_violations_of(path, package))]


def _violations_of(path: Path, package: Path) -> Iterator[str]:
    shown = path.relative_to(package.parent).as_posix()
    unit = _unit(path.relative_to(package))
    if unit not in RANK:
        yield f"{shown}: {unit} has no place in the table of tests/test_layers.py; give it one"
        return
    for found in _imports(path, package):
        top, _, inner = found.module.partition(".")
        if top == package.name:
            broken = _broken_rule(unit, inner)
        else:
            broken = "must not" if _is_among(found.module, NEVER[unit]) else None
        if broken:
            yield f"{shown}:{found.line}: {unit} {broken} import {found.module}"


def _unit(relative: Path) -> str:
    """Return the line of the table that a file belongs to."""
    return relative.parts[0].removesuffix(".py")


def _broken_rule(unit: str, inner: str) -> str | None:
    """Return why `unit` may not import the module `inner` of the package, or None."""
    target = inner.partition(".")[0] or "__init__"
    if target == unit:
        return None
    if target not in RANK:
        return "does not know where in the table to find what it wants to"
    if LAYER[unit] == LAYER[target] == SIBLINGS:
        return "is a sibling and must not"
    return None if RANK[target] < RANK[unit] else "stands above and must not"


def _is_among(module: str, names: frozenset[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)


def _imports(path: Path, package: Path) -> Iterator[Import]:
    for node in _statements(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, path, package)
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                is_name = base.partition(".")[0] == package.name and not _is_module(submodule, package)
                yield Import(base if is_name else submodule, node.lineno)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, but not into what is there for type checkers only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in {
            getattr(node.test, "id", None),
            getattr(node.test, "attr", None),
        }:
            for other in node.orelse:
                yield other
                yield from _statements(other)
        else:
            yield node
            yield from _statements(node)


def _absolute(node: ast.ImportFrom, path: Path, package: Path) -> str:
    if not node.level:
        return node.module or ""
    folder = path.parents[node.level - 1].relative_to(package.parent)
    return ".".join([*folder.parts, *([node.module] if node.module else [])])


def _is_module(name: str, package: Path) -> bool:
    place = package.parent.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def tree(folder: Path, **files: str) -> Path:
    """Write a made-up package; in a name `__` stands for a slash, and `init` for `__init__`."""
    package = folder / "rxws"
    for name, source in {"init": "", **files}.items():
        path = package / (name.replace("__", "/").replace("init", "__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return package


def test_the_package_keeps_its_layers() -> None:
    """Every module of rxws imports only from above itself."""
    assert violations(PACKAGE) == []


def test_the_coverage_gate_holds_for_layers_0_to_2() -> None:
    """`make test` demands full coverage of each module and folder up to layer 2, and says so."""
    makefile = (PACKAGE.parent / "Makefile").read_text(encoding="utf-8")
    (patterns,) = re.findall(r"^COVERED = (.*)$", makefile, re.MULTILINE)
    there = {name for name, layer in LAYER.items() if layer <= SIBLINGS}
    there &= {_unit(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py")}

    assert {_unit(Path(pattern).relative_to("rxws")) for pattern in patterns.split(",")} == there


def test_what_stands_above_may_be_imported(tmp_path: Path) -> None:
    """Each line of the table may use all lines before it, absolute or relative, by any name."""
    package = tree(
        tmp_path,
        errors="",
        types="from __future__ import annotations\nfrom rxws.errors import RxwsError",
        scheduler="import asyncio\nimport reactivex as rx",
        operators__init="from rxws.operators.take_until import take_until",
        operators__take_until="from ..types import Message\nfrom rxws.operators._gate import gate",
        operators___gate="import reactivex\nfrom .. import errors",
        transport__init="import asyncio\nimport websockets\nfrom . import scripted",
        transport__scripted="",
        stream="from rxws import operators as wsops\nimport rxws.transport.scripted",
        init="from rxws.stream import ws_observable",
        cli__init="from rxws import ws_observable\nfrom rxws.testing import exchange",
        testing__exchange="import rxws",
    )

    assert violations(package) == []


@pytest.mark.parametrize(
    ("module", "source", "sentence"),
    [
        ("errors", "import rxws.types", "errors stands above and must not import rxws.types"),
        ("errors", "from . import types", "errors stands above and must not import rxws.types"),
        ("stream", "def f():\n    import rxws.client", "must not import rxws.client"),
        ("stream", "from rxws import Backoff, run", "stream stands above and must not import rxws"),
        ("stream", "import rxws.nowhere", "does not know where in the table"),
        ("transport__a", "from ..operators import match", "is a sibling and must not"),
        ("exchanges__a", "from rxws.transport import open", "is a sibling and must not"),
        ("backoff", "import asyncio.events", "backoff must not import asyncio.events"),
        ("backoff", "from reactivex import abc", "backoff must not import reactivex.abc"),
        ("exchanges__a", "from urllib import request", "must not import urllib.request"),
        ("scheduler", "import socket", "scheduler must not import socket"),
        ("stream", "from websockets import connect", "must not import websockets.connect"),
        ("helpers", "", "helpers has no place in the table"),
        ("helpers__deep", "", "helpers has no place in the table"),
    ],
)
def test_a_broken_rule_is_told(tmp_path: Path, module: str, source: str, sentence: str) -> None:
    """Each rule, broken by one line, is told once and with the rule's own words."""
    package = tree(tmp_path, types="", operators__match="", **{module: source})

    (told,) = violations(package)

    assert sentence in told


def test_only_the_type_checkers_branch_is_no_import(tmp_path: Path) -> None:
    """Under `if TYPE_CHECKING` anything may be named; its `else` runs, and counts."""
    source = """
import typing
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import reactivex
if typing.TYPE_CHECKING:
    import asyncio
else:
    import socket
"""
    package = tree(tmp_path, errors=source)

    assert violations(package) == ["rxws/errors.py:9: errors must not import socket"]
