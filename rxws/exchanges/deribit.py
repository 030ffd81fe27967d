"""Deribit, whose messages are JSON-RPC 2.0.

Topics are its channels, such as "book.BTC-PERPETUAL.100ms". It answers a subscription with the channels that there are,
and leaves out what it does not know. A channel that is subscribed already gives no new snapshot: unsubscribe first.

Source: docs.deribit.com, read 2026-11: notifications, rate limits, connection management, public/subscribe,
public/set_heartbeat; what is marked otherwise was seen by users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from rxws import errors, gaps
from rxws.decoding import NOT_JSON
from rxws.errors import ConfigError, Table
from rxws.exchanges._topics import address, batches, check_symbol, one_endpoint, split_pair
from rxws.market import BookDelta, BookSnapshot, Candle, Level, MarketEvent, Quote, Side, Ticker, Trade
from rxws.venue import Action, Frame, Heartbeat, Kind, Rate, Reply, Request, Rules, Snapshots

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

NAME = "deribit"
BASE = "wss://www.deribit.com"
ENDPOINTS: Mapping[str, str] = {"public": "/ws/api/v2"}

# Ten seconds are the least, and a test_request that is not answered within ten more ends the connection with 4000.
GREETINGS: tuple[str, ...] = ('{"jsonrpc":"2.0","id":0,"method":"public/set_heartbeat","params":{"interval":10}}',)
HEARTBEAT: Heartbeat | None = None
ANSWER = '{"jsonrpc":"2.0","id":0,"method":"public/test","params":{}}'
"""Both have the number 0, so that their answers are taken for no subscription's: those begin at 1."""
STATE = "platform_state"
"""The channel that tells of maintenance. Each request asks for it too: one of its own would cost as much again."""

# A subscription costs 3,000 of the 30,000 credits of an address, which come back at 10,000 a second: ten in three
# seconds never run out of them. 500 channels a call are advised, one of which is STATE, and a frame above 32 kB is
# refused. 32 connections at a time are allowed.
RULES = Rules(
    send=None,
    requests=Rate(10, 3.0),
    topics=None,
    batch=499,
    batch_bytes=30_000,
    dials=None,
    first_subscribe=60.0,
    max_age=None,
    silence=25.0,
)

TABLE: Table = errors.TABLE

TRADE_RULE: gaps.Rule = gaps.consecutive_trades
PROOF: Callable[[str], str] | None = None
BOOK_RULE: gaps.Rule = gaps.links
SNAPSHOTS: Snapshots | None = None

MINUTES = {**{str(each): each for each in (1, 3, 5, 10, 15, 30, 60, 120, 180, 360, 720)}, "1D": 1_440}
"""How long a candle is, by the resolution of its channel."""
DEPTHS = (1, 10, 20)
LOGIN_NEEDED = 13778
"""The code of an error that one channel of a request caused, by asking for more than the public may have."""
TOO_MANY = 10028
"""The code of an error that is no fault of a channel: the credits are used up."""


def trades(symbol: str) -> str:
    """Return the channel of trades, ten times a second.

    >>> trades("BTC-PERPETUAL")
    'trades.BTC-PERPETUAL.100ms'
    """
    return f"trades.{_checked(symbol)}.100ms"


def quotes(symbol: str) -> str:
    """Return the channel of the best bid and ask."""
    return f"quote.{_checked(symbol)}"


def ticker(symbol: str) -> str:
    """Return the channel of the last 24 hours, ten times a second."""
    return f"ticker.{_checked(symbol)}.100ms"


def candles(symbol: str, interval: str) -> str:
    """Return the channel of candles; `interval` in minutes, or "1D". They do not say when they are closed.

    >>> candles("BTC-PERPETUAL", "1")
    'chart.trades.BTC-PERPETUAL.1'
    """
    if interval not in MINUTES:
        raise ConfigError("interval", f"{interval!r} is none of Deribit's; take one of {', '.join(MINUTES)}")
    return f"chart.trades.{_checked(symbol)}.{interval}"


def book(symbol: str, depth: int | None = None) -> str:
    """Return the channel of an order book's changes, or of its best 1, 10 or 20 levels, ten times a second.

    >>> book("BTC-PERPETUAL"), book("BTC-PERPETUAL", 10)
    ('book.BTC-PERPETUAL.100ms', 'book.BTC-PERPETUAL.none.10.100ms')
    """
    if depth is not None and depth not in DEPTHS:
        raise ConfigError("depth", f"{depth!r} is none that Deribit sends; take 1, 10, 20, or None for the whole book")
    return f"book.{_checked(symbol)}{'' if depth is None else f'.none.{depth}'}.100ms"


def common_symbol(symbol: str) -> str:
    """Return the common form of a perpetual's or a spot pair's symbol.

    Raises:
        ConfigError: it expires.

    >>> common_symbol("BTC-PERPETUAL"), common_symbol("SOL_USDC-PERPETUAL"), common_symbol("BTC_USDC")
    ('BTC/USD:BTC', 'SOL/USDC:USDC', 'BTC/USDC')
    """
    pair, _, kind = _checked(symbol).partition("-")
    base, _, quote = pair.partition("_")
    if kind == "PERPETUAL" and base:
        return f"{base}/{quote}:{quote}" if quote else f"{base}/USD:{base}"
    if kind or not base or not quote:
        raise ConfigError("symbol", f"{symbol!r} has no common form; take a perpetual, like 'BTC-PERPETUAL', or a pair")
    return f"{base}/{quote}"


def venue_symbol(common: str) -> str:
    """Return the symbol of a perpetual or a pair in the common form.

    >>> venue_symbol("BTC/USD:BTC"), venue_symbol("SOL/USDC:USDC"), venue_symbol("BTC/USDC")
    ('BTC-PERPETUAL', 'SOL_USDC-PERPETUAL', 'BTC_USDC')
    """
    base, quote, settle = split_pair(common)
    if not settle:
        return f"{base}_{quote}"
    if settle == base and quote == "USD":
        return f"{base}-PERPETUAL"
    if settle != quote:
        raise ConfigError("symbol", f"{common!r} is none of Deribit's; take 'BTC/USD:BTC', or 'SOL/USDC:USDC'")
    return f"{base}_{quote}-PERPETUAL"


def endpoint(topic: str) -> str:
    """Return the class of a channel; all of them are public.

    Raises:
        ConfigError: it has no name.
    """
    if not topic:
        raise ConfigError("topic", f"{topic!r} is no channel; take one like 'quote.BTC-PERPETUAL'")
    return "public"


def connection_url(endpoint: str = "public", base: str | None = None) -> str:
    """Return the URL of a connection."""
    return address(BASE if base is None else base, ENDPOINTS, endpoint)


def url(topics: Sequence[str], base: str | None = None) -> str:
    """Return the URL at which these channels can be subscribed; it names none.

    Args:
        topics: one or more.
        base: in place of Deribit's host, such as "wss://test.deribit.com"; None: its own.
    """
    return connection_url(one_endpoint(topics, endpoint), base)


def subscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests for `topics`.

    >>> from itertools import count
    >>> subscribe(["quote.BTC-PERPETUAL"], count(1))[0].payload
    '{"jsonrpc":"2.0","id":1,"method":"public/subscribe","params":{"channels":["quote.BTC-PERPETUAL","platform_state"]}}'
    """
    return batches("subscribe", topics, ids, RULES, endpoint, _payload)


def unsubscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests that end `topics`."""
    return batches("unsubscribe", topics, ids, RULES, endpoint, _payload)


def _payload(action: Action, topics: Sequence[str], number: int) -> str:
    parameters = {"channels": list(dict.fromkeys([*topics, STATE] if action == "subscribe" else topics))}
    request = {"jsonrpc": "2.0", "id": number, "method": f"public/{action}", "params": parameters}
    return msgspec.json.encode(request).decode()


def _checked(symbol: str) -> str:
    return check_symbol(symbol, "BTC-PERPETUAL")


class Problem(Struct):
    code: int = 0
    message: str = ""


class Parameters(Struct):
    channel: str = ""
    data: Raw = Raw(b"")
    type: str = ""


class Envelope(Struct):
    """What any message is, as JSON-RPC 2.0 has it."""

    id: int | str | UnsetType | None = UNSET
    method: str = ""
    params: Parameters | None = None
    result: Raw = Raw(b"")
    error: Problem | None = None


_envelope = msgspec.json.Decoder(Envelope)
_channels = msgspec.json.Decoder(list[str])


# {"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}
# {"jsonrpc":"2.0","method":"heartbeat","params":{"type":"heartbeat"}}
#
# Source: public/set_heartbeat. A notification has no number.
def classify(frame: bytes | str) -> Frame:
    """Return what a message is; the request that it is alive is to be answered.

    >>> classify('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}').answer == ANSWER
    True
    """
    try:
        told = _envelope.decode(frame)
    except NOT_JSON:
        return Frame(Kind.UNKNOWN)
    if told.error is not None:
        return Frame(Kind.ERROR)
    if told.method == "heartbeat":
        asked = told.params is not None and told.params.type == "test_request"
        return Frame(Kind.HEARTBEAT, answer=ANSWER if asked else None)
    if told.method != "subscription" or told.params is None:
        return Frame(Kind.UNKNOWN if told.id is UNSET else Kind.ACKNOWLEDGEMENT)
    channel = told.params.channel
    if channel == STATE:
        return Frame(Kind.NOTICE, channel, ends=_maintained(told.params.data))
    return Frame(Kind.DATA, channel) if _decoder(channel) is not None else Frame(Kind.UNKNOWN)


# Source: subscriptions/platform/platform_state, which tells of locked price indices too.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"platform_state","data":{"maintenance":true}}}
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"platform_state","data":{"locked":false,
# "price_index":"alt_usdc"}}}
class State(Struct):
    maintenance: bool = False


_state = msgspec.json.Decoder(State)


def _maintained(data: Raw) -> bool:
    try:
        return _state.decode(data).maintenance
    except NOT_JSON:
        return False


# {"jsonrpc":"2.0","id":11,"result":["book.BTC-PERPETUAL.100ms","ticker.BTC-PERPETUAL.100ms"],"usIn":1781234567890123,
# "usOut":1781234567890300,"usDiff":177,"testnet":false}
# {"jsonrpc":"2.0","id":14,"error":{"message":"raw_subscriptions_not_available_for_unauthorized","code":13778},"usIn":1,
# "usOut":2,"usDiff":1,"testnet":false}
#
# Source: public/subscribe; articles/errors. That what is unknown is left out, and that one raw channel costs the whole
# request, was measured (public notes, 2026-09).
def reply(frame: bytes | str, pending: Sequence[Request]) -> Reply | None:
    """Return what an answer says: it names the request by its number, and the channels that there are."""
    try:
        told = _envelope.decode(frame)
        request = next((each for each in pending if each.id == told.id), None)
        if told.error is not None:
            # Without a number it speaks of the one request that there is, or nobody knows of which.
            has_no_number = told.id is UNSET or told.id is None
            return _refused(pending[0] if has_no_number and len(pending) == 1 else request, told.error)
        if request is None:
            return None
        there = set(_channels.decode(told.result))
    except NOT_JSON:
        return None
    confirmed = tuple(topic for topic in request.topics if topic in there)
    # What one does not have, one cannot give back: an answer without it says that all the same.
    missing = tuple(topic for topic in request.topics if topic not in there)
    if request.action == "unsubscribe":
        return Reply(request, confirmed=request.topics)
    return Reply(request, confirmed, missing, problem="Deribit has no such channel" if missing else "")


def _refused(request: Request | None, problem: Problem) -> Reply | None:
    if request is None:
        return None
    if problem.code == TOO_MANY:
        return Reply(request, later=request.topics, problem=problem.message)
    guilty = request.topics
    if problem.code == LOGIN_NEEDED:
        guilty = tuple(topic for topic in request.topics if topic.endswith(".raw")) or guilty
    elif len(request.topics) > 1:
        guilty = ()
    innocent = tuple(topic for topic in request.topics if topic not in guilty)
    return Reply(request, rejected=guilty, innocent=innocent, problem=problem.message)


def decode(frame: bytes | str, arrival_ns: int | None = None) -> list[MarketEvent]:
    """Return what happened by a message. Numbers keep the digits that they were sent with.

    >>> told = '{"method":"subscription","params":{"channel":"chart.trades.BTC-PERPETUAL.1","data":{"volume":5e-2,'
    >>> told += '"tick":1781234520000,"open":61200.0,"low":61199.5,"high":61260.0,"cost":460.0,"close":61250.0}}}'
    >>> decode(told)[0].open
    Decimal('61200.0')
    """
    told = _envelope.decode(frame)
    if told.method != "subscription" or told.params is None:
        return []
    found = _decoder(told.params.channel)
    return [] if found is None else found(told.params.data, told.params.channel, arrival_ns)


Decoder: TypeAlias = Callable[[Raw, str, int | None], list[MarketEvent]]


def _decoder(channel: str) -> Decoder | None:
    return _DECODERS.get(channel.partition(".")[0])


# Source: subscriptions/orderbook: the first message is the book as a whole, and those behind it are linked by
# `prev_change_id`.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"snapshot",
# "timestamp":1781234567890,"instrument_name":"BTC-PERPETUAL","change_id":880001,"bids":[["new",61250.0,3460.0],
# ["new",61249.5,20.0]],"asks":[["new",61250.5,680.0]]}}}
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":"change",
# "timestamp":1781234567990,"instrument_name":"BTC-PERPETUAL","prev_change_id":880001,"change_id":880017,
# "bids":[["delete",61249.5,0.0]],"asks":[["change",61250.5,700.0]]}}}
class Book(Struct):
    timestamp: int
    instrument_name: str
    change_id: int
    bids: list[tuple[str, Decimal, Decimal]]
    asks: list[tuple[str, Decimal, Decimal]]
    type: Literal["snapshot", "change"]
    prev_change_id: int | None = None


# Source: subscriptions/orderbook: channels with a group and a depth send whole windows, whose levels have no action.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.none.10.100ms","data":{
# "timestamp":1781234567890,"instrument_name":"BTC-PERPETUAL","change_id":880001,"bids":[[61250.0,3460.0]],
# "asks":[[61250.5,680.0]]}}}
class Window(Struct):
    timestamp: int
    instrument_name: str
    change_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


_book = msgspec.json.Decoder(Book)
_window = msgspec.json.Decoder(Window)
NOTHING_LEFT = Decimal(0)


def _book_event(data: Raw, channel: str, arrival_ns: int | None) -> list[MarketEvent]:
    if channel.count(".") > 2:
        return [_snapshot(window := _window.decode(data), window.bids, window.asks, arrival_ns)]
    told = _book.decode(data)
    bids, asks = _levels(told.bids), _levels(told.asks)
    if told.type == "snapshot":
        return [_snapshot(told, bids, asks, arrival_ns)]
    return [
        BookDelta(
            venue=NAME,
            symbol=told.instrument_name,
            bids=bids,
            asks=asks,
            sequence=told.change_id,
            previous=told.prev_change_id,
            time_ns=told.timestamp * 1_000_000,
            arrival_ns=arrival_ns,
        )
    ]


def _snapshot(
    told: Book | Window, bids: tuple[Level, ...], asks: tuple[Level, ...], arrival_ns: int | None
) -> BookSnapshot:
    return BookSnapshot(
        venue=NAME,
        symbol=told.instrument_name,
        bids=bids,
        asks=asks,
        sequence=told.change_id,
        time_ns=told.timestamp * 1_000_000,
        arrival_ns=arrival_ns,
    )


def _levels(told: list[tuple[str, Decimal, Decimal]]) -> tuple[Level, ...]:
    return tuple([(price, NOTHING_LEFT if action == "delete" else size) for action, price, size in told])


# Source: subscriptions/trades: `trade_seq` grows by one, `direction` is the taker's.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[{"trade_seq":5001,
# "trade_id":"90001","timestamp":1781234567890,"tick_direction":2,"price":61250.0,"mark_price":61249.9,
# "instrument_name":"BTC-PERPETUAL","index_price":61240.7,"direction":"sell","amount":10.0}]}}
class TradeData(Struct):
    trade_seq: int
    trade_id: str
    timestamp: int
    price: Decimal
    amount: Decimal
    direction: Side
    instrument_name: str


_trades = msgspec.json.Decoder(list[TradeData])


def _trade_events(data: Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
    return [
        Trade(
            venue=NAME,
            symbol=told.instrument_name,
            price=told.price,
            size=told.amount,
            side=told.direction,
            id=told.trade_id,
            time_ns=told.timestamp * 1_000_000,
            arrival_ns=arrival_ns,
            sequence=told.trade_seq,
        )
        for told in _trades.decode(data)
    ]


# Source: subscriptions/quote. A side on which nobody offers anything has the price null, or 0.0, and the amount 0.0.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1781234567890,
# "instrument_name":"BTC-PERPETUAL","best_bid_price":61250.0,"best_bid_amount":3460.0,"best_ask_price":61250.5,
# "best_ask_amount":680.0}}}
class Top(Struct):
    timestamp: int
    instrument_name: str
    best_bid_price: Decimal | None
    best_bid_amount: Decimal | None
    best_ask_price: Decimal | None
    best_ask_amount: Decimal | None


class Stats(Struct, frozen=True):
    volume: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None


# Source: subscriptions/ticker, which has the same fields among more.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.BTC-PERPETUAL.100ms","data":{
# "timestamp":1781234567890,"state":"open","stats":{"volume":123.4,"low":60000.0,"high":62000.0},
# "settlement_price":61000.1,"open_interest":2456789.0,"min_price":60300.0,"max_price":62100.0,"mark_price":61249.9,
# "last_price":61250.0,"instrument_name":"BTC-PERPETUAL","index_price":61240.7,"funding_8h":0.00001,
# "current_funding":0.0,"best_bid_price":61250.0,"best_bid_amount":3460.0,"best_ask_price":61250.5,
# "best_ask_amount":680.0}}}
class TickerData(Top, kw_only=True):
    last_price: Decimal | None = None
    stats: Stats = Stats()


_ticker = msgspec.json.Decoder(TickerData)
_quote = msgspec.json.Decoder(Top)


def _ticker_event(data: Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
    told = _ticker.decode(data)
    bid, bid_size = _offer(told.best_bid_price, told.best_bid_amount)
    ask, ask_size = _offer(told.best_ask_price, told.best_ask_amount)
    return [
        Ticker(
            venue=NAME,
            symbol=told.instrument_name,
            last=told.last_price,
            bid=bid,
            bid_size=bid_size,
            ask=ask,
            ask_size=ask_size,
            open=None,
            high=told.stats.high,
            low=told.stats.low,
            volume=told.stats.volume,
            time_ns=told.timestamp * 1_000_000,
            arrival_ns=arrival_ns,
        )
    ]


def _quote_event(data: Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
    told = _quote.decode(data)
    bid, bid_size = _offer(told.best_bid_price, told.best_bid_amount)
    ask, ask_size = _offer(told.best_ask_price, told.best_ask_amount)
    return [
        Quote(
            venue=NAME,
            symbol=told.instrument_name,
            bid=bid,
            bid_size=bid_size,
            ask=ask,
            ask_size=ask_size,
            time_ns=told.timestamp * 1_000_000,
            arrival_ns=arrival_ns,
        )
    ]


def _offer(price: Decimal | None, size: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    return (price, size) if price and size else (None, None)


# Source: subscriptions/market-data/chart.trades: `tick` is the candle's first millisecond. It says neither whose it is,
# but for the channel, nor when it is closed.
#
# {"jsonrpc":"2.0","method":"subscription","params":{"channel":"chart.trades.BTC-PERPETUAL.1","data":{"volume":0.05,
# "tick":1781234520000,"open":61200.0,"low":61199.5,"high":61260.0,"cost":460.0,"close":61250.0}}}
class Chart(Struct):
    tick: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


_chart = msgspec.json.Decoder(Chart)


def _candle_event(data: Raw, channel: str, arrival_ns: int | None) -> list[MarketEvent]:
    told = _chart.decode(data)
    symbol, _, interval = channel.removeprefix("chart.trades.").rpartition(".")
    minutes = MINUTES.get(interval)
    if minutes is None:
        raise msgspec.ValidationError(f"no resolution of candles is called so: {channel!r}")
    opened = told.tick * 1_000_000
    return [
        Candle(
            venue=NAME,
            symbol=symbol,
            interval=interval,
            open_ns=opened,
            close_ns=opened + minutes * 60_000_000_000,
            open=told.open,
            high=told.high,
            low=told.low,
            close=told.close,
            volume=told.volume,
            closed=None,
            time_ns=opened,
            arrival_ns=arrival_ns,
        )
    ]


_DECODERS: Mapping[str, Decoder] = {
    "book": _book_event,
    "trades": _trade_events,
    "ticker": _ticker_event,
    "quote": _quote_event,
    "chart": _candle_event,
}
