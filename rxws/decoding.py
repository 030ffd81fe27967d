"""From a message's bytes to a value."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Any, NewType, TypeVar, cast, get_origin

import msgspec

from rxws.errors import ConfigError
from rxws.redaction import escaped

__all__ = ["Decode", "NotUtf8", "decoder", "json_or_text"]

T = TypeVar("T")

Decode = type[T] | UnionType | Callable[[bytes], T] | None
"""A type that msgspec decodes JSON into, a function of the bytes, or None: `str` or `bytes` as it came."""

_json = msgspec.json.Decoder()
# RecursionError: JSON nested deeper than the interpreter's stack; UnicodeDecodeError: JSON that is not UTF-8.
NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


class NotUtf8(Exception):
    """A text message is handed out as text, and is not UTF-8 (RFC 6455, section 8.1)."""


def json_or_text(payload: bytes) -> Any:  # Any: whatever JSON holds
    """Return what `payload` holds as JSON; where it is no JSON, the text that it is, and else the bytes.

    >>> json_or_text(b'{"e": "kline"}'), json_or_text(b"pong"), json_or_text(bytes([255]))
    ({'e': 'kline'}, 'pong', b'\\xff')
    """
    try:
        return _json.decode(payload)
    except NOT_JSON:
        pass
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return payload


def decoder(decode: Decode[T]) -> Callable[[bytes, bool], T]:
    """Make a function of a message's bytes, and of whether it is text.

    Raises:
        ConfigError: `decode` is a type that msgspec does not know, or not callable.
    """
    if decode is None:
        return cast(Callable[[bytes, bool], T], _raw)
    if decode is json_or_text:
        return cast(Callable[[bytes, bool], T], _json_or_raw)
    if isinstance(decode, type | UnionType | NewType) or get_origin(decode) is not None:
        return _typed(cast(type[T], decode))
    if not callable(decode):
        raise ConfigError(
            "decode", f"{decode!r} is no type and not callable; take a type, a function of bytes, or None"
        )
    function = decode
    return lambda payload, is_text: function(payload)


def _typed(kind: type[T]) -> Callable[[bytes, bool], T]:
    try:
        decode = msgspec.json.Decoder(kind).decode
    except TypeError as error:
        raise ConfigError("decode", f"msgspec cannot decode into {kind!r}: {error}") from error
    if isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.CustomType):
        right = "a msgspec.Struct, a dataclass, a function of the bytes"
        raise ConfigError("decode", f"msgspec cannot decode into {kind!r}; take {right}")

    def typed(payload: bytes, is_text: bool) -> T:
        try:
            return decode(payload)
        except msgspec.DecodeError as error:
            error.args = (escaped(str(error)),)  # it may name a field or a value, in the message's own words
            raise

    return typed


def _raw(payload: bytes, is_text: bool) -> str | bytes:
    if not is_text:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8 from error


def _json_or_raw(payload: bytes, is_text: bool) -> Any:  # Any: whatever JSON holds
    try:
        return _json.decode(payload)
    except NOT_JSON:
        return _raw(payload, is_text)
