"""The listening socket of an exchange: opened, closed, and opened again on the same port."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

__all__ = ["Listener"]

_LOG = logging.getLogger("rxws.testing.exchange")


class Listener:
    """Listens, or does not.

    Args:
        host: the address to listen on.
        port: the port; 0: the system chooses one, and it stays the same from then on.
        connection: the class that each TCP connection becomes.
        handshake: answers a request.
        handler: serves an accepted connection, until it is gone.
    """

    def __init__(
        self,
        host: str,
        port: int,
        connection: type[ServerConnection],
        handshake: Callable[[ServerConnection, Request], Awaitable[Response | None]],
        handler: Callable[[ServerConnection], Awaitable[None]],
    ) -> None:
        self.host = host
        self.port = port
        self._connection = connection
        self._handshake = handshake
        self._handler = handler
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._reserved: socket.socket | None = None
        self._servers: list[Server] = []
        self._current: Server | None = None
        self._listening = False
        self._turn = asyncio.Lock()

    @property
    def refusing(self) -> bool:
        """Whether it was closed and keeps its port."""
        return self._reserved is not None

    async def open(self) -> None:
        """Listen; nothing happens where it does already."""
        async with self._turn:
            if self._listening:
                return
            self._release()
            # Listening before anything is awaited: whoever connects from now on is not refused.
            listening = socket.create_server((self.host, self.port), family=self._family)
            self.port = listening.getsockname()[1]
            self._listening = True
            self._current = await serve(
                self._handler,
                sock=listening,
                create_connection=self._connection,
                process_request=self._handshake,
                compression=None,  # frames are written past websockets, as they are
                open_timeout=None,  # a handshake may hang as long as a test wants
                ping_interval=None,  # the venue's own pings are the limits'
                logger=_LOG,
            )
            self._servers.append(self._current)
            if not self._listening:
                self._shut()

    def close(self) -> None:
        """Refuse what comes; connections that are there stay."""
        if self._listening:
            self._listening = False
            self._shut()

    async def stop(self) -> None:
        """Close for good; returns when all connections, which must have been ended, are gone."""
        async with self._turn:
            self.close()
            self._release()
            for server in self._servers:
                server.close(close_connections=False)
                await server.wait_closed()
            self._servers.clear()

    def _shut(self) -> None:
        if self._current is None:
            return
        # Not `Server.close()`: it closes the socket a turn of the loop later, and a client could
        # slip in.
        self._current.server.close()
        self._current = None
        # Bound and not listening: nobody else gets this port, nor can a client that dials it again
        # and again be given it as its own and so connect to itself.
        self._reserved = socket.socket(self._family, socket.SOCK_STREAM)
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind((self.host, self.port))

    def _release(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
