"""Runs one snippet of the docs as a program of its own: run_snippet.py MODE SOURCE SHOWN_AS.

MODE is `script`, `notebook` (a loop runs already, and goes on running after the last line) or
`doctest`. Ctrl-C ends it with status 130 and without a traceback. SNIPPET_BASES in the environment
says at what URLs venues are found, in place of their own.
"""

from __future__ import annotations

import ast
import asyncio
import doctest
import inspect
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any


def main(mode: str, source: str, shown_as: str) -> int:
    """Run it, in a namespace that holds nothing of this file, and return the exit status."""
    for name, base in json.loads(os.environ.get("SNIPPET_BASES", "{}")).items():
        import_module(f"rxws.exchanges.{name}").BASE = base  # type: ignore[attr-defined]
    text = Path(source).read_text(encoding="utf-8")
    # msgspec and dataclasses look names up in the module that a class says it is from.
    program = sys.modules["__main__"] = ModuleType("__main__")
    if mode == "doctest":
        return _run_doctest(text, shown_as, program.__dict__)
    code = compile(text, shown_as, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if mode == "notebook" or code.co_flags & inspect.CO_COROUTINE:
        asyncio.run(_run_in_loop(code, program.__dict__, stays=mode == "notebook"))
    else:
        exec(code, program.__dict__)
    return 0


def _run_doctest(text: str, shown_as: str, namespace: dict[str, Any]) -> int:
    test = doctest.DocTestParser().get_doctest(text, namespace, shown_as, shown_as, 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    return 1 if result.failed else 0


async def _run_in_loop(code: CodeType, namespace: dict[str, Any], stays: bool) -> None:
    waiting = eval(code, namespace)
    if waiting is not None:
        await waiting
    if stays:
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
