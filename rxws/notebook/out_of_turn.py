"""Browsers are heard while a cell awaits, though their kernel would hear them only when the cell ends.

An IPython kernel runs one request after the other, and a message of a widget is one: the stop button would stop
nothing until a cell that awaits is over. ipykernel 7.4 takes widgets' messages out of turn itself, and before it
JupyterLab sends them to a subshell of ipykernel 7. Where there is neither (ipykernel 6; other front ends), this stands
where messages come in, takes those for our own widgets, and leaves all others alone, and in their order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["OutOfTurn"]

Heard = Callable[[Any], None]

DELIMITER = b"<IDS|MSG>"
# After the delimiter: signature, header, parent header, metadata, content.
HEADER, CONTENT = 2, 5


class OutOfTurn:
    """Takes the messages to some widgets as they come in, while at least one is listened to.

    Args:
        kernel: ipykernel's.
        is_busy: tells whether a cell runs.
    """

    def __init__(self, kernel: Any, is_busy: Callable[[], bool]) -> None:  # Any: ipykernel is optional
        self._kernel = kernel
        self._is_busy = is_busy
        self._heard: dict[str, Heard] = {}
        self._stream: Any = None
        self._original: Any = None

    def listen(self, comm_id: str, heard: Heard) -> None:
        """Call `heard` with what a browser sends to this comm."""
        self._heard[comm_id] = heard
        if self._stream is None and (stream := _incoming(self._kernel)) is not None:
            self._stream, self._original = stream, stream._recv_callback
            stream.on_recv(self._receive, copy=False)

    def forget(self, comm_id: str) -> None:
        """Leave this comm to the kernel; after the last of them, all is as it was."""
        self._heard.pop(comm_id, None)
        if self._stream is not None and not self._heard:
            if self._stream._recv_callback == self._receive:  # else somebody else stands before us now
                self._stream.on_recv(self._original, copy=False)
            self._stream = None

    def _receive(self, frames: Any) -> Any:
        heard = self._ours(frames)
        if heard is None:
            return self._original(frames)
        session = self._kernel.session
        _, rest = session.feed_identities(frames, copy=False)
        message = session.deserialize(rest, content=True, copy=False)  # it checks the signature
        busy = self._is_busy()
        if not busy:
            self._kernel._publish_status("busy", "shell", parent=message)
        heard(message["content"]["data"]["content"])
        if not busy:  # in a cell it would say that the cell is over
            self._kernel._publish_status("idle", "shell", parent=message)
        return None

    def _ours(self, frames: Any) -> Heard | None:
        # Its own reading of the frames: what `deserialize` has read once, it refuses to read again.
        try:
            start = [bytes(frame) for frame in frames[:20]].index(DELIMITER)
            unpack = self._kernel.session.unpack
            if unpack(bytes(frames[start + HEADER]))["msg_type"] != "comm_msg":
                return None
            content = unpack(bytes(frames[start + CONTENT]))
            if content["data"].get("method") != "custom":
                return None
            return self._heard.get(content["comm_id"])
        except Exception:  # whatever it is, the kernel can say it better
            return None


def _incoming(kernel: Any) -> Any:
    """Return the stream by which messages reach the main thread; None: this kernel needs no help."""
    if "concurrent" in inspect.signature(kernel.dispatch_shell).parameters:
        return None
    thread = getattr(kernel, "shell_channel_thread", None)
    try:
        stream = kernel.shell_stream if thread is None else thread.manager._shell_channel_to_main.to_stream
        return stream if stream._recv_callback is not None else None
    except AttributeError:  # a kernel that is built in another way: it does as it does
        return None
