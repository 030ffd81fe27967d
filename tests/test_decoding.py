"""From bytes to values: whatever comes, by whichever decoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal, NewType

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws.decoding import Decode, NotUtf8, json_or_text
from rxws.decoding import decoder as made
from rxws.errors import ConfigError

DEEP = 100_000
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
Price = NewType("Price", float)


class Trade(msgspec.Struct):
    p: str
    q: float = 0.0


class Callable_:
    def __call__(self, payload: bytes) -> int:
        return len(payload)


def decoder(decode: Decode[Any]) -> Callable[[bytes, bool], Any]:
    """Use a decoder as a sink does."""
    text, binary, otherwise = made(decode)

    def value(payload: bytes, is_text: bool) -> Any:
        try:
            return text(payload) if is_text else binary(payload)
        except Exception as error:
            return otherwise(payload, is_text, error)

    return value


# The default


@given(st.binary())
@example(b"[" * DEEP)
@example(b'{"a":' * DEEP)
@example(b"[" * DEEP + b"]" * DEEP)
@example(b"9" * 5_000)
@example(b"-" + b"9" * 5_000)
@example(b"1e400")
@example(b"1e99999999999")
@example(b'"\xff"')
@example(b'"\\ud800"')
@example(b'{"a": "\xc3"}')
@example(b"\xef\xbb\xbf{}")
@example(b"NaN")
@example(b"\x00")
@example(b"")
def test_no_bytes_are_too_bad_for_the_default(payload: bytes) -> None:
    """It gives JSON, text or the bytes themselves, and raises nothing, however deep or long or wrong."""
    value = json_or_text(payload)

    if isinstance(value, bytes):
        assert value == payload
        with pytest.raises(UnicodeDecodeError):
            payload.decode()


@given(JSON)
def test_json_comes_as_what_it_says(value: Any) -> None:
    """Each value that JSON has, with any letters."""
    assert json_or_text(json.dumps(value, ensure_ascii=False).encode()) == value
    assert json_or_text(json.dumps(value).encode()) == value


@pytest.mark.parametrize("text", ["pong", "", "{", '{"a": 1} ', "NaN", "00", "привет", "[1,]", '"a'])
def test_text_that_is_no_json_comes_as_text(text: str) -> None:
    """Heartbeats and half a JSON arrive as they came."""
    expected: object = {"a": 1} if text.startswith('{"') else text
    assert json_or_text(text.encode()) == expected


@pytest.mark.parametrize(
    "deep", [b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP], ids=["lists", "dicts"]
)
def test_json_that_is_too_deep_comes_as_text(deep: bytes) -> None:
    """A bomb of brackets is a text like any other."""
    assert json_or_text(deep) == deep.decode()
    assert decoder(json_or_text)(deep, True) == deep.decode()
    assert decoder(json_or_text)(deep, False) == deep


@given(st.binary(), st.booleans())
def test_as_the_streams_decoder_it_leaves_what_is_no_json_as_it_came(payload: bytes, is_text: bool) -> None:
    """A binary message that is no JSON stays bytes, a text one is its text, and one that is not UTF-8 is refused."""
    decode = decoder(json_or_text)
    plain = json_or_text(payload)
    is_utf8 = payload.decode(errors="replace").encode() == payload
    is_json = not isinstance(plain, bytes) and plain != payload.decode(errors="replace")

    if is_json:
        assert decode(payload, is_text) == plain
    elif not is_text:
        assert decode(payload, is_text) in (payload, plain)
    elif is_utf8:
        assert decode(payload, is_text) == plain
    else:
        with pytest.raises(NotUtf8):
            decode(payload, is_text)


@pytest.mark.parametrize("payload", [b'"\xff"', b'{"a": "\xc3"}', b"\xff", b"\xed\xa0\x80"])
def test_text_that_is_not_utf8_is_told_from_text_that_is_no_json(payload: bytes) -> None:
    """The default and None alike say `NotUtf8`, from Python's own error, so that the connection can fail with 1007."""
    for decode in (decoder(json_or_text), decoder(None)):
        with pytest.raises(NotUtf8) as caught:
            decode(payload, True)
        assert isinstance(caught.value.__cause__, UnicodeDecodeError)
        assert decode(payload, False) == payload


# None, types and functions


@given(st.text(), st.binary())
def test_none_gives_a_message_as_it_came(text: str, payload: bytes) -> None:
    """Text is `str`, binary is `bytes`, JSON or not."""
    decode: Callable[[bytes, bool], object] = decoder(None)

    assert decode(text.encode(), True) == text
    assert decode(payload, False) == payload


@pytest.mark.parametrize(
    ("kind", "payload", "value"),
    [
        (Trade, b'{"p": "61250.10", "q": 2, "more": 1}', Trade("61250.10", 2.0)),
        (dict[str, int], b'{"a": 1}', {"a": 1}),
        (list[Trade], b'[{"p": "1"}]', [Trade("1")]),
        (Trade | None, b"null", None),
        (Annotated[int, msgspec.Meta(ge=1)], b"1", 1),
        (Literal["pong"], b'"pong"', "pong"),
        (Price, b"1.5", 1.5),
        (int, b"1", 1),
        (Any, b'{"a": [1]}', {"a": [1]}),
    ],
    ids=repr,
)
def test_a_type_is_what_msgspec_decodes_into(kind: Any, payload: bytes, value: object) -> None:
    """Structs, containers, unions, annotated and new types: text and binary messages alike."""
    decode = decoder(kind)

    assert decode(payload, True) == value
    assert decode(payload, False) == value


@pytest.mark.parametrize("payload", [b'{"p": 1}', b"{", b"[]", b""])
def test_what_does_not_fit_a_type_raises(payload: bytes) -> None:
    """msgspec's own error, which says where."""
    with pytest.raises(msgspec.DecodeError):
        decoder(Trade)(payload, True)


def test_a_new_type_is_checked_like_its_own() -> None:
    """`NewType` can be called, and is a type all the same."""
    with pytest.raises(msgspec.ValidationError):
        decoder(Price)(b'"no price"', True)


@pytest.mark.parametrize(
    "function", [len, lambda payload: len(payload), Callable_()], ids=["builtin", "lambda", "object"]
)
def test_a_function_always_gets_bytes(function: Any) -> None:
    """Text and binary messages alike, without the detour over `str`."""
    decode = decoder(function)

    assert decode(b"\xff\xfe", True) == 2
    assert decode(b"\xff\xfe", False) == 2


def test_what_a_function_raises_goes_up() -> None:
    """The one who asked knows what to do with it."""
    with pytest.raises(json.JSONDecodeError):
        decoder(json.loads)(b"{", True)


@pytest.mark.parametrize("decode", ["json", 7, b"x", [int]], ids=repr)
def test_what_is_no_decoder_is_refused(decode: Any) -> None:
    """The message shows it, and says what would be right."""
    with pytest.raises(ConfigError) as caught:
        decoder(decode)

    assert caught.value.field == "decode"
    assert caught.value.message == (
        f"{decode!r} is no type and not callable; take a type, a function of bytes, or None"
    )


def test_a_type_that_msgspec_does_not_know_is_refused() -> None:
    """When the decoder is made, not when the first message comes; msgspec says why."""
    kind: Any = list[int] | set[int]

    with pytest.raises(ConfigError) as caught:
        decoder(kind)

    assert caught.value.field == "decode"
    assert str(caught.value).startswith("decode: msgspec cannot decode into list[int] | set[int]: Type unions may not")
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_decoder_of_msgspecs_is_refused_with_what_to_take() -> None:
    """It is not callable, and its method is."""
    with pytest.raises(ConfigError, match="take its `decode`"):
        made(msgspec.json.Decoder(int))  # type: ignore[arg-type]


def test_a_type_that_mentions_what_nobody_has_defined_is_refused() -> None:
    """By name, when the observable is built."""

    class Odd(msgspec.Struct):
        odd: "Nowhere"  # type: ignore[name-defined]  # noqa: F821, UP037

    with pytest.raises(ConfigError, match="decode: msgspec cannot decode into .*Nowhere"):
        made(Odd)
