"""Two simulated exchanges, and what they do wrong, when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rxws.testing import Limits, SimulatedExchange

__all__ = ["CHARTS", "SYMBOLS", "Fault", "Pace", "exchanges", "spot_script", "usdm_script"]

KINDS = ("kline_1m", "aggTrade", "bookTicker")
SYMBOLS = {"spot": ("NKNUSDT", "LRCBTC"), "usdm": ("SUSHIUSDT", "CTKUSDT", "KEEPUSDT", "AKROUSDT")}
"""By exchange, those of its recording of which there are klines, trades and book tickers."""
CHARTS = (
    ("usdm", "SUSHIUSDT", "candles"),
    ("spot", "NKNUSDT", "quotes"),  # it is hardly traded
    ("usdm", "CTKUSDT", "candles"),
    ("usdm", "KEEPUSDT", "candles"),
    ("usdm", "AKROUSDT", "candles"),
)
"""What there is a chart of, and of what; the first ones where there is not room for all."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the demo lasts, in seconds; all other times follow from that.

    >>> Pace(20.0).unit, Pace(3600.0).unit
    (0.2, 0.6)
    """

    seconds: float

    @property
    def unit(self) -> float:
        """What timeouts are multiples of: 1 % of it, and of a minute at most: they shall not grow with an hour."""
        return min(self.seconds, 60.0) / 100

    @property
    def spot_age(self) -> float:
        """How old a connection may become at the first exchange."""
        return 0.30 * self.seconds

    @property
    def usdm_age(self) -> float:
        """How old a connection may become at the second exchange."""
        return 0.20 * self.seconds


@dataclass(frozen=True, slots=True)
class Fault:
    """What an exchange does, `at` seconds after the start; `words` say what: "closes with 1012"."""

    at: float
    words: str
    act: Callable[[], object]


def exchanges(pace: Pace) -> tuple[SimulatedExchange, SimulatedExchange]:
    """Make the two exchanges: Binance spot, and Binance USD-M futures."""
    return _exchange("spot", 40.0, pace.spot_age, pace), _exchange("usdm", 60.0, pace.usdm_age, pace)


def spot_script(exchange: SimulatedExchange, pace: Pace) -> list[Fault]:
    """What the first one does. From 37 % to 68 % it leaves its connection alone, which grows old meanwhile."""
    t = pace.seconds

    def close_and_ban() -> None:
        exchange.reject(429, retry_after=1)
        exchange.close(1011)

    return [
        Fault(0.0, f"will close with 1001 what is {pace.spot_age:.3g} s old", _nothing),
        Fault(0.08 * t, "closes with 1012 (service restart)", lambda: exchange.close(1012)),
        Fault(0.18 * t, "resets in the middle of a frame", exchange.reset),
        Fault(0.27 * t, "falls silent, but answers pings", exchange.stall),
        Fault(0.68 * t, "closes with 1011, then says 429, Retry-After: 1", close_and_ban),
        Fault(0.86 * t, "closes with 1013 (try again later)", lambda: exchange.close(1013)),
    ]


def usdm_script(exchange: SimulatedExchange, pace: Pace) -> list[Fault]:
    """What the second one does. From 26 % to 57 % it leaves its connection alone, which dies of old age meanwhile."""
    t, unit = pace.seconds, pace.unit

    def refuse() -> None:
        exchange.refuse()
        exchange.reset()

    return [
        Fault(0.0, f"will close with 1001 what is {pace.usdm_age:.3g} s old", _nothing),
        Fault(0.13 * t, "drops TCP without a close frame", exchange.drop),
        Fault(0.22 * t, "resets, and refuses connections", refuse),
        Fault(0.22 * t + 4 * unit, "listens again", exchange.accept),
        Fault(0.57 * t, "falls silent, answers no pings either", lambda: exchange.stall(pongs=False)),
        Fault(0.72 * t, "announces its shutdown", lambda: exchange.announce_shutdown(lead=3 * unit)),
        Fault(0.81 * t, "closes with 1000 (normal closure)", exchange.close),
    ]


def _exchange(recording: Literal["spot", "usdm"], rate: float, max_age: float, pace: Pace) -> SimulatedExchange:
    return SimulatedExchange(
        recording,
        streams=[f"{symbol.lower()}@{kind}" for symbol in SYMBOLS[recording] for kind in KINDS],
        rate=rate,
        candle=4 * pace.unit,
        # Five messages a second, as Binance allows, are few where pings are as quick as a demo of seconds needs them.
        limits=Limits(messages=None, max_age=max_age, close_timeout=1.0),
    )


def _nothing() -> None:
    """The exchange does it by itself when the time has come."""
