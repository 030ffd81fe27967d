"""The messages that Binance's spot and futures markets have in common, and what they say.

Source: see `rxws.exchanges._binance`; the sections are named where the messages are.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from rxws.exchanges._binance import Decoder
from rxws.market import Candle, MarketEvent, Quote, Ticker, Trade

__all__ = ["decoders", "nanoseconds"]


LISTS = ("24hrTicker[]", "24hrMiniTicker[]")
"""What a list of events is called by the type of its first."""


def nanoseconds(time: int) -> int:
    """Return an instant that is given in milliseconds, or in microseconds where the URL asks for those.

    >>> nanoseconds(1781234567890), nanoseconds(1781234567890123)
    (1781234567890000000, 1781234567890123000)
    """
    return time * 1_000_000 if time < 10**14 else time * 1_000


class Traded(Struct):
    s: str
    p: Decimal
    q: Decimal
    T: int
    m: bool


# Source: "Aggregate Trade Streams"; those of the futures lack `M`.
#
# {"e":"aggTrade","E":1781234567890,"s":"BTCUSDT","a":512340,"p":"61250.10000000","q":"0.01500000","f":900100,
# "l":900102,"T":1781234567888,"m":true,"M":true}
class AggTrade(Traded):
    a: int


# Source: "Trade Streams".
#
# {"e":"trade","E":1781234567890,"s":"BTCUSDT","t":900103,"p":"61250.11000000","q":"0.00200000","T":1781234567889,
# "m":false,"M":true}
class SingleTrade(Traded):
    t: int


_agg_trade = msgspec.json.Decoder(AggTrade)
_trade = msgspec.json.Decoder(SingleTrade)


def _agg_trade_of(venue: str) -> Decoder:
    def decode(data: bytes | str | Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
        told = _agg_trade.decode(data)
        return [_traded(venue, told, told.a, arrival_ns)]

    return decode


def _trade_of(venue: str) -> Decoder:
    def decode(data: bytes | str | Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
        told = _trade.decode(data)
        return [_traded(venue, told, told.t, arrival_ns)]

    return decode


def _traded(venue: str, told: Traded, number: int, arrival_ns: int | None) -> Trade:
    return Trade(
        venue=venue,
        symbol=told.s,
        price=told.p,
        size=told.q,
        side="sell" if told.m else "buy",
        id=str(number),
        time_ns=nanoseconds(told.T),
        arrival_ns=arrival_ns,
        sequence=number,
    )


class KlineBody(Struct):
    t: int
    T: int
    i: str
    o: Decimal
    c: Decimal
    h: Decimal
    low: Decimal = msgspec.field(name="l")
    v: Decimal
    x: bool


# Source: "Kline/Candlestick Streams": `T` is the last millisecond of the candle, `x` whether it is closed.
#
# {"e":"kline","E":1781234520004,"s":"BTCUSDT","k":{"t":1781234460000,"T":1781234519999,"s":"BTCUSDT","i":"1m",
# "f":899000,"L":900103,"o":"61200.00000000","c":"61250.11000000","h":"61260.00000000","l":"61199.90000000",
# "v":"12.34500000","n":1104,"x":true,"q":"755900.12000000","V":"6.10000000","Q":"373500.00000000","B":"0"}}
class KlineData(Struct):
    E: int
    s: str
    k: KlineBody


_kline = msgspec.json.Decoder(KlineData)


def _kline_of(venue: str) -> Decoder:
    def decode(data: bytes | str | Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
        told = _kline.decode(data)
        body = told.k
        return [
            Candle(
                venue=venue,
                symbol=told.s,
                interval=body.i,
                open_ns=nanoseconds(body.t),
                close_ns=nanoseconds(body.T + 1),
                open=body.o,
                high=body.h,
                low=body.low,
                close=body.c,
                volume=body.v,
                closed=body.x,
                time_ns=nanoseconds(told.E),
                arrival_ns=arrival_ns,
            )
        ]

    return decode


# Source: "Individual Symbol Book Ticker Streams". That of spot has neither an event type nor a time.
#
# {"u":7000001,"s":"BTCUSDT","b":"61250.10000000","B":"1.31000000","a":"61250.11000000","A":"0.40660000"}
#
# {"e":"bookTicker","u":600859600576,"s":"SUSHIUSDT","b":"7.6110","B":"2","a":"7.6120","A":"297","T":1626992741012,
# "E":1626992741017}
class BookTicker(Struct):
    u: int
    s: str
    b: Decimal
    B: Decimal
    a: Decimal
    A: Decimal
    T: int | None = None


_book_ticker = msgspec.json.Decoder(BookTicker)


def _book_ticker_of(venue: str) -> Decoder:
    def decode(data: bytes | str | Raw, _: str, arrival_ns: int | None) -> list[MarketEvent]:
        told = _book_ticker.decode(data)
        return [
            Quote(
                venue=venue,
                symbol=told.s,
                bid=told.b,
                bid_size=told.B,
                ask=told.a,
                ask_size=told.A,
                time_ns=None if told.T is None else nanoseconds(told.T),
                arrival_ns=arrival_ns,
                sequence=told.u,
            )
        ]

    return decode


# Source: "Individual Symbol Ticker Streams"; those of the futures have neither the best bid nor the best ask.
#
# {"e":"24hrTicker","E":1781234567890,"s":"BTCUSDT","p":"150.00000000","P":"0.250","w":"61110.10000000",
# "x":"61100.10000000","c":"61250.11000000","Q":"0.01000000","b":"61250.10000000","B":"1.31000000","a":"61250.11000000",
# "A":"0.40660000","o":"61100.11000000","h":"61900.00000000","l":"59880.00000000","v":"18234.50000000",
# "q":"1112345678.00000000","O":1781148167890,"C":1781234567890,"F":1,"L":900103,"n":900103}
#
# Source: "Individual Symbol Mini Ticker Stream", which has fewer of the same fields.
#
# {"e":"24hrMiniTicker","E":1781234567890,"s":"BTCUSDT","c":"61250.11000000","o":"60100.00000000","h":"61900.00000000",
# "l":"59880.00000000","v":"18234.50000000","q":"1112345678.00000000"}
class TickerData(Struct):
    E: int
    s: str
    c: Decimal
    o: Decimal
    h: Decimal
    low: Decimal = msgspec.field(name="l")
    v: Decimal
    b: Decimal | None = None
    B: Decimal | None = None
    a: Decimal | None = None
    A: Decimal | None = None


_ticker = msgspec.json.Decoder(TickerData)
_tickers = msgspec.json.Decoder(list[TickerData])


def _ticker_of(venue: str) -> Decoder:
    return lambda data, _, arrival_ns: [_told(venue, _ticker.decode(data), arrival_ns)]


def _tickers_of(venue: str) -> Decoder:
    return lambda data, _, arrival_ns: [_told(venue, each, arrival_ns) for each in _tickers.decode(data)]


def _told(venue: str, told: TickerData, arrival_ns: int | None) -> Ticker:
    return Ticker(
        venue=venue,
        symbol=told.s,
        last=told.c,
        bid=told.b,
        bid_size=told.B,
        ask=told.a,
        ask_size=told.A,
        open=told.o,
        high=told.h,
        low=told.low,
        volume=told.v,
        time_ns=nanoseconds(told.E),
        arrival_ns=arrival_ns,
    )


def decoders(venue: str) -> tuple[dict[str, Decoder], dict[str, Decoder]]:
    """Return the decoders that the markets share, by the name of a stream and by the type of an event."""
    candle, quote = _kline_of(venue), _book_ticker_of(venue)
    both = {"aggTrade": _agg_trade_of(venue), "trade": _trade_of(venue), "kline": candle, "bookTicker": quote}
    day, days = _ticker_of(venue), _tickers_of(venue)
    lists = {"!ticker@arr": days, "!miniTicker@arr": days, "!bookTicker": quote}
    streams = {**both, "ticker": day, "miniTicker": day, **lists}
    return streams, {**both, **dict.fromkeys(("24hrTicker", "24hrMiniTicker"), day), **dict.fromkeys(LISTS, days)}
