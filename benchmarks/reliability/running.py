"""Plays rows, each on an event loop of its own, and holds each to what holds for all."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.reliability.raw_server import SERVER_THREAD
from benchmarks.reliability.row import Figure, Row, Trial
from benchmarks.reliability.watching import Client
from rxws import ws_observable
from rxws.testing import Leftovers

__all__ = ["play"]

UNRETRIEVED = (ResourceWarning, RuntimeWarning)
"""How Python tells of a socket that nobody closed, and of a coroutine that nobody awaited."""


def play(row: Row, *, short: bool, client: Client = ws_observable, patience: float = 10.0) -> Figure:
    """Play one row, and return what came of it.

    Whatever the row says, it fails where an exception that it does not expect reaches the loop's handler, where
    asyncio logs a warning, where something was left unclosed or never awaited, and where it raises or takes too long.

    Args:
        row: which.
        short: whether in a reduced size.
        client: what makes the streams.
        patience: seconds after which what the row waits for counts as missed.
    """
    with _told() as told:
        figure, heard = asyncio.run(_played(row, short, client, patience))
        gc.collect()
    unasked = heard + told
    return Figure(False, f"{figure.text}; unasked: {unasked[:3]}") if unasked else figure


@contextmanager
def _told() -> Iterator[list[str]]:
    """Collect what Python warns of, and what asyncio logs."""
    told: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("asyncio")
    log.addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("ignore")
            for kind in UNRETRIEVED:
                warnings.simplefilter("always", kind)
            yield told
            told += [str(each.message) for each in warned if issubclass(each.category, UNRETRIEVED)]
    finally:
        log.removeHandler(handler)


async def _played(row: Row, short: bool, client: Client, patience: float) -> tuple[Figure, list[Any]]:
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: heard.append(context.get("exception") or context["message"])
    )
    with Leftovers(threads={SERVER_THREAD}) as leftovers:
        trial = Trial(leftovers, short, client, patience)
        try:
            async with asyncio.timeout(row.limit):
                figure = await row.run(trial)
        except TimeoutError:
            figure = Figure(False, f"it did not end within {row.limit:g} s")
        except Exception as error:
            figure = Figure(False, f"{type(error).__name__}: {error}")
        gc.collect()  # so that what nobody retrieved is told now
        await asyncio.sleep(0)
    for each in trial.expected:
        if each in heard:
            heard.remove(each)
        else:
            figure = Figure(False, f"{figure.text}; nobody heard of {each!r}")
    return figure, [repr(each) for each in heard]
