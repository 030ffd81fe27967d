"""How often a host is dialled: an object that several observables share."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from urllib.parse import urlsplit

from rxws._sliding import TICK, earliest, sum_up
from rxws.arguments import check_url, seconds, whole, zero_or_more

__all__ = ["Governor", "host_of"]


def host_of(url: str) -> str:
    """Return the host and the port that `url` leads to, as a `Governor` knows them; nothing else of it.

    Raises:
        ConfigError: `url` is no WebSocket URL.

    >>> host_of("wss://me:secret@Stream.Binance.com/ws?key=abc"), host_of("ws://[::1]:8080")
    ('stream.binance.com:443', '[::1]:8080')
    """
    check_url(url, {})
    parts = urlsplit(url)
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port if parts.port is not None else 443 if parts.scheme == "wss" else 80
    return f"{name}:{port}"


class Governor:
    """So many dials to a host in any so many seconds, so far apart, and none while the host asked for a pause.

    Give one to all the observables that should count together. Binance bans an address that makes more than 300
    attempts in five minutes: ``Governor(dials=300)``. Without arguments it neither counts nor spaces, and only
    remembers what a host asked for.

    Instants are seconds of one monotonic clock: a governor belongs to one event loop. A host is "name:port", as
    `host_of` makes it; one for which nothing counts any more is forgotten.

    The way of a dial::

        at = governor.reserve(host, now)        a slot is taken: wait until `at`
        at = governor.due(host, at, now)        on waking: dial if `at` is now, else wait until `at` and ask again
        governor.give_back(host, at, now)       where it is called off before that

    Args:
        dials: how many in any `per` seconds, 1 or more; None: any number.
        per: seconds.
        spacing: seconds that two dials are apart at least; 0: none.

    Raises:
        ConfigError: an argument is out of its range.

    Source: Binance spot, WebSocket streams, the limits of connections per address, read 2026-11.

    >>> governor = Governor(dials=2, per=60.0, spacing=1.0)
    >>> [governor.reserve("venue.example:443", now=0.0) for _ in range(3)]
    [0.0, 1.0, 60.0]
    >>> governor.give_back("venue.example:443", 1.0, now=0.5)
    >>> governor.reserve("venue.example:443", now=0.5)
    1.0
    """

    __slots__ = ("_hosts", "_reach", "_rules")

    def __init__(self, dials: int | None = None, per: float = 300.0, spacing: float = 0.0) -> None:
        whole("dials", dials, optional=True)
        seconds("per", per, optional=False)
        zero_or_more("spacing", spacing)
        # At most `dials` in any `per` seconds, and at most one in any `spacing`.
        self._rules = [(1, spacing)] if spacing else []
        if dials is not None:
            self._rules.append((dials, per))
        self._reach = max((per for _, per in self._rules), default=0.0)
        self._hosts: dict[str, _Host] = {}

    def __repr__(self) -> str:
        dials = sum(len(known.taken()) for known in self._hosts.values())
        return f"<Governor: {len(self._hosts)} hosts, {dials} dials>"

    def reserve(self, host: str, now: float) -> float:
        """Take the first free slot, and return its instant: `now` or later.

        Who reserves later gets a later slot, or one that was given back.
        """
        self._forget(now)
        start = self.earliest(host, now)
        if not self._rules:
            return start
        known = self._hosts.setdefault(host, _Host())
        at = known.full_until = self._free(known.taken(), max(start, known.full_until))
        insort(known.reserved, at)
        return at

    def due(self, host: str, instant: float, now: float) -> float:
        """Say, on waking at `instant`, when that dial may really go: `now`, or the instant at which to ask again.

        For a loop may be late, and the host may have asked for a pause in between. What goes now is noted at `now`: so
        the dials that went keep every rule, however late the loop is. To ask again is never nearer than a microsecond.
        """
        start = max(instant, self.earliest(host, now))
        later = max(start, now + TICK)
        if not self._rules:
            return now if start == now else later
        known = self._hosts.setdefault(host, _Host())
        again = instant in known.put_off
        known.take_out(instant)
        # Those that were put off before have precedence; what is only planned has not, and is put off in its turn.
        line = sorted([*known.gone, *known.put_off])
        if start == now and self._free(known.gone if again else line, now) == now:
            known.gone.append(now)
            return now
        at = self._free(line, later)
        insort(known.put_off, at)
        return at

    def give_back(self, host: str, instant: float, now: float) -> None:
        """Free the slot of a dial that will not happen; only one that lies in the future is freed."""
        if instant > now and host in self._hosts:
            self._hosts[host].take_out(instant)
            self._hosts[host].full_until = -inf

    def hold_off(self, host: str, until: float) -> None:
        """Remember that `host` asked not to be dialled before `until`; the latest such instant holds.

        Slots before `until` that are taken already stay so; `due` puts them off when their time comes.
        """
        known = self._hosts.setdefault(host, _Host())
        known.held = max(known.held, until)

    def earliest(self, host: str, now: float) -> float:
        """Return when `host` may be dialled by what it asked for alone, `now` or later; nothing is reserved."""
        known = self._hosts.get(host)
        return now if known is None else max(now, known.held)

    def _free(self, taken: Sequence[float], start: float) -> float:
        at, before = start, -inf
        while at > before:
            before = at
            for count, per in self._rules:
                at = earliest(taken, count, per, at)
        return at

    def _forget(self, now: float) -> None:
        for host, known in list(self._hosts.items()):
            for instants in (known.reserved, known.put_off, known.gone):
                del instants[: bisect_right(instants, now, key=lambda instant: sum_up(instant, self._reach))]
            if known.held <= now and not known.taken():
                del self._hosts[host]


@dataclass(slots=True)
class _Host:
    """What is known of one host: instants in order, and until when it is left alone."""

    reserved: list[float] = field(default_factory=list)
    put_off: list[float] = field(default_factory=list)
    """Of dials that were due, and have to wait again."""
    gone: list[float] = field(default_factory=list)
    held: float = -inf
    full_until: float = -inf
    """The slot that was reserved last, where none before it has been given back: nobody need look before it."""

    def taken(self) -> list[float]:
        """Return all instants that count."""
        return sorted([*self.gone, *self.put_off, *self.reserved])

    def take_out(self, instant: float) -> None:
        """Remove the slot at `instant`, if it is there: it may have been forgotten."""
        for instants in (self.reserved, self.put_off):
            place = bisect_left(instants, instant)
            if instants[place : place + 1] == [instant]:
                del instants[place]
                return
