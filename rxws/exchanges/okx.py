"""OKX v5.

A topic is a channel and an instrument, such as "books:BTC-USDT". Candles are had at another URL than all else. What is
said of each is said of it alone: one that is wrong costs no other.

Source: www.okx.com/docs-v5, read 2026-11; the end of checksums: OKX, "Order book channels checksum field deprecation",
2026-05-21; what is marked otherwise was seen by users.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice, zip_longest
from typing import Literal, TypeAlias

import msgspec
from msgspec import Raw, Struct

from rxws import errors, gaps
from rxws.decoding import NOT_JSON
from rxws.errors import ConfigError, Table
from rxws.exchanges._topics import address, batches, channel_and_symbol, check_symbol, one_endpoint, split_pair
from rxws.limits import SendLimit
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
    "checksum",
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

NAME = "okx"
BASE = "wss://ws.okx.com:8443"
ENDPOINTS: Mapping[str, str] = {"public": "/ws/v5/public", "business": "/ws/v5/business"}
GREETINGS: tuple[str, ...] = ()

# A connection that brings nothing for 30 seconds is closed with 4004: so "ping" is sent before; "pong" is something.
HEARTBEAT: Heartbeat | None = Heartbeat(25.0, "ping")

# 480 requests an hour, on each connection; the text "ping" is none. All arguments of a request may have 64 kB.
RULES = Rules(
    send=SendLimit(480, 3_600.0),
    topics=None,
    batch=500,
    batch_bytes=60_000,
    dials=Rate(3, 1.0, 0.34),
    first_subscribe=30.0,
    max_age=None,
    silence=30.0,
)

TABLE: Table = errors.TABLE

# Trades are told together where one order filled several, so that their numbers skip.
TRADE_RULE: None = None
PROOF: Callable[[str], str] | None = None
BOOK_RULE: gaps.Rule = gaps.links

SECONDS = {"s": 1, "m": 60, "H": 3_600, "D": 86_400, "W": 7 * 86_400}
INTERVALS = {
    each: int(each.removesuffix("utc")[:-1]) * SECONDS[each.removesuffix("utc")[-1]]
    for each in (
        *("1s", "1m", "3m", "5m", "15m", "30m", "1H", "2H", "4H", "6H", "12H", "1D", "2D", "3D", "5D", "1W"),
        *("6Hutc", "12Hutc", "1Dutc", "2Dutc", "3Dutc", "5Dutc", "1Wutc"),
    )
}
"""How many seconds a candle is long; months are not, for they have no one length."""
TOO_MANY = "60014"
"""The code of an error that is no fault of a topic: there were too many requests."""
NOTICE = "64008"
CHECKED_LEVELS = 25


def trades(symbol: str) -> str:
    """Return the topic of trades, the fills of one order at one price together.

    >>> trades("BTC-USDT")
    'trades:BTC-USDT'
    """
    return f"trades:{_checked(symbol)}"


def quotes(symbol: str) -> str:
    """Return the topic of the best bid and ask, a hundred times a second."""
    return f"bbo-tbt:{_checked(symbol)}"


def ticker(symbol: str) -> str:
    """Return the topic of the last 24 hours, ten times a second."""
    return f"tickers:{_checked(symbol)}"


def candles(symbol: str, interval: str) -> str:
    """Return the topic of candles, of which the one that grows is told once a second.

    >>> candles("BTC-USDT", "1m")
    'candle1m:BTC-USDT'
    """
    if interval not in INTERVALS:
        raise ConfigError("interval", f"{interval!r} is none of OKX's; take one of {', '.join(INTERVALS)}")
    return f"candle{interval}:{_checked(symbol)}"


def book(symbol: str, depth: int | None = None) -> str:
    """Return the topic of the changes of an order book's best 400 levels, or of its best 5 as they are.

    >>> book("BTC-USDT"), book("BTC-USDT", 5)
    ('books:BTC-USDT', 'books5:BTC-USDT')
    """
    if depth not in (None, 5):
        raise ConfigError("depth", f"{depth!r} is none that OKX sends to the public; take 5, or None for 400 levels")
    return f"books{depth or ''}:{_checked(symbol)}"


def common_symbol(symbol: str) -> str:
    """Return the common form of a pair's or a perpetual's symbol.

    Raises:
        ConfigError: it expires.

    >>> common_symbol("BTC-USDT"), common_symbol("BTC-USDT-SWAP"), common_symbol("BTC-USD-SWAP")
    ('BTC/USDT', 'BTC/USDT:USDT', 'BTC/USD:BTC')
    """
    base, _, rest = _checked(symbol).partition("-")
    quote, _, kind = rest.partition("-")
    if not base or not quote or kind not in ("", "SWAP"):
        raise ConfigError("symbol", f"{symbol!r} has no common form; take a pair, like 'BTC-USDT', or a perpetual")
    settle = base if quote == "USD" else quote
    return f"{base}/{quote}:{settle}" if kind else f"{base}/{quote}"


def venue_symbol(common: str) -> str:
    """Return the symbol of a pair or a perpetual in the common form.

    >>> venue_symbol("BTC/USDT"), venue_symbol("BTC/USDT:USDT"), venue_symbol("BTC/USD:BTC")
    ('BTC-USDT', 'BTC-USDT-SWAP', 'BTC-USD-SWAP')
    """
    base, quote, settle = split_pair(common)
    if settle and settle != (base if quote == "USD" else quote):
        raise ConfigError("symbol", f"{common!r} is none of OKX's; take 'BTC/USDT:USDT', or 'BTC/USD:BTC'")
    return f"{base}-{quote}-SWAP" if settle else f"{base}-{quote}"


def endpoint(topic: str) -> str:
    """Return the class of a topic: "business" for candles and for single trades, "public" for all else.

    Raises:
        ConfigError: it is no topic.

    >>> endpoint("books:BTC-USDT"), endpoint("candle1m:BTC-USDT")
    ('public', 'business')
    """
    channel, _ = channel_and_symbol(topic, "books:BTC-USDT")
    return "business" if channel.startswith("candle") or channel == "trades-all" else "public"


def connection_url(endpoint: str = "public", base: str | None = None) -> str:
    """Return the URL of a connection."""
    return address(BASE if base is None else base, ENDPOINTS, endpoint)


def url(topics: Sequence[str], base: str | None = None) -> str:
    """Return the URL at which these topics can be subscribed; it names none.

    Args:
        topics: one or more, of one class.
        base: in place of OKX's host, such as "wss://wseea.okx.com:8443" for the European Economic Area; None: its own.

    Raises:
        ConfigError: there are none, or of both classes.
    """
    return connection_url(one_endpoint(topics, endpoint), base)


def subscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests for `topics`.

    >>> from itertools import count
    >>> subscribe(["books:BTC-USDT"], count(1))[0].payload
    '{"id":"1","op":"subscribe","args":[{"channel":"books","instId":"BTC-USDT"}]}'
    """
    return batches("subscribe", topics, ids, RULES, endpoint, _payload)


def unsubscribe(topics: Iterable[str], ids: Iterator[int]) -> list[Request]:
    """Return the requests that end `topics`."""
    return batches("unsubscribe", topics, ids, RULES, endpoint, _payload)


def _payload(action: Action, topics: Sequence[str], number: int) -> str:
    split = (channel_and_symbol(topic, "books:BTC-USDT") for topic in topics)
    arguments = [{"channel": channel, "instId": symbol} for channel, symbol in split]
    return msgspec.json.encode({"id": str(number), "op": action, "args": arguments}).decode()


def _checked(symbol: str) -> str:
    return check_symbol(symbol, "BTC-USDT")


class Argument(Struct, frozen=True):
    channel: str = ""
    instId: str = ""

    @property
    def topic(self) -> str:
        return f"{self.channel}:{self.instId}"


class Envelope(Struct):
    """What any message may be: an event of the connection, or data of an argument."""

    id: str = ""
    event: str = ""
    arg: Argument = Argument()
    action: Literal["snapshot", "update", ""] = ""
    data: Raw = Raw(b"")
    code: str = ""
    msg: str = ""


_envelope = msgspec.json.Decoder(Envelope)
PONG = (b"pong", "pong")


# pong
# {"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.",
# "connId":"c0ffee01"}
#
# Source: "Connect"; "Notification", which comes about 60 seconds ahead.
def classify(frame: bytes | str) -> Frame:
    """Return what a message is.

    >>> classify("pong").kind.value, classify('{"event":"notice","code":"64008"}').ends
    ('heartbeat', True)
    """
    if frame in PONG:
        return Frame(Kind.HEARTBEAT)
    try:
        told = _envelope.decode(frame)
    except NOT_JSON:
        return Frame(Kind.UNKNOWN)
    if told.event in ("subscribe", "unsubscribe"):
        return Frame(Kind.ACKNOWLEDGEMENT)
    if told.event == "error":
        return Frame(Kind.ERROR)
    if told.event == "notice":
        return Frame(Kind.NOTICE, ends=told.code == NOTICE)
    if told.event or not told.data or told.arg.channel not in _DECODERS:
        return Frame(Kind.UNKNOWN)
    return Frame(Kind.DATA, told.arg.topic)


# {"id":"a1","event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"},"connId":"c0ffee01"}
# {"id":"a1","event":"error","code":"60018","msg":"Wrong URL or channel:tickers,instId:FAKE-USDT doesn't exist. Please
# use the correct URL, channel and parameters referring to API document.","connId":"c0ffee01"}
#
# Source: "Subscribe": one answer for each argument; an error names it in its words only.
def reply(frame: bytes | str, pending: Sequence[Request]) -> Reply | None:
    """Return what an answer says of the one argument that it names."""
    try:
        told = _envelope.decode(frame)
    except NOT_JSON:
        return None
    asked = [each for each in pending if not told.id or str(each.id) == told.id]
    if told.event == "error":
        return _refused(told, asked)
    if told.event not in ("subscribe", "unsubscribe"):
        return None
    topic = told.arg.topic
    request = next((each for each in asked if each.action == told.event and topic in each.topics), None)
    return None if request is None else Reply(request, confirmed=(topic,))


def _refused(told: Envelope, asked: Sequence[Request]) -> Reply | None:
    named = re.search(r"channel:([\w-]+),instId:([\w-]+)", told.msg)
    topic = f"{named[1]}:{named[2]}" if named else ""
    for request in asked:
        if topic in request.topics:
            return Reply(request, rejected=(topic,), problem=told.msg)
    # It names none, and so speaks of the request: of the only one, or of the one whose number it has.
    if len(asked) != 1:
        return None
    (request,) = asked
    if told.code == TOO_MANY:
        return Reply(request, later=request.topics, problem=told.msg)
    if len(request.topics) > 1:
        return Reply(request, innocent=request.topics, problem=told.msg)
    return Reply(request, rejected=request.topics, problem=told.msg)


def decode(frame: bytes | str, arrival_ns: int | None = None) -> list[MarketEvent]:
    """Return what happened by a message.

    >>> told = '{"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1781234460000","61200","61260","61199.9",'
    >>> decode(told + '"61250.1","12.3","753000.1","753000.1","1"]]}')[0].closed
    True
    """
    if frame in PONG:
        return []
    told = _envelope.decode(frame)
    if told.event or not told.data:
        return []
    found = _DECODERS.get(told.arg.channel)
    return [] if found is None else found(told, told.data, arrival_ns)


def checksum(bids: Iterable[Level], asks: Iterable[Level]) -> int:
    """Return OKX's checksum of a book: of its best 25 levels, best first, as it was written before 2026-06-23.

    Source: OKX, "Checksum": CRC-32 as a signed number, of ``bid:size:ask:size:…`` without the sides that are missing.

    >>> level = Decimal("3366.1"), Decimal("7")
    >>> checksum([level], [(Decimal("3366.8"), Decimal("9")), (Decimal("3368"), Decimal("8"))])
    -1471518219
    """
    words: list[str] = []
    for pair in zip_longest(islice(bids, CHECKED_LEVELS), islice(asks, CHECKED_LEVELS)):
        for level in pair:
            if level is not None:
                words += (f"{level[0]:f}", f"{level[1]:f}")
    unsigned = zlib.crc32(":".join(words).encode())
    return unsigned - 2**32 if unsigned >= 2**31 else unsigned


Decoder: TypeAlias = Callable[[Envelope, Raw, int | None], list[MarketEvent]]


# Source: "Order book channel": a level is a price, a size, a zero that means nothing, and a number of orders. `seqId`
# and `prevSeqId` link the messages, and older ones lack them; `checksum` is 0 since 2026-06-23, which means nothing.
#
# {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["61250.2","340","0","13"]],
# "bids":[["61250.1","26","0","5"]],"ts":"1781234567890","checksum":0,"seqId":123456,"prevSeqId":-1}]}
#
# {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["61250.2","0","0","0"]],"bids":[],
# "ts":"1781234567990","checksum":0,"seqId":123460,"prevSeqId":123456}]}
class Book(Struct):
    asks: list[tuple[Decimal, Decimal, str, str]]
    bids: list[tuple[Decimal, Decimal, str, str]]
    ts: int
    checksum: int = 0
    seqId: int | None = None
    prevSeqId: int | None = None


# Not strict: an instant is a number in a string.
_books = msgspec.json.Decoder(list[Book], strict=False)


# Source: "Order book", GET /api/v5/market/books. OKX announced for August 2026 that its stream would begin without a
# snapshot; in September it still began with one (public captures).
#
# {"code":"0","msg":"","data":[{"asks":[["61250.2","340","0","13"]],"bids":[["61250.1","26","0","5"]],
# "ts":"1781234567890","seqId":123456}]}
class Fetched(Struct):
    data: tuple[Book]


_fetched = msgspec.json.Decoder(Fetched, strict=False)


def _snapshot_url(symbol: str) -> str:
    return f"https://www.okx.com/api/v5/market/books?instId={_checked(symbol)}&sz=400&source=0"


def _snapshot(body: bytes, symbol: str) -> BookSnapshot:
    (book,) = _fetched.decode(body).data
    return BookSnapshot(
        venue=NAME,
        symbol=symbol,
        bids=_levels(book.bids),
        asks=_levels(book.asks),
        sequence=book.seqId,
        time_ns=book.ts * 1_000_000,
    )


# An address may ask 40 times in two seconds.
SNAPSHOTS: Snapshots = Snapshots(_snapshot_url, _snapshot, Rate(30, 2.0), are_needed=False)


def _levels(told: list[tuple[Decimal, Decimal, str, str]]) -> tuple[Level, ...]:
    return tuple([(price, size) for price, size, _, _ in told])


def _book_events(told: Envelope, data: Raw, arrival_ns: int | None) -> list[MarketEvent]:
    return [_book_event(told, book, arrival_ns) for book in _books.decode(data)]


def _book_event(told: Envelope, book: Book, arrival_ns: int | None) -> MarketEvent:
    symbol = told.arg.instId
    bids, asks = _levels(book.bids), _levels(book.asks)
    checksum = book.checksum or None
    if told.action != "update":  # those of five levels have no action: each is the whole
        return BookSnapshot(
            venue=NAME,
            symbol=symbol,
            bids=bids,
            asks=asks,
            sequence=book.seqId,
            checksum=checksum,
            time_ns=book.ts * 1_000_000,
            arrival_ns=arrival_ns,
        )
    return BookDelta(
        venue=NAME,
        symbol=symbol,
        bids=bids,
        asks=asks,
        sequence=book.seqId,
        previous=book.prevSeqId,
        checksum=checksum,
        time_ns=book.ts * 1_000_000,
        arrival_ns=arrival_ns,
    )


# Source: "Order book channel": the best levels alone.
#
# {"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["61250.2","340","0","13"]],
# "bids":[["61250.1","26","0","5"]],"ts":"1781234567890","seqId":123456}]}
def _quote_events(told: Envelope, data: Raw, arrival_ns: int | None) -> list[MarketEvent]:
    symbol = told.arg.instId
    quotes: list[MarketEvent] = []
    for book in _books.decode(data):
        bid, bid_size = book.bids[0][:2] if book.bids else (None, None)
        ask, ask_size = book.asks[0][:2] if book.asks else (None, None)
        quotes.append(
            Quote(
                venue=NAME,
                symbol=symbol,
                bid=bid,
                bid_size=bid_size,
                ask=ask,
                ask_size=ask_size,
                time_ns=book.ts * 1_000_000,
                arrival_ns=arrival_ns,
                sequence=book.seqId,
            )
        )
    return quotes


# Source: "Trades channel": `side` is the taker's.
#
# {"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"700100200","px":"61250.1",
# "sz":"0.25","side":"buy","ts":"1781234567890","count":"3","source":"0","seqId":1234}]}
class TradeData(Struct):
    instId: str
    tradeId: str
    px: Decimal
    sz: Decimal
    side: Side
    ts: int


_trades = msgspec.json.Decoder(list[TradeData], strict=False)


def _trade_events(_: Envelope, data: Raw, arrival_ns: int | None) -> list[MarketEvent]:
    return [
        Trade(
            venue=NAME,
            symbol=told.instId,
            price=told.px,
            size=told.sz,
            side=told.side,
            id=told.tradeId,
            time_ns=told.ts * 1_000_000,
            arrival_ns=arrival_ns,
        )
        for told in _trades.decode(data)
    ]


# Source: "Tickers channel". A price that is not there is an empty string.
#
# {"arg":{"channel":"tickers","instId":"BTC-USDT"},"data":[{"instType":"SPOT","instId":"BTC-USDT","last":"61250.1",
# "lastSz":"0.1","askPx":"61250.2","askSz":"11","bidPx":"61250.1","bidSz":"5","open24h":"60100","high24h":"61900",
# "low24h":"59880","volCcy24h":"2222","vol24h":"2222","sodUtc0":"60500","sodUtc8":"60600","ts":"1781234567890"}]}
class TickerData(Struct):
    instId: str
    last: str
    askPx: str
    askSz: str
    bidPx: str
    bidSz: str
    open24h: str
    high24h: str
    low24h: str
    vol24h: str
    ts: int


_tickers = msgspec.json.Decoder(list[TickerData], strict=False)


def _ticker_events(_: Envelope, data: Raw, arrival_ns: int | None) -> list[MarketEvent]:
    return [
        Ticker(
            venue=NAME,
            symbol=told.instId,
            last=_number(told.last),
            bid=_number(told.bidPx),
            bid_size=_number(told.bidSz),
            ask=_number(told.askPx),
            ask_size=_number(told.askSz),
            open=_number(told.open24h),
            high=_number(told.high24h),
            low=_number(told.low24h),
            volume=_number(told.vol24h),
            time_ns=told.ts * 1_000_000,
            arrival_ns=arrival_ns,
        )
        for told in _tickers.decode(data)
    ]


# Source: "Candlesticks channel": time, open, high, low, close, three volumes, and "1" where it is closed.
#
# {"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1781234460000","61200","61260","61199.9","61250.1","12.3",
# "753000.1","753000.1","1"]]}
CandleData: TypeAlias = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, str]
_candles = msgspec.json.Decoder(list[CandleData], strict=False)


def _candle_events(told: Envelope, data: Raw, arrival_ns: int | None) -> list[MarketEvent]:
    interval = told.arg.channel.removeprefix("candle")
    length_ns = INTERVALS[interval] * 1_000_000_000
    return [
        Candle(
            venue=NAME,
            symbol=told.arg.instId,
            interval=interval,
            open_ns=time * 1_000_000,
            close_ns=time * 1_000_000 + length_ns,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            closed=confirmed == "1",
            time_ns=time * 1_000_000,
            arrival_ns=arrival_ns,
        )
        for time, opened, high, low, close, volume, _, _, confirmed in _candles.decode(data)
    ]


def _number(text: str) -> Decimal | None:
    return msgspec.convert(text, Decimal) if text else None


_DECODERS: Mapping[str, Decoder] = {
    "books": _book_events,
    "books5": _book_events,
    "books50-l2-tbt": _book_events,
    "books-l2-tbt": _book_events,
    "bbo-tbt": _quote_events,
    "trades": _trade_events,
    "trades-all": _trade_events,
    "tickers": _ticker_events,
    **{f"candle{each}": _candle_events for each in INTERVALS},
}
