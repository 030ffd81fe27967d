"""What Binance's spot and futures markets have in common: how one asks, and the shapes of most messages.

Source: Binance, "WebSocket Streams for Binance" (github.com/binance/binance-spot-api-docs, web-socket-streams.md,
2026-07-21); "USDⓈ-M Futures, WebSocket Market Streams" (developers.binance.com), read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from rxws.decoding import NOT_JSON
from rxws.errors import ConfigError
from rxws.exchanges._topics import check_symbol
from rxws.market import Level, MarketEvent
from rxws.venue import Action, Frame, Kind, Reply, Request

__all__ = [
    "INTERVALS",
    "Codec",
    "Decoder",
    "Levels",
    "book",
    "candles",
    "in_query",
    "kind",
    "lower",
    "pair_of",
    "quotes",
    "reply",
    "request_payload",
    "ticker",
    "url",
]

QUOTES = tuple(
    "USDT USDC FDUSD TUSD BUSD USD1 USDS DAI PAX BTC ETH BNB"
    " EUR EURI TRY BRL JPY ARS MXN COP CZK PLN RON ZAR UAH".split()
)
"""What a symbol ends with. None of them is the end of another, so that there is one way to part a symbol."""
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
"""How long candles may be; spot has some of one second too."""
DEPTHS = (5, 10, 20)
SYMBOL = re.compile(r"\w+")
"""There are such as are not of ASCII, and futures that expire, BTCUSDT_261225."""
LONGEST_URL = 8_000
"""A longer one is refused: LUCIT-Systems-and-Development/unicorn-binance-websocket-api, issue 38."""

# Source: CHANGELOG.md of spot, 2026-05-08 and 2026-06-09: it comes without being asked for, on single streams too, and
# nothing is promised of how long before.
#
# {"e":"serverShutdown","E":1781234567890}
# {"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1781234567890}}
SHUTDOWN = "serverShutdown"

TOO_MANY = 4
"""The code of an error that is no fault of one topic: the connection has too many."""

Decoder: TypeAlias = Callable[[bytes | str | Raw, str, int | None], list[MarketEvent]]
"""Takes the data of one message, the symbol that its stream is of (empty: of several), and when it came."""

Levels: TypeAlias = tuple[Level, ...]


class Error(Struct):
    code: int = 0
    msg: str = ""


class Kline(Struct):
    i: str


class Envelope(Struct):
    """What any message may have around or among its data: wrapped, raw, an answer, an error."""

    stream: str = ""
    data: Raw = Raw(b"")
    e: str = ""
    s: str = ""
    k: Kline | None = None
    id: int | str | UnsetType | None = UNSET
    result: Any = UNSET  # any JSON
    error: Error | None = None
    code: int | UnsetType = UNSET
    msg: str = ""
    last_update_id: int | UnsetType = msgspec.field(name="lastUpdateId", default=UNSET)
    b: Raw = Raw(b"")  # a price, or levels
    a: Raw = Raw(b"")  # a price, levels, or a number


class Named(Struct):
    e: str = ""


_envelope = msgspec.json.Decoder(Envelope)
_name_list = msgspec.json.Decoder(list[Named])


class Codec:
    """Tells what a message is, and hands it to the decoder of its kind.

    Args:
        decoders: by what stands in a stream's name behind the symbol ("aggTrade", "kline", "depth", "depth20"); those
            of whole markets by their whole name ("!miniTicker@arr").
        events: the same decoders by the event type that an unwrapped message has.
    """

    def __init__(self, decoders: Mapping[str, Decoder], events: Mapping[str, Decoder]) -> None:
        self._decoders = decoders
        self._events = events
        self._of_stream = lru_cache(maxsize=8_192)(self._find)

    def classify(self, frame: bytes | str) -> Frame:
        """Return what a message is."""
        try:
            return self._classified(_envelope.decode(frame))
        except NOT_JSON:
            return self._listed(frame)

    def decode(self, frame: bytes | str, arrival_ns: int | None) -> list[MarketEvent]:
        """Return what happened by a message."""
        first = frame.lstrip()[:1]
        if first in (b"[", "["):
            names = _name_list.decode(frame)
            found = self._events.get(f"{names[0].e}[]") if names else None
            return [] if found is None else found(frame, "", arrival_ns)
        envelope = _envelope.decode(frame)
        if envelope.stream:
            decoder, symbol = self._of_stream(envelope.stream)
            return [] if decoder is None else decoder(envelope.data, symbol, arrival_ns)
        decoder = self._events.get(_event(envelope))
        return [] if decoder is None else decoder(frame, envelope.s, arrival_ns)

    def _find(self, stream: str) -> tuple[Decoder | None, str]:
        if stream.startswith("!"):
            return self._decoders.get(stream), ""
        symbol, _, rest = stream.partition("@")
        name = rest.partition("@")[0]
        # A ticker's window, as in "ticker_1h", is another thing; a kline's interval is not.
        return self._decoders.get("kline" if name.startswith("kline_") else name), symbol.upper()

    def _classified(self, envelope: Envelope) -> Frame:
        if envelope.error is not None or envelope.code is not UNSET:
            return Frame(Kind.ERROR)
        if envelope.result is not UNSET or envelope.id is not UNSET:
            return Frame(Kind.ACKNOWLEDGEMENT)
        event = _event(envelope)
        if event == SHUTDOWN or envelope.stream == f"!{SHUTDOWN}":
            return Frame(Kind.NOTICE, ends=True)
        if envelope.stream:
            known = self._of_stream(envelope.stream)[0] is not None
            return Frame(Kind.DATA, envelope.stream) if known else Frame(Kind.UNKNOWN)
        if event not in self._events:
            return Frame(Kind.UNKNOWN)
        return Frame(Kind.DATA, _stream(event, envelope))

    def _listed(self, frame: bytes | str) -> Frame:
        try:
            names = _name_list.decode(frame)
        except NOT_JSON:
            return Frame(Kind.UNKNOWN)
        known = bool(names) and f"{names[0].e}[]" in self._events
        return Frame(Kind.DATA) if known else Frame(Kind.UNKNOWN)


def _event(envelope: Envelope) -> str:
    """The type of an unwrapped message; the two that spot sends without one are told by their fields."""
    if envelope.e:
        return envelope.e
    if envelope.last_update_id is not UNSET:
        return "depthSnapshot"
    return "bookTicker" if envelope.s and envelope.b and envelope.a else ""


def _stream(event: str, envelope: Envelope) -> str | None:
    """The stream that an unwrapped message came by, where its name is no matter of a speed or a depth."""
    symbol = envelope.s.lower()
    if event == "kline" and envelope.k is not None:
        return f"{symbol}@kline_{envelope.k.i}"
    streams = {"24hrTicker": "ticker", "24hrMiniTicker": "miniTicker"}
    name = streams.get(event, event if event in ("trade", "aggTrade", "bookTicker") else None)
    return None if name is None else f"{symbol}@{name}"


def kind(topic: str) -> str:
    """Return what stands in a stream's name behind its symbol.

    Raises:
        ConfigError: it is none: Binance would acknowledge it, and never send anything.

    >>> kind("btcusdt@depth@100ms"), kind("!miniTicker@arr")
    ('depth@100ms', 'miniTicker@arr')
    """
    symbol, at, found = topic.partition("@")
    if topic.startswith("!") and len(topic) > 1:
        return topic[1:]
    if not (symbol and at and found) or symbol != symbol.lower():
        raise ConfigError("topic", f"{topic!r} is no name of a stream; take one in small letters, like 'btcusdt@trade'")
    return found


def request_payload(action: Action, topics: Sequence[str], number: int) -> str:
    """Return the text that asks for streams, or ends them: ``{"method":"SUBSCRIBE","params":[…],"id":1}``."""
    request = {"method": action.upper(), "params": list(topics), "id": number}
    return msgspec.json.encode(request).decode()


# {"result":null,"id":1}
# {"error":{"code":2,"msg":"Invalid request: invalid stream"},"id":6}
# {"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}
#
# Source: "Live Subscribing/Unsubscribing to streams". An unknown stream is acknowledged like any other, and then brings
# nothing: JKorf/Binance.Net, issue 620; binance/binance-spot-api-docs, issue 14.
def reply(frame: bytes | str, pending: Sequence[Request]) -> Reply | None:
    """Return what an answer says: it names the request by its number, and says nothing of single streams."""
    try:
        answer = _envelope.decode(frame)
    except NOT_JSON:
        return None
    error = answer.error
    if error is None and answer.code is not UNSET:
        error = Error(answer.code, answer.msg)
    if answer.id is UNSET or answer.id is None:
        if error is None or len(pending) != 1:
            return None
        (request,) = pending
    else:
        found = next((each for each in pending if each.id == answer.id), None)
        if found is None:
            return None
        request = found
    if error is None:
        return Reply(request, confirmed=request.topics) if answer.result is None else None
    if len(request.topics) > 1 and error.code != TOO_MANY:
        return Reply(request, innocent=request.topics, problem=error.msg)
    return Reply(request, rejected=request.topics, problem=error.msg)


def quotes(symbol: str) -> str:
    """Return the stream of the best bid and ask."""
    return f"{lower(symbol)}@bookTicker"


def ticker(symbol: str) -> str:
    """Return the stream of the last 24 hours, told once or twice a second."""
    return f"{lower(symbol)}@ticker"


def candles(symbol: str, interval: str, intervals: Sequence[str]) -> str:
    """Return the stream of candles; `intervals` are those that there are."""
    if interval not in intervals:
        raise ConfigError("interval", f"{interval!r} is none of Binance's; take one of {', '.join(intervals)}")
    return f"{lower(symbol)}@kline_{interval}"


def book(symbol: str, depth: int | None = None) -> str:
    """Return the stream of an order book's changes, or of its best 5, 10 or 20 levels, ten times a second.

    >>> book("BTCUSDT"), book("BTCUSDT", 20)
    ('btcusdt@depth@100ms', 'btcusdt@depth20@100ms')
    """
    if depth is not None and depth not in DEPTHS:
        raise ConfigError("depth", f"{depth!r} is none that Binance sends; take 5, 10, 20, or None for the whole book")
    return f"{lower(symbol)}@depth{depth or ''}@100ms"


def lower(symbol: str) -> str:
    """Return a symbol as the names of streams have it."""
    return check_symbol(symbol, "BTCUSDT", SYMBOL).lower()


def in_query(symbol: str) -> str:
    """Return a symbol as a request by HTTP names it; there are such as are not of ASCII."""
    return quote(check_symbol(symbol, "BTCUSDT", SYMBOL).upper())


def url(connection: str, topics: Sequence[str]) -> str:
    """Return the URL of a connection that brings these streams from the start.

    Raises:
        ConfigError: it would be longer than Binance takes.
    """
    made = f"{connection}?streams={quote('/'.join(topics), safe='/@!:')}"
    if len(made) > LONGEST_URL:
        right = "send what `subscribe` returns on a connection to `connection_url()`"
        raise ConfigError("topics", f"{len(topics)} make a URL that Binance refuses, {len(made)} characters; {right}")
    return made


def pair_of(symbol: str) -> tuple[str, str]:
    """Return base and quote of a symbol.

    Raises:
        ConfigError: it does not end with a currency that is known to end one.
    """
    for currency in QUOTES:
        if check_symbol(symbol, "BTCUSDT", SYMBOL).endswith(currency) and symbol != currency:
            return symbol.removesuffix(currency), currency
    raise ConfigError("symbol", f"{symbol!r} does not end with a known quote currency; take one like 'BTCUSDT'")
