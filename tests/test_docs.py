"""What README.md and docs/ show is true: their programs run, their commands exist.

How a snippet is run, and how a comment above it may ask for more, is told in tests/snippets.py.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.snippets import ROOT, Snippet, run, snippets

DOCS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
SNIPPETS = [snippet for path in DOCS for snippet in snippets(path)]
PYTHON = [snippet for snippet in SNIPPETS if snippet.language in {"python", "py", "pycon"}]
SHELL = [snippet for snippet in SNIPPETS if snippet.language in {"sh", "bash", "console", "shell"}]

TARGETS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
async def test_a_program_runs_as_it_stands(snippet: Snippet, tmp_path: Path) -> None:
    """Each Python block of the docs runs to its end, or for as long as its comment says."""
    await run(snippet, tmp_path)


@pytest.mark.parametrize("snippet", SHELL, ids=str)
def test_a_command_names_what_there_is(snippet: Snippet) -> None:
    """Each shell block of the docs names targets of the Makefile and extras of the package."""
    assert unknown(snippet.source) == set()


def unknown(commands: str) -> set[str]:
    """Return the targets and extras that commands name and that do not exist."""
    made = re.findall(r"\bmake((?:[ ]+[a-z][\w-]*(?!\S))+)", commands)
    wanted = re.findall(r"\brxws\[([\w,-]+)\]", commands)
    targets = {target for names in made for target in names.split()}
    extras = {extra for names in wanted for extra in names.split(",")}
    return (targets - TARGETS) | (extras - EXTRAS)


def test_a_command_that_does_not_exist_is_told() -> None:
    """Targets and extras are told apart from arguments and from other words."""
    commands = "make demo ARGS='--seconds 60'\nmake lunch test && pip install 'rxws[cli,fork]'"

    assert unknown(commands) == {"lunch", "fork"}
