"""One run of cryptofeed: python theirs.py RECORDING PASSES, in its own environment; prints µs a message as JSON.

Its handlers of messages are driven as they are, without its connections: what they need of a feed is set by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Coroutine
from decimal import Decimal
from pathlib import Path
from time import process_time
from types import SimpleNamespace
from typing import Any

from cryptofeed.defines import L2_BOOK
from cryptofeed.exchanges import OKX, BinanceFutures, Deribit
from cryptofeed.types import OrderBook
from order_book import OrderBook as Book

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.books.recordings import Ends, book_frames, ending  # the environment has no package of ours

Levels = list[tuple[Decimal, Decimal]]
FEEDS = {"okx": OKX, "binance_usdm": BinanceFutures, "deribit": Deribit}


async def _nobody(*_: object, **__: object) -> None:
    """Whoever would be told of a book."""


def feed(name: str, checked: bool) -> Any:
    """Return a feed that has never seen a message, and needs no network."""
    made = object.__new__(FEEDS[name])
    made._l2_book, made.last_update_id, made.seq_no = {}, {}, {}
    made.max_depth, made.checksum_validation = 0, checked
    made.requires_authentication = False
    made.book_callback = _nobody
    made.exchange_symbol_to_std_symbol = lambda symbol: symbol
    made.websocket_channels = {L2_BOOK: "books"}
    return made


def prepared(name: str, frames: list[str], checked: bool) -> Any:
    """Return a feed at the beginning of a recording; where that has no snapshot, its books are there and empty."""
    made = feed(name, checked)
    if name == "binance_usdm":
        for frame in frames:
            data = json.loads(frame)["data"]
            if data["s"] not in made._l2_book:
                made._l2_book[data["s"]] = OrderBook(made.id, data["s"], max_depth=0)
                made.last_update_id[data["s"]] = data["pu"]
    return made


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run what never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits for something")


def whole(name: str, frames: list[str], passes: int, checked: bool) -> float:
    """Return the seconds that all takes."""
    conn, spent = SimpleNamespace(uuid=name), 0.0
    for _ in range(passes):
        made = prepared(name, frames, checked)
        began = process_time()
        for frame in frames:
            run(made.message_handler(frame, conn, 0.0))
        spent += process_time() - began
    return spent


def told() -> list[tuple[str, bool, Levels, Levels]]:
    """Return the events of stdin: symbol, whether it is a whole book, bids and asks, which are decimals already."""
    return [
        (symbol, is_whole, *([(Decimal(price), Decimal(size)) for price, size in side] for side in sides))
        for symbol, is_whole, *sides in json.load(sys.stdin)
    ]


def apply(books: dict[str, Any], symbol: str, is_whole: bool, bids: Levels, asks: Levels) -> Any:
    """Take an event into the book, which is written in C, as the handlers do."""
    if is_whole or symbol not in books:
        book = books[symbol] = Book()
        book.bids = {price: size for price, size in bids if size}
        book.asks = {price: size for price, size in asks if size}
        return book
    book = books[symbol]
    for side, levels in ((book.bids, bids), (book.asks, asks)):
        for price, size in levels:
            if size:
                side[price] = size
            elif price in side:
                del side[price]
    return book


def alone(events: list[tuple[str, bool, Levels, Levels]], passes: int) -> float:
    """Return the seconds that the books take."""
    began = process_time()
    for _ in range(passes):
        books: dict[str, Any] = {}
        for event in events:
            apply(books, *event)
    return process_time() - began


def read(events: list[tuple[str, bool, Levels, Levels]], passes: int) -> float:
    """Return the seconds that the books take whose best bid and ask are read: only then they are sorted."""
    began = process_time()
    for _ in range(passes):
        books: dict[str, Any] = {}
        for event in events:
            book = apply(books, *event)
            _ = book.bids.index(0) if len(book.bids) else None, book.asks.index(0) if len(book.asks) else None
    return process_time() - began


def ends(name: str, frames: list[str], events: list[tuple[str, bool, Levels, Levels]]) -> Ends:
    """Return the books at the end: the handler's where there is one."""
    books: dict[str, Any] = {}
    if name in FEEDS:
        made = prepared(name, frames, False)
        for frame in frames:
            run(made.message_handler(frame, SimpleNamespace(uuid=name), 0.0))
        books = {symbol: each.book for symbol, each in made._l2_book.items()}
    else:
        for event in events:
            apply(books, *event)
    return {symbol: ending(book.bids.to_dict(), book.asks.to_dict()) for symbol, book in books.items()}


def measured(name: str, passes: int) -> dict[str, Any]:
    """Return what a message costs, and what the books are at the end."""
    frames, events = book_frames(name), told()
    count = passes * len(frames)
    costs = {"book": alone(events, passes) / count * 1e6, "read": read(events, passes) / count * 1e6}
    if name in FEEDS:
        costs["all"] = whole(name, frames, passes, False) / count * 1e6
    if name == "okx":
        costs["checked"] = whole(name, frames, passes, True) / count * 1e6
    return {"costs": costs, "ends": ends(name, frames, events)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(sys.argv[1], int(sys.argv[2]))))
