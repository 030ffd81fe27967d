"""What a server says steers no terminal and forges no line of a log; its reason for a close is for DEBUG alone."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest

from benchmarks.reliability.raw_server import TEXT, Peer, RawServer, frame
from rxws.errors import ConnectionClosed, DecodeError, HandshakeRejected, SubscriptionRejected
from rxws.events import BadFrame, Closed
from tests.security.listening import Heard
from tests.security.test_secrets import answering

EVIL = "gone\x1b[2J\x1b]0;owned\x07\r\n2026-01-01 ERROR all is lost \x9b31m\u202e\u2028\u200b\x00"
STEERS = [each for each in EVIL if not each.isprintable() and each != "\n"]


def steering(text: str) -> set[str]:
    """What is in a text that a terminal or a reader of lines would obey, line breaks of its own aside."""
    return {each for each in text if each in STEERS}


async def test_a_close_reason_is_logged_at_debug_only_and_escaped() -> None:
    """Neither `str` nor `repr` of error or event shows it, nor any record above; the field keeps it as it came."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.end(4001, EVIL.encode())

    with Heard() as heard:
        async with RawServer(script) as server:
            await heard.life(server.url)

    closed = next(each for each in heard.events if isinstance(each, Closed))
    assert isinstance(closed.error, ConnectionClosed) and closed.error.reason == EVIL
    assert repr(closed.error) == "ConnectionClosed(4001)"
    told = [str(closed), repr(closed), str(closed.error), repr(closed.error), heard.logged(logging.INFO)]
    assert [text for text in told if "gone" in text or "all is lost" in text] == []
    said = [each for each in heard.records if "gone" in each.getMessage()]
    assert {(each.name, each.levelno) for each in said} == {("rxws", logging.DEBUG)}
    assert {each.getMessage().partition(" said ")[2] for each in said} == {ascii(EVIL)}


async def test_a_close_reason_is_nowhere_unless_debug_is_asked_for() -> None:
    """INFO is what people run with."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.end(4001, b"the server's words")

    with Heard() as heard:
        logging.getLogger("rxws").setLevel(logging.INFO)
        async with RawServer(script) as server:
            await heard.life(server.url)

    assert "the server's words" not in heard.logged(logging.DEBUG)


def test_a_reason_longer_than_a_frame_can_carry_is_cut_off() -> None:
    """Another transport may bring one."""
    from reactivex.testing import TestScheduler

    from rxws import Backoff, ws_observable
    from rxws.testing import Attempt, ScriptedTransport

    virtual, records = TestScheduler(), []
    log = logging.getLogger("rxws")
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    log.addHandler(handler)
    level, log.level = log.level, logging.DEBUG
    try:
        transport = ScriptedTransport(Attempt.closes(1.0, 4001, "x" * 10_000))
        stream = ws_observable("ws://scripted", transport=transport, retry=Backoff.fixed(50.0))
        stream.subscribe(scheduler=virtual)
        virtual.advance_to(2.0)
    finally:
        log.level = level
        log.removeHandler(handler)

    (record,) = records
    assert len(record.getMessage()) < 250


ANSWERS: dict[str, bytes] = {
    "body": b"HTTP/1.1 401 No\r\n\r\n" + EVIL.encode(),
    "status line": f"HTTP/1.1 {EVIL}\r\n\r\n".encode(),
    "phrase": b"HTTP/1.1 401 \x9b31m\xa0\r\n\r\n",
    "header line": f"HTTP/1.1 101 Yes\r\n{EVIL}\r\n\r\n".encode(),
    "header value": b"HTTP/1.1 101 Yes\r\nX: \x1b[2J\x07\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: \x9b31m\x85\xa0\r\n\r\n",
    "connection": b"HTTP/1.1 101 Yes\r\nConnection: \x9b31m\x85\xa0\r\n\r\n",
    "location": "HTTP/1.1 302 Found\r\nLocation: http://\u202e\x9b31m/\r\n\r\n".encode(),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
async def test_no_answer_to_the_handshake_steers_a_terminal(answer: bytes) -> None:
    """Not in a log, not in an event, not in a traceback; and it is cut off."""
    with Heard() as heard:
        async with RawServer(answering(lambda _: answer.replace(b"gone", b"gone" * 500))) as server:
            await heard.life(server.url)

    assert heard.errors
    assert steering(heard.everything) == set()
    assert max(len(str(each)) for each in heard.errors) < 1_000


@pytest.mark.parametrize("header", [b"Sec-WebSocket-Accept", b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Extensions"])
async def test_no_header_of_the_answer_steers_a_terminal(header: bytes) -> None:
    """Its bytes above 0x7f are control characters in Latin-1."""
    with Heard() as heard:
        async with RawServer(answering(lambda peer: peer.response(header + b": \x9b31m\x85\xa0"))) as server:
            await heard.life(server.url, subprotocols=["a"])

    assert heard.errors
    assert steering(heard.everything) == set()


class Trade(msgspec.Struct, forbid_unknown_fields=True):
    p: str


def raising(payload: bytes) -> object:
    """A decoder whose words are the message's."""
    raise ValueError(payload.decode("utf-8", "replace"))


# What a function of the user's raises keeps its own words, as the cause that a traceback shows.
@pytest.mark.parametrize(("decode", "on_bad_frame"), [(Trade, "skip"), (raising, "skip"), (Trade, "raise")])
async def test_no_frame_steers_a_terminal_or_fills_a_log(decode: Any, on_bad_frame: str) -> None:
    """A decoder's words may be the message's own: msgspec names the field that it does not know."""
    evil = msgspec.json.encode({EVIL + "x" * 100_000: 1})

    async def script(peer: Peer) -> None:
        await peer.accept(frame(TEXT, evil) + frame(TEXT, EVIL.encode() * 1_000))
        await peer.end(4001)

    with Heard() as heard:
        async with RawServer(script) as server:
            await heard.life(server.url, decode=decode, on_bad_frame=on_bad_frame)

    errors = (
        [each.error for each in heard.events if isinstance(each, BadFrame)] if on_bad_frame == "skip" else heard.errors
    )
    assert errors and all(isinstance(each, DecodeError) for each in errors)
    for error in errors:
        assert steering(str(error) + repr(error)) == set()
        assert len(str(error)) < 1_000 and len(repr(error)) < 1_500
    assert steering(heard.logged(logging.INFO) + repr(heard.events)) == set()


def test_words_are_kept_whole_where_programs_read_them() -> None:
    """Fields are for programs: only what people read is cut and escaped."""
    error = DecodeError(EVIL.encode(), EVIL)
    assert error.frame == EVIL.encode()
    assert steering(error.problem) == set()
    assert HandshakeRejected("ws://venue.example", 401, body=EVIL.encode()).body == EVIL.encode()
    assert len(str(SubscriptionRejected("trades", {"error": EVIL * 1_000}))) < 300
