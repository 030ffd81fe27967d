"""The pipeline of the demo, to copy: two streams merged, and what they need to come back from whatever ends them."""

from __future__ import annotations

from functools import partial

import reactivex as rx
from reactivex import Observable, Subject
from reactivex import operators as ops

import rxws
from rxws.cli.board import Board, Feed, Frame
from rxws.cli.script import Pace
from rxws.operators import filter_kline, match
from rxws.testing import SimulatedExchange

__all__ = ["klines", "stream"]


def klines(spot: SimulatedExchange, usdm: SimulatedExchange, pace: Pace, board: Board) -> Observable[list[Frame]]:
    """Two streams that never end, merged: every message goes to the board, klines come out four times a second."""
    return rx.merge(
        stream(spot, pace, board.feeds["spot"]),
        stream(usdm, pace, board.feeds["usdm"]),
    ).pipe(
        ops.do_action(board.take),
        filter_kline,
        ops.buffer_with_time(0.25, scheduler=rxws.scheduler()),
    )


def stream(exchange: SimulatedExchange, pace: Pace, feed: Feed) -> Observable[Frame]:
    """One of the two. Its times are those of a short demo; the defaults are for weeks."""
    unit = pace.unit
    heard: Subject[Frame] = Subject()
    return rxws.ws_observable(
        lambda: f"{exchange.url}/stream",
        subscriptions=[{"method": "SUBSCRIBE", "params": exchange.streams, "id": 1}],
        retry=rxws.Backoff(initial=2 * unit, cap=5 * unit, stable_after=8 * unit),
        # Planned ends: before the exchange would close for old age, and when it says that it is about to.
        max_age=0.9 * pace.spot_age,
        disconnect_when=heard.pipe(match({"stream": "!serverShutdown"})),
        check_interval=unit,
        open_timeout=1.0,
        idle_timeout=8 * unit,
        ping_interval=3 * unit,
        ping_timeout=3 * unit,
        stats=feed.stats,
        events=feed.hear,
    ).pipe(
        ops.do_action(heard.on_next),
        ops.map(partial(_told_by, feed.name)),
    )


def _told_by(exchange: str, frame: Frame) -> Frame:
    return {"exchange": exchange, **frame}
