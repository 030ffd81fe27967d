"""Each venue as cold observables of market events: ``from rxws.feeds import binance, deribit``.

Every module of `rxws.exchanges` has a feed of the same name here.

>>> from rxws.feeds import binance
>>> binance
<Feed of binance>
>>> candles = binance.candles("BTCUSDT", "1m")
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import cast

from rxws import exchanges
from rxws.feed import Feed, SharedFeed
from rxws.venue import Venue

__all__ = ["Feed", "SharedFeed"]


def __getattr__(name: str) -> Feed:
    # Found by its name, so that adding a venue is adding a file.
    if name.startswith("_") or find_spec(f"rxws.exchanges.{name}") is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; a feed is called as its venue's module")
    return _feed(name)


def __dir__() -> list[str]:
    names = (module.name for module in iter_modules(exchanges.__path__))
    return [*__all__, *(name for name in names if not name.startswith("_"))]


@cache
def _feed(name: str) -> Feed:
    return Feed(cast(Venue, import_module(f"rxws.exchanges.{name}")))
