"""How a person says how many."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    >>> counted(1, "row"), counted(1234, "event")
    ('1 row', '1,234 events')
    """
    return f"{number:,} {noun}" + ("s" if number != 1 else "")
