"""The demo in a terminal: charts, connections, and what happened, drawn with the parts of `rxws.terminal`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Self

from rich.console import Console
from rich.style import Style

from rxws.cli.board import Board, Feed, Line
from rxws.cli.market import Market
from rxws.cli.script import CHARTS
from rxws.cli.venues import Row as Venue
from rxws.cli.venues import shown
from rxws.terminal.bar import bar_row
from rxws.terminal.colours import BOLD, DIM, FALLING, PLANNED, RISING, STATES
from rxws.terminal.picture import chart_rows
from rxws.terminal.rows import Part, Row, fitted
from rxws.terminal.screen import Screen, standard_console

__all__ = ["DemoScreen"]

WIDE = 120
"""From this width on more is shown."""
CHART_WIDTH = 38
BETWEEN = 2
LOWEST_CHART, HIGHEST_CHART = 6, 24
FEWEST_LINES, MOST_LINES = 3, 16
RATE_OVER = 3.0
"""Seconds over which the rate is taken."""

STYLES = {"fault": DIM, "lost": FALLING, "left": PLANNED, "live": RISING}
FEED_STATES = {"live": RISING, "open": RISING, "waiting": STATES["waiting"], "gave up": FALLING}
BLANK: Sequence[Part] = ()


class DemoScreen:
    """Draws the board.

    Args:
        board: what is shown.
        console: where; None: the standard output.
    """

    def __init__(self, board: Board, console: Console | None = None) -> None:
        self._board = board
        self._console = standard_console() if console is None else console
        self._screen = Screen(self._console)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._screen.close()

    def draw(self) -> None:
        """Draw it as it is now."""
        size = self._console.size
        self._screen.draw(self.rows(size.width, max(1, size.height - 1)))

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the picture as it is now.

        Args:
            width: columns, 1 or more; each row has so many.
            height: rows at most, 1 or more. Where they are few, the prices go first, then the charts.
        """
        board, wide = self._board, width >= WIDE
        feeds = [BLANK, _feed_head(wide), *(_feed(feed, wide) for feed in board.feeds.values())]
        feeds += [BLANK, _venue_head(), *(_venue(row) for row in board.venues), [(board.venues.spread(), None)]]
        prices = [BLANK, _market_head(), *(_market(each, board) for each in board.markets.values())]
        heading: list[Sequence[Part]] = [BLANK, [("what happened", BOLD)]]
        room = height - 1 - len(feeds) - len(heading)
        if room - len(prices) < 2 * LOWEST_CHART + FEWEST_LINES:
            prices = []
        room -= len(prices)
        chart_height = min(HIGHEST_CHART, max(LOWEST_CHART, room * 2 // 3))
        if room - chart_height < FEWEST_LINES:
            chart_height = 0
        most = max(0, min(MOST_LINES, room - chart_height))
        lines = [_line(line) for line in islice(board.lines, max(0, len(board.lines) - most), None)]
        below = [fitted(parts, width) for parts in [*prices, *feeds, *heading, *lines]]
        title = fitted(_title(board, min(width, WIDE)), width)
        return [title, *self._charts(width, chart_height), *below][:height]

    def _charts(self, width: int, height: int) -> list[Row]:
        """As many charts as stand side by side."""
        if height == 0:
            return []
        many = max(1, min(len(CHARTS), (width + BETWEEN) // (CHART_WIDTH + BETWEEN)))
        each = max(1, (width - BETWEEN * (many - 1)) // many)
        columns = [self._chart(*chart, each, height) for chart in CHARTS[:many]]
        between = fitted([], BETWEEN)
        joined = [[part for column in row for part in (*column, *between)] for row in zip(*columns, strict=True)]
        return [fitted([(part.text, part.style) for part in row], width) for row in joined]

    def _chart(self, exchange: str, symbol: str, kind: str, width: int, height: int) -> list[Row]:
        board = self._board
        market = board.markets[exchange, symbol]
        bar = bar_row(f"{exchange} {symbol}", board.feeds[exchange].report(board.elapsed), None, 0, width)
        chart = market.candles if kind == "candles" else market.quotes
        return [bar, *chart_rows(chart, width, height - 1, now_ns=time.time_ns())]


def _title(board: Board, width: int) -> list[Part]:
    left = "rxws demo: simulated exchanges that fail on a script"
    right = f"  {min(board.elapsed, board.seconds):.1f} of {board.seconds:g} s"
    return [(left, BOLD), (right.rjust(width - len(left)), None)]


def _market_head() -> list[Part]:
    head = f"{'exchange':<10}{'symbol':<10}{'last':>11}{'change':>10}{'bid':>12}{'ask':>11}"
    return [(head, BOLD)]


def _market(market: Market, board: Board) -> list[Part]:
    # What is not live is what was.
    style = None if board.feeds[market.exchange].state == "live" else DIM
    change = market.change
    moved = style if not change else RISING if change > 0 else FALLING
    told = f"{'':>10}" if change is None else f"{change:>+8.2f} %" if change else f"{0:>8.2f} %"
    return [
        (f"{market.exchange:<10}{market.symbol:<10}{market.price(market.last):>11}", style),
        (told, moved),
        (f"{market.price(market.bid):>12}{market.price(market.ask):>11}", style),
    ]


def _feed_head(wide: bool) -> list[Part]:
    head = f"{'exchange':<10}{'connection':<12}{'attempts':>8}{'messages':>10}{'a second':>10}"
    return [(f"{head}{'proactive':>11}{'reactive':>10}" + ("  last event" if wide else ""), BOLD)]


def _feed(feed: Feed, wide: bool) -> list[Part]:
    numbers = f"{feed.attempts:>8}{feed.numbers.came:>10,}{feed.stats.rate(RATE_OVER):>10.0f}"
    ends = f"{feed.proactive:>11}{feed.stats.reactive_disconnects:>10}"
    style: Style | None = FEED_STATES.get(feed.state)
    last = f"  {feed.last_event}" if wide else ""
    return [(f"{feed.name:<10}", None), (f"{feed.state:<12}", style), (f"{numbers}{ends}{last}", None)]


def _venue_head() -> list[Part]:
    return [(f"{'venue':<10}{'best bid':>12}{'best ask':>12}  {'leg':<10}{'gaps':>6}{'mended':>8}", BOLD)]


def _venue(row: Venue) -> list[Part]:
    quote = None if row.leg is None else row.leg.value
    bid, ask = ("–", "–") if quote is None else (shown(quote.bid), shown(quote.ask))
    style = None if row.is_fresh else DIM
    return [
        (f"{row.name:<10}{bid:>12.12}{ask:>12.12}  ", style),
        (f"{row.state:<10}", RISING if row.is_fresh else FALLING),
        (f"{row.gaps:>6}{row.mended:>8}", style),
    ]


def _line(line: Line) -> list[Part]:
    return [(f"{line.at:7.2f} s  {line.who:<7} ", DIM), (line.text, STYLES[line.kind])]
