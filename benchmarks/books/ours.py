"""One run of rxws: python -m benchmarks.books.ours RECORDING PASSES; prints µs a message as JSON."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from time import process_time

from benchmarks.books.recordings import Ends, book_frames, ending
from rxws.orderbook import OrderBook


def measured(name: str, passes: int) -> dict[str, float]:
    """Return what a message costs: all of it, all of it with checksums, the book alone, and the book that is read."""
    venue = import_module(f"rxws.exchanges.{name}")
    frames = [frame.encode() for frame in book_frames(name)]
    count = passes * len(frames)
    checksum = getattr(venue, "checksum", None)
    costs = {"all": _whole(venue, frames, passes, None) / count * 1e6}
    if checksum is not None:
        costs["checked"] = _whole(venue, frames, passes, checksum) / count * 1e6
    events = [event for frame in frames for event in venue.decode(frame)]
    costs["book"] = _alone(events, passes) / count * 1e6
    costs["read"] = _read(events, passes) / count * 1e6
    return costs


def ends(name: str) -> Ends:
    """Return the books at the end of a recording."""
    venue = import_module(f"rxws.exchanges.{name}")
    books: dict = {}
    for frame in book_frames(name):
        for event in venue.decode(frame):
            _book(books, event.symbol, None).apply(event)
    return {symbol: ending(dict(book.bids), dict(book.asks)) for symbol, book in books.items()}


def _alone(events: list, passes: int) -> float:
    began = process_time()
    for _ in range(passes):
        books: dict = {}
        for event in events:
            _book(books, event.symbol, None).apply(event)
    return process_time() - began


def _read(events: list, passes: int) -> float:
    began = process_time()
    for _ in range(passes):
        books: dict = {}
        for event in events:
            book = _book(books, event.symbol, None)
            book.apply(event)
            _ = book.best_bid, book.best_ask
    return process_time() - began


def _whole(venue: object, frames: list[bytes], passes: int, checksum: object) -> float:
    began = process_time()
    for _ in range(passes):
        books: dict = {}
        for frame in frames:
            for event in venue.decode(frame):
                _book(books, event.symbol, checksum).apply(event)
    return process_time() - began


def _book(books: dict, symbol: str, checksum: object) -> OrderBook:
    book = books.get(symbol)
    if book is None:
        book = books[symbol] = OrderBook(checksum=checksum)
    return book


if __name__ == "__main__":
    costs = measured(sys.argv[1], int(sys.argv[2]))
    sys.stdout.write(json.dumps({"costs": costs, "ends": ends(sys.argv[1])}))
