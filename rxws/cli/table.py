"""The demo in a terminal: a table that is drawn again and again. It needs rich."""

from __future__ import annotations

from itertools import islice
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rxws.cli.board import Board, Feed, Line, Market

__all__ = ["Table", "picture"]

WIDE = 120
"""From this width on more is shown."""
RATE_OVER = 3.0
"""Seconds over which the rate is taken."""

# Only colours that can be read on black and on white.
STYLES = {"fault": "dim", "lost": "red", "left": "magenta", "live": "green"}
STATES = {"live": "green", "open": "green", "waiting": "red", "gave up": "red"}


class Table:
    """Draws the board.

    Args:
        board: what is shown.
        console: where; None: the standard output.
    """

    def __init__(self, board: Board, console: Console | None = None) -> None:
        self._board = board
        self._console = Console(highlight=False) if console is None else console
        # No thread: it is drawn by the pipeline.
        self._live = Live(console=self._console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def draw(self) -> None:
        """Draw it as it is now."""
        size = self._console.size
        self._live.update(self._screen(size.width, size.height), refresh=True)

    def _screen(self, width: int, height: int) -> Text:
        board, wide = self._board, width >= WIDE
        rows = [_title(board, min(width, WIDE)), Text(), _market_head(wide)]
        rows += [_market(each, board.feeds[each.exchange], wide) for each in board.markets.values()]
        rows += [Text(), _feed_head(wide)]
        for feed in board.feeds.values():
            rows += _feed(feed, wide)
        rows += [Text(), Text("what happened", style="bold")]
        room = max(3, min(height - len(rows) - 1, 16))
        rows += [_line(line) for line in islice(board.lines, max(0, len(board.lines) - room), None)]
        for row in rows:
            row.truncate(width)
        return Text("\n", no_wrap=True).join(rows)


def picture(market: Market, width: int = 16) -> str:
    """The candle, lying on its side: from its low to its high, thick between its open and its last price.

    >>> picture(Market("spot", "A", last="3", open="1", low="0", high="4"), 9)
    '──━━━━━──'
    """
    if not (market.open and market.last):
        return " " * width
    low, high = float(market.low), float(market.high)
    if not low < high:
        return f"{'│':^{width}}"
    ends = sorted((float(market.open), min(max(float(market.last), low), high)))
    left, right = (round((price - low) / (high - low) * (width - 1)) for price in ends)
    return "─" * left + "━" * (right - left + 1) + "─" * (width - 1 - right)


def _title(board: Board, width: int) -> Text:
    left = "rxws demo: two simulated exchanges that fail on a script"
    right = f"  {min(board.elapsed, board.seconds):.1f} of {board.seconds:g} s"
    return Text(left, style="bold").append(right.rjust(width - len(left)), style="not bold")


def _market_head(wide: bool) -> Text:
    head = f"{'exchange':<10}{'symbol':<10}{'last':>11}{'change':>10}  {'candle':<16}{'bid':>10}{'ask':>11}"
    return Text(head + (f"{'open':>12}{'low':>11}{'high':>11}" if wide else ""), style="bold")


def _market(market: Market, feed: Feed, wide: bool) -> Text:
    # What is not live is what was.
    style = "" if feed.state == "live" else "dim"
    change = market.change
    moved = style if not change else "green" if change > 0 else "red"
    row = Text(f"{market.exchange:<10}{market.symbol:<10}{market.price(market.last):>11}", style=style)
    row.append(f"{'':>10}" if change is None else f"{change:>+8.2f} %" if change else f"{0:>8.2f} %", style=moved)
    row.append(f"  {picture(market)}", style=moved)
    row.append(f"{market.price(market.bid):>10}{market.price(market.ask):>11}")
    if wide:
        row.append("".join(f"{market.price(price):>11}" for price in (market.open, market.low, market.high)))
    return row


def _feed_head(wide: bool) -> Text:
    head = f"{'exchange':<10}{'connection':<12}{'attempts':>8}{'messages':>10}{'a second':>10}"
    return Text(f"{head}{'proactive':>11}{'reactive':>10}" + ("  last event" if wide else ""), style="bold")


def _feed(feed: Feed, wide: bool) -> list[Text]:
    row = Text(f"{feed.name:<10}")
    row.append(f"{feed.state:<12}", style=STATES.get(feed.state, ""))
    row.append(f"{feed.attempts:>8}{feed.numbers.came:>10,}{feed.stats.rate(RATE_OVER):>10.0f}")
    row.append(f"{feed.proactive:>11}{feed.stats.reactive_disconnects:>10}")
    if wide:
        return [row.append(f"  {feed.last_event}")]
    return [row, Text(f"{'':<10}{feed.last_event}", style="dim")]


def _line(line: Line) -> Text:
    return Text().append(f"{line.at:7.2f} s  {line.who:<5} ", style="dim").append(line.text, style=STYLES[line.kind])
