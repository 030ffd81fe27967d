"""What the demo knows of one market: its prices, its candles, and its quotes."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from rxws.live import Chart, Mark

__all__ = ["Market"]

CANDLES, POINTS = 400, 1_000


@dataclass(slots=True)
class Market:
    """One symbol of one exchange: prices as they are written."""

    exchange: str
    symbol: str
    last: str = ""
    first: str = ""
    """The first price of all."""
    bid: str = ""
    ask: str = ""
    decimals: int = 4
    candles: Chart = field(default_factory=lambda: Chart(max_candles=CANDLES))
    quotes: Chart = field(default_factory=lambda: Chart(("bid", "ask"), max_points=POINTS))

    @property
    def change(self) -> float | None:
        """From the first price to the last, in per cent; None before there is one."""
        if not self.last:
            return None
        return float(Decimal(self.last) / Decimal(self.first) - 1) * 100

    def price(self, text: str) -> str:
        """A price with as many decimals as this symbol has needed so far.

        >>> Market("spot", "NKNUSDT").price("0.35280000")
        '0.3528'
        """
        return f"{Decimal(text):.{self.decimals}f}" if text else ""

    def trade(self, price: str) -> None:
        """Take the price of the newest trade."""
        self.last = price
        self.first = self.first or price
        self.note(price)

    def quote(self, bid: str, ask: str, time_ns: int) -> None:
        """Take the best bid and ask."""
        self.bid, self.ask = bid, ask
        self.note(bid, ask)
        self.quotes.taker("bid")(bid, time_ns)
        self.quotes.taker("ask")(ask, time_ns)

    def mark(self, mark: Mark) -> None:
        """Take a stretch without a live connection, or its end."""
        self.candles.mark(mark)
        self.quotes.mark(mark)
        if mark.to_ns is None:  # no line across it
            for name in self.quotes.lines:
                self.quotes.taker(name)(None, mark.from_ns)

    def note(self, *prices: str) -> None:
        """Widen `decimals` to what these need."""
        for price in prices:
            self.decimals = max(self.decimals, len(price.partition(".")[2].rstrip("0")))
