"""Klines in every shape that they come in, and what looks like one and is none."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec

from rxws.market import Candle

# Binance spot, "Kline/Candlestick Streams", shortened.
BINANCE = (
    b'{"e":"kline","E":1672515782136,"s":"BNBBTC","k":{"t":1672515780000,"T":1672515839999,"s":"BNBBTC","i":"1m",'
    b'"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","x":%s}}'
)


class TypedCandle(msgspec.Struct):
    i: str
    x: bool


class TypedKline(msgspec.Struct):
    e: str
    k: TypedCandle


class TypedStream(msgspec.Struct):
    stream: str
    data: TypedKline


def candle(closed: bool | None) -> Candle:
    """Return a candle of no particular market."""
    one = Decimal(1)
    return Candle(
        venue="binance",
        symbol="BNBBTC",
        interval="1m",
        open_ns=0,
        close_ns=60_000_000_000,
        open=one,
        high=one,
        low=one,
        close=one,
        volume=one,
        closed=closed,
        time_ns=0,
        arrival_ns=0,
    )


def klines(closed: bool) -> dict[str, Any]:
    """Return a kline in each shape."""
    raw = BINANCE % (b"true" if closed else b"false")
    combined = b'{"stream":"bnbbtc@kline_1m","data":' + raw + b"}"
    return {
        "dict": msgspec.json.decode(raw),
        "dict under data": msgspec.json.decode(combined),
        "struct": msgspec.json.decode(raw, type=TypedKline),
        "struct under data": msgspec.json.decode(combined, type=TypedStream),
        "struct under data in a dict": {"stream": "s", "data": msgspec.json.decode(raw, type=TypedKline)},
        "object": SimpleNamespace(e="kline", k={"x": closed}),
        "candle": candle(closed),
    }


NO_KLINES: dict[str, Any] = {
    "trade": {"e": "trade", "s": "BNBBTC"},
    "trade under data": {"stream": "s", "data": {"e": "trade"}},
    "acknowledgement": {"result": None, "id": 1},
    "data is a list": {"data": [{"e": "kline"}]},
    "data is text": {"data": "kline"},
    "text": "kline",
    "bytes": b'{"e":"kline"}',
    "list": [{"e": "kline"}],
    "number": 5,
    "None": None,
    "two levels down": {"data": {"data": {"e": "kline", "k": {"x": True}}}},
    "another kind of kline": {"e": "continuous_kline", "k": {"x": True}},
    "object": SimpleNamespace(e="trade"),
}
