"""Three venues as one stream: their best prices, whether these still hold, and order books that mend themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

import rxws
from rxws import feeds
from rxws.cli.script import Fault, Pace
from rxws.events import Event, Gap
from rxws.market import Quote
from rxws.operators import fresh
from rxws.operators.fresh import Leg
from rxws.orderbook import OrderBook
from rxws.testing import SimulatedExchange

if TYPE_CHECKING:
    from rxws.feed import Feed, Get

__all__ = ["VENUES", "Row", "Venues", "merged", "shown", "venue_exchanges", "venue_script"]

FEEDS: Mapping[str, tuple[Feed, str]] = {
    "binance": (feeds.binance, "BTCUSDT"),
    "deribit": (feeds.deribit, "BTC-PERPETUAL"),
    "okx": (feeds.okx, "BTC-USDT"),
}
VENUES = tuple(FEEDS)
Say: TypeAlias = Callable[[str, str, Literal["lost", "live"]], None]
RATE = 60.0
"""Messages a second of each venue."""
LOOKS = 100
"""How often a book is compared with its exchange's own, a hundredth of a second apart, until it is the same: what the
exchange has told a moment ago is on its way."""


@dataclass
class Row:
    """One venue: its leg of the spread, its book, and what became of that."""

    name: str
    say: Say
    leg: Leg[Quote] | None = None
    book: OrderBook | None = None
    gaps: int = 0
    mended: int = 0
    quotes: int = 0

    @property
    def is_fresh(self) -> bool:
        """Whether its price can be relied on."""
        return self.leg is not None and self.leg.is_fresh

    @property
    def state(self) -> str:
        """Why it cannot, in a word; "fresh" where it can."""
        return "no quote" if self.leg is None else self.leg.why or "fresh"

    def take_leg(self, leg: Leg[Quote]) -> None:
        """Take the newest quote, or the news that it no longer holds."""
        before, self.leg = self.state, leg
        self.quotes += leg.is_fresh
        if leg.is_fresh and before != "fresh":
            self.say(self.name, "its quotes are fresh", "live")
        elif not leg.is_fresh:
            self.say(self.name, f"its quotes hold no more: {self.state}", "lost")

    def take_book(self, value: OrderBook | Event) -> None:
        """Take the book after a change, or what is told of it."""
        if isinstance(value, Gap):
            self.gaps += 1
            self.book = None
            self.say(self.name, f"a gap in its book, between {value.last} and {value.next}", "lost")
        elif isinstance(value, OrderBook):
            if self.gaps > 0 and self.book is None:
                self.mended += 1
                self.say(self.name, "its book is whole again", "live")
            self.book = value


def shown(price: Decimal | None) -> str:
    """Return a price with two places, as all of them have here; a dash where there is none."""
    return "–" if price is None else f"{price:.2f}"


class Venues:
    """The three of them.

    Args:
        say: told of a venue what has happened to it, and whether that is good.
    """

    def __init__(self, say: Say) -> None:
        self.rows = {name: Row(name, say) for name in VENUES}

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def spread(self) -> str:
        """Say what one could buy at one venue and sell at another, by the legs that are fresh; and who is left out."""
        legs = {row.name: row.leg.value for row in self if row.leg is not None and row.is_fresh}
        bids = {name: quote.bid for name, quote in legs.items() if quote is not None and quote.bid is not None}
        asks = {name: quote.ask for name, quote in legs.items() if quote is not None and quote.ask is not None}
        dead = "".join(f"; {row.name} is {row.state}" for row in self if not row.is_fresh)
        if len(bids) < 2 or len(asks) < 2:
            return f"no spread: fewer than two venues are fresh{dead}"
        highest, lowest = max(bids, key=lambda name: bids[name]), min(asks, key=lambda name: asks[name])
        difference = bids[highest] - asks[lowest]
        sign = "+" if difference >= 0 else "-"
        sides = f"best bid {shown(bids[highest])} {highest}, best ask {shown(asks[lowest])} {lowest}"
        return f"{sides}: {sign}{shown(abs(difference))}{dead}"

    def summary(self) -> list[str]:
        """Return what is left to say at the end."""
        gaps, quotes = sum(row.gaps for row in self), sum(row.quotes for row in self)
        books = "every book was mended" if all(row.book is not None for row in self) else "not every book was mended"
        return [
            "",
            f"Three venues merged: {quotes:,} quotes;",
            f"{gaps} gaps of their order books were found, and {books}.",
        ]

    async def failures(self, exchanges: Mapping[str, SimulatedExchange]) -> list[str]:
        """Return what is wrong with the books, a sentence each: they are the exchanges' own, to the last digit."""
        return [
            f"the book of {row.name} is not the exchange's own"
            for row in self
            if not await _is_right(row, exchanges[row.name])
        ]


async def _is_right(row: Row, exchange: SimulatedExchange) -> bool:
    for _ in range(LOOKS):
        truth, book = exchange.book(FEEDS[row.name][1]), row.book
        if book is not None and (tuple(book.bids), tuple(book.asks)) == (truth.bids, truth.asks):
            return True
        await asyncio.sleep(0.01)
    return False


def venue_exchanges() -> dict[str, SimulatedExchange]:
    """Make the three exchanges."""
    return {
        "binance": SimulatedExchange("binance", rate=RATE, symbols=[FEEDS["binance"][1]], seed=1),
        "deribit": SimulatedExchange("deribit", rate=RATE, symbols=[FEEDS["deribit"][1]], seed=2),
        "okx": SimulatedExchange("okx", rate=RATE, symbols=[FEEDS["okx"][1]], seed=3),
    }


def venue_script(name: str, exchange: SimulatedExchange, pace: Pace) -> list[Fault]:
    """What a venue does wrong, each at its own times: it loses messages of its book, and its connection."""
    t, shift = pace.seconds, 0.05 * VENUES.index(name)
    book = FEEDS[name][0].venue.book(FEEDS[name][1])

    def lose() -> None:
        exchange.drop_messages(1, book)

    return [
        Fault((0.15 + shift) * t, "loses a message of its book", lose),
        Fault((0.35 + 2 * shift) * t, "resets", exchange.reset),
        Fault((0.70 + shift) * t, "loses another message of its book", lose),
    ]


def merged(exchanges: Mapping[str, SimulatedExchange], pace: Pace, venues: Venues) -> Observable[object]:
    """Three venues as one stream: quotes that say whether they still hold, and books; nothing comes out of it."""
    legs, books = [], []
    for name, (feed, symbol) in FEEDS.items():
        row, exchange = venues.rows[name], exchanges[name]
        shared = feed.configured(
            base=exchange.url, retry=rxws.Backoff(initial=2 * pace.unit, cap=5 * pace.unit), send_limit=None
        ).shared(linger=0.0)
        quotes = shared.quotes(symbol, lifecycle=True)
        legs.append(quotes.pipe(fresh(10 * pace.unit), ops.do_action(row.take_leg)))
        # Binance's begins with one that is fetched; over HTTP the exchange would answer the same.
        get = _snapshots_of(exchange, symbol) if name == "binance" else None
        book = shared.book(symbol, get=get, every=pace.unit, lifecycle=True)
        books.append(book.pipe(ops.do_action(row.take_book)))
    return rx.merge(rx.combine_latest(*legs), *books).pipe(ops.ignore_elements())


def _snapshots_of(exchange: SimulatedExchange, symbol: str) -> Get:
    async def get(url: str) -> bytes:
        return exchange.snapshot(symbol)

    return get
