"""An answer to the handshake whose body does not end: its status is enough."""

from __future__ import annotations

import re

from websockets.http11 import Response
from websockets.streams import StreamReader

__all__ = ["BODY_GRACE", "HEAD_END", "refusal"]

BODY_GRACE = 0.1
"""Seconds that the body of a refusal may take after its head; what has come by then is its beginning."""

HEAD_END = b"\r\n\r\n"

# What says where a body ends: without these two it goes to the end of what there is (RFC 9112, section 6.3).
FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:[^\r\n]*", re.IGNORECASE)


def refusal(answer: bytes) -> Response | None:
    """Return the response that `answer` begins, with as much of its body as there is; None where it is no HTTP."""
    head, end, body = answer.partition(HEAD_END)
    reader = StreamReader()
    reader.feed_data(FRAMING.sub(b"", head) + end + body)
    reader.feed_eof()
    parser = Response.parse(reader.read_line, reader.read_exact, reader.read_to_eof)
    response: Response | None = None
    try:
        next(parser)
    except StopIteration as parsed:
        response = parsed.value
    except Exception:  # websockets has no root for what its parser raises, and says so itself when it reads on
        pass
    return response
