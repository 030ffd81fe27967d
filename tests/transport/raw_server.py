"""A WebSocket server that does nothing by itself: a test says which bytes it writes, and sees which ones come."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
import struct
from typing import NamedTuple

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

# However busy the machine is, what must come has come by then; a test that waits so long has failed.
PATIENCE = 20.0

UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


class Frame(NamedTuple):
    """One frame as it came, unmasked (RFC 6455, section 5.2)."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    masked: bool = True


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes = b"") -> bytes:
    """Return a frame's bytes; `rsv` is the three reserved bits as a number, 4 for RSV1."""
    head = bytes([fin << 7 | rsv << 4 | opcode])
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 2**16:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    return head + mask + (xor(payload, mask) if mask else payload)


def close(code: int, reason: bytes = b"") -> bytes:
    """Return the bytes of a close frame, with any code at all."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def xor(payload: bytes, mask: bytes) -> bytes:
    """Mask or unmask a payload (RFC 6455, section 5.3)."""
    size = len(payload)
    pad = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(pad)).to_bytes(size)


def response(status: str, headers: str = "", body: bytes = b"") -> bytes:
    """Return an HTTP response that says how long it is."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


class RawPeer:
    """One connection, seen from the server. What is written is in the client's kernel when `write` returns."""

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._unread = bytearray()
        self.request = ""

    async def upgrade(self, *frames: bytes, headers: str = "") -> RawPeer:
        """Read the request and accept it; `frames` go into the same segment as the response."""
        await self.read_request()
        (key,) = re.findall(r"Sec-WebSocket-Key: (\S+)\r\n", self.request)
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        accept = f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n"
        self.write(f"{UPGRADED}{accept}{headers}\r\n".encode(), *frames)
        return self

    async def read_request(self) -> str:
        """Read the client's request up to the empty line, and keep it."""
        while b"\r\n\r\n" not in self._unread:
            await self._read()
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        self.request = head.decode("latin-1") + "\r\n\r\n"
        return self.request

    def write(self, *data: bytes) -> None:
        """Write at once, all in one segment if it fits."""
        self._raw.setblocking(True)
        self._raw.sendall(b"".join(data))
        self._raw.setblocking(False)

    async def write_much(self, data: bytes) -> None:
        """Write more than the kernel's buffers hold."""
        await asyncio.get_running_loop().sock_sendall(self._raw, data)

    async def frame(self) -> Frame:
        """Read one frame; EOFError where the connection ends instead."""
        first, second = await self._take(2)
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes(await self._take(2 if size == 126 else 8))
        masked = bool(second & 0x80)
        mask = await self._take(4) if masked else b""
        payload = await self._take(size)
        return Frame(
            first & 0x0F, xor(payload, mask) if masked else payload, bool(first & 0x80), first >> 4 & 7, masked
        )

    async def frames(self) -> list[Frame]:
        """Read all frames up to the end of the connection."""
        found = []
        try:
            while True:
                found.append(await self.frame())
        except EOFError:
            return found

    async def ended(self) -> str:
        """Wait for the end of the connection: "FIN" or "RST"."""
        try:
            while True:
                await self._read()
        except EOFError as end:
            return str(end)

    def fin(self) -> None:
        """Close our half; the client's bytes are still taken."""
        self._raw.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Reset the connection. What the client's kernel already has stays readable there."""
        self._raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._raw.close()

    def close(self) -> None:
        """Close the socket."""
        self._raw.close()

    async def _take(self, size: int) -> bytes:
        while len(self._unread) < size:
            await self._read()
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                data = await asyncio.get_running_loop().sock_recv(self._raw, 2**18)
        except ConnectionError:
            raise EOFError("RST") from None
        if not data:
            raise EOFError("FIN")
        self._unread += data


class RawServer:
    """A listening socket on loopback, its port chosen by the system."""

    def __init__(self) -> None:
        self._peers: list[RawPeer] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.port: int = self._listening.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"

    async def accepted(self) -> RawPeer:
        """Wait for the next client."""
        async with asyncio.timeout(PATIENCE):
            raw, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peers.append(RawPeer(raw))
        return self._peers[-1]

    def close(self) -> None:
        """Close everything."""
        for peer in self._peers:
            peer.close()
        self._listening.close()
