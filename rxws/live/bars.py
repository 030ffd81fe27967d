"""From whatever a stream of candles emits to one bar of a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite, nan
from numbers import Integral
from typing import NamedTuple, TypeAlias, TypeVar

from rxws.errors import WrongShape
from rxws.market import Candle

__all__ = ["Bar", "CandleOf", "bar_of", "instant_ns", "number"]

T = TypeVar("T")

Time: TypeAlias = datetime | int | float
"""An instant: an aware datetime, or milli-, micro- or nanoseconds since the epoch, as venues write them."""

Number: TypeAlias = int | float | Decimal | str
Candlestick: TypeAlias = Candle | tuple[Time, Number, Number, Number, Number] | tuple[Time, *tuple[Number, ...]]
CandleOf: TypeAlias = Callable[[T], Candlestick]
"""Makes of a value a `Candle`, or a tuple (opened, open, high, low, close) with or without a volume behind."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Milliseconds reach the first in the year 5138; microseconds had it in March 1973, and nanoseconds the second.
FIRST_US, FIRST_NS = 10**14, 10**17
FIRST, LAST = (round(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**9 for year in (2, 9_999))
INSTANT = "take an aware datetime, or milli-, micro- or nanoseconds since the epoch"
A_NUMBER = "take an int, a float, a Decimal, or a string of one"
FIELDS = ("opened", "open", "high", "low", "close", "volume")
WAY_OUT = "filter_kline keeps klines, and candle= makes a candle of anything else"


class Bar(NamedTuple):
    """One candle as it is drawn: prices as floats, for a pixel is coarser than they are."""

    open_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    symbol: str
    interval: str
    venue: str = ""


def bar_of(value: T, candle: CandleOf[T] | None = None) -> Bar:
    """Return the bar of a value.

    Args:
        value: a kline of Binance (a dict, bare or under ``data``, or an object with its fields), or a `Candle`.
        candle: makes a candle of it; None: it is one.

    Raises:
        WrongShape: a field is missing, or no number.

    >>> kline = {"t": 60_000, "o": "1.5", "h": "3", "l": "1", "c": "2", "v": "9", "s": "A", "i": "1m"}
    >>> bar_of({"e": "kline", "k": kline})
    Bar(open_ns=60000000000, open=1.5, high=3.0, low=1.0, close=2.0, volume=9.0, symbol='A', interval='1m', venue='')
    >>> bar_of("1;2", candle=lambda text: (60_000, *text.split(";")))
    Traceback (most recent call last):
    rxws.errors.WrongShape: what candle= returned has 3 of 5 fields in (60000, '1', '2'); it is (opened, open, high, \
low, close), with or without a volume behind, or a market.Candle
    """
    found: object = value if candle is None else candle(value)
    if isinstance(found, Candle):
        numbers = (number(getattr(found, name), name, found) for name in FIELDS[1:])
        return Bar._make((found.open_ns, *numbers, found.symbol, found.interval, found.venue))
    return _of_kline(found) if candle is None else _of_tuple(found)


def instant_ns(value: object, field: str, whole: object) -> int:
    """Return an instant as nanoseconds since the epoch.

    Raises:
        WrongShape: it is none; it names `field` of `whole`.

    >>> from datetime import UTC
    >>> [instant_ns(value, "t", {}) for value in (1_500, 2 * 10**18, datetime(1970, 1, 2, tzinfo=UTC))]
    [1500000000, 2000000000000000000, 86400000000000]
    """
    time_ns = _since_epoch(value, field, whole)
    if not FIRST <= time_ns < LAST:
        raise WrongShape(field, whole, f"is not within the years 2 to 9998 ({value!r})", INSTANT)
    return time_ns


def number(value: object, field: str, whole: object, way_out: str = A_NUMBER) -> float:
    """Return a number as a float.

    Raises:
        WrongShape: it is none; it names `field` of `whole`.
    """
    if not isinstance(value, bool):
        try:
            found = float(value)  # type: ignore[arg-type]  # what it takes, numpy's numbers among it, is for it to say
        except (TypeError, ValueError, OverflowError):
            found = nan
        if isfinite(found):  # a NaN has no place in a picture, and none in JSON
            return found
    raise WrongShape(field, whole, f"is no number ({value!r})", way_out)


def _since_epoch(value: object, field: str, whole: object) -> int:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise WrongShape(field, whole, "has no time zone", "take an aware datetime: datetime.now(UTC)")
        return (value - EPOCH) // timedelta(microseconds=1) * 1_000
    if isinstance(value, str):
        value = number(value, field, whole, INSTANT)
    if isinstance(value, Integral) and not isinstance(value, bool):
        value = int(value)  # numpy's are no int
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not isfinite(value):
        raise WrongShape(field, whole, f"is no instant ({value!r})", INSTANT)
    return int(value) if value >= FIRST_NS else round(value * (1_000 if value >= FIRST_US else 1_000_000))


def _of_kline(value: object) -> Bar:
    frame = value if _has(value, "k") or not _has(value, "data") else _get(value, "data")
    if not _has(frame, "k"):
        raise WrongShape("k (the kline)", value, way_out=WAY_OUT)
    kline = _get(frame, "k")

    def field(name: str) -> object:
        if not _has(kline, name):
            raise WrongShape(f"k.{name}", value, way_out=WAY_OUT)
        return _get(kline, name)

    prices = (number(field(name), f"k.{name}", value) for name in ("o", "h", "l", "c"))
    volume = number(field("v"), "k.v", value) if _has(kline, "v") else 0.0
    names = (str(_get(kline, name)) if _has(kline, name) else "" for name in ("s", "i"))
    return Bar._make((instant_ns(field("t"), "k.t", value), *prices, volume, *names, ""))


def _of_tuple(found: object) -> Bar:
    shape = "it is (opened, open, high, low, close), with or without a volume behind, or a market.Candle"
    if not isinstance(found, tuple | list):
        raise WrongShape("what candle= returned", found, f"is a {type(found).__name__}", shape)
    if not 5 <= len(found) <= 6:
        raise WrongShape("what candle= returned", found, f"has {len(found)} of 5 fields", shape)
    numbers = (number(each, name, found) for name, each in zip(FIELDS[1:], found[1:], strict=False))
    opened = instant_ns(found[0], FIELDS[0], found)
    return Bar._make((opened, *numbers, *(0.0,) * (6 - len(found)), "", "", ""))


def _has(value: object, name: str) -> bool:
    return name in value if isinstance(value, Mapping) else hasattr(value, name)


def _get(value: object, name: str) -> object:
    return value[name] if isinstance(value, Mapping) else getattr(value, name)
