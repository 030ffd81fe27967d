"""What the exchange does wrong on order, to those who come next."""

from __future__ import annotations

from http import HTTPStatus

from websockets.http11 import Request, Response

from rxws.errors import ConfigError
from rxws.testing import _wire
from rxws.testing._connection import Answer, VenueConnection
from rxws.testing._door import Order, refusal
from rxws.testing._listener import Listener
from rxws.testing._venue import Venue

__all__ = ["HandshakeFaults"]


class HandshakeFaults:
    """Faults of opening. Orders queue up: each holds for its `times` handshakes, then the next.

    With `times=None` it holds until `accept`.
    """

    _venue: Venue
    _listener: Listener

    def refuse(self) -> None:
        """Nothing listens any more: TCP connections are refused, on a port that stays reserved.

        Open connections stay as they are.
        """
        self._listener.close()

    async def accept(self) -> None:
        """Listen again on the same port, if refused, and forget all orders for handshakes."""
        self._venue.door.orders.clear()
        if self._listener.refusing:
            await self._listener.open()

    def hang_handshakes(self, times: int | None = None) -> None:
        """Accept TCP, read the request, and never answer, until `resume`."""
        self._order(times, lambda connection, _: connection.stall(pongs=False))

    def drop_handshakes(self, times: int | None = None) -> None:
        """Accept TCP, read the request, and end TCP by a FIN without an answer."""
        self._order(times, lambda connection, _: connection.cut("dropped", reset=False))

    def wrong_accept(self, times: int | None = 1) -> None:
        """Answer with a Sec-WebSocket-Accept that does not fit the key.

        A client must fail the connection (RFC 6455, section 4.1).
        """

        def answer(connection: VenueConnection, request: Request) -> Response:
            response = connection.protocol.accept(request)
            if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
                connection.ended = "wrong accept"
                del response.headers["Sec-WebSocket-Accept"]
                response.headers["Sec-WebSocket-Accept"] = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="
            return response

        self._order(times, answer)

    def reject(
        self,
        status: int,
        times: int | None = 1,
        *,
        retry_after: int | None = None,
        body: str = "",
    ) -> None:
        """Answer with an HTTP status other than 101.

        Args:
            status: a status code of HTTP from 300 to 599, such as 401, 429 or 503.
            times: how many handshakes; None: until `accept`.
            retry_after: whole seconds in a Retry-After header (RFC 9110, section 10.2.3); None: no
                such header.
            body: the text of the answer.

        Raises:
            ConfigError: there is no such status.
        """
        if status not in {known for known in HTTPStatus if known >= 300}:
            raise ConfigError("status", f"{status} does not refuse; take 300 to 599, such as 503")
        if retry_after is not None and retry_after < 0:
            raise ConfigError("retry_after", f"{retry_after} is in the past; take 0 or more")
        self._order(times, lambda connection, _: refusal(connection, status, body, retry_after))

    def flap(self, times: int | None = None, *, code: int | None = 1000, reason: str = "") -> None:
        """Accept the handshake, and send a close frame at once.

        Args:
            times: how many handshakes; None: until `accept`.
            code: see `close`.
            reason: see `close`.

        Raises:
            ConfigError: such a code or reason does not fit into a close frame.
        """
        _wire.close_payload(code, reason)

        def answer(connection: VenueConnection, request: Request) -> None:
            connection.on_open = lambda opened: opened.say_close(code, reason)

        self._order(times, answer)

    def _order(self, times: int | None, answer: Answer) -> None:
        if times is not None and times < 1:
            raise ConfigError("times", f"{times} is too few; take 1 or more, or None for all")
        self._venue.door.orders.append(Order(answer, times))
