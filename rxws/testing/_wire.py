"""WebSocket frames as bytes (RFC 6455, section 5.2), broken ones too, which no library writes."""

from __future__ import annotations

import struct

from rxws.errors import ConfigError

__all__ = ["CLOSE", "PING", "RESERVED_BIT", "TEXT", "close_payload", "fragments", "frame"]

CONTINUATION, TEXT, CLOSE, PING = 0x0, 0x1, 0x8, 0x9
RESERVED_BIT = 0x40
"""RSV1: wrong in every frame unless compression was negotiated."""


def frame(
    opcode: int,
    payload: bytes,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: bytes | None = None,
) -> bytes:
    """One frame; a server must not `mask`, and `reserved` bits are wrong without an extension."""
    first = opcode | reserved | (0x80 if fin else 0)
    masked = 0 if mask is None else 0x80
    size = len(payload)
    if size < 126:
        header = bytes((first, masked | size))
    elif size < 2**16:
        header = struct.pack("!BBH", first, masked | 126, size)
    else:
        header = struct.pack("!BBQ", first, masked | 127, size)
    if mask is None:
        return header + payload
    return header + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def fragments(payload: bytes, parts: int, between: bytes = b"") -> bytes:
    """One text message in `parts` frames (section 5.4), with `between` between each two."""
    size = -(-len(payload) // parts)
    frames = [
        frame(
            CONTINUATION if part else TEXT,
            payload[part * size : (part + 1) * size],
            fin=part == parts - 1,
        )
        for part in range(parts)
    ]
    return between.join(frames)


def close_payload(code: int | None, reason: str) -> bytes:
    """What a close frame carries (section 5.5.1): nothing, or any code and a reason."""
    if code is None:
        if reason:
            raise ConfigError("reason", f"{reason!r} needs a code to stand behind; give one")
        return b""
    if not 0 <= code < 2**16:
        raise ConfigError("code", f"{code} does not fit into two bytes; take 0 to 65535, or None")
    text = reason.encode()
    if len(text) > 123:
        raise ConfigError("reason", f"{len(text)} bytes are too long; 123 fit into a close frame")
    return struct.pack("!H", code) + text
