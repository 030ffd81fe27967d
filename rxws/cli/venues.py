"""Three venues as one stream: their best prices, whether these still hold, and order books that mend themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
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
"""How often it is looked whether all is right at the end, a hundredth of a second apart: what an exchange has told a
moment ago is on its way."""


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
    dead: int = 0
    """How often its quotes held no more."""

    @property
    def is_fresh(self) -> bool:
        """Whether its price can be relied on."""
        return self.leg is not None and self.leg.is_fresh

    @property
    def is_broken(self) -> bool:
        """Whether its book waits to be mended."""
        return self.gaps > 0 and self.book is None

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
            self.dead += 1
            self.say(self.name, f"its quotes hold no more: {self.state}", "lost")

    def take_book(self, value: OrderBook | Event) -> None:
        """Take the book after a change, or what is told of it."""
        if isinstance(value, Gap):
            self.gaps += 1
            self.book = None
            self.say(self.name, f"a gap in its book, between {value.last} and {value.next}", "lost")
        elif isinstance(value, OrderBook):
            if self.is_broken:
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
        self.wrong: list[str] | None = None
        """What was wrong at the end, a sentence each; None: it has not come to that."""

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
        sides = f"buy at {lowest} {shown(asks[lowest])}, sell at {highest} {shown(bids[highest])}"
        return f"{sides}: {sign}{shown(abs(difference))}{dead}"

    def summary(self) -> list[str]:
        """Return what is left to say at the end."""
        gaps, quotes, dead = (sum(getattr(row, each) for row in self) for each in ("gaps", "quotes", "dead"))
        mended = "every book was mended" if not any(row.is_broken for row in self) else "not every book was mended"
        end = [":", "at the end each is the exchange's own, to the last digit."] if self.wrong == [] else ["."]
        return [
            "",
            f"Three venues merged: {quotes:,} quotes, and {dead} times one was left out of the spread;",
            f"{gaps} gaps of their order books were found, and {mended}{end[0]}",
            *end[1:],
        ]

    async def compare(self, exchanges: Mapping[str, SimulatedExchange]) -> None:
        """Write down what is wrong at the end: books that are not the exchanges' own, and legs that are dead."""
        self.wrong = [sentence for row in self async for sentence in _what_is_wrong(row, exchanges[row.name])]


async def _what_is_wrong(row: Row, exchange: SimulatedExchange) -> AsyncIterator[str]:
    if not await _comes_true(lambda: _is_right(row, exchange)):
        yield f"the book of {row.name} is not the exchange's own"
    if not await _comes_true(lambda: row.is_fresh):
        yield f"the quotes of {row.name} hold no more: {row.state}"


def _is_right(row: Row, exchange: SimulatedExchange) -> bool:
    truth, book = exchange.book(FEEDS[row.name][1]), row.book
    return book is not None and (tuple(book.bids), tuple(book.asks)) == (truth.bids, truth.asks)


async def _comes_true(condition: Callable[[], bool]) -> bool:
    for _ in range(LOOKS):
        if condition():
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
    """What a venue does wrong: each loses messages of its book, and its connection in a way of its own."""
    t, shift = pace.seconds, 0.05 * VENUES.index(name)
    book = FEEDS[name][0].venue.book(FEEDS[name][1])

    def lose() -> None:
        exchange.drop_messages(1, book)

    def refuse() -> None:
        exchange.refuse()
        exchange.reset()

    outages = {
        "binance": [Fault(0.35 * t, "resets", exchange.reset)],
        "deribit": [
            Fault(0.43 * t, "resets, and refuses connections", refuse),
            Fault(0.54 * t, "listens again", exchange.accept),
        ],
        "okx": [Fault(0.52 * t, "falls silent, but answers pings", exchange.stall)],
    }
    return [
        Fault((0.15 + shift) * t, "loses a message of its book", lose),
        *outages[name],
        Fault((0.79 + shift) * t, "loses another message of its book", lose),
    ]


def merged(exchanges: Mapping[str, SimulatedExchange], pace: Pace, venues: Venues) -> Observable[object]:
    """Three venues as one stream: quotes that say whether they still hold, and books; nothing comes out of it."""
    legs, books = [], []
    for name, (feed, symbol) in FEEDS.items():
        row, exchange = venues.rows[name], exchanges[name]
        shared = feed.configured(
            base=exchange.url,
            retry=rxws.Backoff(initial=2 * pace.unit, cap=5 * pace.unit),
            idle_timeout=20 * pace.unit,
            send_limit=None,
        ).shared(linger=0.0)
        quotes = shared.quotes(symbol, lifecycle=True)
        # Sooner than the connection is given up: a price is old before a socket is.
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
