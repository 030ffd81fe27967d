"""What is sent, as it goes over the wire."""

from __future__ import annotations

import msgspec

from rxws.types import Payload

__all__ = ["as_sent", "wire"]


def wire(payload: Payload) -> tuple[bytes, bool]:
    """Return a payload's bytes, and whether they are text.

    `str` is text, `bytes`, `bytearray` and `memoryview` are binary, all else is JSON text.

    Raises:
        TypeError, ValueError, RecursionError: it cannot be sent; a bare number, a bool or None is taken for a slip.

    >>> wire({"op": "ping"}), wire(bytearray(b"x"))
    ((b'{"op":"ping"}', True), (b'x', False))
    """
    if isinstance(payload, str):
        return payload.encode(), True
    if isinstance(payload, bytes | bytearray | memoryview):
        return bytes(payload), False
    if payload is None or isinstance(payload, int | float):
        raise TypeError(f"{payload!r} is no payload; take a dict, a list, str or bytes")
    return msgspec.json.encode(payload), True


def as_sent(payload: Payload) -> str | bytes:
    """Return a payload as it is now, for later: what its caller does to a dict meanwhile does not change it.

    Raises:
        TypeError, ValueError, RecursionError: it cannot be sent.

    >>> as_sent({"op": "ping"})
    '{"op":"ping"}'
    """
    data, is_text = wire(payload)
    return data.decode() if is_text else data
