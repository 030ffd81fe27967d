"""The one seam between rxws and a socket: what a transport is asked for, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reactivex import abc

from rxws.errors import Disconnected
from rxws.redaction import masked

__all__ = ["Dial", "Receiver", "Socket", "Transport"]


@dataclass(frozen=True, slots=True, repr=False)
class Dial:
    """What to open: a checked URL, the headers of the handshake, limits, and the transport's own options.

    `max_size` is in bytes, `close_timeout` in seconds; None: no limit. Its `repr` shows no secret.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    max_size: int | None = None
    close_timeout: float | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Dial({masked(self.url)!r}, max_size={self.max_size}, close_timeout={self.close_timeout})"


class Socket(Protocol):
    """An open WebSocket. Every call returns at once; frames leave in order."""

    @property
    def subprotocol(self) -> str | None: ...

    def send(self, payload: bytes, is_text: bool) -> None:
        """Send one message.

        Raises:
            BufferOverflow: the outbox is full.
        """

    def ping(self, payload: bytes) -> None:
        """Send a ping."""

    def pause(self) -> None:
        """Read nothing more until `resume`; what has been read already is still handed on."""

    def resume(self) -> None:
        """Read again."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the socket is aborted if it takes longer than `close_timeout`."""

    def abort(self) -> None:
        """Close the socket at once."""


class Receiver(Protocol):
    """Who is told. In this order: `on_open` once, the rest, `on_lost` at most once and nothing but `on_gone` after it.

    Nothing is told from inside `Transport.open`. What `on_message` raises is no business of the transport's: it never
    raises an `Exception`.
    """

    @property
    def on_message(self) -> Callable[[bytes, bool], None]:
        """Takes a whole message: its bytes, and whether it is text. Bad UTF-8 is not looked for.

        Ask for it anew with each message: what takes them may change from one to the next.
        """

    def on_open(self, socket: Socket) -> None:
        """The handshake is done; messages follow at once."""

    def on_read(self) -> None:
        """Something has been read; what it holds follows."""

    def on_read_over(self) -> None:
        """All that was read has been handed on."""

    def on_ping(self) -> None:
        """A ping came, and is answered by the transport."""

    def on_pong(self, payload: bytes) -> None:
        """A pong came."""

    def on_lost(self, error: Disconnected) -> None:
        """The connection ended on us, or could not be made."""

    def on_gone(self) -> None:
        """The socket is closed for good; told once for every socket that opened."""


class Transport(Protocol):
    """Opens WebSockets."""

    def check(self, options: Mapping[str, object]) -> None:
        """Refuse options that this transport does not have.

        Raises:
            ConfigError: it names the option and those that there are.
        """

    def open(self, dial: Dial, receiver: Receiver, scheduler: abc.SchedulerBase) -> abc.DisposableBase:
        """Begin to open a connection; disposing breaks off what has not opened yet."""
