"""What a terminal shows of a live chart and of the demo: simulated exchanges, and some forty seconds of real time."""

from __future__ import annotations

import asyncio
from typing import TypeAlias

from reactivex import operators as ops

import rxws
from rxws.cli.board import Board
from rxws.cli.demo import survive
from rxws.cli.screen import DemoScreen
from rxws.cli.script import SYMBOLS, Pace
from rxws.operators import filter_kline, match, share_live
from rxws.terminal import live_candles
from rxws.terminal.rows import Row
from rxws.testing import SimulatedExchange, random_walk

Screen: TypeAlias = tuple[list[Row], int]
"""Rows, and how many columns they have."""

CHART, DEMO = (90, 24), (110, 34)
"""Columns and rows."""


class Recorder(DemoScreen):
    """Draws nowhere, and keeps the picture of a moment at which much has happened."""

    shot: list[Row]

    def draw(self) -> None:
        """Draw it, while that moment has not passed."""
        if self._board.elapsed < 0.73 * self._board.seconds:
            self.shot = self.rows(*DEMO)


async def chart() -> Screen:
    """Candles and their average, with a connection that was lost for a second."""
    streams = ["btcusdt@kline_1m", "btcusdt@aggTrade"]
    async with SimulatedExchange(random_walk("btcusdt"), streams=streams, rate=100.0, candle=0.2) as exchange:
        url = exchange.combined_url(*streams)
        frames = rxws.ws_observable(url, retry=rxws.Backoff.fixed(1.2)).pipe(share_live())
        prices = frames.pipe(match({"stream": streams[1]}), ops.map(lambda frame: float(frame["data"]["p"])))
        average = prices.pipe(ops.buffer_with_count(40, 5), ops.map(lambda some: sum(some) / len(some)))
        with live_candles(frames.pipe(filter_kline), lines={"average of 40 trades": average}) as view:
            asyncio.get_running_loop().call_later(6.0, exchange.close, 1012)
            await asyncio.sleep(14.0)
            return view.rows(*CHART), CHART[0]


def demo() -> Screen:
    """The demo at three quarters of its time."""
    pace = Pace(20.0)
    board = Board(SYMBOLS, pace.seconds)
    recorder = Recorder(board)
    survive(pace, board, recorder)
    return recorder.shot, DEMO[0]
