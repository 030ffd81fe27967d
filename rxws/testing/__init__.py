"""Help for your own tests: an exchange that misbehaves on order, a transport that plays a script, a leak check."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rxws.testing._random_walk import random_walk as random_walk
    from rxws.testing.exchange import ConnectionRecord as ConnectionRecord
    from rxws.testing.exchange import Dropped as Dropped
    from rxws.testing.exchange import Gap as Gap
    from rxws.testing.exchange import Limits as Limits
    from rxws.testing.exchange import ManualClock as ManualClock
    from rxws.testing.exchange import SimulatedExchange as SimulatedExchange
    from rxws.testing.exchange import TrueBook as TrueBook
    from rxws.testing.leftovers import Leftovers as Leftovers
    from rxws.transport.scripted import Attempt as Attempt
    from rxws.transport.scripted import Dialed as Dialed
    from rxws.transport.scripted import ScriptedTransport as ScriptedTransport

__all__ = [
    "Attempt",
    "ConnectionRecord",
    "Dialed",
    "Dropped",
    "Gap",
    "Leftovers",
    "Limits",
    "ManualClock",
    "ScriptedTransport",
    "SimulatedExchange",
    "TrueBook",
    "random_walk",
]

SCRIPTED = ("Attempt", "Dialed", "ScriptedTransport")


def __getattr__(name: str) -> object:
    # Imported when asked for: pytest loads this package with the plugin, in every run of every
    # project.
    if name in SCRIPTED:
        from rxws.transport import scripted

        return getattr(scripted, name)
    if name == "Leftovers":
        from rxws.testing import leftovers

        return leftovers.Leftovers
    if name == "random_walk":
        from rxws.testing import _random_walk

        return _random_walk.random_walk
    if name in __all__:
        from rxws.testing import exchange

        return getattr(exchange, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
