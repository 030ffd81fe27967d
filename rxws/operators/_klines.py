"""What is a kline, whatever shape it came in."""

from __future__ import annotations

from collections.abc import Mapping

from rxws.market import Candle

__all__ = ["is_closed_kline", "is_kline"]


def is_kline(value: object) -> bool:
    """Tell a kline: a dict with ``e == "kline"``, bare or under ``data``, an object with such an `e`, or a `Candle`."""
    return _kline(value) is not None


def is_closed_kline(value: object) -> bool:
    """Tell a kline whose candle is closed: its ``k.x`` (``k["x"]``), or `Candle.closed`."""
    kline = _kline(value)
    if isinstance(kline, Candle):
        return kline.closed is True
    return kline is not None and bool(_get(_get(kline, "k"), "x"))


def _kline(value: object) -> object | None:
    if isinstance(value, Candle) or _get(value, "e") == "kline":
        return value
    inner = _get(value, "data")
    return inner if _get(inner, "e") == "kline" else None


def _get(value: object, name: str) -> object | None:
    if isinstance(value, Mapping):
        return value.get(name)
    return getattr(value, name, None)
