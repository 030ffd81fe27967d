"""The rows of docs/reliability.md hold, and none of them holds for a client that is broken.

All rows are played in their short form, in processes of their own, a few at a time: most of the time they wait.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import warnings
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.markers import between, lines
from benchmarks.reliability import __main__ as command
from benchmarks.reliability import page
from benchmarks.reliability.row import Figure, Row, Trial
from benchmarks.reliability.rows import ROWS
from benchmarks.reliability.running import play
from tests.broken_clients import BROKEN, played

KEYS = [row.key for row in ROWS]
AT_ONCE = 8


# A length that is written wrongly is a loss with picows, and not fatal: docs/speed.md.
DIFFERS = "length"


@pytest.fixture(scope="module")
def figures() -> Iterator[dict[tuple[str, str], Future[Figure]]]:
    """Play all rows: to rxws over both transports, and to the broken clients."""
    with ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn")) as processes:
        yield {
            **{(key, client): processes.submit(played, key, client) for client in ("rxws", "broken") for key in KEYS},
            **{(key, "picows"): processes.submit(played, key, "picows") for key in KEYS if key != DIFFERS},
        }
        processes.shutdown(cancel_futures=True)


@pytest.mark.parametrize("key", KEYS)
def test_what_must_hold_holds(key: str, figures: dict[tuple[str, str], Future[Figure]]) -> None:
    """The short form of the row passes."""
    figure = figures[key, "rxws"].result()

    assert figure.passed, figure.text


@pytest.mark.parametrize("key", [key for key in KEYS if key != DIFFERS])
def test_what_must_hold_holds_over_picows(key: str, figures: dict[tuple[str, str], Future[Figure]]) -> None:
    """Every row but one."""
    figure = figures[key, "picows"].result()

    assert figure.passed, figure.text


@pytest.mark.parametrize("key", KEYS)
def test_a_broken_client_is_noticed(key: str, figures: dict[tuple[str, str], Future[Figure]]) -> None:
    """The row fails where what it is about does not work."""
    figure = figures[key, "broken"].result()

    assert not figure.passed, figure.text


def test_every_row_has_a_client_that_it_must_notice() -> None:
    """A row is added with what it is to fail for."""
    assert sorted(BROKEN) == sorted(KEYS)
    assert len(KEYS) == len(set(KEYS)) >= 40


# The page


def test_the_page_shows_every_row_and_all_of_them_hold() -> None:
    """docs/reliability.md is what `make reliability` wrote of these rows, in their order."""
    shown = between(page.PAGE.read_text(encoding="utf-8"), page.TABLE)

    assert shown is not None
    _, *table = lines(shown)
    assert [cells[:2] for cells in table] == [[row.happens, row.must_hold] for row in ROWS]
    assert [figure for _, _, figure in table if not figure or figure.startswith("**FAILS")] == []


def test_the_page_is_written_between_its_markers_and_says_what_fails(tmp_path: Path) -> None:
    """What people wrote stays."""
    path = tmp_path / "page.md"
    table = "<!-- reliability -->\nwhat was there\n<!-- /reliability -->\n"
    path.write_text(f"mine\n{table}<!-- measured -->\n<!-- /measured -->\nmine\n")
    figures = {key: Figure(key != "reset", f"figure of {key}") for key in KEYS}

    page.write(figures, path)

    written = path.read_text()
    assert written.startswith("mine\n") and written.endswith("mine\n") and "what was there" not in written
    assert "| figure of fin |" in written and "| **FAILS:** figure of reset |" in written
    assert f"{len(KEYS) - 1} of {len(KEYS)} rows hold" in written


@pytest.mark.parametrize("passed", [True, False])
def test_the_command_fails_where_a_row_does(
    passed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exit status is 1, and the row is named."""
    monkeypatch.setattr(command, "play", lambda row, short: Figure(passed, "so it was"))
    monkeypatch.setattr("sys.argv", ["reliability", "--rows", "fin", "--short"])

    assert command.main() == (0 if passed else 1)
    assert ("FAILS" in capsys.readouterr().out) is not passed


# What holds for all rows


def judged(run: Any, limit: float = 60.0) -> Figure:
    """Play a row made up for a test."""
    return play(Row("made-up", "it happens", "it must hold", run, limit), short=True)


async def fine(trial: Trial) -> Figure:
    """A row that holds."""
    return Figure.of("fine", all_is_well=True)


def test_a_row_whose_checks_are_true_holds() -> None:
    """And its text is the figure."""
    assert judged(fine) == Figure(True, "fine")


def test_a_check_that_is_not_true_is_named() -> None:
    """The figure says which."""
    assert Figure.of("3", in_order=True, each_once=False) == Figure(False, "3; not so: each once")


def test_a_row_that_raises_fails() -> None:
    """Its text is the error."""

    async def run(trial: Trial) -> Figure:
        raise KeyError("mine")

    assert judged(run) == Figure(False, "KeyError: 'mine'")


def test_a_row_that_takes_too_long_fails() -> None:
    """It is ended at its limit."""

    async def run(trial: Trial) -> Figure:
        await asyncio.sleep(3600)
        return Figure(True, "never")

    assert judged(run, limit=0.01) == Figure(False, "it did not end within 0.01 s")


def test_an_exception_that_nobody_expected_fails_the_row() -> None:
    """That is what reaches the loop's handler, an unretrieved one among it."""

    async def fails() -> None:
        raise KeyError("mine")

    async def run(trial: Trial) -> Figure:
        task = asyncio.ensure_future(fails())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        return Figure(True, "fine")

    figure = judged(run)
    assert not figure.passed and "KeyError('mine')" in figure.text


def test_an_exception_that_was_expected_must_be_heard() -> None:
    """One that does not come fails the row."""
    error = KeyError("mine")

    async def run(trial: Trial) -> Figure:
        trial.expected.append(error)
        return Figure(True, "fine")

    async def heard(trial: Trial) -> Figure:
        asyncio.get_running_loop().call_exception_handler({"message": "", "exception": error})
        return await run(trial)

    assert not judged(run).passed
    assert judged(heard).passed


async def unclosed(trial: Trial) -> Figure:
    """Leave a socket to the collector."""
    socket.socket()
    return Figure(True, "fine")


async def never_awaited(trial: Trial) -> Figure:
    """Leave a coroutine to the collector."""
    asyncio.sleep(1)  # type: ignore[unused-coroutine]
    return Figure(True, "fine")


async def warned(trial: Trial) -> Figure:
    """Write to a transport that is gone, as asyncio warns of."""
    import logging

    logging.getLogger("asyncio").warning("socket.send() raised exception.")
    return Figure(True, "fine")


@pytest.mark.parametrize("run", [unclosed, never_awaited, warned])
def test_what_is_left_to_the_collector_or_warned_of_fails_the_row(run: Any) -> None:
    """A socket, a coroutine, and what asyncio logs."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert not judged(run).passed
