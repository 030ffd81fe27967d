"""Requests and their replies, over a connection that carries other things too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Generic, TypeVar

from reactivex.disposable import CompositeDisposable

from rxws.arguments import zero_or_more
from rxws.errors import ConfigError, ConnectTimeout, NotConnected
from rxws.events import Closed, Event, Rotated
from rxws.session import Session
from rxws.types import Payload

__all__ = ["Match", "Requests"]

T = TypeVar("T")

FIRST_ID = 1_000_001
"""Far from the small numbers that people give to what they send themselves, `subscriptions` say."""

Match = Callable[[Any], object]  # Any: whatever `decode` returns
"""Whether a value is the reply."""


class Requests(Generic[T]):
    """Sends requests, and finds the reply of each.

    Args:
        session: whose values hold the replies.
        have_ids: whether values are decoded, so that a reply can be told by its id.
    """

    def __init__(self, session: Session[T], have_ids: bool) -> None:
        self._session = session
        self._have_ids = have_ids
        self._ids = count(FIRST_ID)

    async def reply_to(self, message: Payload, match: Match | None, timeout: float | None, hold: bool) -> T:
        """Send `message` on the current connection, and return the first value that matches.

        Raises:
            ConfigError: it has no id, and no `match` was given; or `timeout` is not 0 or more.
            ConnectTimeout: no reply came in time; or no connection, where that is waited for (`hold`).
            Disconnected: there is no connection, or it ended before the reply came.
        """
        zero_or_more("timeout", timeout, optional=True)
        if match is None:
            message, match = self._with_id(message)
        replied: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        watching = CompositeDisposable()
        try:
            async with asyncio.timeout(timeout) as deadline:
                if hold:
                    await self._session.until(lambda: self._session.connection or not self._session.is_running)
                connection = self._session.connection
                if connection is None:
                    raise NotConnected from self._session.error
                self._watch(watching, replied, match, connection.generation)
                connection.send(message)
                return await replied
        except TimeoutError:
            if timeout is None or not deadline.expired():  # it came from elsewhere
                raise
            raise ConnectTimeout("request", timeout) from None
        finally:
            watching.dispose()

    def _watch(self, watching: CompositeDisposable, replied: asyncio.Future[T], match: Match, generation: int) -> None:
        def look(value: T) -> None:
            try:
                found = not replied.done() and bool(match(value))
            except Exception as error:
                fail(error)
            else:
                if found:
                    replied.set_result(value)

        def hear(event: Event) -> None:
            if isinstance(event, Closed) and event.generation == generation:
                fail(event.error)
            elif isinstance(event, Rotated) and event.previous == generation:
                fail()

        def fail(error: Exception | None = None) -> None:
            if not replied.done():
                replied.set_exception(error or NotConnected())  # it was ours to end

        watching.add(self._session.events.subscribe(hear))
        watching.add(self._session.values.subscribe(look, fail, fail))

    def _with_id(self, message: Payload) -> tuple[Payload, Match]:
        if not self._have_ids:
            raise ConfigError("match", "values come as they are (decode=None), without an id; take a function of one")
        if not isinstance(message, Mapping):
            raise ConfigError("match", "the message is no dict that could have an id; take a function of the reply")
        if "id" not in message:
            message = {**message, "id": next(self._ids)}
        wanted = message["id"]
        return message, lambda reply: _id_of(reply) == wanted


def _id_of(reply: object) -> object:
    return reply.get("id") if isinstance(reply, Mapping) else getattr(reply, "id", None)
