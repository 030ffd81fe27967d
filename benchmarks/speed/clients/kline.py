"""The part of a kline that a user of typed values would name."""

from __future__ import annotations

import msgspec


class Bar(msgspec.Struct):
    """The candlestick itself."""

    t: int
    T: int
    s: str
    i: str
    o: str
    c: str
    h: str
    low: str = msgspec.field(name="l")
    v: str
    n: int
    x: bool


class Kline(msgspec.Struct):
    """A message of the stream."""

    e: str
    E: int
    s: str
    k: Bar


def is_closed(kline: Kline) -> bool:
    """Whether a kline is final."""
    return kline.k.x


def is_closed_frame(payload: bytes) -> bool:
    """Whether a kline is final, by its bytes."""
    # From behind, and only where it stands: `in` takes three times as long.
    return payload.rfind(b'"x":true', 150) >= 0
