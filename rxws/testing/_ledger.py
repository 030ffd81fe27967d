"""What an exchange knows of itself: whom it served, what it heard, and what nobody got."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["ConnectionRecord", "Gap", "Ledger"]

_CONNECTIONS = 100
_GAPS = 1_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages of one stream that no connection was there to get.

    Args:
        stream: which stream.
        first: the number of the first message lost.
        last: the number of the last one.
        count: how many there are; the numbers between may belong to other streams.
    """

    stream: str
    first: int
    last: int
    count: int


@dataclass(slots=True)
class ConnectionRecord:
    """One connection as the exchange saw it.

    Args:
        serial: 1 for the first that was accepted, and so on.
        target: path and query that it asked for.
        streams: what it listens to, or listened to at its end.
        messages: how many market messages were written to it.
        bytes: how many bytes these were, frame headers included.
        numbers: the numbers of those messages, the newest of them at most.
        received: what came from it, counted: PING, PONG, CLOSE, each method of the venue, INVALID for
            what is none, and EXCESS for what was too much.
        ended: how it ended, in words; None while it is open.
    """

    serial: int
    target: str
    numbers: deque[int]
    streams: tuple[str, ...] = ()
    messages: int = 0
    bytes: int = 0
    received: Counter[str] = field(default_factory=Counter)
    ended: str | None = None

    def wrote(self, number: int, size: int) -> None:
        """One more market message was handed to the socket."""
        self.messages += 1
        self.bytes += size
        self.numbers.append(number)


@dataclass(slots=True)
class _Outage:
    first: int
    last: int
    count: int = 0


class Ledger:
    """Counts, exactly; and lists, bounded.

    Args:
        history: how many numbers are kept a connection. Counts do not depend on it.
    """

    def __init__(self, history: int) -> None:
        self._history = history
        self.produced = 0
        self.accepted = 0
        self.refused = 0
        self.received: Counter[str] = Counter()
        self.violations: Counter[str] = Counter()
        self.connections: deque[ConnectionRecord] = deque(maxlen=_CONNECTIONS)
        self.gaps: deque[Gap] = deque(maxlen=_GAPS)
        self._missed: Counter[str] = Counter()
        self._outages: dict[str, _Outage | None] = {}
        """By stream that somebody has wanted and not given up: what is being lost now."""

    def opened(self, target: str) -> ConnectionRecord:
        """A handshake has succeeded."""
        self.accepted += 1
        record = ConnectionRecord(self.accepted, target, deque(maxlen=self._history))
        self.connections.append(record)
        return record

    def heard(self, record: ConnectionRecord, kind: str) -> None:
        """Something came from a client."""
        record.received[kind] += 1
        self.received[kind] += 1

    def wanted(self, streams: Iterable[str]) -> None:
        """A connection listens to `streams` from now on: what was being lost, has been."""
        for stream in streams:
            self._settle(stream)

    def given_up(self, streams: Iterable[str]) -> None:
        """Nobody wants `streams` any more, by their own wish: none of it is lost from now on."""
        for stream in streams:
            self._outages.pop(stream, None)

    def told(self, stream: str, number: int, carried: bool) -> None:
        """A message was produced; `carried` says whether a connection got it."""
        if stream not in self._outages:
            return
        if carried:
            self._settle(stream)
            return
        outage = self._outages[stream]
        if outage is None:
            outage = self._outages[stream] = _Outage(number, number)
        outage.last = number
        outage.count += 1

    def missed(self, streams: Iterable[str]) -> int:
        """How many messages of `streams`, or of all, were lost between two connections."""
        return sum(self._missed[stream] for stream in (tuple(streams) or self._missed))

    def _settle(self, stream: str) -> None:
        outage = self._outages.get(stream)
        self._outages[stream] = None
        if outage is not None:
            self._missed[stream] += outage.count
            self.gaps.append(Gap(stream, outage.first, outage.last, outage.count))
