"""Payloads that are sent again and again, checked and encoded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from rxws.errors import ConfigError
from rxws.types import Payload

__all__ = ["encoded"]


def encoded(subscriptions: Iterable[Payload]) -> tuple[str | bytes, ...]:
    """Return the payloads as they go out; refuse what cannot be sent, with its place."""
    if isinstance(subscriptions, str | bytes | Mapping):
        kind = type(subscriptions).__name__
        raise ConfigError("subscriptions", f"a single {kind}; take a list of payloads: [{kind}, …]")
    if not isinstance(subscriptions, Iterable):
        raise ConfigError("subscriptions", f"{subscriptions!r} is no list; take a list of payloads, [] for none")
    return tuple(_encoded(place, payload) for place, payload in enumerate(subscriptions))


def _encoded(place: int, payload: Payload) -> str | bytes:
    if isinstance(payload, str):
        try:
            payload.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"subscriptions[{place}]", f"cannot be sent as text: {error}") from error
    if isinstance(payload, str | bytes):
        return payload
    if payload is None or isinstance(payload, int | float):
        raise ConfigError(f"subscriptions[{place}]", f"{payload!r} is no payload; take a dict, a list, str or bytes")
    try:
        return msgspec.json.encode(payload).decode()
    except (TypeError, ValueError, msgspec.MsgspecError) as error:
        raise ConfigError(f"subscriptions[{place}]", f"cannot be sent as JSON: {error}") from error
