"""What is sent by hand: on the current connection, or as its policy says while there is none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from rxws.errors import BufferOverflow, Disconnected, NotConnected
from rxws.lifecycle import Lifecycle
from rxws.types import Connection, Payload
from rxws.unsent import Hold, Unsent

__all__ = ["Outgoing"]


class Outgoing:
    """The way out of one subscription.

    Args:
        life: which connection is the current one; told of what is dropped.
        unsent: what becomes of a payload while there is none.
    """

    def __init__(self, life: Lifecycle, unsent: Unsent) -> None:
        self._life = life
        self._unsent = unsent
        self._ready: dict[int, Connection] = {}
        self.on_ready: Callable[[], None] = _nothing
        self._held: deque[tuple[float, Payload]] = deque()

    @property
    def connection(self) -> Connection | None:
        """The current connection, once it is open and its subscriptions are sent."""
        current = self._life.current
        connection = None if current is None else self._ready.get(current.number)
        return connection if connection is not None and connection.end_reason is None else None

    @property
    def connections(self) -> list[Connection]:
        """All that are ready: two in the overlap of a rotation."""
        return [each for each in self._ready.values() if each.end_reason is None]

    def ready(self, connection: Connection) -> None:
        """Take a connection that has sent its subscriptions; what was held follows, if it is the current one."""
        self._ready[connection.generation] = connection
        connection.on_end(lambda: self._forget(connection))
        if connection is self.connection:
            self._flush(connection)
        self.on_ready()

    def send(self, payload: Payload) -> None:
        """Send `payload` on the current connection, once and only there.

        Raises:
            NotConnected: there is none, and the policy is "fail".
            BufferOverflow: there is no room for it, in the outbox or among those that are held.
        """
        try:
            connection = self.connection
            if connection is None or not _sent(connection, payload):
                self._without_connection(payload)
        except BufferOverflow:
            self._life.dropped("outgoing")
            raise

    def end(self) -> None:
        """Say how many were held to the end."""
        if self._held:
            held = len(self._held)
            self._held.clear()
            self._life.dropped("outgoing", held)

    def _forget(self, connection: Connection) -> None:
        del self._ready[connection.generation]

    def _without_connection(self, payload: Payload) -> None:
        if self._unsent == "fail":
            raise NotConnected
        if not isinstance(self._unsent, Hold):
            self._life.dropped("outgoing")
            return
        self._forget_old(self._unsent)
        if len(self._held) >= self._unsent.max:
            raise BufferOverflow(self._unsent.max, self._life.stats.dropped + 1)
        self._held.append((self._life.now(), payload))

    def _flush(self, connection: Connection) -> None:
        if isinstance(self._unsent, Hold):
            self._forget_old(self._unsent)
        while self._held and _sent(connection, self._held[0][1]):
            self._held.popleft()

    def _forget_old(self, policy: Hold) -> None:
        if policy.ttl is None:
            return
        oldest, expired = self._life.now() - policy.ttl, 0
        while self._held and self._held[0][0] < oldest:
            self._held.popleft()
            expired += 1
        if expired:
            self._life.dropped("outgoing", expired)


def _nothing() -> None: ...


def _sent(connection: Connection, payload: Payload) -> bool:
    try:
        connection.send(payload)
    except Disconnected:  # it ends at this very moment
        return False
    return True
