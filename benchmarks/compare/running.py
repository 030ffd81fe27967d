"""Plays rows to clients, and puts their answers together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks.compare.columns import Absent, Column, Variant
from benchmarks.compare.judges import Answer
from benchmarks.compare.rows import ROWS, Row
from benchmarks.compare.server import FaultyServer
from benchmarks.compare.trial import Client, Trial


@dataclass(frozen=True)
class Cell:
    """What stands in the table, and the figures behind it."""

    text: str
    figures: str


Table = dict[tuple[str, str], Cell]
"""The cells by row's key and column's name."""


async def play(row: Row, column: Column, variant: str = "") -> Answer:
    """Play one row to one client."""
    async with (
        FaultyServer(row.play, row.refuse) as server,
        Client(column.program, row.key, server.url, variant) as client,
    ):
        trial = Trial(server, client)
        await trial.begun()
        return await row.judge(trial)


def joined(answer: Answer, by: str | None, variant: Variant | None, other: Answer | None) -> Cell:
    """Put the answer of a client and that of its second way into one cell."""
    text, figures = answer.cell, answer.figures
    if by is not None and text == "yes":
        text = f"yes, {by}"
    if variant is not None and other is not None:
        text = f"{text}; {variant.label}: {other.cell}"
        figures = f"{figures}; {variant.label}: {other.figures}"
    return Cell(text, figures)


async def cell(row: Row, column: Column, limit: asyncio.Semaphore) -> Cell:
    """Play one row to one client, in each way it is used."""
    variant = column.variants.get(row.key)
    async with limit:
        answer = await play(row, column)
    other = None
    if variant is not None:
        async with limit:
            other = await play(row, column, variant.name)
    return joined(answer, column.by.get(row.key), variant, other)


async def table(
    columns: Sequence[Column | Absent],
    at_once: int = 1,
    rows: Iterable[Row] = ROWS,
    progress: Callable[[str], object] = lambda text: None,
) -> Table:
    """Play all rows to all columns.

    Args:
        columns: the clients; one that is absent gets cells that say why.
        at_once: how many clients run at one time. Alone, none disturbs another.
        rows: which rows.
        progress: told of each cell.
    """
    limit = asyncio.Semaphore(at_once)
    cells: Table = {}

    async def fill(row: Row, column: Column | Absent) -> None:
        if isinstance(column, Absent):
            cells[row.key, column.name] = Cell(f"not run: {column.reason}", "")
            return
        found = await cell(row, column, limit)
        cells[row.key, column.name] = found
        progress(f"{row.key:14} {column.name:11} {found.text}   [{found.figures}]")

    async with asyncio.TaskGroup() as group:
        for row in rows:
            for column in columns:
                group.create_task(fill(row, column))
    return cells
