"""The table of the demo, drawn without a terminal at a clock that stands still."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from rxws.cli.board import Board, Frame, Market
from rxws.cli.script import SYMBOLS
from rxws.cli.table import Table, picture


def kline(exchange: str, symbol: str, last: str) -> Frame:
    """Return a kline that opened at 2.0 and went from 1.0 to 3.0."""
    prices = {"s": symbol, "o": "2.0", "l": "1.0", "h": "3.0", "c": last}
    return {
        "exchange": exchange,
        "stream": f"{symbol}@kline_1m",
        "n": 1,
        "data": {"e": "kline", "s": symbol, "k": prices},
    }


def drawn(board: Board, width: int, height: int) -> list[str]:
    """Return the rows that a terminal of this size shows."""
    console = Console(file=io.StringIO(), width=width, height=height, highlight=False, force_terminal=False)
    with Table(board, console) as table:
        table.draw()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().rstrip("\n").split("\n")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (140, 40)])
def test_the_table_fits_its_terminal(width: int, height: int) -> None:
    """However much has happened, no row is cut off but at its end, and the newest lines are in sight."""
    board = Board(SYMBOLS, 20.0, clock=float)
    for number in range(100):
        board.say("usdm", f"line {number}", "lost")
    board.candles(kline(name, symbol, "2.5") for name, symbols in SYMBOLS.items() for symbol in symbols)

    rows = drawn(board, width, height)

    assert len(rows) < height
    assert max(map(len, rows)) <= width
    assert rows[-1] == "   0.00 s  usdm  line 99"
    assert sum("+25.00 %" in row for row in rows) == 6
    assert ("high" in rows[2]) == (width == 140)


def test_the_last_event_stands_with_its_connection() -> None:
    """Beneath it where the terminal is narrow, beside it where it is wide."""
    board = Board(SYMBOLS, 20.0, clock=float)
    board.feeds["usdm"].last_event = "lost: connection reset, back in 0.40 s"

    narrow, wide = drawn(board, 80, 24), drawn(board, 140, 40)

    assert [row.strip() for row in narrow if "reset" in row] == ["lost: connection reset, back in 0.40 s"]
    assert [row.split()[:2] for row in wide if "reset" in row] == [["usdm", "idle"]]


@pytest.mark.parametrize(
    ("last", "shown"), [("1.0", "━━━━━────"), ("3.0", "────━━━━━"), ("2.0", "────━────"), ("9.0", "────━━━━━")]
)
def test_a_candle_lies_on_its_side(last: str, shown: str) -> None:
    """Thin from low to high, thick between open and last; a last price beyond them does not burst it."""
    assert picture(Market("spot", "A", last=last, open="2.0", low="1.0", high="3.0"), 9) == shown


def test_a_candle_without_a_range_is_a_line() -> None:
    """Nothing is divided by nothing."""
    assert picture(Market("spot", "A", last="1", open="1", low="1", high="1"), 9) == "    │    "
    assert picture(Market("spot", "A"), 9) == " " * 9
