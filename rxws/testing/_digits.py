"""Whole numbers of a unit as a venue writes them: exact, and quick, as the same prices come again and again."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Literal

__all__ = ["Digits", "Style"]

Style = Literal["fixed", "short", "number", "exponent"]
"""`fixed`: so many places; `short`: no zeros at the end; `number`: a JSON number with at least one place;
`exponent`: the same, with an exponent from a thousand on."""

_REMEMBERED = 2**14


class Digits:
    """How amounts of a unit are written.

    Args:
        unit: what 1 is worth, such as a tick.
        style: how a number is written.
        places: digits behind the point with `fixed`; None: as many as the unit has.
    """

    def __init__(self, unit: Decimal, style: Style = "fixed", places: int | None = None) -> None:
        self.unit = unit
        own = max(0, -int(unit.as_tuple().exponent))
        self._multiple = int(unit.scaleb(own))
        self._own = own
        self._places = own if places is None else places
        self._style = style
        self.text: Callable[[int], str] = lru_cache(_REMEMBERED)(self._text)
        """An amount in words of the venue."""

    def decimal(self, count: int) -> Decimal:
        """An amount as it is."""
        return count * self.unit

    def _text(self, count: int) -> str:
        scaled = count * self._multiple
        whole, rest = divmod(scaled, 10**self._own)
        decimals = f"{rest:0{self._own}d}" if self._own else ""
        if self._style == "fixed":
            decimals = decimals.ljust(self._places, "0")
            return f"{whole}.{decimals}" if decimals else f"{whole}"
        decimals = decimals.rstrip("0")
        if self._style == "short":
            return f"{whole}.{decimals}" if decimals else f"{whole}"
        if self._style == "exponent" and whole >= 1_000:
            return _with_exponent(f"{whole}{decimals}", len(f"{whole}") - 1)
        return f"{whole}.{decimals or '0'}"


def _with_exponent(digits: str, exponent: int) -> str:
    rest = digits[1:].rstrip("0")
    return f"{digits[0]}.{rest}e{exponent}" if rest else f"{digits[0]}e{exponent}"
