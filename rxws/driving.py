"""The verbs of a client: connect, close, disconnect, come back, and wait for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from reactivex import Observable

from rxws.arguments import zero_or_more
from rxws.errors import ConfigError, Killed, NotConnected
from rxws.events import ConnectionState, DisconnectReason, Event
from rxws.handlers import Handler
from rxws.lifecycle import Lifecycle
from rxws.planned_ends import Plans, next_window
from rxws.scheduler import scheduler
from rxws.session import Session
from rxws.types import Connection

__all__ = ["Driving"]

T = TypeVar("T")


class Driving(Generic[T]):
    """What a `WebSocketClient` is at the moment, and the verbs that change it."""

    _session: Session[T]
    _handlers: list[Handler[T]]
    _plans: Plans
    _is_shutdown = False
    _connecting = 0
    _was_connected = True

    @property
    def state(self) -> ConnectionState:
        """Where it stands; CLOSED only after `shutdown` and `force_close`."""
        return ConnectionState.CLOSED if self._is_shutdown else self._session.state

    @property
    def events(self) -> Observable[Event]:
        """The life of its connections, hot (`rxws.events`)."""
        return self._session.events

    @property
    def present_ws(self) -> Connection | None:
        """The open connection, once its subscriptions are sent; None: there is none now."""
        return self._session.connection

    @property
    def is_connected(self) -> bool:
        """Whether there is such a connection."""
        return self._session.connection is not None

    @property
    def is_shutdown(self) -> bool:
        """Whether it was ended for good."""
        return self._is_shutdown

    @property
    def is_dead(self) -> bool:
        """Whether it is not connected, and nothing but you will change that."""
        return not self._session.is_running or self._session.controls.waits_for_hand

    @property
    def is_recoverable(self) -> bool:
        """Whether it is dead, and `connect` would help."""
        return self.is_dead and not self._is_shutdown

    @property
    def connection_duration(self) -> float:
        """Seconds that the current connection has been open; 0.0 where there is none."""
        life = self._session.life
        return (life.age() or 0.0) if life is not None and self._session.is_running else 0.0

    async def connect(self) -> None:
        """Connect, and return when the connection is open, logged in and subscribed.

        Connected already, it returns at once; away by plan, it comes back now, as far as `connect_while` allows. What
        fails is tried again as `retry` says. Cancelled, it leaves nothing behind that nobody else waits for.

        Raises:
            ConfigError: it was shut down, or no loop is running.
            NotConnected: it was closed meanwhile.
            RxwsError: what `retry` gave up on, or what no attempt can cure.
        """
        session = self._session
        if self._is_shutdown:
            raise ConfigError("connect", "the client was shut down; make a new one")
        if not session.is_running:
            self._connecting, self._was_connected = 0, False
            session.begin()
        elif session.controls.is_away:
            session.controls.come_back(0.0)
        self._connecting += 1
        try:
            connected = await self.wait_connected()
        except asyncio.CancelledError:
            self._connecting -= 1
            if not (self._connecting or self._was_connected):  # nobody would know of what goes on dialling
                session.finish()
            raise
        except BaseException:
            self._connecting -= 1
            raise
        self._connecting -= 1
        if not connected:
            raise NotConnected
        self._was_connected = True

    async def close(self) -> None:
        """End the connection with a closing handshake, and all who read; `connect` begins anew."""
        self._session.finish()
        await self._session.gone()

    async def force_close(self) -> None:
        """End it for good, at once, without a closing handshake; a handler that waits is cancelled."""
        self._is_shutdown = True
        for handler in tuple(self._handlers):
            handler.stop()
        self._session.abort()
        self._session.look()

    async def shutdown(self) -> None:
        """End it for good: what a handler of SIGINT or SIGTERM calls."""
        await self.force_close()

    def kill(self) -> None:
        """Cut the connection, or the dial, as if the network had: a loss, KILLED, that is retried.

        Without one (closed, or waiting) nothing happens.
        """
        if self._session.is_running:
            self._session.controls.lose(Killed())

    def request_disconnect(
        self, reconnect_after: float | None = None, reason: DisconnectReason = DisconnectReason.SCHEDULED
    ) -> None:
        """End the connection by plan, and return at once; away already, say anew when to come back.

        Args:
            reconnect_after: seconds until it comes back, 0 or more. None: as `schedule_reconnect` said or will say, or
                `reconnect_when` and `connect_while`; where there is none of these, only `connect` brings it back.
            reason: a proactive one.

        Where it is closed, nothing happens.

        Raises:
            ConfigError: an argument is wrong.
        """
        if reconnect_after is not None:
            zero_or_more("reconnect_after", reconnect_after)
        if not (isinstance(reason, DisconnectReason) and reason.is_proactive):
            raise ConfigError("reason", f"{reason!r} is none of ours; take a proactive DisconnectReason")
        if self._session.is_running:
            self._session.controls.disconnect(reason, reconnect_after)

    def schedule_reconnect(self, delay: float) -> None:
        """Come back in `delay` seconds: from now where it is away by plan, else after its next planned end.

        `connect_while` holds all the same. Where it is closed, nothing happens.

        Raises:
            ConfigError: `delay` is not 0 or more.
        """
        zero_or_more("delay", delay)
        if self._session.is_running:
            self._session.controls.come_back(delay)

    async def wait_connected(self, timeout: float | None = None) -> bool:
        """Wait until it is connected; return False where `timeout` seconds were not enough, or it is closed.

        Raises:
            RxwsError: the stream has ended by this error.
        """
        session = self._session
        await session.until(lambda: session.connection is not None or not session.is_running, timeout)
        session.check()
        return session.connection is not None

    async def wait_disconnected(self, timeout: float | None = None) -> bool:
        """Wait until there is no connection; return False where `timeout` seconds were not enough."""
        return await self._session.until(lambda: self._session.connection is None, timeout)

    async def wait_for_reconnect_window(
        self, should_reconnect: Callable[[], object] | None = None, timeout: float | None = None
    ) -> bool:
        """Wait until a connection is wanted; return False where `timeout` seconds were not enough.

        Args:
            should_reconnect: a callable, sync or async, asked every `check_interval` seconds: true means now, a number
                in so many seconds; what it raises changes nothing. None: what `connect_while`, `disconnect_when` and
                `reconnect_when` say, and without them now.
            timeout: seconds; None: for ever.

        Raises:
            ConfigError: `should_reconnect` is not callable.
        """
        plans = self._plans
        if should_reconnect is not None:
            if not callable(should_reconnect):
                raise ConfigError("should_reconnect", f"{should_reconnect!r} is not callable; take a function, or None")
            plans = Plans(None, None, should_reconnect, plans.check_interval)
        life = self._session.life or Lifecycle(scheduler(), stable_after=0.0)
        return await self._session.first(next_window(plans, life), timeout)
