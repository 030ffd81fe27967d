"""What the topics of generated markets have in common, whichever venue tells them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf

from rxws.testing._instrument import Candle, Instrument

__all__ = ["CandleTopic", "DeltaTopic", "Plain", "TradeTopic"]


class Plain:
    """A topic of one instrument."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        self.name = name
        self.instrument = instrument

    @property
    def end(self) -> float:
        """It has no candle."""
        return inf

    def first(self, now_ms: int) -> str | None:
        """Nothing."""
        return None

    def ended(self, now_ms: int) -> str | None:
        """Nothing ends."""
        return None

    def close(self) -> None:
        """Nothing is held."""

    def move(self, now_ms: int) -> None:
        """Let something be traded, unless others are told of trades, who make them."""
        if not self.instrument.fills:
            self.instrument.trade(now_ms)


class DeltaTopic(Plain):
    """A topic that tells what has changed in the book."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self.cursor = instrument.book.cursor()

    def close(self) -> None:
        """The book need not keep in mind any more what it was."""
        self.instrument.book.release(self.cursor)


class TradeTopic(Plain):
    """A topic that tells each trade once."""

    def __init__(self, name: str, instrument: Instrument) -> None:
        super().__init__(name, instrument)
        self.fills = instrument.follow()

    def close(self) -> None:
        """Trades need not be kept any more."""
        self.instrument.fills.remove(self.fills)


class CandleTopic(Plain, ABC):
    """A topic that tells candles.

    Args:
        length: how long one lasts, in milliseconds.
        origin: when one starts.
        now_ms: now.
    """

    def __init__(self, name: str, instrument: Instrument, length: int, now_ms: int, origin: int = 0) -> None:
        super().__init__(name, instrument)
        self._length, self._origin = length, origin
        instrument.candle(name, length, now_ms, origin)

    @property
    def end(self) -> float:
        """When the open candle is over."""
        return self.instrument.candle(self.name, self._length, 0).end

    @abstractmethod
    def event(self, candle: Candle, now_ms: int, closed: bool) -> str:
        """A candle as the venue tells it."""

    def tell(self, now_ms: int) -> str:
        """The open candle, a trade later."""
        self.move(now_ms)
        return self.event(self.instrument.candle(self.name, self._length, now_ms, self._origin), now_ms, False)

    def ended(self, now_ms: int) -> str | None:
        """The candle whose time is over."""
        candle = self.instrument.ended(self.name, now_ms)
        return None if candle is None else self.event(candle, now_ms, True)

    def close(self) -> None:
        """The candle is forgotten."""
        self.instrument.forget(self.name)
