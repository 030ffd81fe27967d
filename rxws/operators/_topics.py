"""What stream of a venue a value belongs to."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from rxws.market import BookDelta, BookSnapshot, Candle, LastTrade, Quote, Ticker, Trade

__all__ = ["market_topic", "topic_text", "venue_of"]

KINDS: dict[type, str] = {
    Trade: "trade",
    LastTrade: "trade",
    Quote: "quote",
    Ticker: "ticker",
    Candle: "candle",
    BookSnapshot: "book",
    BookDelta: "book",
}


def market_topic(value: Any) -> Hashable:  # Any: whatever a stream brings; what is of a market is looked up
    """Return venue, kind and symbol of what happened in a market; None for anything else.

    The snapshot of a book and its deltas are of one kind, and so are a trade and what proves one.
    """
    kind = KINDS.get(type(value))
    return None if kind is None else (value.venue, kind, value.symbol)


def topic_text(topic: Hashable) -> str:
    """Return a topic as events name it: a tuple with colons between its parts.

    >>> topic_text(("binance", "trade", "BTCUSDT")), topic_text("btcusdt@trade")
    ('binance:trade:BTCUSDT', 'btcusdt@trade')
    """
    return ":".join(map(str, topic)) if isinstance(topic, tuple) else str(topic)


def venue_of(value: Any) -> str:  # Any: as above
    """Return the venue of what happened in a market; empty for anything else."""
    return value.venue if type(value) in KINDS else ""
