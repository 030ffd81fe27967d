"""Binance spot.

Topics are its stream names, such as "btcusdt@trade". Every URL asks for wrapped messages, for some streams say nothing
of their symbol. What is asked for beyond a URL's length is to be subscribed.

Source: Binance, "WebSocket Streams for Binance" (github.com/binance/binance-spot-api-docs, web-socket-streams.md,
2026-07-21) and its rest-api.md and CHANGELOG.md of that date; what is marked otherwise was seen by users.
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

NAME = "binance"
BASE = "wss://stream.binance.com:9443"
ENDPOINTS: Mapping[str, str] = {"public": "/stream"}
GREETINGS: tuple[str, ...] = ()
HEARTBEAT: Heartbeat | None = None

# Pings and pongs count among the five messages, and the window is a strict one: nautechsystems/nautilus_trader, issues
# 5012 and 5014. A batch is not limited by the documents; this one stays far below the length of a frame that was seen
# to be refused.
RULES = Rules(
    send=SendLimit(5),
    topics=1_024,
    batch=100,
    dials=Rate(300, 300.0),
    first_subscribe=None,
    max_age=86_400.0,
    silence=None,
)

# Who sends too much is closed with 1008, and refused for two minutes: each attempt of that time begins them anew.
TABLE: Table = {**errors.TABLE, 1008: errors.RetryAfter(120.0)}

TRADE_RULE: gaps.Rule = gaps.consecutive_trades
PROOF: Callable[[str], str] | None = None
BOOK_RULE: gaps.Rule = gaps.links


def trades(symbol: str) -> str:
    """Return the stream of every single trade.

    >>> trades("BTCUSDT")
    'btcusdt@trade'
    """
    return f"{lower(symbol)}@trade"


def candles(symbol: str, interval: str) -> str:
    """Return the stream of candles; the one that grows is told again and again.

    >>> candles("BTCUSDT", "1m")
    'btcusdt@kline_1m'
    """
    return _binance.candles(symbol, interval, ("1s", *INTERVALS))


def common_symbol(symbol: str) -> str:
    """Return the common form of a symbol.

    >>> common_symbol("BTCUSDT")
    'BTC/USDT'
    """
    base, quote = pair_of(symbol)
    return f"{base}/{quote}"


def venue_symbol(common: str) -> str:
    """Return the symbol of a pair in the common form.

    >>> venue_symbol("BTC/USDT")
    'BTCUSDT'
    """
    base, quote, settle = split_pair(common)
    if settle:
        raise ConfigError("symbol", f"{common!r} is a contract; take 'BTC/USDT', or the venue binance_usdm")
    return f"{base}{quote}"


def endpoint(topic: str) -> str:
    """Return the class of a stream; all of them are public.

    Raises:
        ConfigError: it is no name of a stream.
    """
    _binance.kind(topic)
    return "public"


def connection_url(endpoint: str = "public", base: str | None = None) -> str:
    """Return the URL of a connection that has no topics yet."""
    return address(BASE if base is None else base, ENDPOINTS, endpoint)


def url(topics: Sequence[str], base: str | None = None) -> str:
    """Return the URL that brings these streams.

    Args:
        topics: one or more.
        base: in place of Binance's host, such as "wss://data-stream.binance.vision" or a test server; None: its own.

    Raises:
        ConfigError: there are none, or more than a URL can name.

    >>> url(["btcusdt@trade", "ethusdt@trade"])
    'wss://stream.binance.com:9443/stream?streams=btcusdt@trade/ethusdt@trade'
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

    A planned end is announced without a subscription, and without a promise of how long before.

    >>> classify('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1781234567890}}').ends
    True
    """
    return _codec.classify(frame)


def decode(frame: bytes | str, arrival_ns: int | None = None) -> list[MarketEvent]:
    """Return what happened by a message, wrapped or not.

    Best levels that come unwrapped do not say whose they are: their symbol is then empty.

    >>> told = '{"u":7000001,"s":"BTCUSDT","b":"61250.10000000","B":"1.31","a":"61250.11000000","A":"0.4"}'
    >>> decode(told)[0].bid
    Decimal('61250.10000000')
    """
    return _codec.decode(frame, arrival_ns)


# Source: "Diff. Depth Stream": `U` and `u` are the first and the last change in it.
#
# {"e":"depthUpdate","E":1781234567890,"s":"BTCUSDT","U":1570,"u":1600,"b":[["61250.10000000","1.31000000"]],
# "a":[["61260.00000000","0.00000000"]]}
class DepthUpdate(Struct):
    E: int
    s: str
    U: int
    u: int
    b: Levels
    a: Levels


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
            first=told.U,
            time_ns=nanoseconds(told.E),
            arrival_ns=arrival_ns,
        )
    ]


# Source: "Partial Book Depth Streams", and rest-api.md, "Order book", which answers the same. It has no symbol: the
# stream's name has one.
#
# {"lastUpdateId":1600,"bids":[["61250.10000000","1.31000000"]],"asks":[["61250.11000000","0.40660000"]]}
class Depth(Struct):
    lastUpdateId: int
    bids: Levels
    asks: Levels


_depth = msgspec.json.Decoder(Depth)


def _whole(data: bytes | str | Raw, symbol: str, arrival_ns: int | None = None) -> BookSnapshot:
    told = _depth.decode(data)
    return BookSnapshot(
        venue=NAME,
        symbol=symbol.upper(),
        bids=told.bids,
        asks=told.asks,
        sequence=told.lastUpdateId,
        arrival_ns=arrival_ns,
    )


def _snapshot(data: bytes | str | Raw, symbol: str, arrival_ns: int | None) -> list[MarketEvent]:
    return [_whole(data, symbol, arrival_ns)]


def _snapshot_url(symbol: str) -> str:
    # 5,000 levels are the most.
    return f"https://api.binance.com/api/v3/depth?symbol={_binance.in_query(symbol)}&limit=5000"


# One has a weight of 250, of 6,000 that an address has a minute: some are left for whatever else it asks.
SNAPSHOTS: Snapshots = Snapshots(_snapshot_url, _whole, Rate(20, 60.0))

_streams, _events = decoders(NAME)
_codec = Codec(
    {**_streams, "depth": _delta, **dict.fromkeys(("depth5", "depth10", "depth20"), _snapshot)},
    {**_events, "depthUpdate": _delta, "depthSnapshot": _snapshot},
)
