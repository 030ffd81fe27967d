"""Takes the snippets out of a Markdown file and runs them as they stand.

Each fenced `python` block is a program of its own: a fresh interpreter runs it, warnings are
errors, `await` may stand at the top level. It has to end by itself, with status 0 and nothing on
stderr. A block that begins with `>>>` is a doctest. Every host that a `ws://` or `wss://` address
names is a simulated exchange on loopback, one for each host; the path stays. Every venue that is
imported from `rxws.feeds` or `rxws.exchanges` is a simulated one too. Nothing can be left out, but
a comment right above the block may say how to run it, several things parted by `;`:

    <!-- test: stop after 5 lines -->      Ctrl-C as soon as it has printed so many
    <!-- test: in a notebook -->           a loop runs already and goes on after the last line
    <!-- test: read "4h" as "2s" -->       so that nobody waits for four hours
    <!-- test: continues -->               the block is the end of the one above it
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

from rxws.testing.exchange import Limits, SimulatedExchange, VenueName

ROOT = Path(__file__).parents[1]
RUNNER = Path(__file__).with_name("run_snippet.py")
INTERRUPTED = 130
SYMBOLS = {"nknusdt": "btcusdt"}  # the docs speak of a symbol that everybody knows
GUARD = 60.0  # seconds until a snippet that hangs is killed; no snippet comes near it

VENUES = re.compile(r"^(?:>>> |\.\.\. )?from rxws\.(?:feeds|exchanges) import (?P<names>[\w, ]+)$", re.MULTILINE)
HOST = re.compile(r"wss?://[^/\s\"'`{}?#]+")
FENCE = re.compile(r"(?P<indent>[ ]*)(?P<fence>`{3,}|~{3,})[ ]*(?P<language>\w*)")
COMMENT = re.compile(r"\s*<!--\s*test:(?P<orders>.*)-->\s*")


@dataclass(frozen=True)
class Snippet:
    """A fenced block; its `source` has blank lines where the page has what is before it."""

    path: Path
    line: int
    language: str
    source: str
    stop_after: int | None = None
    in_notebook: bool = False
    continues: bool = False
    read_as: dict[str, str] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        if self.source.lstrip().startswith(">>>"):
            return "doctest"
        return "notebook" if self.in_notebook else "script"

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


def snippets(path: Path) -> list[Snippet]:
    """Return the fenced blocks of a Markdown file, those that continue another one joined to it."""
    found: list[Snippet] = []
    for snippet in _blocks(path):
        if snippet.continues:
            if not found:
                raise ValueError(f"{snippet}: there is no block above that it could continue")
            found[-1] = _joined(found[-1], snippet)
        else:
            found.append(snippet)
    return found


def _joined(first: Snippet, second: Snippet) -> Snippet:
    return replace(
        second,
        line=first.line,
        source=first.source + second.source[first.source.count("\n") :],
        in_notebook=first.in_notebook or second.in_notebook,
        read_as=first.read_as | second.read_as,
    )


def _blocks(path: Path) -> Iterator[Snippet]:
    lines = iter(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    orders: str | None = None
    for number, line in lines:
        opening = FENCE.match(line)
        if opening:
            body = _body(lines, opening["indent"], opening["fence"], f"{path.name}:{number}")
            block = Snippet(path, number, opening["language"], "\n" * number + body)
            yield _ordered(block, orders) if orders is not None else block
        elif orders is not None and line.strip():
            break
        if line.strip():
            comment = COMMENT.fullmatch(line)
            orders = comment["orders"] if comment else None
    if orders is not None:
        raise ValueError(f"{path.name}: above no block stands `test:{orders}`")


def _body(lines: Iterator[tuple[int, str]], indent: str, fence: str, place: str) -> str:
    body: list[str] = []
    for _, line in lines:
        if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
            return "".join(f"{line}\n" for line in body)
        body.append(line.removeprefix(indent))
    raise ValueError(f"{place}: the block has no end")


def _ordered(snippet: Snippet, orders: str) -> Snippet:
    for order in (order.strip() for order in orders.split(";")):
        if found := re.fullmatch(r"stop after (\d+) lines?", order):
            snippet = replace(snippet, stop_after=int(found[1]))
        elif found := re.fullmatch(r'read "(.+)" as "(.*)"', order):
            snippet = replace(snippet, read_as={**snippet.read_as, found[1]: found[2]})
        elif order == "in a notebook":
            snippet = replace(snippet, in_notebook=True)
        elif order == "continues":
            snippet = replace(snippet, continues=True)
        else:
            raise ValueError(f"{snippet}: `test: {order}` is none of those in tests/snippets.py")
    return snippet


async def run(snippet: Snippet, folder: Path) -> str:
    """Run a snippet in `folder` as its comment says, and return what it printed.

    Raises:
        AssertionError: it failed, hung, wrote to stderr, or ended before it had printed enough.
    """
    async with AsyncExitStack() as exchanges:
        source = snippet.source
        for shown, meant in snippet.read_as.items():
            assert shown in source, f"{snippet}: it holds no {shown!r} to read as {meant!r}"
            source = source.replace(shown, meant)
        for host in hosts(source):
            exchange = await exchanges.enter_async_context(SimulatedExchange(symbols=SYMBOLS))
            source = redirected(source, host, exchange.url)
        bases: dict[str, str] = {}
        for name in venues(source):
            exchange = await exchanges.enter_async_context(SimulatedExchange(name, rate=200.0, limits=Limits.off()))
            bases[name] = exchange.url
        program = folder / "snippet.py"
        program.write_text(source, encoding="utf-8")
        return await _watch(snippet, await _start(snippet, program, bases))


def hosts(source: str) -> list[str]:
    """Return the beginnings `wss://host:port` of the addresses in a program, each once."""
    return list(dict.fromkeys(HOST.findall(source)))


def venues(source: str) -> list[VenueName]:
    """Return the venues that a program imports, each once."""
    named = (name.strip() for names in VENUES.findall(source) for name in names.split(","))
    return list(dict.fromkeys(name for name in named if name in get_args(VenueName)))


def redirected(source: str, host: str, url: str) -> str:
    """Return a program that finds at `url` what it looks for at `host`; paths stay."""
    scheme, netloc, *_ = urlsplit(url)
    return re.sub(rf"{re.escape(host)}(?![\w.:-])", f"{scheme}://{netloc}", source)


async def _start(snippet: Snippet, program: Path, bases: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-W", "error", RUNNER, snippet.mode, program, snippet.path),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        cwd=program.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SNIPPET_BASES": json.dumps(bases)},
    )


async def _watch(snippet: Snippet, process: Process) -> str:
    printed: list[bytes] = []
    errors = b""
    try:
        async with asyncio.timeout(GUARD):
            errors = await _read(snippet, process, printed)
    except TimeoutError:
        process.kill()
        _, errors = await process.communicate()
        raise AssertionError(_told(snippet, "did not end", printed, errors)) from None
    lines = len(b"".join(printed).splitlines())
    stopped = snippet.stop_after is not None and process.returncode == INTERRUPTED
    if errors or not (process.returncode == 0 or stopped):
        raise AssertionError(_told(snippet, f"ended with {process.returncode}", printed, errors))
    if lines < (snippet.stop_after or 0):
        raise AssertionError(_told(snippet, f"printed only {lines} lines", printed, errors))
    return b"".join(printed).decode()


async def _read(snippet: Snippet, process: Process, printed: list[bytes]) -> bytes:
    assert process.stdout is not None
    if snippet.stop_after is not None:
        while len(printed) < snippet.stop_after and (line := await process.stdout.readline()):
            printed.append(line)
        # Not by process.send_signal: that looks first whether the process has ended, and where it has, asyncio's own
        # watcher finds nobody and reports 255.
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGINT)
    rest, errors = await process.communicate()
    printed.append(rest)
    return errors


def _told(snippet: Snippet, what: str, printed: list[bytes], errors: bytes) -> str:
    return f"{snippet} {what}\n{b''.join(printed).decode()}{errors.decode()}"
