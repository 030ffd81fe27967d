"""What venues share. Prices and sizes are exact decimals, instants are nanoseconds since the epoch, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

__all__ = ["Candle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One candle (kline) of a market, as far as it has come.

    `interval` is written as the venue writes it ("1m"); `close_ns` is the first instant after the candle; `closed` is
    None where the venue does not say; `time_ns` is the venue's time of the message, `arrival_ns` ours.
    """

    venue: str
    symbol: str
    interval: str
    open_ns: int
    close_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    closed: bool | None
    time_ns: int
    arrival_ns: int
