"""Binance USD-M futures: as spot, but for what stands here.

Topics are its stream names, such as "btcusdt@aggTrade". They belong to two classes, and the URL says which: one that is
asked for at the wrong one is acknowledged, and never brings anything.

Source: Binance, "USDⓈ-M Futures, WebSocket Market Streams" (developers.binance.com), read 2026-11; the routed URLs:
ccxt/go-binance, pull request 809; what is marked otherwise was seen by users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec import Raw, Struct

from rxws import errors, gaps
from rxws.errors import ConfigError, Table
from rxws.exchanges import _binance
from rxws.exchanges._binance import INTERVALS, Codec, Levels, book, lower, pair_of, quotes, reply, ticker
from rxws.exchanges._binance_data import decoders, nanoseconds
from rxws.exchanges._topics import address, batches, one_endpoint, split_pair
from rxws.limits import SendLimit
from rxws.market import BookDelta, BookSnapshot, MarketEvent
from rxws.venue import Frame, Heartbeat, Rate, Request, Rules, Snapshots

__all__ = [
    "BASE",
    "BOOK_RULE",
    "ENDPOINTS",
    "GREETINGS",
    "HEARTBEAT",
    "NAME",
    "PROOF",
    "RULES",
    "SNAPSHOTS",
    "TABLE",
    "TRADE_RULE",
    "book",
    "candles",
    "classify",
    "common_symbol",
    "connection_url",
    "decode",
    "endpoint",
    "quotes",
    "reply",
    "subscribe",
    "ticker",
    "trades",
    "unsubscribe",
    "url",
    "venue_symbol",
]

NAME = "binance_usdm"
BASE = "wss://fstream.binance.com"
ENDPOINTS: Mapping[str, str] = {"public": "/public/stream", "market": "/market/stream"}
GREETINGS: tuple[str, ...] = ()
HEARTBEAT: Heartbeat | None = None

# Of 40 requests at once 15 were answered before the connection was closed with 1008 (a public measurement of
# 2026-10-07): so the ten a second are kept strictly. The 1,025th stream costs all of them.
RULES = Rules(
    send=SendLimit(10),
    topics=1_024,
    batch=100,
    dials=Rate(300, 300.0),
    first_subscribe=None,
    max_age=86_400.0,
    silence=None,
)

# Who sends too much is closed with 1008, and refused for two minutes: each attempt of that time begins them anew.
TABLE: Table = {**errors.TABLE, 1008: errors.RetryAfter(120.0)}

PUBLIC = ("bookTicker", "depth", "rpiDepth")
"""What streams of the class "public" are called; all others are "market"."""

TRADE_RULE: gaps.Rule = gaps.consecutive_trades
PROOF: Callable[[str], str] | None = None
BOOK_RULE: gaps.Rule = gaps.links


def trades(symbol: str) -> str:
    """Return the stream of trades, those of one order at one price together.

    >>> trades("BTCUSDT")
    'btcusdt@aggTrade'
    """
    return f"{lower(symbol)}@aggTrade"


def candles(symbol: str, interval: str) -> str:
    """Return the stream of candles; the one that grows is told again and again.

    >>> candles("BTCUSDT", "1m")
    'btcusdt@kline_1m'
    """
    return _binance.candles(symbol, interval, INTERVALS)


def common_symbol(symbol: str) -> str:
    """Return the common form of a perpetual's symbol.

    Raises:
        ConfigError: it expires, or its quote currency is not known.

    >>> common_symbol("BTCUSDT")
    'BTC/USDT:USDT'
    """
    base, quote = pair_of(symbol)
    return f"{base}/{quote}:{quote}"


def venue_symbol(common: str) -> str:
    """Return the symbol of a perpetual in the common form.

    >>> venue_symbol("BTC/USDT:USDT")
    'BTCUSDT'
    """
    base, quote, settle = split_pair(common)
    if settle != quote:
        raise ConfigError("symbol", f"{common!r} is none that settles in its quote currency; take 'BTC/USDT:USDT'")
    return f"{base}{quote}"


def endpoint(topic: str) -> str:
    """Return the class of a stream: "public" for quotes and books, "market" for all else.

    Raises:
        ConfigError: it is no name of a stream.

    >>> endpoint("btcusdt@depth@100ms"), endpoint("!bookTicker"), endpoint("btcusdt@kline_1m")
    ('public', 'public', 'market')
    """
    return "public" if _binance.kind(topic).startswith(PUBLIC) else "market"


def connection_url(endpoint: str = "public", base: str | None = None) -> str:
    """Return the URL of a connection that has no topics yet."""
    return address(BASE if base is None else base, ENDPOINTS, endpoint)


def url(topics: Sequence[str], base: str | None = None) -> str:
    """Return the URL that brings these streams.

    Args:
        topics: one or more.
        base: in place of Binance's host, such as a test server's; None: its own.

    Raises:
        ConfigError: there are none, they are of both classes, or more than a URL can name.

    >>> url(["btcusdt@depth@100ms"]), url(["btcusdt@aggTrade"])[:39]
    ('wss://fstream.binance.com/public/stream?streams=btcusdt@depth@100ms', 'wss://fstream.binance.com/market/stream')
    """
    return _binance.url(connection_url(one_endpoint(topics, endpoint), base), topics)


def subscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests for `topics`, 100 in each.

    >>> from itertools import count
    >>> subscribe(["btcusdt@trade"], count(1))[0].payload
    '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}'
    """
    return batches("subscribe", topics, ids, RULES, endpoint, _binance.request_payload)


def unsubscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests that end `topics`."""
    return batches("unsubscribe", topics, ids, RULES, endpoint, _binance.request_payload)


def classify(frame: bytes | str) -> Frame:
    """Return what a message is.

    No notice of a planned end is documented; one of spot's form would be understood.

    >>> classify('{"stream":"btcusdt@depth@100ms","data":{}}').topic
    'btcusdt@depth@100ms'
    """
    return _codec.classify(frame)


def decode(frame: bytes | str, arrival_ns: int | None = None) -> list[MarketEvent]:
    """Return what happened by a message, wrapped or not.

    Best levels that come unwrapped look like changes of a book, and are taken for them; at the URLs of here all comes
    wrapped.

    >>> told = '{"e":"bookTicker","u":7,"E":1781234567890,"T":1781234567885,"s":"BTCUSDT","b":"61250.10","B":"2",'
    >>> decode(told + '"a":"61250.20","A":"7"}')[0].time_ns
    1781234567885000000
    """
    return _codec.decode(frame, arrival_ns)


# Source: "Diff. Book Depth Streams": `pu` is the `u` of the message before, and `U` is not that plus one.
#
# {"e":"depthUpdate","E":1781234567890,"T":1781234567885,"s":"BTCUSDT","ps":"BTCUSDT","U":157,"u":160,"pu":149,"st":1,
# "b":[["61250.10","10"]],"a":[["61250.20","0"]]}
class DepthUpdate(Struct):
    T: int
    s: str
    U: int
    u: int
    b: Levels
    a: Levels
    pu: int | None = None


_depth_update = msgspec.json.Decoder(DepthUpdate)


def _delta(data: bytes | str | Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
    told = _depth_update.decode(data)
    return [
        BookDelta(
            venue=NAME,
            symbol=told.s,
            bids=told.b,
            asks=told.a,
            sequence=told.u,
            previous=told.pu,
            first=told.U,
            time_ns=nanoseconds(told.T),
            arrival_ns=arrival_ns,
        )
    ]


# Source: "Partial Book Depth Streams": a message of the same shape, which holds the best levels as they are. Its
# numbers are those of the changes (a public measurement of 2026-09-15).
#
# {"e":"depthUpdate","E":1781234567890,"T":1781234567885,"s":"BTCUSDT","U":157,"u":160,"pu":149,
# "b":[["61250.10","10"]],"a":[["61250.20","4"]]}
def _top(data: bytes | str | Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
    told = _depth_update.decode(data)
    return [
        BookSnapshot(
            venue=NAME,
            symbol=told.s,
            bids=told.b,
            asks=told.a,
            sequence=told.u,
            time_ns=nanoseconds(told.T),
            arrival_ns=arrival_ns,
        )
    ]


# Source: "Order Book", GET /fapi/v1/depth.
#
# {"lastUpdateId":1600,"E":1781234567890,"T":1781234567885,"bids":[["61250.10","1.31"]],"asks":[["61250.20","0.4"]]}
class Depth(Struct):
    lastUpdateId: int
    T: int
    bids: Levels
    asks: Levels


_depth = msgspec.json.Decoder(Depth)


def _snapshot_url(symbol: str) -> str:
    return f"https://fapi.binance.com/fapi/v1/depth?symbol={_binance.in_query(symbol)}&limit=1000"


def _fetched(body: bytes, symbol: str) -> BookSnapshot:
    told = _depth.decode(body)
    return BookSnapshot(
        venue=NAME,
        symbol=symbol.upper(),
        bids=told.bids,
        asks=told.asks,
        sequence=told.lastUpdateId,
        time_ns=nanoseconds(told.T),
    )


# One has a weight of 20, of 2,400 that an address has a minute.
SNAPSHOTS: Snapshots = Snapshots(_snapshot_url, _fetched, Rate(100, 60.0))

_streams, _events = decoders(NAME)
_codec = Codec(
    {**_streams, "depth": _delta, **dict.fromkeys(("depth5", "depth10", "depth20"), _top)},
    {**_events, "depthUpdate": _delta},
)
