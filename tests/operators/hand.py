"""A source that is driven by hand in virtual time, and what an operator makes of it."""

from __future__ import annotations

from typing import Any

from reactivex import Subject
from reactivex.testing import TestScheduler

from rxws.events import (
    Closed,
    ConnectionState,
    DisconnectReason,
    Opened,
    Overflow,
    Rejected,
    Stale,
    TopicChanged,
    TopicStatus,
)
from tests.operators.seen import Seen


class Hand:
    """Emits what it is told to, and shows what came out."""

    def __init__(self, operator: Any, begins: float = 0.0) -> None:
        self.virtual = TestScheduler()
        self.virtual.advance_to(begins)
        self.source: Subject[Any] = Subject()
        self.told: list[tuple[float, int]] = []
        self.operator = operator(self) if getattr(operator, "__name__", "") == "<lambda>" else operator
        self.stream = self.source.pipe(self.operator)
        self.seen = Seen(self.virtual, self.stream, lambda value: self.on_seen(value))
        self.on_seen: Any = bool

    def at(self, seconds: float, *values: Any) -> Hand:
        """Emit `values` at a time."""
        self.virtual.advance_to(seconds)
        for value in values:
            self.source.on_next(value)
        return self

    def ends(self, error: Exception | None = None) -> Hand:
        """End the source now."""
        if error is None:
            self.source.on_completed()
        else:
            self.source.on_error(error)
        return self

    def tell(self, overflow: Overflow) -> None:
        """Hear of what was dropped."""
        self.told.append((self.virtual.clock, overflow.dropped))

    @property
    def messages(self) -> list[tuple[float, Any]]:
        """What came out, and when."""
        return self.seen.messages

    @property
    def values(self) -> list[Any]:
        """What came out."""
        return self.seen.values

    @property
    def timers(self) -> int:
        """How many timers wait."""
        return sum(not item.is_cancelled() for item, _ in self.virtual._queue.items)

    @property
    def is_left(self) -> bool:
        """Whether nobody subscribes the source any more, and no timer waits."""
        return not self.source.observers and not self.timers


STAMP: dict[str, Any] = {"generation": 3, "origin": "wss://venue/ws", "time_ns": 7}


def opened() -> Opened:
    """A connection opened."""
    return Opened(**STAMP, state=ConnectionState.CONNECTED, took=0.1)


def closed(state: ConnectionState = ConnectionState.RECONNECTING) -> Closed:
    """One was lost; `state` is where that leaves the subscription."""
    return Closed(**STAMP, state=state, reason=DisconnectReason.NETWORK_ERROR, error=None, uptime=9.0, opened=True)


def stale(topic: str | None = None) -> Stale:
    """It has fallen silent."""
    return Stale(**STAMP, state=ConnectionState.CONNECTED, idle=9.0, topic=topic)


def rejected() -> Rejected:
    """The venue refused a topic."""
    return Rejected(**STAMP, state=ConnectionState.CONNECTED, topic="trades", reply=None)


def changed(status: TopicStatus) -> TopicChanged:
    """Where a topic stands."""
    return TopicChanged(**STAMP, state=ConnectionState.CONNECTED, topic="trades", status=status, after=0.0)
