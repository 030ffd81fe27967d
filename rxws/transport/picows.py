"""The fast transport: opened and closed by websockets, its messages parsed by picows (``pip install 'rxws[fast]'``).

Theory of operation. Until the handshake's answer has come whole this is the default transport. Then asyncio reads
straight into the buffer of picows' parser, which calls `push` with each frame from inside the read callback. A whole
message in one frame goes to the receiver from there. All else (fragments, pings, pongs, close frames, reserved bits,
what is compressed) is handed to the default transport, frame by frame, as if it had come there: so it means the same.
Once the connection is ending, what still comes is the default transport's too.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping

from picows import WSFrame, WSMsgType, WSTransport
from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import CloseCode
from websockets.protocol import State

from rxws.transport._parser import Broken, FrameParser, OnFrame
from rxws.transport._refusal import HEAD_END, UPGRADED
from rxws.transport.protocol import Dial
from rxws.transport.websockets import PushConnection, WebsocketsTransport

__all__ = ["PicowsConnection", "PicowsTransport"]

READ = 2**21
"""Bytes that are read at once: of smaller reads the kernel makes more work than the messages are."""

READ_BY_HAND = 2**18
"""As many as asyncio reads for the default transport, where it is that which takes the frames: compressed ones."""

MOST_BY_HAND = READ_BY_HAND // 2
"""Frames of one read that are no whole messages: as many as the default transport would see. More are an attack."""


class PicowsTransport(WebsocketsTransport):
    """WebSockets by the packages `websockets` and `picows`. Unless it is asked for, nothing is compressed."""

    def _connection(self) -> type[PushConnection]:
        return PicowsConnection

    def _options(self, dial: Dial) -> Mapping[str, object]:
        return {"compression": None, **dial.options}


class PicowsConnection(PushConnection):
    """A connection of websockets whose messages are parsed by picows."""

    _parser: FrameParser | None = None
    _raised: Exception | None = None
    _taken_by_hand = 0

    def data_received(self, data: bytes) -> None:
        """Read, as long as the default transport does: until it is open, and while it is ending."""
        if self.opened:
            super().data_received(data)
            return
        end = self._end_of_head(data)
        super().data_received(data[:end])
        if not self.opened:
            return
        if self.protocol.state is State.OPEN:
            self._begin()
            self._take(data[end:])
            self._read_over()
        else:
            super().data_received(data[end:])

    def _end_of_head(self, data: bytes) -> int:
        # What follows on the answer that upgrades is for another parser.
        before = bytes(self._answer)
        answer = before + data
        if not answer.startswith(UPGRADED):
            return len(data)
        end = answer.find(HEAD_END, max(0, len(before) - len(HEAD_END)))
        return len(data) if end == -1 else end + len(HEAD_END) - len(before)

    def _begin(self) -> None:
        self._push = self._whole()
        self._parser = FrameParser(self._fitting(), self.protocol.max_message_size)
        self.transport.set_protocol(_Reader(self, self._parser))

    def _whole(self) -> OnFrame:
        """Return the way of a message in one frame: of all that is here, only this is called for it."""
        receiver, by_hand = self._receiver, self._by_hand
        text, binary = WSMsgType.TEXT, WSMsgType.BINARY

        def push(parser: WSTransport, frame: WSFrame) -> None:
            # The last frame of its message, and no reserved bit, which picows takes as they come. Each is 0 or 1: add
            # them, it costs less than to ask four times. To ask for the kind of a frame costs as much as all this.
            if frame.fin > frame.rsv1 + frame.rsv2 + frame.rsv3:
                kind = frame.msg_type
                take = receiver.on_message  # an attribute that is called would be looked up as a method
                if kind is text:
                    take(frame.get_payload_as_bytes(), True)
                    return
                if kind is binary:
                    take(frame.get_payload_as_bytes(), False)
                    return
            by_hand(parser, frame)

        return push

    def _fitting(self) -> OnFrame:
        if self.protocol.close_rcvd is not None or self.protocol.parser_exc is not None:
            return _ignore
        # Between the fragments of a message there is none in one frame (RFC 6455, section 5.4).
        whole = self.protocol.current_size is None and not self.protocol.extensions
        return self._push if whole else self._by_hand

    def _by_hand(self, _: WSTransport, frame: WSFrame) -> None:
        self._taken_by_hand += 1
        if self._taken_by_hand > MOST_BY_HAND:
            self._flooded()
            return
        try:
            self.protocol.receive_data(_wire(frame))
            for event in self.protocol.events_received():
                self.process_event(event)
        except Exception as error:  # picows would swallow it
            self._raised = error
        assert self._parser is not None
        self._parser.on_frame = self._fitting()

    def read(self, size: int) -> None:
        """Parse `size` bytes that have been read into the parser's buffer."""
        parser = self._parser
        assert parser is not None
        if not self._lost:
            self._receiver.on_read()
        self._taken_by_hand = 0
        parser.buffer_updated(size)
        self._parsed()
        self._read_over()
        if parser.on_frame is _ignore:
            self.transport.set_protocol(self)

    def _flooded(self) -> None:
        assert self._parser is not None
        self._parser.on_frame = _ignore
        self.set_connection_exc(
            OSError(f"the server sends more than {MOST_BY_HAND} control frames or fragments at once")
        )
        self.transport.abort()

    def _take(self, data: bytes) -> None:
        assert self._parser is not None  # what is open has one
        self._parser.feed(data)
        self._parsed()

    def _parsed(self) -> None:
        parser = self._parser
        assert parser is not None
        if self._raised is not None:
            raise self._raised
        if parser.on_frame is not _ignore and (broken := parser.broken) is not None:
            self._fail(broken)
            parser.on_frame = _ignore
        if self.protocol.writes:  # pongs, the answer to a close frame: by websockets, which sees to what fails there
            super(PushConnection, self).data_received(b"")

    def _fail(self, broken: Broken) -> None:
        too_big = broken.code == CloseCode.MESSAGE_TOO_BIG
        self.protocol.fail(broken.code, broken.reason)
        limit = self.protocol.max_message_size
        self.protocol.parser_exc = PayloadTooBig(None, limit) if too_big else ProtocolError(broken.reason)


class _Reader(asyncio.BufferedProtocol):
    """What asyncio tells of an open connection."""

    def __init__(self, connection: PicowsConnection, parser: FrameParser) -> None:
        self._connection = connection
        self._parser = parser
        self._most = READ_BY_HAND if connection.protocol.extensions else READ
        # In the instance's own namespace: no call in between.
        for name in ("eof_received", "connection_lost", "pause_writing", "resume_writing"):
            vars(self)[name] = getattr(connection, name)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to read to; picows' whole buffer would become as large as the kernel's."""
        return self._parser.get_buffer(sizehint)[: self._most]

    def buffer_updated(self, nbytes: int) -> None:
        """Parse what was read; it is with the receiver when this returns."""
        self._connection.read(nbytes)


def _ignore(_: WSTransport, frame: WSFrame) -> None:
    """Behind a close frame, or what is no frame, nothing counts (RFC 6455, section 1.4)."""


def _wire(frame: WSFrame) -> bytes:
    """Return the bytes that a frame came as (RFC 6455, section 5.2)."""
    payload = frame.get_payload_as_bytes()
    size = len(payload)
    kind = frame.msg_type.value
    first = frame.fin << 7 | frame.rsv1 << 6 | frame.rsv2 << 5 | frame.rsv3 << 4 | kind
    if size < 126:
        head = struct.pack("!BB", first, size)
    elif size < 2**16:
        head = struct.pack("!BBH", first, 126, size)
    else:
        head = struct.pack("!BBQ", first, 127, size)
    return head + payload
