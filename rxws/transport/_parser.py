"""picows' parser of frames, by itself: it is given bytes, and calls back with each frame.

Theory of operation. picows parses in `WSProtocol`, the asyncio protocol behind `picows.ws_connect`. Here websockets has
opened the connection, so the parser is given a handshake of its own making and a transport that leads nowhere: what it
would say to the server (picows closes what it cannot parse) is read from its `close_handshake` and said by others.
`WSProtocol` is no public name of picows; tests/transport/test_picows.py tells when a release changes it.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import NamedTuple

from picows import WSAutoPingStrategy, WSFrame, WSListener, WSTransport
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # not public, and so not in its stubs
from websockets.utils import accept_key

__all__ = ["Broken", "FrameParser", "OnFrame"]

OnFrame = Callable[[WSTransport, WSFrame], None]
"""Called with each frame, which is valid until it returns."""

FIRST_BUFFER = 2**14
"""Bytes that are read at once; picows doubles them whenever a read has filled nine tenths."""

UPGRADED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: "


class Broken(NamedTuple):
    """Why what has come is no WebSocket frame: the close code (RFC 6455, section 7.4.1), and a sentence."""

    code: int
    reason: str


class FrameParser:
    """Takes bytes, in pieces of any size.

    `get_buffer` and `buffer_updated` are those of `asyncio.BufferedProtocol`.

    Args:
        on_frame: called with each frame from inside `buffer_updated`; it may be set anew at any time.
        max_size: bytes of the largest frame taken; None: no limit.
    """

    def __init__(self, on_frame: OnFrame, max_size: int | None) -> None:
        self._listener = _Listener()
        self.on_frame = on_frame
        parser = WSProtocol(
            *("none", "/", True, lambda: self._listener, _SILENT, False, None),
            *(False, 0.0, 0.0, WSAutoPingStrategy.PING_WHEN_IDLE, False),  # pings and pongs are not its business
            *(sys.maxsize if max_size is None else max_size, None, FIRST_BUFFER),
        )
        parser.connection_made(_Nowhere())
        self.get_buffer: Callable[[int], memoryview] = parser.get_buffer
        self.buffer_updated: Callable[[int], None] = parser.buffer_updated
        self._state: WSTransport = parser.transport
        accept = accept_key(self._state.request.headers["Sec-WebSocket-Key"])
        self.feed(f"{UPGRADED}{accept}\r\n\r\n".encode())

    @property
    def on_frame(self) -> OnFrame:
        return self._listener.on_ws_frame

    @on_frame.setter
    def on_frame(self, on_frame: OnFrame) -> None:
        # In the instance's own namespace, where picows finds it before the method of the class: no call in between.
        vars(self._listener)["on_ws_frame"] = on_frame

    @property
    def broken(self) -> Broken | None:
        """Why nothing more can be parsed; None while it can."""
        if not self._state.is_close_frame_sent:
            return None
        said = self._state.close_handshake.sent
        assert said is not None
        return Broken(said.code.value, said.reason)

    def feed(self, data: bytes) -> None:
        """Take `data`, which did not come by `get_buffer`."""
        unread = memoryview(data)
        while unread:
            room = self.get_buffer(-1)
            size = min(len(room), len(unread))
            room[:size] = unread[:size]
            self.buffer_updated(size)
            unread = unread[size:]


class _Listener(WSListener):
    """A Python class, so that its instances have a namespace."""


class _Nowhere(asyncio.Transport):
    """A transport that takes everything, and a socket that is none."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self if name == "socket" else default

    def fileno(self) -> int:
        return -1

    def setsockopt(self, *_: object) -> None: ...

    def getsockopt(self, *_: object) -> int:
        return 0

    def get_write_buffer_size(self) -> int:
        return 1  # else picows would write to the socket itself

    def write(self, data: object) -> None: ...

    def close(self) -> None: ...


# What picows would log is told by events and errors, and may hold what a server sent.
_SILENT = logging.Logger("rxws.picows", level=logging.CRITICAL + 1)
