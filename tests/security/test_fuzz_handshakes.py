"""Arbitrary bytes as the answer to a handshake: it opens, or it is an error of ours, and leaves nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reactivex.testing import TestScheduler

from benchmarks.reliability.raw_server import TEXT, frame
from rxws.backoff import Backoff
from rxws.errors import ConnectionClosed, ConnectionFailed, Disconnected, HandshakeRejected, verdict
from rxws.transport._dialing import LONGEST_WAIT, retry_after
from rxws.transport._refusal import refusal
from rxws.types import RetrySignal
from tests.security.test_fuzz_frames import CUTS, pieces
from tests.security.wire import Lives, accept


@pytest.fixture(scope="module")
def lives() -> Iterator[Lives]:
    """One loop for all."""
    with Lives() as lives:
        yield lives


LINES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"HTTP/1.1 101 Switching Protocols",
            b"HTTP/1.0 101 Yes",
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1 302 Found",
            b"HTTP/1.1 401 No",
            b"HTTP/1.1 503 Later",
            b"HTTP/1.1 999 What",
            b"HTTP/1.1 100 Continue",
            b"Upgrade: websocket",
            b"Upgrade: h2c, websocket",
            b"Connection: Upgrade",
            b"Connection: keep-alive, Upgrade",
            b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            b"Sec-WebSocket-Extensions: permessage-deflate",
            b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7",
            b'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits="15"; x',
            b"Sec-WebSocket-Protocol: a",
            b"Sec-WebSocket-Protocol: a, b",
            b"Location: http://127.0.0.1/",
            b"Location: ws://[",
            b"Retry-After: 7",
            b"Content-Length: 5",
            b"Content-Length: -5",
            b"Content-Length: 5, 5",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip",
            b"",
        ]
    ),
    st.builds(lambda name, value: name + b": " + value, st.binary(max_size=12), st.binary(max_size=40)),
)
BREAKS = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\n\r\n", b""])
# Mutations of a good answer: what stands where, what is left out, what comes between.
EDITS = st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["put", "drop", "replace", "twice"]), LINES), max_size=4)


def edited(answer: bytes, edits: list[tuple[int, str, bytes]], ends: list[bytes]) -> bytes:
    """Return a good answer with some lines changed, and other line breaks."""
    lines = answer.split(b"\r\n")
    for place, how, line in edits:
        place = min(place, len(lines) - 1)
        if how == "put":
            lines.insert(place, line)
        elif how == "twice":
            lines.insert(place, lines[place])
        elif how == "replace":
            lines[place] = line
        elif len(lines) > 1:
            del lines[place]
    ends = [*ends, *[b"\r\n"] * len(lines)]
    return b"".join(line + end for line, end in zip(lines, ends, strict=False))[:-2]


@given(EDITS, st.lists(BREAKS, max_size=8), st.binary(max_size=40), CUTS)
@example([(1, "drop", b"")], [], b"", [])
@example([], [], frame(TEXT, b"{}"), [1, 1])
@example([(0, "replace", b"HTTP/1.1 401 No"), (1, "put", b"X: \x00")], [], b"", [])
@example([(0, "replace", b"HTTP/1.1 302 Found"), (1, "put", b"Location: http://\xff/")], [], b"", [])
def test_an_answer_that_is_nearly_good_opens_or_fails(
    lives: Lives, edits: list[tuple[int, str, bytes]], ends: list[bytes], then: bytes, cuts: list[int]
) -> None:
    """By an error of ours that can be printed, whatever was edited."""
    _, error = lives.play(lambda request: pieces(edited(accept(request), edits, ends) + then, cuts))

    assert isinstance(error, Disconnected)
    assert str(error).isprintable() and repr(error).isprintable()
    cause: BaseException | None = error
    while cause is not None:
        assert re.sub(r"\n", "", str(cause)).isprintable()
        cause = cause.__cause__ or cause.__context__


@given(st.one_of(st.binary(max_size=300), st.lists(LINES, max_size=12).map(b"\r\n".join)), CUTS)
def test_an_answer_of_any_bytes_is_no_connection(lives: Lives, answer: bytes, cuts: list[int]) -> None:
    """Nobody can guess what accepts a key."""
    _, error = lives.play(lambda _: pieces(answer, cuts))

    assert isinstance(error, ConnectionFailed)
    assert str(error).isprintable()


def test_a_good_answer_opens(lives: Lives) -> None:
    """So the fuzz above can succeed."""
    values, error = lives.play(lambda request: [accept(request) + frame(TEXT, b"{}")])
    assert values == [{}]
    assert isinstance(error, ConnectionClosed)


@given(st.binary(max_size=200), st.lists(LINES, max_size=8))
def test_any_answer_is_a_refusal_or_none(rest: bytes, lines: list[bytes]) -> None:
    """Also such as no parser would take."""
    for answer in (rest, b"HTTP/1.1 401 No\r\n" + rest, b"HTTP/1.1 401 No\r\n" + b"\r\n".join(lines)):
        found = refusal(answer)
        assert found is None or 100 <= found.status_code < 600


DATES = st.datetimes().map(lambda date: date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
HEADERS = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.from_regex(r"\A[ \t]*[-+]?[0-9]{0,400}(\.[0-9]*)?[ \t]*\Z"),
    DATES,
    st.lists(
        st.sampled_from(
            [
                "Wed,",
                "Wed",
                "21",
                "0",
                "99",
                "Oct",
                "2015",
                "07:28:00",
                "7.28",
                "99:99:99",
                "GMT",
                "+9999",
                "-",
                "(",
                "-0000",
                ":",
            ]
        ),
        max_size=8,
    ).map(" ".join),
)


@given(HEADERS)
@example("²")
@example("9" * 5_000)
@example("")
@example(" ")
@example("Wed, 21 Oct 2015 07:28:00 +99999999999999999")
def test_any_retry_after_is_a_wait_of_a_day_at_most_or_none(header: str) -> None:
    """Never an exception, and never a wait for ever; so it is for what a policy makes of it."""
    wait = retry_after(header, TestScheduler())

    assert wait is None or 0.0 <= wait <= LONGEST_WAIT
    error = HandshakeRejected("ws://venue.example", 503, wait)
    assert verdict(error) is not None
    asked: Any = Backoff()(RetrySignal(error, 1, 1, 0.0))
    assert asked is None or 0.0 <= asked <= LONGEST_WAIT
