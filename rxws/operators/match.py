"""Keep the messages that fit one of several patterns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from reactivex import Observable
from reactivex import operators as ops

from rxws.errors import ConfigError

__all__ = ["match"]

T = TypeVar("T")


def match(*patterns: Mapping[str, object]) -> Callable[[Observable[T]], Observable[T]]:
    """Pass on the dicts that fit one of `patterns`: OR over the patterns, AND over a pattern's pairs.

    ::

        source                     ──{e: trade}──{e: kline}──"text"──
        match({"e": "trade"})      ──{e: trade}──────────────────────

    Args:
        patterns: each a dict of keys and the values that they must have; a pattern within a pattern is matched alike.
            None at all: everything passes. What is no dict fits only then.

    Raises:
        ConfigError: a pattern is no mapping.

    >>> import reactivex as rx
    >>> frames = rx.of({"e": "trade", "s": "BTCUSDT"}, {"e": "kline", "s": "BTCUSDT"}, "pong")
    >>> _ = frames.pipe(match({"e": "trade"}, {"e": "depth"})).subscribe(print)
    {'e': 'trade', 's': 'BTCUSDT'}
    """
    for pattern in patterns:
        if not isinstance(pattern, Mapping):
            raise ConfigError("patterns", f"{pattern!r} is no dict; take dicts of keys and values")

    def wanted(value: T) -> bool:
        return any(_fits(value, pattern) for pattern in patterns)

    return ops.filter(wanted) if patterns else _everything


def _everything(source: Observable[T]) -> Observable[T]:
    return source


def _fits(value: object, pattern: Mapping[str, object]) -> bool:
    if not isinstance(value, Mapping):
        return False
    for key, wanted in pattern.items():
        if key not in value:
            return False
        found = value[key]
        if isinstance(wanted, Mapping):
            if not _fits(found, wanted):
                return False
        elif not bool(found == wanted):
            return False
    return True
