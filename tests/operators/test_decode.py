"""From messages to values, by whichever decoder; a message that cannot be decoded hurts no other."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import reactivex as rx
from reactivex import Subject
from reactivex import operators as ops

from rxws.backoff import Backoff
from rxws.decoding import json_or_text
from rxws.errors import ConfigError, DecodeError, Disconnected, ProtocolError
from rxws.operators import after, decode, retry_when
from rxws.operators._attached import decoded
from rxws.operators._decoded import Decoding
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import Message, Silence
from tests.operators.seen import COMPLETED, Seen, at, dialled


class Trade(msgspec.Struct):
    p: str


class Told(Silence):
    """A journal that notes the bad frames."""

    def __init__(self) -> None:
        self.frames: list[DecodeError] = []

    def bad_frame(self, error: DecodeError) -> None:
        self.frames.append(error)


def values(operator: Any, *messages: Message) -> list[Any]:
    """Return what `operator` makes of the messages, and how it ends."""
    heard: list[Any] = []
    rx.from_iterable(messages).pipe(operator).subscribe(heard.append, heard.append, lambda: heard.append(COMPLETED))
    return heard


def bug(_: object) -> Any:
    """Raise, as a function with a bug does."""
    raise KeyError("a bug")


# Each kind of decoder


def test_by_default_json_is_parsed_and_the_rest_comes_as_it_came() -> None:
    """Text or binary."""
    messages = ['{"n": 1}', b'{"n": 2}', "pong", b"\x1f\x8b", "5", "[", b"pong"]
    assert values(decode(), *messages) == [{"n": 1}, {"n": 2}, "pong", b"\x1f\x8b", 5, "[", b"pong", COMPLETED]


def test_a_type_is_what_msgspec_decodes_into() -> None:
    """A struct, a union, a generic alias; text or binary."""
    assert values(decode(Trade), '{"p":"1"}', b'{"p":"2"}') == [Trade("1"), Trade("2"), COMPLETED]
    assert values(decode(int | str), "5", '"x"') == [5, "x", COMPLETED]  # type: ignore[call-overload]
    assert values(decode(dict[str, int]), '{"n": 1}') == [{"n": 1}, COMPLETED]


def test_none_hands_on_what_came() -> None:
    """Text as str, binary as bytes, whatever it holds."""
    assert values(decode(None), "ä€", b"\xff", '{"n":1}') == ["ä€", b"\xff", '{"n":1}', COMPLETED]


def test_a_function_always_gets_bytes() -> None:
    """Text and binary alike; what it returns is the value, None too."""
    got: list[bytes] = []
    assert values(decode(got.append), "ä", b"\xff") == [None, None, COMPLETED]
    assert got == ["ä".encode(), b"\xff"]
    assert [type(each) for each in got] == [bytes, bytes]
    assert values(decode(json_or_text), b"pong") == values(decode(), b"pong")


# Keep


def test_keep_is_asked_before_decoding_and_gets_bytes() -> None:
    """What it leaves out is never decoded, and is no bad frame."""
    asked: list[bytes] = []
    told = Told()

    def keep(payload: bytes) -> object:
        asked.append(payload)
        return b"p" in payload and "yes"

    operator = decode(Trade, keep, journal=told)
    assert values(operator, "{", '{"p":"1"}', b'{"p":"2"}', "") == [Trade("1"), Trade("2"), COMPLETED]
    assert asked == [b"{", b'{"p":"1"}', b'{"p":"2"}', b""]
    assert told.frames == []


# Bad frames


def test_by_default_a_bad_frame_is_told_and_skipped() -> None:
    """With the frame as it came, and the decoder's own error as the cause; the stream goes on."""
    told = Told()
    assert values(decode(Trade, journal=told), "ä{", '{"p":"1"}', b"\xff", '{"p":2}') == [Trade("1"), COMPLETED]
    assert [error.frame for error in told.frames] == ["ä{", b"\xff", '{"p":2}']
    assert [type(error.__cause__) for error in told.frames[::2]] == [msgspec.DecodeError, msgspec.ValidationError]
    assert "ValidationError: Expected `str`, got `int`" in str(told.frames[2])


def test_nobody_needs_to_be_told() -> None:
    """A journal is not needed to go on."""
    assert values(decode(Trade), "{", '{"p":"1"}') == [Trade("1"), COMPLETED]


@pytest.mark.parametrize("bugs", [{"decode": bug}, {"decode": None, "keep": bug}], ids=["decode", "keep"])
def test_what_decode_or_keep_raise_is_a_bad_frame(bugs: Any) -> None:
    """Whatever it is."""
    told = Told()
    assert values(decode(**bugs, journal=told), "text", b"bytes") == [COMPLETED]
    assert [(error.frame, type(error.__cause__)) for error in told.frames] == [("text", KeyError), (b"bytes", KeyError)]


def test_a_bad_frame_may_be_raised_and_is_never_retried() -> None:
    """The source is left; what came before was handed on."""
    source: Subject[Message] = Subject()
    again: list[object] = []
    heard: list[Any] = []
    policy = after(lambda signal: again.append(signal) or 0.0)
    source.pipe(decode(Trade, on_bad_frame="raise"), retry_when(policy)).subscribe(heard.append, heard.append)
    source.on_next('{"p":"1"}')
    source.on_next("{")
    source.on_next('{"p":"2"}')
    assert heard[0] == Trade("1")
    [error] = heard[1:]
    assert isinstance(error, DecodeError)
    assert not isinstance(error, Disconnected)
    assert error.frame == "{"
    assert isinstance(error.__cause__, msgspec.DecodeError)
    assert (again, source.observers) == ([], [])


def test_what_the_subscriber_raises_is_no_bad_frame() -> None:
    """It goes to whoever produced the message, untouched."""
    source: Subject[Message] = Subject()
    told = Told()
    for on_bad_frame in ("skip", "raise"):
        operator: Any = decode(None, None, on_bad_frame, journal=told)  # type: ignore[call-overload]
        source.pipe(operator).subscribe(bug, told.frames.append)
        with pytest.raises(KeyError, match="a bug"):
            source.on_next("text")
    assert told.frames == []


# What passes


def test_errors_pass() -> None:
    """Those of the source."""
    error = ValueError()
    heard: list[Any] = []
    rx.throw(error).pipe(decode()).subscribe(on_error=heard.append)
    assert heard == [error]


# What is refused


@pytest.mark.parametrize(
    ("arguments", "field", "right"),
    [
        ({"on_bad_frame": "ignore"}, "on_bad_frame", '"skip" or "raise"'),
        ({"keep": b"kline"}, "keep", "a function of a message's bytes"),
        ({"decode": 5}, "decode", "a type, a function of bytes, or None"),
        ({"decode": type("Plain", (), {"x": 1}) | Trade}, "decode", "msgspec cannot decode"),
    ],
)
def test_a_wrong_argument_is_refused_by_name(arguments: Any, field: str, right: str) -> None:
    """When the operator is made, with what would be right."""
    with pytest.raises(ConfigError) as refused:
        decode(**arguments)
    assert refused.value.field == field
    assert right in str(refused.value)


# On the connection itself, as ws_observable has it


def attached(
    virtual: Any, *arguments: Any, attempt: Attempt | None = None, journal: Any = None
) -> tuple[Seen, ScriptedTransport, Any]:
    """Return what is seen of a connection that is decoded, its transport, and the connection."""
    transport, connections = ScriptedTransport(attempt or Attempt()), []  # type: ignore[var-annotated]
    source = dialled(transport, journal=journal).pipe(ops.do_action(connections.append))
    seen = Seen(virtual, source.pipe(decoded(Decoding(*arguments))))
    virtual.advance_by(0.5)
    return seen, transport, connections[0]


def test_a_connections_messages_are_decoded_as_they_arrive() -> None:
    """Text, binary, and what is neither JSON nor kept."""
    attempt = Attempt(messages=[(1.0, '{"n":1}'), (2.0, b"\xff"), (3.0, "pong"), (4.0, "dropped")])
    virtual = at(0)
    seen, _, _ = attached(virtual, json_or_text, lambda payload: payload != b"dropped", "skip", attempt=attempt)
    virtual.advance_to(10)
    assert seen.messages == [(1.0, {"n": 1}), (2.0, b"\xff"), (3.0, "pong")]


def test_the_connections_own_journal_is_told_of_bad_frames() -> None:
    """Text that is not UTF-8 stands in the error escaped."""
    virtual, told = at(0), Told()
    seen, transport, connection = attached(virtual, Trade, None, "skip", journal=told)
    connection.on_message(b"\xff{", True)
    connection.on_message(b"\xff{", False)
    connection.on_message(b'{"p":"1"}', True)
    assert [error.frame for error in told.frames] == ["\\xff{", b"\xff{"]
    assert seen.values == [Trade("1")]
    assert transport.live == 1


@pytest.mark.parametrize("decoder", [None, json_or_text], ids=["raw", "json or text"])
def test_text_that_is_handed_out_and_is_not_utf8_ends_the_connection(decoder: Any) -> None:
    """With close code 1007 (RFC 6455, section 8.1); it is a loss, and no bad frame."""
    virtual, told = at(0), Told()
    seen, transport, connection = attached(virtual, decoder, None, "skip", journal=told)
    connection.on_message("ä".encode(), True)
    connection.on_message(b"\xff", False)
    connection.on_message(b"\xc3(", True)
    *good, error = seen.values
    assert good == ["ä", b"\xff"]
    assert isinstance(error, ProtocolError)
    assert error.code == 1007
    assert isinstance(error.__cause__, UnicodeDecodeError)
    assert transport.dials[0].close_code == 1007
    assert (transport.live, told.frames) == (0, [])


def test_a_raised_bad_frame_ends_the_connection() -> None:
    """And is not retried."""
    virtual = at(0)
    transport = ScriptedTransport(Attempt(messages=[(1.0, "{"), (1.0, '{"p":"1"}')]))
    again = retry_when(after(Backoff.fixed(1.0)))
    seen = Seen(virtual, dialled(transport).pipe(decoded(Decoding(Trade, None, "raise")), again))
    virtual.advance_to(10)
    assert [type(value) for value in seen.values] == [DecodeError]
    assert (len(transport.dials), transport.live) == (1, 0)


def test_the_connections_end_is_the_results() -> None:
    """A loss, or our own close."""
    virtual = at(0)
    lost = Attempt.closes(2.0, 1001)
    seen, _, _ = attached(virtual, None, None, "skip", attempt=lost)
    virtual.advance_to(5)
    assert [str(value) for value in seen.values] == ["the server closed the connection with code 1001"]
    seen, _, connection = attached(virtual, None, None, "skip")
    connection.close()
    assert seen.values == [COMPLETED]
