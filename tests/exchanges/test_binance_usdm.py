"""What Binance's USD-M futures have of their own: two classes of streams, and linked changes."""

from __future__ import annotations

from itertools import count

import pytest

from rxws.errors import ConfigError
from rxws.exchanges import binance_usdm
from rxws.market import BookDelta, Quote


@pytest.mark.parametrize("topic", ["x@bookTicker", "!bookTicker", "x@depth", "x@depth5@0ms", "x@rpiDepth@500ms"])
def test_quotes_and_books_are_public(topic: str) -> None:
    """By the venue's own word for that class."""
    assert binance_usdm.endpoint(topic) == "public"
    assert binance_usdm.url([topic], "ws://h") == f"ws://h/public/stream?streams={topic}"


@pytest.mark.parametrize(
    "topic", ["x@aggTrade", "x@kline_1m", "x@markPrice", "x@forceOrder", "!miniTicker@arr", "!contractInfo", "x@ticker"]
)
def test_all_else_is_of_the_market(topic: str) -> None:
    """Trades, candles, tickers, and what this module does not read."""
    assert binance_usdm.endpoint(topic) == "market"
    assert binance_usdm.url([topic], "ws://h") == f"ws://h/market/stream?streams={topic}"


def test_a_connection_is_of_one_class() -> None:
    """What is asked for at the other URL is acknowledged and never comes: it is refused here."""
    both = ["x@aggTrade", "x@depth@100ms"]
    for ask in (binance_usdm.url, lambda topics: binance_usdm.subscribe(topics, count())):
        with pytest.raises(ConfigError) as refused:
            ask(both)
        assert str(refused.value) == (
            "topics: those of market and public are had at different URLs; "
            "take one or more of one endpoint, and a connection for each endpoint"
        )


def test_changes_are_linked_by_the_message_before() -> None:
    """`pu`; and what lacks it is read all the same, for the rule to judge."""
    told = '{"e":"depthUpdate","E":2,"T":1,"s":"X","U":5,"u":6,"pu":3,"b":[],"a":[]}'
    (event,) = binance_usdm.decode(told)
    assert isinstance(event, BookDelta)
    assert (event.previous, event.first, event.sequence, event.time_ns) == (3, 5, 6, 1_000_000)
    (event,) = binance_usdm.decode(told.replace('"pu":3,', ""))
    assert isinstance(event, BookDelta)
    assert (event.previous, event.first) == (None, 5)


def test_quotes_of_all_symbols_are_quotes() -> None:
    """The stream's name has no symbol, and the message has."""
    told = '{"e":"bookTicker","u":1,"s":"X","b":"1","B":"2","a":"3","A":"4","T":5,"E":6}'
    (event,) = binance_usdm.decode(f'{{"stream":"!bookTicker","data":{told}}}')

    assert isinstance(event, Quote)
    assert (event.symbol, event.time_ns) == ("X", 5_000_000)


def test_a_book_is_fetched_from_the_futures_host() -> None:
    """A thousand levels of it."""
    assert binance_usdm.SNAPSHOTS is not None
    assert binance_usdm.SNAPSHOTS.url("btcusdt") == "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000"
    body = b'{"lastUpdateId":7,"E":2,"T":1,"bids":[],"asks":[]}'
    assert binance_usdm.SNAPSHOTS.decode(body, "btcusdt").symbol == "BTCUSDT"
