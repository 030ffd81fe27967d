"""Payloads that are sent again and again, checked and encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from rxws.errors import ConfigError
from rxws.types import Payload

__all__ = ["Format", "Subscriptions", "encoded", "encoded_one", "formatted"]

Format = Callable[[str, str], Payload]
"""From "subscribe" or "unsubscribe" and a channel to the payload that asks the venue for it."""

Subscriptions = Iterable[Payload] | Callable[[], Iterable[Payload]]
"""Payloads, or a callable that is asked for them anew for each connection."""


def formatted(subscriptions: Subscriptions, format: Format | None) -> Subscriptions:
    """Return the subscriptions with each string among them, a channel, made into what asks for it."""
    if format is None:
        return subscriptions
    if not callable(format):
        raise ConfigError("format", f'{format!r} is not callable; take a function of ("subscribe", channel), or None')
    if isinstance(subscriptions, str | bytes | Mapping):
        return subscriptions  # refused by `encoded`
    if callable(subscriptions):
        asked = subscriptions
        return lambda: [_formatted(each, format) for each in asked()]
    return [_formatted(each, format) for each in subscriptions]


def _formatted(payload: Payload, format: Format) -> Payload:
    return format("subscribe", payload) if isinstance(payload, str) else payload


def encoded(subscriptions: Iterable[Payload]) -> tuple[str | bytes, ...]:
    """Return the payloads as they go out; refuse what cannot be sent, with its place."""
    if isinstance(subscriptions, str | bytes | Mapping):
        kind = type(subscriptions).__name__
        raise ConfigError("subscriptions", f"a single {kind}; take a list of payloads: [{kind}, …]")
    if not isinstance(subscriptions, Iterable):
        raise ConfigError("subscriptions", f"{subscriptions!r} is no list; take a list of payloads, [] for none")
    return tuple(encoded_one(f"subscriptions[{place}]", payload) for place, payload in enumerate(subscriptions))


def encoded_one(name: str, payload: Payload) -> str | bytes:
    """Return a payload as it goes out; refuse what cannot be sent, by its `name`."""
    if isinstance(payload, str):
        try:
            payload.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(name, f"cannot be sent as text: {error}") from error
    if isinstance(payload, str | bytes):
        return payload
    if payload is None or isinstance(payload, int | float):
        raise ConfigError(name, f"{payload!r} is no payload; take a dict, a list, str or bytes")
    try:
        return msgspec.json.encode(payload).decode()
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise ConfigError(name, f"cannot be sent as JSON: {error}") from error
