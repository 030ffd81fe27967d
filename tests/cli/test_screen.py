"""The screen of the demo, drawn without a terminal at a clock that stands still."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rxws.cli.board import Board, Frame
from rxws.cli.screen import DemoScreen
from rxws.cli.script import CHARTS, SYMBOLS
from rxws.errors import ConnectionClosed
from rxws.events import Closed, Connecting, Event, Live, Opened, Waiting, reason_of
from rxws.terminal.rows import cells, text_of


def frame(exchange: str, symbol: str, kind: str, data: Frame) -> Frame:
    """Return what an exchange tells."""
    return {"exchange": exchange, "stream": f"{symbol}@{kind}", "n": 1, "data": {"s": symbol, **data}}


def kline(exchange: str, symbol: str, last: str, at: int = 0) -> Frame:
    """Return a kline that opened at 2.0 and went from 1.0 to 3.0."""
    prices = {
        "t": 1_795_651_200_000 + at * 1_000,
        "s": symbol,
        "i": "1m",
        "o": "2.0",
        "l": "1.0",
        "h": "3.0",
        "c": last,
    }
    return frame(exchange, symbol, "kline_1m", {"e": "kline", "k": prices})


def quote(exchange: str, symbol: str, bid: str, ask: str) -> Frame:
    """Return a book ticker."""
    return frame(exchange, symbol, "bookTicker", {"b": bid, "a": ask})


def busy() -> Board:
    """Return a board on which much has happened."""
    board = Board(SYMBOLS, 20.0, clock=float)
    for number in range(100):
        board.say("usdm", f"line {number}", "lost")
    for market in board.markets.values():
        board.candles(kline(market.exchange, market.symbol, last, at) for at, last in enumerate(("2.0", "2.5")))
        for bid in ("1.9", "2.1"):
            board.take(quote(market.exchange, market.symbol, bid, "2.2"))
    return board


def told(board: Board, width: int, height: int) -> list[str]:
    """Return the rows of a picture of this size."""
    return [text_of(row) for row in DemoScreen(board, Console(file=io.StringIO())).rows(width, height)]


@pytest.mark.parametrize(("width", "height", "charts", "prices"), [(80, 23, 2, 0), (120, 39, 3, 6), (200, 49, 5, 6)])
def test_the_screen_fits_its_terminal(width: int, height: int, charts: int, prices: int) -> None:
    """However much has happened, the newest lines are in sight; there are as many charts as there is room for."""
    rows = told(busy(), width, height)

    assert len(rows) <= height
    assert {len(row) for row in rows} == {width}
    assert rows[-1].rstrip() == "   0.00 s  usdm    line 99"
    assert sum("+25.00 %" in row for row in rows) == prices
    for exchange, symbol, _ in CHARTS[:charts]:
        assert f"● {exchange} {symbol}  idle" in rows[1]
    assert rows[1].count("●") == charts
    assert any("█" in row for row in rows)
    assert any("⠀" < char <= "⣿" for row in rows for char in row)


@given(st.integers(1, 220), st.integers(1, 60))
def test_the_screen_fits_any_terminal(width: int, height: int) -> None:
    """Also one that is too small for everything."""
    rows = DemoScreen(busy(), Console(file=io.StringIO())).rows(width, height)
    assert 1 <= len(rows) <= height
    assert {cells(row) for row in rows} == {width}


def hear(board: Board, exchange: str, events: Iterable[Event]) -> None:
    """Tell of a connection."""
    for event in events:
        board.feeds[exchange].hear(event)


def test_an_outage_is_told_above_its_charts_and_marked_in_them() -> None:
    """Those of the other exchange go on."""
    board, error, told_by = busy(), ConnectionClosed(1012), {"generation": 1, "origin": ""}
    now_ns = 1_795_651_201 * 10**9
    up: list[Event] = [
        Connecting(attempt=1, time_ns=0, **told_by),
        Opened(took=0.0, time_ns=0, **told_by),
        Live(after=0.0, time_ns=0, **told_by),
    ]
    for name in board.feeds:
        hear(board, name, up)
    ended = Closed(reason=reason_of(error), error=error, uptime=1.0, opened=True, time_ns=now_ns, **told_by)
    wait = Waiting(seconds=2.5, rule="policy", attempt=2, error=error, time_ns=now_ns, **told_by)
    hear(board, "usdm", [ended, wait])
    rows = told(board, 240, 29)

    assert rows[1].count("reconnecting in 3 s: lost:") == 4
    assert "● spot NKNUSDT  live" in rows[1]
    assert "━" in "".join(rows[3:12])


def test_the_last_event_stands_with_its_connection() -> None:
    """Where the terminal is wide; else the lines below tell it."""
    board = Board(SYMBOLS, 20.0, clock=float)
    board.feeds["usdm"].last_event = "lost: connection reset, back in 0.40 s"

    assert [row for row in told(board, 80, 23) if "reset" in row] == []
    assert [row.split()[:2] for row in told(board, 140, 40) if "reset" in row] == [["usdm", "idle"]]
