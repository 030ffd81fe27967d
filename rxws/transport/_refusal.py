"""An answer to the handshake that is no upgrade, whatever is wrong with the rest of it: its status is enough."""

from __future__ import annotations

import re

from websockets.datastructures import Headers
from websockets.http11 import Response

__all__ = ["ANSWER", "BODY_GRACE", "HEAD_END", "UPGRADED", "refusal"]

ANSWER = 2**16
"""Bytes that are read of an answer which is no upgrade."""

BODY_GRACE = 0.1
"""Seconds that the body of a refusal may take after its head; what has come by then is its beginning."""

HEAD_END = b"\r\n\r\n"

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: ([^\r\n]*))?\r?\n")
NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
UPGRADE = 101
UPGRADED = b"HTTP/1.1 101 "


def refusal(answer: bytes) -> Response | None:
    """Return the response that `answer` begins with, as far as it can be read; None where it is none, or an upgrade."""
    status = STATUS_LINE.match(answer)
    if status is None or int(status[1]) == UPGRADE:
        return None
    head, _, body = answer.partition(HEAD_END)
    headers = Headers()
    # Line by line: a pattern that looks for the end of a value among blanks takes for ever where there are many.
    for line in head.split(b"\n")[1:]:
        name, colon, value = line.removesuffix(b"\r").partition(b":")
        if colon and NAME.fullmatch(name) and VALUE.fullmatch(value):
            headers[name.decode("ascii")] = value.strip(b" \t").decode("latin-1")
    return Response(int(status[1]), (status[2] or b"").decode("latin-1"), headers, body)
