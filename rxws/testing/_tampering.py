"""What happens to messages and acknowledgements on their way to the clients, on order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Ack", "Dropped", "Tampering", "Unsaid"]

Ack: TypeAlias = Literal["held", "silent", "after_data", "after_error"]
"""What is done to the answer of a request: see `SimulatedExchange.acks`."""

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message that happened, and that its subscribers were not told of.

    Args:
        stream: of which topic.
        number: its number in the market.
    """

    stream: str
    number: int


@dataclass(slots=True)
class _Order:
    times: int
    stream: str | None
    copies: int


class Tampering:
    """Orders for what comes next.

    Args:
        drop_rate: the share of messages that nobody is told of.
        random: chance, uniform in [0, 1).
    """

    def __init__(self, drop_rate: float, random: Callable[[], float]) -> None:
        self._drop_rate = drop_rate
        self._random = random
        self._orders: list[_Order] = []
        self._acks: deque[Ack] = deque()
        self.dropped: deque[Dropped] = deque(maxlen=_REMEMBERED)
        self.dropped_count = 0

    def order(self, times: int, stream: str | None, copies: int) -> None:
        """The next `times` messages, of a topic or of any, come so often: 0 or 2."""
        if times:
            self._orders.append(_Order(times, stream, copies))

    def copies(self, stream: str, number: int) -> int:
        """How often a message is told, that somebody would be told of."""
        for order in self._orders:
            if order.stream in (None, stream):
                order.times -= 1
                if not order.times:
                    self._orders.remove(order)
                return self._counted(stream, number, order.copies)
        lost = self._drop_rate > 0.0 and self._random() < self._drop_rate
        return self._counted(stream, number, 0 if lost else 1)

    def order_acks(self, times: int, what: Ack) -> None:
        """So is done to the answers of the next `times` requests."""
        self._acks.extend([what] * times)

    def ack(self) -> Ack | None:
        """What is done to the answer of this request."""
        return self._acks.popleft() if self._acks else None

    def _counted(self, stream: str, number: int, copies: int) -> int:
        if copies == 0:
            self.dropped.append(Dropped(stream, number))
            self.dropped_count += 1
        return copies


class Unsaid:
    """The answers that a connection has not got yet."""

    def __init__(self) -> None:
        self._held = b""
        self._behind = b""

    def ordered(self, frames: bytes, order: Ack | None) -> bytes:
        """What of an answer is sent now; the rest waits, or never comes."""
        if order == "held":
            self._held += frames
        elif order == "after_data":
            self._behind += frames
        return frames if order in (None, "after_error") else b""

    def after_data(self) -> bytes:
        """What comes behind a message of the market, once."""
        frames, self._behind = self._behind, b""
        return frames

    def released(self) -> bytes:
        """What was held, once."""
        frames, self._held = self._held, b""
        return frames
