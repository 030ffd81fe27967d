"""A server that writes as fast as its client reads: it prints its port, and ends when its stdin does.

The path of a handshake says what is played:
    /feed/TOPICS/COUNT    so many klines at once, going round so many symbols
    /ticks/SECONDS        a kline every so many seconds
    /stamped/RATE/COUNT   so many klines, so many a second, each with the time at which it was written
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache

from websockets.utils import accept_key

from benchmarks.speed.frames import STAMP, block, frame, kline
from benchmarks.speed.resources import allow_sockets

BACKLOG = 1_024  # so many may come at once
SETTLED = 0.1  # seconds from the handshake to the first kline
CLOSE, PING, PONG = 0x88, 0x89, 0x8A

Send = Callable[[bytes | memoryview], Awaitable[object]]


@cache
def built(topics: int) -> tuple[memoryview, int]:
    """Return a block of frames in one piece, and the length of each."""
    frames = block(topics)
    return memoryview(b"".join(frames)), len(frames[0])


async def feed(send: Send, topics: int, count: int) -> None:
    """Write so many frames, whole blocks at a time; it waits where the client has not read."""
    frames, size = built(topics)
    left = size * count
    while left > 0:
        await send(frames[:left])
        left -= len(frames)


async def ticks(send: Send, seconds: float) -> None:
    """Write a frame at regular times."""
    tick = frame(kline(0))
    while True:
        await asyncio.sleep(seconds)
        await send(tick)


async def stamped(send: Send, rate: int, count: int) -> None:
    """Write each frame when it is due, with the time on the monotonic clock, which the processes of Linux share."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(count):
        while (wait := begun + number / rate - loop.time()) > 0:
            time.sleep(wait)  # noqa: ASYNC251  # nobody else is on this loop, and its timers are too coarse
        await send(frame(kline(number, time=STAMP + time.perf_counter_ns())))


def upgrade(request: bytes) -> bytes:
    """Return the response that accepts a handshake, and no extension, so that nothing is compressed."""
    key = request.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
    accept = accept_key(key.decode()).encode()
    lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade")
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + accept, b"\r\n"))


async def play(path: str, send: Send) -> None:
    """Play what a path says."""
    kind, *numbers = path.strip("/").split("/")
    await asyncio.sleep(SETTLED)
    if kind == "feed":
        await feed(send, *map(int, numbers))
    elif kind == "ticks":
        await ticks(send, *map(float, numbers))
    else:
        await stamped(send, *map(int, numbers))


async def connected(client: socket.socket) -> None:
    """Serve one client: accept, play, and answer its pings and its close."""
    loop = asyncio.get_running_loop()
    writing = asyncio.Lock()

    async def send(data: bytes | memoryview) -> None:
        async with writing:  # a pong in the middle of a frame would break it
            await loop.sock_sendall(client, data)

    with client, suppress(ConnectionError):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = b""
        while b"\r\n\r\n" not in request:
            request += await loop.sock_recv(client, 4_096)
        await send(upgrade(request))
        playing = asyncio.create_task(play(request.split()[1].decode(), send))
        try:
            await listen(client, send)
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)


async def listen(client: socket.socket, send: Send) -> None:
    """Read to the end of TCP or to a close; clients send nothing but small control frames."""
    loop, unread = asyncio.get_running_loop(), b""
    while data := await loop.sock_recv(client, 4_096):
        unread += data
        while len(unread) >= 6 and len(unread) >= (size := 6 + (unread[1] & 0x7F)):
            opcode, mask, payload, unread = unread[0], unread[2:6], unread[6:size], unread[size:]
            payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
            if opcode in (PING, CLOSE):
                answer = PONG if opcode == PING else CLOSE
                await send(bytes((answer, len(payload))) + payload)
            if opcode == CLOSE:
                return


async def serve() -> None:
    """Accept until stdin ends."""
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    listening.setblocking(False)
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    ended.add_done_callback(lambda _: accepting.cancel())
    clients = set()
    built(1)

    async def accept() -> None:
        while True:
            client, _ = await loop.sock_accept(listening)
            client.setblocking(False)
            task = asyncio.create_task(connected(client))
            clients.add(task)
            task.add_done_callback(clients.discard)

    accepting = asyncio.create_task(accept())
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    with listening, suppress(asyncio.CancelledError):
        await accepting


if __name__ == "__main__":
    allow_sockets()
    asyncio.run(serve())
