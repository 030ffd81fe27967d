"""Who is let in: handshakes as they are ordered to be answered, and as they deserve it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil, inf

from websockets.http11 import Request, Response

from rxws.testing._clock import Clock
from rxws.testing._connection import Answer, VenueConnection
from rxws.testing._ledger import Ledger
from rxws.testing._limits import Limits, RollingWindow
from rxws.testing._protocols.protocol import BadTarget, Page, VenueProtocol

__all__ = ["Door", "Order", "paged", "refusal"]


@dataclass(slots=True)
class Order:
    """What is done to the next handshakes; `times` None: until it is revoked."""

    answer: Answer
    times: int | None


class Door:
    """What handshakes are answered with.

    Args:
        protocol: knows which URLs there are.
        limits: how many dials, and how many connections.
        ledger: where it is written down which limit was broken.
        clock: monotonic time in seconds.
    """

    def __init__(self, protocol: VenueProtocol, limits: Limits, ledger: Ledger, clock: Clock) -> None:
        self.orders: deque[Order] = deque()
        self.banned_until = -inf
        self._protocol = protocol
        self._limits = limits
        self._ledger = ledger
        self._clock = clock
        self._attempts = RollingWindow(limits.attempts, limits.attempts_per)

    def ordered(self, connection: VenueConnection, request: Request) -> Response | None:
        """What was ordered for this one; None: nothing, or what it deserves."""
        if not self.orders:
            return None
        order = self.orders[0]
        if order.times is not None:
            order.times -= 1
            if order.times == 0:
                self.orders.popleft()
        return order.answer(connection, request)

    def deserved(self, connection: VenueConnection, request: Request, live: int) -> Response | None:
        """What this one deserves while `live` connections are open; None: it is let in."""
        now = self._clock.time()
        if now < self.banned_until:
            return self._forbidden(connection, "ban", "Banned\n", self.banned_until - now)
        if not self._attempts.admit(now):
            return self._forbidden(connection, "attempts", "Too many attempts\n", self._limits.attempts_per)
        if self._limits.connections is not None and live >= self._limits.connections:
            return self._forbidden(connection, "connections", "Too many connections\n", None)
        try:
            connection.session = self._protocol.opened_by(request.path)
        except BadTarget as bad:
            return refusal(connection, bad.status, f"{bad.text}\n")
        return None

    def _forbidden(self, connection: VenueConnection, limit: str, body: str, wait: float | None) -> Response:
        self._ledger.violations[limit] += 1
        return refusal(connection, 429, body, None if wait is None else ceil(wait))


def refusal(connection: VenueConnection, status: int, body: str, retry_after: int | None = None) -> Response:
    """The answer that refuses a handshake."""
    response = connection.respond(HTTPStatus(status), body)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def paged(connection: VenueConnection, page: Page) -> Response:
    """A page over HTTP."""
    response = connection.respond(HTTPStatus(page.status), page.body.decode())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json;charset=UTF-8"
    return response
