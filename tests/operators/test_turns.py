"""A subscriber that raises is not called again, by a timer either."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from reactivex import Observable, Subject
from reactivex.testing import TestScheduler

from rxws.events import ConnectionState, Gap
from rxws.market import BookDelta, BookSnapshot, Candle, Trade
from rxws.operators import close_candles, conflate, fill_gaps, fresh, order_book
from tests.operators.hand import STAMP, Hand, closed

ONE = Decimal(1)
TRADE = Trade(venue="v", symbol="s", price=ONE, size=ONE, side=None, id="1", time_ns=0, sequence=1)
CANDLE = Candle(
    venue="v",
    symbol="s",
    interval="1m",
    open_ns=0,
    close_ns=60_000_000_000,
    open=ONE,
    high=ONE,
    low=ONE,
    close=ONE,
    volume=ONE,
    closed=None,
    time_ns=0,
)
BOOK = BookSnapshot(venue="v", symbol="s", bids=((ONE, ONE),), asks=(), sequence=1)
DELTA = BookDelta(venue="v", symbol="s", bids=((ONE, ONE),), asks=(), sequence=9, previous=8)

Operator = Callable[[Observable[Any]], Observable[Any]]


@pytest.mark.parametrize(
    ("operator", "values"),
    [
        (fresh(1.0), [TRADE]),
        (conflate(1.0), [TRADE]),
        (close_candles(1.0), [CANDLE]),
        (fill_gaps(lambda gap: [], lambda trade: trade.sequence), [TRADE]),
        (order_book(fetch=lambda symbol: BOOK), [DELTA, closed()]),
    ],
    ids=["fresh", "conflate", "close_candles", "fill_gaps", "order_book"],
)
def test_who_raises_has_left(operator: Operator, values: list[object]) -> None:
    """Its source is left too, and no timer calls it; what sent the value hears of what was raised."""
    virtual = TestScheduler()
    source: Subject[Any] = Subject()
    seen: list[object] = []

    def take(value: object) -> None:
        seen.append(value)
        raises(value)

    source.pipe(operator).subscribe(take, scheduler=virtual)
    *before, last = values
    for value in before:
        source.on_next(value)
    with pytest.raises(RuntimeError, match="own"):
        source.on_next(last)
    virtual.advance_by(600.0)

    assert len(seen) == 1
    assert source.observers == []


@pytest.mark.parametrize("error", [None, ConnectionError("lost")], ids=["completed", "error"])
def test_who_raises_at_what_waited_for_the_end_has_left_too(error: Exception | None) -> None:
    """The first of it was the last that came."""
    fed = Hand(conflate(1.0, lambda value: value[0])).at(1.0, "a1", "b1", "a2", "b2")
    fed.on_seen = raises
    with pytest.raises(RuntimeError, match="own"):
        fed.ends(error)
    fed.at(100.0)

    assert fed.values == ["a1", "b1", "a2"]
    assert fed.is_left


def test_who_raises_at_what_was_held_before_an_error_has_left_too() -> None:
    """No answer brings the rest."""
    missing = Gap(**STAMP, topic="t", last=1, next=3, state=ConnectionState.CONNECTED)
    fed = Hand(fill_gaps(lambda gap: Subject(), int, lambda value: "t")).at(1.0, missing, "3", "4")
    fed.on_seen = raises
    with pytest.raises(RuntimeError, match="own"):
        fed.ends(ConnectionError("lost"))
    fed.at(100.0)

    assert fed.values == [missing, "3"]
    assert fed.is_left


def raises(value: object) -> None:
    """Raise, as a subscriber with a bug does."""
    raise RuntimeError("the subscriber's own")
