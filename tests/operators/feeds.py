"""One numbered feed, as connections that are dialled at different times get it: number n at second n."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rxws import Rotation
from rxws.testing import Attempt
from tests.scripted import Played

Leg = Callable[[float], Attempt]


def leg(*, back: int = 0, lag: float = 0.0, to: int = 80, opens: float = 0.0, **how: Any) -> Leg:
    """Return what a connection gets.

    Args:
        back: how many numbers from before it had opened come again, at once.
        lag: seconds that each takes.
        to: the last number that it gets.
        opens: seconds that the handshake takes.
        how: what else happens to it; its `messages` come before the feed's.
    """
    before = how.pop("messages", ())

    def dialled(at: float) -> Attempt:
        first = max(1, int(at + opens) + 1 - back)
        feed = [(max(opens, number + lag - at), str(number)) for number in range(first, to + 1)]
        return Attempt(opens=opens, messages=[*before, *feed], **how)

    return dialled


def numbers(played: Played) -> list[int]:
    """The numbers that came, in order."""
    return [value for _, value in played.values if isinstance(value, int)]


def through(last: int) -> list[int]:
    """All numbers to `last`."""
    return list(range(1, last + 1))


def number(value: object) -> int | None:
    """The key of the feed's values; answers have none."""
    return value if isinstance(value, int) else None


def keyed(when: Any = 10.0, **how: Any) -> Rotation:
    """Return a rotation of the feed at an age without jitter."""
    return Rotation(when, key=number, jitter=0.0, **how)


def bare(when: Any = 10.0, **how: Any) -> Rotation:
    """Return the same without a key."""
    return Rotation(when, jitter=0.0, **how)
