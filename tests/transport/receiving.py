"""The other side of the seam: receivers that write down what a transport tells, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from reactivex import abc
from reactivex.scheduler.eventloop import AsyncIOScheduler

from rxws.errors import Disconnected
from rxws.transport import Dial, Socket, Transport
from rxws.transport.websockets import WebsocketsTransport
from tests.transport.raw_server import PATIENCE, RawPeer, RawServer


class Recorder:
    """A receiver; `told` is what it was told.

    A message stands there as `str` or `bytes`, a pong as ("pong", payload), everything else by name.
    """

    def __init__(self) -> None:
        self.told: list[object] = []
        self.error: Disconnected | None = None
        self.pings = 0
        self.socket: Socket

    @property
    def told_but_reads(self) -> list[object]:
        """What was told, without the reads, whose number is the kernel's."""
        return [what for what in self.told if what != "read"]

    def on_open(self, socket: Socket) -> None:
        self.socket = socket
        self.tell("open")

    def on_read(self) -> None:
        self.tell("read")

    def on_message(self, payload: bytes, is_text: bool) -> None:
        assert type(payload) is bytes
        self.tell(payload.decode() if is_text else payload)

    def on_read_over(self) -> None: ...

    def on_ping(self) -> None:
        self.pings += 1

    def on_pong(self, payload: bytes) -> None:
        assert type(payload) is bytes
        self.tell(("pong", payload))

    def on_lost(self, error: Disconnected) -> None:
        self.error = error
        self.tell("lost")

    def on_gone(self) -> None:
        self.tell("gone")

    def tell(self, what: object) -> None:
        """Write it down."""
        self.told.append(what)


class Client(Recorder):
    """A dial by a transport, the default one unless another is given."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_size: int | None = None,
        close_timeout: float | None = None,
        scheduler: abc.SchedulerBase | None = None,
        transport: Transport | None = None,
        **options: object,
    ) -> None:
        super().__init__()
        self._changed = asyncio.Event()
        by = transport or WebsocketsTransport()
        by.check(options)
        self.opening = by.open(
            Dial(url, headers or {}, max_size, close_timeout, options),
            self,
            scheduler or AsyncIOScheduler(asyncio.get_running_loop()),
        )
        assert self.told == []  # nothing is told from inside `open`

    async def until(self, *told: object) -> Client:
        """Wait until each of these has been told."""
        async with asyncio.timeout(PATIENCE):
            while not all(what in self.told for what in told):
                self._changed.clear()
                await self._changed.wait()
        return self

    async def next_read(self) -> None:
        """Wait until something more has been read than by now."""
        reads = self.told.count("read")
        async with asyncio.timeout(PATIENCE):
            while self.told.count("read") == reads:
                self._changed.clear()
                await self._changed.wait()

    def tell(self, what: object) -> None:
        """Write it down, and wake who waits for it."""
        super().tell(what)
        self._changed.set()


Dials = Callable[..., Client]
Leap = Callable[[float], None]


async def opened(server: RawServer, client: Client) -> RawPeer:
    """Accept a client, and wait until it knows."""
    peer = await (await server.accepted()).upgrade()
    await client.until("open")
    return peer


async def turns(count: int = 10) -> None:
    """Let the loop do all that is ready."""
    for _ in range(count):
        await asyncio.sleep(0)
