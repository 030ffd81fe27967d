"""What rxws offers is what its `__all__` lists say, no more and no less, and it comes alone."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import rxws
from rxws import operators

PACKAGE = Path(rxws.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
# Beside the standard library, `import rxws` may load what it depends on, and nothing else.
DEPENDENCIES = {"msgspec", "reactivex", "rxws", "sortedcontainers", "typing_extensions", "websockets"}
OPTIONAL = {"IPython", "anywidget", "numpy", "pandas", "picows", "pytest", "rich"}


def module_of(path: Path) -> str:
    """Return the dotted name by which a file is imported."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def is_package(path: Path) -> bool:
    """Tell whether a file is the face of a folder."""
    return path.name == "__init__.py"


# The public ones: no part of the name begins with an underscore.
MODULES = {module_of(path): path for path in FILES if "._" not in module_of(path)}


def imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of all that statements import from modules of rxws."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module in MODULES:
            yield from ((node.module, alias.name) for alias in node.names)


TAKEN = {found for path in FILES for found in imported(ast.walk(ast.parse(path.read_bytes())))}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_lists_what_it_offers(name: str) -> None:
    """Every name in an `__all__` is there once; what other modules take from one is in its list."""
    module = importlib.import_module(name)
    taken = {what for source, what in TAKEN if source == name}
    submodules = {what for what in taken if f"{name}.{what}" in map(module_of, FILES)}

    assert [what for what in module.__all__ if not hasattr(module, what)] == []
    assert len(module.__all__) == len(set(module.__all__))
    assert taken - submodules - set(module.__all__) == set()


@pytest.mark.parametrize("name", [name for name, path in MODULES.items() if is_package(path)])
def test_a_package_lists_what_it_gathers(name: str) -> None:
    """What an `__init__` imports from the modules below it, it imports to offer it."""
    face = ast.parse(MODULES[name].read_bytes()).body
    gathered = {what for source, what in imported(face) if source.startswith(f"{name}.")}

    assert gathered - set(importlib.import_module(name).__all__) == set()


def test_the_public_names_are_those_of_the_list() -> None:
    """What can be had of `rxws` without an underscore is its list and the modules below it."""
    names = {name for name in vars(rxws) if not name.startswith("_")}
    modules = {name for name in names if isinstance(getattr(rxws, name), ModuleType)}

    assert names - modules - {"annotations"} == set(rxws.__all__) - modules


def test_no_module_hides_a_name_of_the_list() -> None:
    """`rxws.scheduler` is the function, though a file has its name; so is every operator."""
    hidden = [name for name in rxws.__all__ if isinstance(getattr(rxws, name), ModuleType)]

    assert set(hidden) <= {"errors", "events", "market", "operators", "windows"}
    assert [name for name in operators.__all__ if not callable(getattr(operators, name))] == []


def test_one_operator_a_file_named_after_it() -> None:
    """The public files of rxws.operators are the list of its operators."""
    files = (PACKAGE / "operators").glob("*.py")

    assert sorted(operators.__all__) == sorted(path.stem for path in files if not path.name.startswith("_"))


def test_the_import_is_light() -> None:
    """`import rxws` loads nothing optional, and nothing that it does not depend on."""
    code = "import sys; before = set(sys.modules); import rxws; import json; "
    code += "print(json.dumps(sorted(set(sys.modules) - before)))"
    shell = [sys.executable, "-c", code]
    done = subprocess.run(shell, capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    loaded = json.loads(done.stdout)
    roots = {name.partition(".")[0] for name in loaded}

    assert roots & OPTIONAL == set()
    assert {root for root in roots if not root.startswith("_")} <= DEPENDENCIES | set(sys.stdlib_module_names)
    assert len(loaded) < 600
