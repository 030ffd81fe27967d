"""Payloads that are sent again and again, checked and encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from inspect import iscoroutinefunction

from rxws.errors import ConfigError
from rxws.payloads import as_sent
from rxws.types import Payload

__all__ = ["Format", "Subscriptions", "encoded", "encoded_one", "for_each_connection", "formatted"]

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
    if callable(subscriptions):
        _check_callable(subscriptions)
        asked = subscriptions
        return lambda: _formatted(asked(), format)
    return _formatted(subscriptions, format)


def encoded(subscriptions: Iterable[Payload]) -> tuple[str | bytes, ...]:
    """Return the payloads as they go out; refuse what cannot be sent, with its place."""
    return tuple(
        encoded_one(f"subscriptions[{place}]", payload) for place, payload in enumerate(_listed(subscriptions))
    )


def for_each_connection(subscriptions: Subscriptions) -> Callable[[], tuple[str | bytes, ...]]:
    """Return what gives a connection its payloads, as they go out: the same each time, or asked anew."""
    if callable(subscriptions):
        _check_callable(subscriptions)
        asked = subscriptions
        return lambda: encoded(asked())
    payloads = encoded(subscriptions)
    return lambda: payloads


def encoded_one(name: str, payload: Payload) -> str | bytes:
    """Return a payload as it goes out; refuse what cannot be sent, by its `name`."""
    try:
        return as_sent(payload)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(name, f"cannot be sent: {error}") from error


def _formatted(subscriptions: Iterable[Payload], format: Format) -> list[Payload]:
    return [format("subscribe", each) if isinstance(each, str) else each for each in _listed(subscriptions)]


def _listed(subscriptions: Iterable[Payload]) -> Iterable[Payload]:
    if isinstance(subscriptions, str | bytes | Mapping):
        kind = type(subscriptions).__name__
        raise ConfigError("subscriptions", f"a single {kind}; take a list of payloads: [{kind}, …]")
    if not isinstance(subscriptions, Iterable):
        raise ConfigError("subscriptions", f"{subscriptions!r} is no list; take a list of payloads, [] for none")
    return subscriptions


def _check_callable(asked: Callable[[], object]) -> None:
    if iscoroutinefunction(asked):
        raise ConfigError("subscriptions", "a coroutine function; take a plain one, and await what it needs in on_open")
