"""A WebSocket server of bare asyncio streams: what a script says is what goes over the wire, byte for byte."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Self, cast

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
FIN, RSV1 = 0x80, 0x40
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BACKLOG = 1_024  # so many may come at once
SERVER_THREAD = "server"
"""The name of a server's own thread, see `Elsewhere`."""
# An abrupt end: what is unsent is thrown away, and the peer gets a reset.
NO_LINGER = struct.pack("ii", 1, 0)


def frame(opcode: int, payload: bytes = b"", *, first: int = FIN, mask: bytes = b"") -> bytes:
    """One frame (RFC 6455, section 5.2); `first` holds the bits before the opcode, a server's `mask` is wrong."""
    size, masked = len(payload), 0x80 if mask else 0
    if size < 126:
        header = struct.pack("!BB", first | opcode, masked | size)
    elif size < 2**16:
        header = struct.pack("!BBH", first | opcode, masked | 126, size)
    else:
        header = struct.pack("!BBQ", first | opcode, masked | 127, size)
    return header + mask + _masked(payload, mask)


def _masked(payload: bytes, mask: bytes) -> bytes:
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload)) if mask else payload


def numbers(first: int, count: int, pad: int = 0) -> bytes:
    """So many text frames, each a number, and so many bytes more."""
    rest = b',"pad":"%s"}' % (b"x" * pad) if pad else b"}"
    return b"".join(frame(TEXT, b'{"n":%d%s' % (number, rest)) for number in range(first, first + count))


class Peer:
    """One TCP connection, as the server has it; all that came over it is kept."""

    def __init__(self, server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.arrived = asyncio.get_running_loop().time()
        self.request = b""
        self.heard: list[tuple[int, bytes]] = []
        self.ended = False
        """Whether the client has ended its side, or TCP as a whole."""

    # The handshake

    async def ask(self) -> Self:
        """Read the request."""
        self.request = await self.reader.readuntil(b"\r\n\r\n")
        return self

    def response(self, *headers: bytes) -> bytes:
        """What accepts the handshake."""
        key = self.request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
        lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade", *headers)
        return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + accept, b"\r\n"))

    async def accept(self, then: bytes = b"") -> Self:
        """Read the request and accept it, with what comes `then` in the same segment."""
        await self.ask()
        self.write(self.response() + then)
        return self

    async def refuse(self, status: bytes, *headers: bytes, body: bytes = b"") -> None:
        """Read the request, answer with an HTTP status, and end."""
        await self.ask()
        length = b"Content-Length: %d" % len(body)
        self.write(b"\r\n".join((b"HTTP/1.1 " + status, length, *headers, b"", body)))
        self.fin()

    # What is written

    def write(self, data: bytes) -> None:
        """These bytes, in one piece if the kernel takes them."""
        self.writer.write(data)
        self.server.written.append(data)

    def number(self, count: int = 1, pad: int = 0) -> None:
        """The next numbers of this server, in one piece."""
        self.write(numbers(self.server.numbered + 1, count, pad))
        self.server.numbered += count

    def close(self, code: int | None = 1000, reason: bytes = b"") -> None:
        """A close frame (RFC 6455, section 5.5.1)."""
        self.write(frame(CLOSE, b"" if code is None else code.to_bytes(2) + reason))

    def fin(self) -> None:
        """End TCP in order, behind what was written."""
        self.writer.close()

    async def reset(self) -> None:
        """End TCP by a reset, behind what was written."""
        self.writer.transport.set_write_buffer_limits(0)
        await self.writer.drain()
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.writer.transport.abort()

    # What is read

    def deafen(self) -> None:
        """Read nothing from here on."""
        cast(asyncio.Transport, self.writer.transport).pause_reading()

    async def listen(
        self, *, pongs: bool = True, closes: bool = True, until: int | None = None, messages: int | None = None
    ) -> None:
        """Read frames to the end of TCP, to one of opcode `until`, or to so many messages in all.

        Pings and a close frame are answered, unless it is said otherwise.
        """
        while not self.ended:
            try:
                opcode, payload = await self._frame()
            except (asyncio.IncompleteReadError, ConnectionError):
                self.ended = True
                return
            self.heard.append((opcode, payload))
            if opcode == PING and pongs:
                self.write(frame(PONG, payload))
            elif opcode == CLOSE and closes:
                self.write(frame(CLOSE, payload))
                self.fin()
            if opcode == until or (messages is not None and len(self.messages) >= messages):
                return

    async def end(self, code: int | None = 1000, reason: bytes = b"") -> None:
        """Send a close frame, wait for its answer, and end TCP, as a server must (section 7.1.1)."""
        self.close(code, reason)
        await self.listen(closes=False, until=CLOSE)
        self.fin()

    async def _frame(self) -> tuple[int, bytes]:
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
        mask = await self.reader.readexactly(4)
        payload = await self.reader.readexactly(size)
        return first & 0x0F, _masked(payload, mask) if size < 2**16 else payload

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        """The messages that came."""
        return [each for each in self.heard if each[0] in (TEXT, BINARY)]

    def of(self, opcode: int) -> list[bytes]:
        """The payloads of this opcode that came."""
        return [payload for kind, payload in self.heard if kind == opcode]


Script = Callable[[Peer], Awaitable[object]]


async def _turns() -> None:
    """Give asyncio the turns that it takes to tell of a connection that it has accepted, or of one that is aborted."""
    for _ in range(4):
        await asyncio.sleep(0)


class RawServer:
    """Plays one script a TCP connection; the last one for all that follow.

    What a script raises is raised where the server ends, except for the client's going away.
    """

    def __init__(self, *scripts: Script, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.written: list[bytes] = []
        """All that was written, in order."""
        self.numbered = 0
        """The highest number that was written."""
        self.peers: list[Peer] = []
        self.word = asyncio.Event()
        """For a script to wait for, and a test to set."""
        self.port = port
        self._scripts = scripts
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._is_over = False

    @property
    def live(self) -> int:
        """How many TCP connections there are, as the server sees it."""
        return sum(not each.ended and not each.writer.is_closing() for each in self.peers)

    @property
    def url(self) -> str:
        return f"{'ws' if self._tls is None else 'wss'}://127.0.0.1:{self.port}/ws"

    async def __aenter__(self) -> Self:
        self._is_over = False
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, backlog=BACKLOG, ssl=self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._is_over = True
        await _turns()  # what was accepted a moment ago has no peer yet
        for task in self._tasks:
            task.cancel()
        for peer in self.peers:
            if peer is not None and not peer.writer.is_closing():  # asyncio's abort fails on one that is closed
                peer.writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()
        await _turns()  # what was aborted is gone a turn later
        if self._failures:
            raise self._failures[0]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_over:
            writer.transport.abort()
            return
        peer = Peer(self, reader, writer)
        script = self._scripts[min(len(self.peers), len(self._scripts) - 1)]
        self.peers.append(peer)
        task = asyncio.get_running_loop().create_task(self._play(script, peer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _play(self, script: Script, peer: Peer) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await script(peer)
        except Exception as error:
            self._failures.append(error)


class Elsewhere:
    """A server on a thread and a loop of its own: it goes on while the client's loop is busy."""

    def __init__(self, server: RawServer) -> None:
        self._server = server
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),), name=SERVER_THREAD)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        async with self._server:
            self._up.set_result(None)
            await self._over.wait()

    def __enter__(self) -> RawServer:
        self._thread.start()
        self._up.result(5.0)
        return self._server

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
