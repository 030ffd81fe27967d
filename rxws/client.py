"""The stream, driven by hand from async code."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from types import UnionType
from typing import Any, Literal, Self, TypeVar, Unpack, overload

from reactivex import Observable

from rxws.arguments import ClientOverflow, check_bound
from rxws.channels import Channels, generic
from rxws.connection import Url
from rxws.controls import Controls
from rxws.decoding import Decode, json_or_text
from rxws.driving import Driving
from rxws.errors import ConfigError, Disconnected, NotConnected
from rxws.events import Event
from rxws.options import ClientOptions, StreamOptions, check_kinds
from rxws.planned_ends import Plans
from rxws.reading import Reading
from rxws.redaction import masked
from rxws.requests import Match, Requests
from rxws.session import Session
from rxws.stats import Stats
from rxws.stream import ws_observable
from rxws.telling import listening
from rxws.transport.options import check_known
from rxws.types import Message, Payload
from rxws.unsent import Hold

__all__ = ["WebSocketClient"]

T = TypeVar("T")


class WebSocketClient(Driving[T], Reading[T]):
    """`ws_observable(url, …)`, driven by hand: ``async with WebSocketClient(url) as client``.

    It has one connection at a time, which comes back as the stream's own arguments say; its verbs are subjects of the
    same pipeline. What arrives waits for `stream` or `receive`, unless handlers take it.

    Args:
        url: as in `ws_observable`.
        decode: likewise.
        lifecycle: likewise: whoever reads sees between the values where one connection ended and another began.
        auto_reconnect: False: a loss is the end, as with ``retry=None``.
        maxsize: how many values may wait for `stream` and `receive`, 1 or more.
        overflow: what happens to one more: "error", "drop_oldest", "drop_newest", "latest", or "block": the socket is
            read no further, and the clocks of pings and silence stand still, until somebody has taken half of them.
        options: those of `ws_observable`. Strings among `subscriptions` are channels: `format` makes a payload of each,
            by default ``{"type": "subscribe", "channel": …}``. `unsent` is "fail" by default: `send` raises while there
            is no connection.

    Raises:
        ConfigError: an argument is wrong; it is named.

    >>> import asyncio
    >>> from rxws.testing import SimulatedExchange
    >>> async def main():
    ...     async with SimulatedExchange("spot", rate=200.0) as exchange:
    ...         async with WebSocketClient(exchange.combined_url("nknusdt@aggTrade")) as client:
    ...             client.kill()
    ...             async for message in client.stream():
    ...                 return message["data"]["e"], client.stats.reactive_disconnects
    >>> asyncio.run(main())
    ('aggTrade', 1)
    """

    @overload
    def __init__(
        self: WebSocketClient[Any], url: Url, *, lifecycle: bool = False, **options: Unpack[ClientOptions]
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[Any],
        url: Url,
        *,
        decode: UnionType,
        lifecycle: bool = False,
        **options: Unpack[ClientOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[Message],
        url: Url,
        *,
        decode: None,
        lifecycle: Literal[False] = False,
        **options: Unpack[ClientOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[T],
        url: Url,
        *,
        decode: type[T],
        lifecycle: Literal[False] = False,
        **options: Unpack[ClientOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[T],
        url: Url,
        *,
        decode: Callable[[bytes], T],
        lifecycle: Literal[False] = False,
        **options: Unpack[ClientOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[Message | Event],
        url: Url,
        *,
        decode: None,
        lifecycle: Literal[True],
        **options: Unpack[ClientOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[T | Event],
        url: Url,
        *,
        decode: type[T],
        lifecycle: Literal[True],
        **options: Unpack[ClientOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: WebSocketClient[T | Event],
        url: Url,
        *,
        decode: Callable[[bytes], T],
        lifecycle: Literal[True],
        **options: Unpack[ClientOptions],
    ) -> None: ...
    def __init__(
        self,
        url: Url,
        *,
        decode: Decode[Any] = json_or_text,  # Any: the overloads say which
        lifecycle: bool = False,
        auto_reconnect: bool = True,
        maxsize: int = 65_536,
        overflow: ClientOverflow = "error",
        **options: Unpack[StreamOptions],
    ) -> None:
        check_bound(maxsize, overflow, block=True)
        unknown = {name: value for name, value in options.items() if name not in StreamOptions.__annotations__}
        if unknown.pop("batch", False):
            raise ConfigError("batch", "a client hands out values one by one; take ws_observable(url, batch=True)")
        check_known(unknown, (*ClientOptions.__annotations__, "decode", "lifecycle"))
        self.stats = Stats() if options.get("stats") is None else options["stats"]
        self._url = masked(url) if isinstance(url, str) else ""
        self._bound = (maxsize, overflow)
        self._unsent = options.get("unsent", "fail")
        self._plans = Plans(
            options.get("connect_while"),
            options.get("disconnect_when"),
            options.get("reconnect_when"),
            options.get("check_interval", 5.0),
        )
        format = options.get("format")
        self._channels = Channels(options.get("subscriptions", ()), generic if format is None else format)
        self._handlers = []
        if not auto_reconnect:
            options["retry"] = None
        heard = options.pop("events", None)
        settings: dict[str, Any] = {  # Any: of whichever keyword
            **options,
            "decode": decode,
            "lifecycle": lifecycle,
            "stats": self.stats,
            "unsent": self._unsent,
            "subscriptions": self._channels.wanted,
            "format": None,
        }

        def stream(controls: Controls, listener: Callable[[Event], None]) -> Observable[T]:
            made: Callable[..., Observable[T]] = ws_observable
            return made(url, controls=controls, events=listener, **settings)

        check_kinds(events=heard)
        self._session = Session(stream, self._begun, listening(heard))
        self._requests = Requests(self._session, have_ids=decode is not None)

    @property
    def url(self) -> str:
        """Where it leads to, without secrets."""
        life = self._session.life
        return self._url if life is None else life.origin

    @property
    def subscriptions(self) -> frozenset[str]:
        """The channels that it is subscribed to, now or when it is connected again."""
        return self._channels.names

    async def send(self, message: Payload) -> None:
        """Send `message` (dict and list as JSON, str, bytes), once, on the current connection.

        Raises:
            NotConnected: there is none, and `unsent` is "fail"; or the client is closed.
            BufferOverflow: there is no room for it.
        """
        outgoing = self._session.controls.outgoing
        if outgoing is None or not self._session.is_running:
            raise NotConnected from self._session.error
        outgoing.send(message)

    async def request(self, message: Payload, *, match: Match | None = None, timeout: float | None = 10.0) -> T:
        """Send `message`, and return its reply, which whoever reads gets too.

        Args:
            message: a dict with an "id", or without one: then it gets one.
            match: whether a value is the reply; None: its "id", a key or an attribute, is that of the message.
            timeout: seconds; None: for ever.

        Raises:
            ConnectTimeout: no reply came in time.
            Disconnected: there is no connection (where `unsent` holds, one is waited for), or it ended meanwhile.
            ConfigError: `message` is no dict, or values are not decoded, and there is no `match`.
        """
        return await self._requests.reply_to(message, match, timeout, isinstance(self._unsent, Hold))

    async def subscribe(self, *channels: str) -> None:
        """Subscribe to channels, on this connection and on each that follows; those that are new are asked for.

        Raises:
            BufferOverflow: there was no room for what asks for one: neither it nor those behind it are subscribed to.
            ConfigError: one is no string, or what `format` makes of it cannot be sent.
        """
        for channel, payload in self._channels.new(channels):
            self._tell_all(payload)
            self._channels.add(channel)

    async def unsubscribe(self, *channels: str) -> None:
        """End the subscription of channels, on this connection and for each that follows.

        Raises:
            BufferOverflow: there was no room for what ends one: it goes on, and so do those behind it.
            ConfigError: one is no string, or what `format` makes of it cannot be sent.
        """
        for channel, payload in self._channels.old(channels):
            self._tell_all(payload)
            self._channels.remove(channel)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _tell_all(self, payload: Payload) -> None:
        for connection in self._session.connections:
            with suppress(Disconnected):  # it ends at this very moment; the next one is told what is wanted then
                connection.send(payload)
