"""Three venues of the demo, without their exchanges: what is said of their spread and their books."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from rxws.cli.venues import FEEDS, Venues, venue_exchanges
from rxws.events import Gap
from rxws.market import BookSnapshot, Quote
from rxws.operators.fresh import Leg
from rxws.orderbook import OrderBook
from rxws.testing import SimulatedExchange


def leg(venue: str, bid: str, ask: str, why: Any = "") -> Leg[Quote]:
    """Return a leg of the spread; `why` it is dead."""
    sizes = {"bid_size": Decimal(1), "ask_size": Decimal(1)}
    quote = Quote(venue=venue, symbol="BTC", bid=Decimal(bid), ask=Decimal(ask), time_ns=0, **sizes)
    return Leg(value=quote, is_fresh=not why, why=why, origin="", age=0.0)


def venues() -> tuple[Venues, list[tuple[str, str, str]]]:
    """Return the three, and what they say."""
    said: list[tuple[str, str, str]] = []
    return Venues(lambda *what: said.append(what)), said


def test_the_spread_is_of_the_legs_that_are_fresh() -> None:
    """Who is left out is named, and why."""
    three, _ = venues()
    assert three.spread() == (
        "no spread: fewer than two venues are fresh; binance is no quote; deribit is no quote; okx is no quote"
    )
    three.rows["binance"].take_leg(leg("binance", "100.10", "100.20"))
    three.rows["deribit"].take_leg(leg("deribit", "100.5", "100.6"))
    three.rows["okx"].take_leg(leg("okx", "1", "2", why="silent"))

    assert three.spread() == "buy at binance 100.20, sell at deribit 100.50: +0.30; okx is silent"
    three.rows["deribit"].take_leg(leg("deribit", "100.5", "100.6", why="closed"))
    assert three.spread() == "no spread: fewer than two venues are fresh; deribit is closed; okx is silent"


def test_what_becomes_of_a_leg_is_said_once() -> None:
    """A quote that follows another one is no news."""
    three, said = venues()
    row = three.rows["okx"]
    for each in (leg("okx", "1", "2"), leg("okx", "1", "2"), leg("okx", "1", "2", why="closed"), leg("okx", "1", "2")):
        row.take_leg(each)

    assert [text for _, text, _ in said] == [
        "its quotes are fresh",
        "its quotes hold no more: closed",
        "its quotes are fresh",
    ]
    assert (row.quotes, row.dead) == (3, 1)


def test_gaps_and_mended_books_are_counted() -> None:
    """A book is mended when it is there again behind a gap."""
    three, said = venues()
    gap = Gap(generation=1, origin="", time_ns=0, topic="BTC", last=5, next=8)
    row = three.rows["deribit"]
    for value in (OrderBook(), gap, OrderBook(), OrderBook(), gap):
        row.take_book(value)

    assert (row.gaps, row.mended, row.book) == (2, 1, None)
    assert said[:2] == [
        ("deribit", "a gap in its book, between 5 and 8", "lost"),
        ("deribit", "its book is whole again", "live"),
    ]
    assert three.summary() == [
        "",
        "Three venues merged: 0 quotes, and 0 times one was left out of the spread;",
        "2 gaps of their order books were found, and not every book was mended.",
    ]
    row.take_book(OrderBook())
    assert three.summary()[-1] == "2 gaps of their order books were found, and every book was mended."


def compared(three: Venues, exchanges: dict[str, SimulatedExchange]) -> list[str] | None:
    """Return what is wrong at the end."""
    asyncio.run(three.compare(exchanges))
    return three.wrong


def test_the_end_is_held_against_the_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leg that is dead has a sentence, and each book that is not its exchange's, to the last digit."""
    monkeypatch.setattr("rxws.cli.venues.LOOKS", 1)
    three, _ = venues()
    exchanges = venue_exchanges()
    for name, (feed, symbol) in FEEDS.items():
        truth, row = exchanges[name].book(symbol), three.rows[name]
        whole = BookSnapshot(venue=feed.venue.NAME, symbol=symbol, bids=truth.bids, asks=truth.asks)
        row.take_leg(leg(name, "1", "2"))
        row.take_book(OrderBook())
        row.book.apply(whole)
    assert compared(three, exchanges) == []
    assert three.summary()[-1] == "at the end each is the exchange's own, to the last digit."

    (price, size), *rest = truth.bids
    row.book.apply(msgspec.structs.replace(whole, bids=((price, size + Decimal("0.00000001")), *rest)))
    three.rows["binance"].take_leg(leg("binance", "1", "2", why="silent"))
    assert compared(three, exchanges) == [
        "the quotes of binance hold no more: silent",
        "the book of okx is not the exchange's own",
    ]
    assert three.summary()[-1].endswith("and every book was mended.")
