"""What becomes of a message that is to be sent while there is no connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rxws.arguments import seconds
from rxws.errors import ConfigError

__all__ = ["Hold", "Unsent", "check_unsent"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep it for the next connection: behind its `on_open` and its subscriptions, in order.

    Args:
        max: how many may wait, 1 or more; one that finds no room is refused.
        ttl: seconds after which one that waits is not worth sending any more (an order at a price); None: never.

    Raises:
        ConfigError: an argument is out of its range.

    >>> Hold(max=10, ttl=2.0)
    Hold(max=10, ttl=2.0)
    """

    max: int = 1_000
    ttl: float | None = 30.0

    def __post_init__(self) -> None:
        if isinstance(self.max, bool) or not isinstance(self.max, int) or self.max < 1:
            raise ConfigError("max", f"{self.max!r} is out of range; take a number of messages, 1 or more")
        seconds("ttl", self.ttl)


Unsent = Literal["fail", "drop"] | Hold
"""While there is no connection: an error, dropped and told, or held for the next one."""


def check_unsent(unsent: object) -> None:
    """Refuse what is no policy for messages that cannot be sent now.

    Raises:
        ConfigError: it names `unsent`.
    """
    if not (isinstance(unsent, Hold) or (isinstance(unsent, str) and unsent in ("fail", "drop"))):
        raise ConfigError("unsent", f'{unsent!r} is unknown; take "fail", "drop" or Hold(…)')
