"""What leaves on one connection: encoded, counted, and as its limit lets it go."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from reactivex import abc

from rxws.limits import SendLimit
from rxws.pacing import Pacer
from rxws.payloads import wire
from rxws.transport import Socket
from rxws.types import Payload

__all__ = ["Outbox"]


class Outbox:
    """The way out of one connection.

    Args:
        limit: how much may leave in how long; None: all at once.
        dropped: told of a message that found the socket's own outbox full when its turn came.
        scheduler: whose time.
    """

    def __init__(self, limit: SendLimit | None, dropped: Callable[[], None], scheduler: abc.SchedulerBase) -> None:
        self.messages_sent = 0
        self.bytes_sent = 0
        self._socket: Socket | None = None
        self._pacer = None if limit is None else Pacer(limit.window(), dropped, scheduler)

    def open(self, socket: Socket) -> None:
        """Take the socket, which is open."""
        self._socket = socket

    def send(self, message: Payload, unsent: Callable[[], None] | None) -> None:
        """Send a message after those before it; where it waits in vain, `unsent` is called.

        Raises:
            BufferOverflow: there is no room.
        """
        payload, is_text = wire(message)
        if self._pacer is None:
            self._write(payload, is_text)
        else:
            self._pacer.send(partial(self._write, payload, is_text), len(payload), unsent)

    def ping(self, payload: bytes, left: Callable[[], None]) -> None:
        """Send a ping before all that waits, and call `left` when it goes."""
        if self._pacer is None:
            self._ping(payload, left)
        else:
            self._pacer.ping(partial(self._ping, payload, left))

    def answered(self) -> None:
        """A pong has been sent."""
        if self._pacer is not None:
            self._pacer.answered()

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None]) -> None:
        """Call `action` when all that waits now is sent, at once where nothing does; `lost` where some was lost."""
        if self._pacer is None:
            action()
        else:
            self._pacer.when_sent(action, lost)

    def end(self) -> int:
        """Send nothing more; return how many messages waited, and are dropped."""
        return 0 if self._pacer is None else self._pacer.end()

    def _write(self, payload: bytes, is_text: bool) -> None:
        assert self._socket is not None
        self._socket.send(payload, is_text)
        self.messages_sent += 1
        self.bytes_sent += len(payload)

    def _ping(self, payload: bytes, left: Callable[[], None]) -> None:
        assert self._socket is not None
        self._socket.ping(payload)
        left()
