"""Coinbase Exchange.

A topic is a channel and a product, such as "matches:BTC-USD". An acknowledgement is the whole of what is subscribed,
and names the request by no number; an error names it by nothing but words. Changes of a book have neither a number nor
a checksum, so that a book cannot be checked; the heartbeat shows that the connection lives.

Source: docs.cdp.coinbase.com, exchange, websocket-feed, read 2026-11: overview, channels, errors, rate limits; what is
marked otherwise was seen by users.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from rxws import errors, gaps
from rxws.decoding import NOT_JSON
from rxws.errors import ConfigError, Table
from rxws.exchanges._topics import address, batches, channel_and_symbol, check_symbol, one_endpoint, split_pair
from rxws.market import BookDelta, BookSnapshot, LastTrade, Level, MarketEvent, Side, Ticker, Trade
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
    "heartbeat",
    "quotes",
    "reply",
    "subscribe",
    "ticker",
    "trades",
    "unsubscribe",
    "url",
    "venue_symbol",
]

NAME = "coinbase_exchange"
BASE = "wss://ws-feed.exchange.coinbase.com"
ENDPOINTS: Mapping[str, str] = {"public": ""}
GREETINGS: tuple[str, ...] = ()
HEARTBEAT: Heartbeat | None = None

# Eight requests a second from one address, with bursts of 20: twenty in two and a half seconds keep both. A client that
# has not subscribed within five seconds is closed. A message that is too big is an error; how big is not in the
# documents, and a batch stays far below what is common.
RULES = Rules(
    send=None,
    requests=Rate(20, 2.5),
    topics=None,
    batch=100,
    batch_bytes=16_000,
    dials=Rate(8, 1.0),
    first_subscribe=5.0,
    max_age=None,
    silence=None,
)

TABLE: Table = errors.TABLE

TRADE_RULE: gaps.Rule = gaps.consecutive_trades
BOOK_RULE: None = None
SNAPSHOTS: Snapshots | None = None

TOO_MANY = re.compile(r"rate limit|too many requests", re.IGNORECASE)
"""What an error says that is no fault of a topic. Its words are not in the documents; those are HTTP's, and Coinbase's
own where it speaks of its limits."""
# That each error begins so is not in the documents for the end of a subscription, which hardly fails.
FAILED = re.compile(r"failed to ((?:un)?subscribe)", re.IGNORECASE)
# That the acknowledgement calls a channel so is not in the documents; public clients know it.
ALIASES: Mapping[str, str] = {"level2_50": "level2_batch"}


def trades(symbol: str) -> str:
    """Return the topic of matches.

    >>> trades("BTC-USD")
    'matches:BTC-USD'
    """
    return f"matches:{_checked(symbol)}"


def quotes(symbol: str) -> str:
    """Return the topic of tickers, which have the best bid and ask, and come with each match."""
    return ticker(symbol)


def ticker(symbol: str) -> str:
    """Return the topic of the last 24 hours, told with each match."""
    return f"ticker:{_checked(symbol)}"


def candles(symbol: str, interval: str) -> str:
    """Raise: there is no such channel.

    Raises:
        ConfigError: always.
    """
    raise ConfigError("interval", "Coinbase Exchange has no channel of candles; make them of its trades")


def book(symbol: str, depth: int | None = None) -> str:
    """Return the topic of an order book's changes, twenty times a second.

    >>> book("BTC-USD")
    'level2_batch:BTC-USD'
    """
    if depth is not None:
        raise ConfigError("depth", f"{depth!r} is none that Coinbase Exchange sends; take None for the whole book")
    return f"level2_batch:{_checked(symbol)}"


def heartbeat(symbol: str) -> str:
    """Return the topic that says once a second which trade was the last one.

    >>> heartbeat("BTC-USD")
    'heartbeat:BTC-USD'
    """
    return f"heartbeat:{_checked(symbol)}"


PROOF: Callable[[str], str] | None = heartbeat


def common_symbol(symbol: str) -> str:
    """Return the common form of a product.

    >>> common_symbol("BTC-USD")
    'BTC/USD'
    """
    base, _, quote = _checked(symbol).partition("-")
    if not base or not quote or "-" in quote:
        raise ConfigError("symbol", f"{symbol!r} is no product; take one like 'BTC-USD'")
    return f"{base}/{quote}"


def venue_symbol(common: str) -> str:
    """Return the product of a pair in the common form.

    >>> venue_symbol("BTC/USD")
    'BTC-USD'
    """
    base, quote, settle = split_pair(common)
    if settle:
        raise ConfigError("symbol", f"{common!r} is a contract, and Coinbase Exchange has none; take 'BTC/USD'")
    return f"{base}-{quote}"


def endpoint(topic: str) -> str:
    """Return the class of a topic; all of them are public.

    Raises:
        ConfigError: it is no topic.
    """
    channel_and_symbol(topic, "matches:BTC-USD")
    return "public"


def connection_url(endpoint: str = "public", base: str | None = None) -> str:
    """Return the URL of a connection."""
    return address(BASE if base is None else base, ENDPOINTS, endpoint)


def url(topics: Sequence[str], base: str | None = None) -> str:
    """Return the URL at which these topics can be subscribed; it names none.

    Args:
        topics: one or more.
        base: in place of Coinbase's host, such as "wss://ws-feed-public.sandbox.exchange.coinbase.com"; None: its own.
    """
    return connection_url(one_endpoint(topics, endpoint), base)


def subscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests for `topics`; their numbers are not in them.

    >>> from itertools import count
    >>> subscribe(["matches:BTC-USD"], count(1))[0].payload
    '{"type":"subscribe","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}'
    """
    return batches("subscribe", topics, ids, RULES, endpoint, _payload)


def unsubscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests that end `topics`."""
    return batches("unsubscribe", topics, ids, RULES, endpoint, _payload)


def _payload(action: Action, topics: Sequence[str], number: int) -> str:
    products: dict[str, list[str]] = {}
    for topic in topics:
        channel, product = channel_and_symbol(topic, "matches:BTC-USD")
        products.setdefault(channel, []).append(product)
    channels = [{"name": name, "product_ids": ids} for name, ids in products.items()]
    return msgspec.json.encode({"type": action, "channels": channels}).decode()


def _checked(symbol: str) -> str:
    return check_symbol(symbol, "BTC-USD")


Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Channel(Struct):
    name: str
    product_ids: list[str] = []


class Envelope(Struct):
    """What any message may be; `type` says which."""

    type: str = ""
    product_id: str = ""
    channels: list[Channel] = []
    message: str = ""
    reason: str = ""


_envelope = msgspec.json.Decoder(Envelope)
KINDS: Mapping[str, tuple[Kind, str]] = {
    "subscriptions": (Kind.ACKNOWLEDGEMENT, ""),
    "error": (Kind.ERROR, ""),
    "heartbeat": (Kind.HEARTBEAT, "heartbeat"),
    "snapshot": (Kind.DATA, "level2_batch"),
    "l2update": (Kind.DATA, "level2_batch"),
    "match": (Kind.DATA, "matches"),
    "last_match": (Kind.DATA, "matches"),
    "ticker": (Kind.DATA, "ticker"),
}
"""What a type of message is, and the channel that brings it."""


def classify(frame: bytes | str) -> Frame:
    """Return what a message is; a heartbeat is of a topic too, and says which trade was the last one.

    >>> classify('{"type":"match","product_id":"BTC-USD"}').topic
    'matches:BTC-USD'
    """
    try:
        told = _envelope.decode(frame)
    except NOT_JSON:
        return Frame(Kind.UNKNOWN)
    kind, channel = KINDS.get(told.type, (Kind.UNKNOWN, ""))
    topic = f"{channel}:{told.product_id}" if channel else None
    return Frame(kind, topic, proof=_proof(frame) if kind is Kind.HEARTBEAT else None)


# Source: "Heartbeat Channel".
#
# {"type":"heartbeat","last_trade_id":20,"product_id":"BTC-USD","sequence":90,"time":"2026-06-12T03:22:47.890000Z"}
class LastMatch(Struct):
    last_trade_id: int
    product_id: str
    time: Time | None = None


_last_match = msgspec.json.Decoder(LastMatch)


def _proof(frame: bytes | str) -> LastTrade | None:
    try:
        told = _last_match.decode(frame)
    except NOT_JSON:
        return None
    time_ns = None if told.time is None else _nanoseconds(told.time)
    return LastTrade(venue=NAME, symbol=told.product_id, sequence=told.last_trade_id, time_ns=time_ns)


# {"type":"subscriptions","channels":[{"name":"heartbeat","product_ids":["BTC-USD"]},{"name":"matches",
# "product_ids":["BTC-USD"]},{"name":"level2_50","product_ids":["BTC-USD"]}]}
# {"type":"error","message":"Failed to subscribe","reason":"FAKE-USD is not a valid product"}
#
# Source: "Subscribe", "Errors". One product that is not there fails the whole request (public clients).
def reply(frame: bytes | str, pending: Sequence[Request]) -> Reply | None:
    """Return what an answer says of the oldest request that it may answer."""
    try:
        told = _envelope.decode(frame)
    except NOT_JSON:
        return None
    if told.type == "error":
        return _refused(told, pending)
    if told.type != "subscriptions":
        return None
    there = {
        f"{name}:{product}"
        for channel in told.channels
        for product in channel.product_ids
        for name in (channel.name, ALIASES.get(channel.name, channel.name))
    }
    before: set[str] = set()
    for request in pending:
        wanted = request.action == "subscribe"
        # What a request before it is about to change, and has not, is as that one found it.
        confirmed = tuple(topic for topic in request.topics if topic not in before and (topic in there) is wanted)
        if confirmed:
            return Reply(request, confirmed=confirmed)
        before.update(request.topics)
    return None


def _refused(told: Envelope, pending: Sequence[Request]) -> Reply | None:
    said = f"{told.message}: {told.reason}" if told.reason else told.message
    verb = FAILED.search(said)
    pending = [request for request in pending if verb is None or request.action == verb[1].lower()]
    if TOO_MANY.search(said):
        return Reply(pending[0], later=pending[0].topics, problem=said) if pending else None
    words = re.findall(r"[\w-]+", said)
    for request in pending:
        guilty = tuple(topic for topic in request.topics if topic.partition(":")[2] in words)
        if guilty:
            innocent = tuple(topic for topic in request.topics if topic not in guilty)
            return Reply(request, rejected=guilty, innocent=innocent, problem=said)
    if not pending:
        return None
    request = pending[0]
    if len(request.topics) > 1:
        return Reply(request, innocent=request.topics, problem=said)
    return Reply(request, rejected=request.topics, problem=said)


def decode(frame: bytes | str, arrival_ns: int | None = None) -> list[MarketEvent]:
    """Return what happened by a message.

    >>> told = '{"type":"l2update","product_id":"BTC-USD","changes":[["buy","61250.10","0.00"]],'
    >>> decode(told + '"time":"2026-06-12T03:22:47.990000Z"}')[0].bids
    ((Decimal('61250.10'), Decimal('0.00')),)
    """
    found = _DECODERS.get(_envelope.decode(frame).type)
    return [] if found is None else [found(frame, arrival_ns)]


Decoder: TypeAlias = Callable[[bytes | str, int | None], MarketEvent]


# Source: "Level2 Channel"; this first message has no time.
#
# {"type":"snapshot","product_id":"BTC-USD","bids":[["61250.10","0.45"]],"asks":[["61250.20","1.00"]]}
class SnapshotData(Struct):
    product_id: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time: Time | None = None


_snapshot = msgspec.json.Decoder(SnapshotData)


def _snapshot_event(frame: bytes | str, arrival_ns: int | None) -> MarketEvent:
    told = _snapshot.decode(frame)
    return BookSnapshot(
        venue=NAME,
        symbol=told.product_id,
        bids=told.bids,
        asks=told.asks,
        time_ns=None if told.time is None else _nanoseconds(told.time),
        arrival_ns=arrival_ns,
    )


# Source: "Level2 Channel": no number, and no link to what was before.
#
# {"type":"l2update","product_id":"BTC-USD","changes":[["buy","61250.10","0.00"]],"time":"2026-06-12T03:22:47.990000Z"}
class Update(Struct):
    product_id: str
    changes: list[tuple[Side, Decimal, Decimal]]
    time: Time


_update = msgspec.json.Decoder(Update)


def _delta_event(frame: bytes | str, arrival_ns: int | None) -> MarketEvent:
    told = _update.decode(frame)
    return BookDelta(
        venue=NAME,
        symbol=told.product_id,
        bids=tuple([(price, size) for side, price, size in told.changes if side == "buy"]),
        asks=tuple([(price, size) for side, price, size in told.changes if side == "sell"]),
        time_ns=_nanoseconds(told.time),
        arrival_ns=arrival_ns,
    )


# Source: "Match": `side` is the maker's; a subscription begins with the last one that there was, as "last_match".
#
# {"type":"match","trade_id":21,"sequence":92,"maker_order_id":"aa","taker_order_id":"bb",
# "time":"2026-06-12T03:22:48.000000Z","product_id":"BTC-USD","size":"0.1","price":"61250.2","side":"sell"}
class Match(Struct):
    trade_id: int
    time: Time
    product_id: str
    size: Decimal
    price: Decimal
    side: Side


_match = msgspec.json.Decoder(Match)


def _trade_event(frame: bytes | str, arrival_ns: int | None) -> MarketEvent:
    told = _match.decode(frame)
    return Trade(
        venue=NAME,
        symbol=told.product_id,
        price=told.price,
        size=told.size,
        side="buy" if told.side == "sell" else "sell",
        id=str(told.trade_id),
        time_ns=_nanoseconds(told.time),
        arrival_ns=arrival_ns,
        sequence=told.trade_id,
    )


# Source: "Ticker Channel".
#
# {"type":"ticker","sequence":92,"product_id":"BTC-USD","price":"61250.2","open_24h":"60100","volume_24h":"9000",
# "low_24h":"59880","high_24h":"61900","volume_30d":"200000","best_bid":"61250.1","best_bid_size":"0.1",
# "best_ask":"61250.2","best_ask_size":"0.2","side":"buy","time":"2026-06-12T03:22:48.000000Z","trade_id":21,
# "last_size":"0.1"}
class TickerData(Struct):
    product_id: str
    price: Decimal
    open_24h: Decimal
    volume_24h: Decimal
    low_24h: Decimal
    high_24h: Decimal
    best_bid: Decimal
    best_ask: Decimal
    time: Time | None = None
    best_bid_size: Decimal | None = None
    best_ask_size: Decimal | None = None


_ticker = msgspec.json.Decoder(TickerData)


def _ticker_event(frame: bytes | str, arrival_ns: int | None) -> MarketEvent:
    told = _ticker.decode(frame)
    return Ticker(
        venue=NAME,
        symbol=told.product_id,
        last=told.price,
        bid=told.best_bid,
        bid_size=told.best_bid_size,
        ask=told.best_ask,
        ask_size=told.best_ask_size,
        open=told.open_24h,
        high=told.high_24h,
        low=told.low_24h,
        volume=told.volume_24h,
        time_ns=None if told.time is None else _nanoseconds(told.time),
        arrival_ns=arrival_ns,
    )


def _nanoseconds(time: datetime) -> int:
    since = time - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


_DECODERS: Mapping[str, Decoder] = {
    "snapshot": _snapshot_event,
    "l2update": _delta_event,
    "match": _trade_event,
    "last_match": _trade_event,
    "ticker": _ticker_event,
}
