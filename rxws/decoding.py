"""From a message's bytes to a value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import UnionType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NewType, NoReturn, TypeVar, cast, get_origin

import msgspec

from rxws.errors import ConfigError
from rxws.redaction import escaped

if TYPE_CHECKING:
    from reactivex import abc

    from rxws.types import Connection

__all__ = [
    "NOT_JSON",
    "Decode",
    "Decoder",
    "NotUtf8",
    "PerConnection",
    "decoder",
    "is_type",
    "json_decimals",
    "json_or_text",
]

T = TypeVar("T")

Decode = type[T] | UnionType | Callable[[bytes], T] | None
"""A type that msgspec decodes JSON into, a function of the bytes, or None: `str` or `bytes` as it came."""

_json = msgspec.json.Decoder()
_exact = msgspec.json.Decoder(float_hook=Decimal)
NOT_JSON = (msgspec.DecodeError, RecursionError, UnicodeError)
"""Raised where something is no JSON of the wanted shape, is nested deeper than the stack, or is not UTF-8."""


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


def json_decimals(payload: bytes) -> Any:  # Any: whatever JSON holds
    """Return what `payload` holds as JSON, with each number that has a point or an exponent as a `Decimal`.

    Raises:
        msgspec.DecodeError: it is no JSON.

    >>> json_decimals(b'{"price": 61250.10, "trades": 3}')
    {'price': Decimal('61250.10'), 'trades': 3}
    """
    return _exact.decode(payload)


class Decoder(NamedTuple, Generic[T]):
    """How a message becomes a value: `text` and `binary` take its bytes.

    What they raise on goes to `otherwise`, with whether it is text and with the exception: there it becomes a value
    after all, or what is raised there is the answer.
    """

    text: Callable[[bytes], T]
    binary: Callable[[bytes], T]
    otherwise: Callable[[bytes, bool, Exception], T]


class PerConnection(Generic[T]):
    """A decoder that knows its connection: `make` returns one for each, which may also send on it.

    What it makes of a message is handed on, unless that is None.
    """

    def __init__(self, make: Callable[[Connection, abc.SchedulerBase], Callable[[bytes], T | None]]) -> None:
        self.make = make


def is_type(decode: object) -> bool:
    """Whether `decode` is a type, and no function: what msgspec decodes into."""
    return isinstance(decode, type | UnionType | NewType) or get_origin(decode) is not None


def decoder(decode: Decode[T]) -> Decoder[T]:
    """Make a decoder.

    Raises:
        ConfigError: `decode` is a type that msgspec does not know, or not callable.
    """
    if decode is None:
        return cast(Decoder[T], Decoder(bytes.decode, bytes, _not_utf8))
    if decode is json_or_text:
        return cast(Decoder[T], Decoder(_json.decode, _json.decode, _as_it_came))
    if decode is json_decimals:
        return Decoder(_exact.decode, _exact.decode, _raised)
    if is_type(decode):
        return _typed(cast(type[T], decode))
    if not callable(decode):
        right = "its `decode`" if isinstance(decode, msgspec.json.Decoder) else "a type, a function of bytes, or None"
        raise ConfigError("decode", f"{decode!r} is no type and not callable; take {right}")
    return Decoder(decode, decode, _raised)


def _typed(kind: type[T]) -> Decoder[T]:
    try:
        decode = msgspec.json.Decoder(kind).decode
    except (TypeError, NameError) as error:  # a name: one that an annotation mentions and nobody has defined
        raise ConfigError("decode", f"msgspec cannot decode into {kind!r}: {error}") from error
    if isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.CustomType):
        right = "a msgspec.Struct, a dataclass, a function of the bytes"
        raise ConfigError("decode", f"msgspec cannot decode into {kind!r}; take {right}")
    return Decoder(decode, decode, _raised)


def _raised(payload: bytes, is_text: bool, error: Exception) -> NoReturn:
    if isinstance(error, msgspec.DecodeError):
        error.args = (escaped(str(error)),)  # it may name a field or a value, in the message's own words
    raise error


def _not_utf8(payload: bytes, is_text: bool, error: Exception) -> NoReturn:
    raise NotUtf8 from error


def _as_it_came(payload: bytes, is_text: bool, error: Exception) -> str | bytes:
    if not is_text:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError as problem:
        raise NotUtf8 from problem
