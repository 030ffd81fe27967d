"""Arbitrary text and JSON: what is decoded, filtered, masked and escaped, whatever it is."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, unquote

import msgspec
import reactivex as rx
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rxws import operators as wsops
from rxws.decoding import json_or_text
from rxws.errors import ConnectionClosed, ConnectionFailed, DecodeError, HandshakeRejected, RxwsError
from rxws.market import Candle
from rxws.redaction import LONGEST_TOLD, escaped, masked, masked_echo, masked_text, masked_values, secrets_of

MARK = "hunter2hunter2hunter2"


class Kline(msgspec.Struct):
    e: str
    k: dict[str, int | str | bool]


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=12))
KEYS = st.one_of(st.sampled_from(["e", "k", "x", "data", "stream"]), st.text(max_size=4))
VALUES = st.recursive(
    SCALARS | st.just("kline"),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
JSON = VALUES.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))
MESSAGES = st.one_of(
    st.binary(max_size=60),
    JSON,
    st.builds(lambda data, at: data[:at], JSON, st.integers(0, 40)),
    st.builds(
        lambda data, at, bit: data[:at] + bytes((bit,)) + data[at + 1 :], JSON, st.integers(0, 40), st.integers(0, 255)
    ),
    st.sampled_from([b"[" * 100_000, b'{"e":' * 50_000, b"9" * 10_000, b"1e999", b'"\\ud800"', b"\xef\xbb\xbf{}"]),
)
KINDS = [Kline, int, dict[str, int], list[str], Candle, Any, json_or_text, None, bytes.decode, json.loads]


@given(MESSAGES)
@example(b"")
def test_json_or_text_takes_anything(message: bytes) -> None:
    """And what is neither JSON nor text comes as it is."""
    value = json_or_text(message)
    assert isinstance(value, dict | list | str | int | float | bool | bytes | None)
    if isinstance(value, bytes):
        assert value == message


@given(st.sampled_from(KINDS), st.lists(MESSAGES, max_size=5))
@settings(max_examples=150)
def test_a_decoder_raises_errors_of_ours_only(kind: Any, messages: list[bytes]) -> None:
    """Skipped, none stops the others; raised, the first is a `DecodeError` that can be printed."""
    errors: list[Exception] = []
    rx.from_iterable(messages).pipe(wsops.decode(kind, lambda message: message[:1] != b"x")).subscribe(
        lambda _: None, errors.append
    )
    assert errors == []
    raising = wsops.decode(kind, lambda message: message[0], "raise")
    rx.from_iterable(messages).pipe(raising).subscribe(lambda _: None, errors.append)
    assert all(isinstance(each, RxwsError) for each in errors)
    for error in errors:
        assert str(error).isprintable() and repr(error).isprintable()
        assert len(str(error)) < 1_000


@given(st.lists(VALUES, max_size=6), VALUES)
def test_filters_take_any_value(values: list[Any], other: Any) -> None:
    """What they do not know they do not pass on; nothing is raised."""
    pattern = other if isinstance(other, dict) else {"e": other}
    for operator in (wsops.filter_kline, wsops.closed_kline, wsops.match(pattern), wsops.match({"data": pattern})):
        errors: list[Exception] = []
        seen: list[Any] = []
        rx.from_iterable(values).pipe(operator).subscribe(seen.append, errors.append)
        assert errors == []
        assert all(any(each is value for value in values) for each in seen)


ANY = st.text(max_size=40)
# What a URL is made of, so that the interesting ones come often.
BITS = st.sampled_from(
    [
        "ws://",
        "wss:",
        "//",
        "/",
        "?",
        "#",
        "@",
        ":",
        "[",
        "]",
        "&",
        "=",
        "%",
        "%2F",
        ";",
        " ",
        "\n",
        "\u2100",
        "\u202e",
        "a",
        "token",
    ]
)
URLISH = st.lists(BITS | st.text(max_size=5), max_size=12).map("".join)


@given(URLISH, URLISH)
@example("http://a/,", "")
@example("ws://a//x:", "/")
@example("1", "")
def test_a_password_is_masked_in_any_text(before: str, after: str) -> None:
    """Wherever a URL stands in it: after a space, glued to what is before it, within another URL's path."""
    for text in (f"{before}ws://me:{MARK}@venue.example{after}", f"{before} ws://me:{MARK}@venue.example/{after}"):
        assert MARK not in masked_text(text), text


@given(URLISH, st.sampled_from(["ws://h/", "ws://h?", "h/", ""]))
def test_any_text_can_be_masked(text: str, before: str) -> None:
    """None raises, and masking twice changes nothing more."""
    for function in (masked, masked_text, escaped):
        once = function(before + text)
        assert function(once) == once or function is masked_text
    assert masked_text(masked_text(text)) == masked_text(masked_text(masked_text(text)))
    assert list(secrets_of(before + text)) is not None
    assert isinstance(masked_echo(text.encode("utf-8", "replace"), before + text), bytes)


@given(st.text(max_size=400))
@example("\x1b" * 100)
@example("x" * 10_000)
@example("\ud800")
def test_what_is_escaped_is_one_line_that_can_be_printed(text: str) -> None:
    """And no longer than it may be; what could be printed stays as it was."""
    line = escaped(text)
    assert line.isprintable() and len(line) <= LONGEST_TOLD
    assert escaped(line) == line
    if text.isprintable() and len(text) <= LONGEST_TOLD:
        assert line == text
    line.encode()


SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Cs", "Cc"]), min_size=8, max_size=40
)


@given(SECRETS, st.binary(max_size=20), st.sampled_from([b" ", b"\n", b'"', b"&"]))
def test_no_spelling_of_a_secret_comes_back(secret: str, around: bytes, between: bytes) -> None:
    """As it is, percent-encoded in either case, as JSON, as HTML, or cut off by the end."""
    assume(unquote(secret) == secret and secret.isprintable() and "*" not in secret)
    spellings = [
        secret,
        quote(secret, safe=""),
        quote(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret)[1:-1].replace("/", "\\/"),
    ]
    for spelling in spellings:
        assume(len(spelling.encode()) >= 8)
        echo = around + between + spelling.encode() + between + spelling.encode()[:-1]
        for shown in (masked_values(echo, [secret]), masked_echo(echo, f"ws://h/?token={quote(secret, safe='')}")):
            assert spelling.encode() not in shown
            assert len(spelling.encode()) < 9 or spelling.encode()[:-1] not in shown


@given(ANY, st.integers(1000, 4999), st.binary(max_size=60))
def test_any_error_can_be_printed(text: str, code: int, body: bytes) -> None:
    """Its sentence is one line, and its `repr` too."""
    errors: list[Exception] = [
        ConnectionClosed(code, text),
        ConnectionFailed("ws://venue.example", 1, OSError(text)),
        ConnectionFailed("ws://venue.example", 1, ValueError(1, text)),
        HandshakeRejected("ws://venue.example", 401, None, body),
        DecodeError(text, text),
        DecodeError(body, text),
    ]
    for error in errors:
        assert str(error).isprintable() and repr(error).isprintable()
