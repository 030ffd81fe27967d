"""What tells one message of a topic from the others, where two connections become one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rxws.dialogue import Told
from rxws.market import BookDelta, BookSnapshot, Candle, Quote, Ticker, Trade
from rxws.rotation import Beginning, Ordered
from rxws.venue_stream import sequence

ONE = Decimal(1)
WHOSE: dict[str, Any] = {"venue": "v", "symbol": "s", "time_ns": 1}
BOOK: dict[str, Any] = {**WHOSE, "bids": (), "asks": ()}
TRADE = Trade(**WHOSE, id="7", price=ONE, size=ONE, side="buy")
QUOTE = Quote(**WHOSE, bid=ONE, bid_size=ONE, ask=ONE, ask_size=ONE, sequence=7)
TICKER = Ticker(
    **WHOSE, last=ONE, bid=ONE, bid_size=ONE, ask=ONE, ask_size=ONE, open=ONE, high=ONE, low=ONE, volume=ONE
)
CANDLE = Candle(
    **WHOSE, interval="1m", open_ns=0, close_ns=60, open=ONE, high=ONE, low=ONE, close=ONE, volume=ONE, closed=False
)


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize(
    ("event", "kind", "begins"),
    [
        (TRADE, tuple, tuple),
        (CANDLE, tuple, tuple),
        (QUOTE, Ordered, Ordered),
        (TICKER, Ordered, Ordered),
        (BookDelta(**BOOK, sequence=7), Ordered, Ordered),
        (BookSnapshot(**BOOK, sequence=7), Ordered, Beginning),
        (BookSnapshot(**BOOK), Ordered, Beginning),
    ],
)
def test_of_some_each_counts_and_of_others_the_order(event: Any, kind: type, begins: type, is_first: bool) -> None:
    """Only the snapshot with which a subscription begins is the beginning of its topic."""
    key = sequence(Told("topic", [event], is_first))
    assert type(key) is (begins if is_first else kind)
    assert key[0] == "topic"


def test_what_has_no_number_is_known_by_what_it_says_and_a_book_by_nothing() -> None:
    """Of a book without numbers no message is like another."""
    for event in (TRADE, TICKER, CANDLE):
        assert sequence(Told("topic", [event])) == sequence(Told("topic", [event]))
    delta = BookDelta(**BOOK)
    assert sequence(Told("topic", [delta])) != sequence(Told("topic", [delta]))


def test_what_is_of_no_topic_has_no_key() -> None:
    """Nor has an event of the connection."""
    assert sequence(Told(None, [TRADE])) is None
    assert sequence("anything else") is None
