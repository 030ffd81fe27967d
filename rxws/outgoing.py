"""What is sent by hand: on the current connection, or as its policy says while there is none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from math import inf

from reactivex.disposable import Disposable, SerialDisposable

from rxws.errors import BufferOverflow, Disconnected, NotConnected
from rxws.lifecycle import Lifecycle
from rxws.payloads import as_sent
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
        self._held: deque[tuple[float, str | bytes]] = deque()
        self._expiry = SerialDisposable()
        self._refused = 0
        self._ended = False
        life.on_handed_over = self._flush

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
        self._flush()
        self.on_ready()

    def send(self, payload: Payload) -> None:
        """Send `payload` on the current connection, once and only there, behind all that were held.

        Raises:
            NotConnected: there is none, and the policy is "fail".
            BufferOverflow: there is no room for it, in the outbox or among those that are held.
            TypeError, ValueError: it cannot be sent.
        """
        self._flush()
        try:
            connection, message = self.connection, as_sent(payload)
            if connection is None or not self._sent(connection, message):
                self._without_connection(message)
        except BufferOverflow:
            self._life.dropped("outgoing")
            raise

    def end(self) -> None:
        """Hold nothing more, and say how many were held to the end."""
        self._ended = True
        held = len(self._held)
        self._held.clear()
        self._expiry.dispose()
        if held:
            self._life.dropped("outgoing", held)

    def _forget(self, connection: Connection) -> None:
        del self._ready[connection.generation]

    def _without_connection(self, message: str | bytes) -> None:
        policy = self._unsent
        if policy == "fail":
            raise NotConnected
        if policy == "drop" or self._ended:
            self._life.dropped("outgoing")
            return
        if len(self._held) >= policy.max:
            self._refused += 1
            raise BufferOverflow(policy.max, self._refused)
        self._held.append((inf if policy.ttl is None else self._life.now() + policy.ttl, message))
        if len(self._held) == 1:
            self._watch()

    def _sent(self, connection: Connection, message: str | bytes) -> bool:
        # What a limit holds back until the connection has ended has never left: it is held for the next one.
        again = partial(self._again, message) if isinstance(self._unsent, Hold) else None
        try:
            connection.send(message, unsent=again)
        except Disconnected:  # it ends at this very moment
            return False
        return True

    def _again(self, message: str | bytes) -> None:
        try:
            self._without_connection(message)
        except BufferOverflow:
            self._life.dropped("outgoing")

    def _flush(self) -> None:
        """Forget what is held for too long, and send the rest, if there is a connection to send it on."""
        if not self._held:
            return
        self._expire(self._life.now())
        connection = self.connection
        if connection is None:
            return
        without_room = 0
        while self._held:
            held = self._held.popleft()
            try:
                sent = self._sent(connection, held[1])
            except BufferOverflow:
                without_room += 1
                continue
            if not sent:
                self._held.appendleft(held)
                break
        self._watch()
        if without_room:
            self._life.dropped("outgoing", without_room)

    def _expire(self, now: float) -> None:
        expired = 0
        while self._held and self._held[0][0] <= now:
            self._held.popleft()
            expired += 1
        if expired:
            self._watch()
            self._life.dropped("outgoing", expired)

    def _watch(self) -> None:
        """Say when the time of the oldest that is held is over, then and not when somebody looks."""
        due = self._held[0][0] if self._held else inf
        if due == inf:
            self._expiry.disposable = Disposable()
        else:
            left = max(0.0, due - self._life.now())
            self._expiry.disposable = self._life.scheduler.schedule_relative(left, lambda *_: self._expire(due))


def _nothing() -> None: ...
