"""A socket that is none: what a script says comes to the client in its pieces, and all that the client leaves is known.

Everything above the socket is real: `ws_observable`, the transport, websockets. What asyncio would have told the loop's
exception handler is told to it here too.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

from benchmarks.reliability.raw_server import MAGIC
from rxws import ws_observable
from rxws.errors import RxwsError
from rxws.testing import Leftovers

URL = "ws://wire.example/ws"

Script = Callable[[bytes], Sequence[bytes]]
"""From the request to what is answered, in pieces; then the stream ends."""


def accept(request: bytes, *headers: bytes) -> bytes:
    """Return what accepts a handshake."""
    (key,) = re.findall(rb"Sec-WebSocket-Key: (\S+)\r\n", request)
    digest = base64.b64encode(hashlib.sha1(key + MAGIC).digest())
    lines = (b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"Connection: Upgrade", *headers)
    return b"\r\n".join((*lines, b"Sec-WebSocket-Accept: " + digest, b"\r\n"))


class Wire(asyncio.Transport):
    """One connection."""

    def __init__(self, protocol: asyncio.Protocol, script: Script) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._script = script
        self._pieces: list[bytes] | None = None
        protocol.connection_made(self)

    def write(self, data: Any) -> None:
        self.written += data
        if self._pieces is None and b"\r\n\r\n" in self.written:
            self._pieces = list(self._script(bytes(self.written)))
            self._loop.call_soon(self._feed)

    def _feed(self) -> None:
        if self.closed:
            return
        assert self._pieces is not None
        try:
            if self._pieces:
                self._protocol.data_received(self._pieces.pop(0))
                self._loop.call_soon(self._feed)
            else:
                self._protocol.eof_received()
                self.close()
        except BaseException as error:
            self._loop.call_exception_handler({"message": "the protocol raised", "exception": error})
            self.close()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Lives:
    """Plays scripts to a stream, one life each, on a loop of its own."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._runner.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.__exit__(None, None, None)

    def play(self, script: Script, **settings: Any) -> tuple[list[Any], RxwsError]:
        """Return the values of one life, and the error that ended it.

        Anything but an error of ours, a word to the loop's exception handler, a task, a timer that is left: each fails.
        """
        return self._runner.run(self._play(script, settings))

    async def _play(self, script: Script, settings: dict[str, Any]) -> tuple[list[Any], RxwsError]:
        loop = asyncio.get_running_loop()
        heard: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: heard.append(context))
        wires: list[Wire] = []

        async def create_connection(factory: Callable[[], asyncio.Protocol], **_: Any) -> Any:
            wires.append(Wire(factory(), script))
            return wires[-1], wires[-1]._protocol

        values: list[Any] = []
        errors: list[Exception] = []
        original, loop.create_connection = loop.create_connection, create_connection  # type: ignore[method-assign]
        leftovers = Leftovers()
        plain: dict[str, Any] = {"retry": None, "proxy": None, "open_timeout": None, "ping_interval": None}
        try:
            stream = ws_observable(URL, **{**plain, "close_timeout": None, **settings})
            leftovers.as_client(stream.subscribe, values.append, errors.append)
            with suppress(StopIteration):
                for _ in range(10_000):  # turns: a script is some pieces, and the end of a life some turns more
                    if errors and all(wire.closed for wire in wires) and not leftovers.found():
                        break
                    await asyncio.sleep(0)
        finally:
            loop.create_connection = original  # type: ignore[method-assign]
            loop.set_task_factory(None)
            del loop.call_at, loop.sock_connect  # what Leftovers stands in for
        assert heard == []
        assert leftovers.found() == []
        (error,) = errors
        assert isinstance(error, RxwsError), error
        assert all(wire.closed for wire in wires)
        return values, error
