"""What a client is subscribed to: kept while it is away, and asked for anew on each connection."""

from __future__ import annotations

from collections.abc import Iterable

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
        self._format = format
        self._asked = formatted(subscriptions, format) if callable(subscriptions) else ()
        fixed = [] if callable(subscriptions) or isinstance(subscriptions, str) else list(subscriptions)
        if isinstance(subscriptions, str):
            encoded(subscriptions)  # a single string is refused
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

    def add(self, channels: Iterable[str]) -> list[Payload]:
        """Want these too; return what asks for those that are new."""
        new = dict.fromkeys(each for each in _named(channels) if each not in self._names)
        payloads = self._of("subscribe", new)
        encoded(payloads)
        self._names.update(new)
        return payloads

    def remove(self, channels: Iterable[str]) -> list[Payload]:
        """Want these no more; return what ends those that were wanted."""
        old = dict.fromkeys(each for each in _named(channels) if each in self._names)
        payloads = self._of("unsubscribe", old)
        encoded(payloads)
        for each in old:
            del self._names[each]
        return payloads

    def _of(self, action: str, names: Iterable[str]) -> list[Payload]:
        return [self._format(action, name) for name in names]


def _named(channels: Iterable[str]) -> Iterable[str]:
    for channel in channels:
        if not isinstance(channel, str):
            raise ConfigError("channels", f"{channel!r} is no string; take channels by name, payloads go by `send`")
        yield channel
