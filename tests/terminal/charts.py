"""Charts to draw, and what stands in their pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rxws.live import Chart
from rxws.terminal.rows import Row, text_of

__all__ = ["FIRST_MS", "chart_of", "styles_of", "texts"]

MINUTE_MS = 60_000
FIRST_MS = 1_795_651_200_000
"""When the first candle begins: midnight."""
Prices = tuple[float, float, float, float]


def chart_of(candles: Iterable[Prices], lines: Sequence[str] = (), **options: object) -> Chart:
    """Return a chart of candles a minute long, each open, high, low and close."""
    chart = Chart(lines, max_candles=500, candle=lambda value: value, **options)  # type: ignore[arg-type]
    for at, prices in enumerate(candles):
        chart.take_candle((FIRST_MS + at * MINUTE_MS, *prices), 0)
    return chart


def texts(rows: Iterable[Row]) -> list[str]:
    """Return the text of each row."""
    return [text_of(row) for row in rows]


def styles_of(rows: Iterable[Row], chars: str) -> set[str]:
    """Return the styles in which some characters stand."""
    return {str(part.style) for row in rows for part in row if any(char in part.text for char in chars)}
