"""An open connection of websockets as the `Socket` of rxws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.exceptions import ProtocolError as Unsendable
from websockets.protocol import State

from rxws.errors import BufferOverflow, ConfigError, ConnectionClosed

if TYPE_CHECKING:
    from rxws.transport.websockets import PushConnection

__all__ = ["OpenSocket"]


class OpenSocket:
    """What the receiver may do with an open connection."""

    def __init__(self, connection: PushConnection, outbox: int) -> None:
        self._connection = connection
        self._outbox = outbox
        self._dropped = 0

    @property
    def subprotocol(self) -> str | None:
        return self._connection.protocol.subprotocol

    def send(self, payload: bytes, is_text: bool) -> None:
        protocol = self._connection.protocol
        if protocol.state is not State.OPEN:
            raise ConnectionClosed(1006)
        waiting = self._connection.transport.get_write_buffer_size()
        if waiting and waiting + len(payload) > self._outbox:
            self._dropped += 1
            raise BufferOverflow(self._outbox, self._dropped)
        (protocol.send_text if is_text else protocol.send_binary)(payload)
        self._connection.send_data()

    def ping(self, payload: bytes) -> None:
        if self._connection.protocol.state is State.OPEN:
            self._connection.protocol.send_ping(payload)
            self._connection.send_data()

    def pause(self) -> None:
        self._connection.transport.pause_reading()

    def resume(self) -> None:
        self._connection.transport.resume_reading()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake.

        Raises:
            ConfigError: no close frame can carry this code or reason (RFC 6455, section 7.4).
        """
        if self._connection.protocol.state is State.OPEN:
            try:
                self._connection.protocol.send_close(code, reason)
            except (Unsendable, ValueError) as error:
                right = "take 1000, 1001 or 3000 to 4999, and at most 123 bytes of reason"
                raise ConfigError("code", f"{code} with the reason {reason!r} cannot be sent; {right}") from error
            self._connection.send_data()
        self._connection.leave()
        self._connection.finish()

    def abort(self) -> None:
        self._connection.leave()
        self._connection.transport.abort()
