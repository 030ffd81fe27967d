"""Prices on the rows of a panel, and the labels beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

__all__ = ["MOST", "MOST_DECIMALS", "Scale", "decimals_of", "labelled", "ticks"]

MOST = 1e300
"""What is larger is drawn nowhere: a difference of two such numbers is none."""
FLAT = 1e-12
"""A range that is smaller, as a fraction of the price, is none."""
MOST_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class Scale:
    """From prices to rows: `high` stands in the first of `rows`, `low` in the last."""

    low: float
    high: float
    rows: int

    @property
    def is_flat(self) -> bool:
        """Whether there is one price only, which stands in the middle."""
        return self.high - self.low <= max(1e-290, FLAT * max(abs(self.high), abs(self.low)))

    def part(self, price: float, parts: int) -> int:
        """Return in which of `parts` a row a price stands, from the top.

        >>> [Scale(1.0, 2.0, 3).part(price, 2) for price in (2.0, 1.5, 1.0)]
        [0, 2, 5]
        """
        last = self.rows * parts - 1
        if self.is_flat:
            return last // 2
        return min(last, max(0, round((self.high - price) / (self.high - self.low) * last)))


def ticks(scale: Scale, most: int) -> tuple[list[float], int]:
    """Return round prices, and how many decimals they have.

    Args:
        scale: the prices lie within it.
        most: about how many.

    >>> ticks(Scale(0.3512, 0.3528, 12), 4)
    ([0.3515, 0.352, 0.3525], 4)
    """
    if scale.is_flat or most < 1:
        return [], 0
    rough = (scale.high - scale.low) / most
    power = 10.0 ** floor(log10(rough))
    step = next((power * by for by in (1, 2, 5) if power * by >= rough), power * 10)
    decimals = max(0, -floor(log10(step) + 1e-9))
    first = ceil(scale.low / step - 1e-9)
    last = min(floor(scale.high / step + 1e-9), first + most + 1)
    return [round(at * step, decimals) if decimals < 300 else at * step for at in range(first, last + 1)], decimals


def decimals_of(values: Iterable[float], most: int) -> int:
    """Return with how many decimals values are written, `most` at most.

    >>> decimals_of([0.35, 0.3528, 1.0], 8), decimals_of([0.1 + 0.2], 3)
    (4, 1)
    """
    found = 0
    for value in values:
        while found < most and abs(round(value, found) - value) > 1e-9 * abs(value):
            found += 1
    return found


def labelled(value: float, decimals: int) -> str:
    """Return a price as it is written on the axis.

    >>> labelled(97123.5, 1), labelled(0.00000841, 8), labelled(3e20, 0), labelled(-0.0001, 2)
    ('97,123.5', '0.00000841', '3e+20', '0.00')
    """
    if abs(value) >= 1e13 or decimals > MOST_DECIMALS:
        return f"{value:.6g}"
    return f"{round(value, decimals) + 0.0:,.{decimals}f}"
