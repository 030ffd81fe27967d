"""What a client is subscribed to: kept while it is away, and asked for anew on each connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rxws.errors import ConfigError
from rxws.operators._payloads import Format, Subscriptions, encoded, formatted
from rxws.types import Payload

__all__ = ["Channels", "generic"]


def generic(action: str, channel: str) -> Payload:
    """Ask for a channel as many small venues want it; pass a `format` of your own for the others.

    >>> generic("subscribe", "trades")
    {'type': 'subscribe', 'channel': 'trades'}
    """
    return {"type": action, "channel": channel}


class Channels:
    """Channels by name, in the order in which they were asked for, and payloads that are always sent.

    Args:
        subscriptions: strings are channels; or a callable of payloads, asked anew for each connection.
        format: makes a payload of ("subscribe" or "unsubscribe", channel).

    Raises:
        ConfigError: something of it cannot be sent.
    """

    def __init__(self, subscriptions: Subscriptions, format: Format) -> None:
        if not callable(format):
            raise ConfigError(
                "format", f'{format!r} is not callable; take a function of ("subscribe", channel), or None'
            )
        self._format = format
        self._asked = formatted(subscriptions, format) if callable(subscriptions) else ()
        fixed: list[Payload] = []
        if not callable(subscriptions):
            if isinstance(subscriptions, str | bytes | Mapping) or not isinstance(subscriptions, Iterable):
                encoded(subscriptions)  # which refuses it
            fixed = list(subscriptions)
        self._payloads = encoded([each for each in fixed if not isinstance(each, str)])
        self._names = dict.fromkeys(each for each in fixed if isinstance(each, str))
        encoded(self._of("subscribe", self._names))

    @property
    def names(self) -> frozenset[str]:
        """The channels that are wanted."""
        return frozenset(self._names)

    def wanted(self) -> list[Payload]:
        """Return what a new connection is sent."""
        asked = self._asked() if callable(self._asked) else self._asked
        return [*asked, *self._payloads, *self._of("subscribe", self._names)]

    def new(self, channels: Sequence[str]) -> list[tuple[str, Payload]]:
        """Return those that are not wanted yet, each with what asks for it.

        Raises:
            ConfigError: one is no string, or what asks for it cannot be sent.
        """
        return self._changes("subscribe", channels, wanted=False)

    def old(self, channels: Sequence[str]) -> list[tuple[str, Payload]]:
        """Return those that are wanted, each with what ends it."""
        return self._changes("unsubscribe", channels, wanted=True)

    def add(self, channel: str) -> None:
        """Want this one too, on each connection from the next on."""
        self._names[channel] = None

    def remove(self, channel: str) -> None:
        """Want it no more."""
        self._names.pop(channel, None)

    def _changes(self, action: str, channels: Sequence[str], wanted: bool) -> list[tuple[str, Payload]]:
        for channel in channels:
            if not isinstance(channel, str):
                right = "take channels by name, and `send` for payloads"
                raise ConfigError("channels", f"{channel!r} is no string; {right}")
        names = dict.fromkeys(each for each in channels if (each in self._names) is wanted)
        payloads = self._of(action, names)
        encoded(payloads)
        return list(zip(names, payloads, strict=True))

    def _of(self, action: str, names: Iterable[str]) -> list[Payload]:
        return [self._format(action, name) for name in names]
