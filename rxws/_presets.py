"""Settings that go together, by the name of what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["PRESETS"]

PRESETS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        # A loss costs money: it is found within ten seconds, and the way back is tried at once and often.
        "trading": MappingProxyType(
            {
                "open_timeout": 5.0,  # a healthy handshake takes less than a second, so another dial is the better bet
                "ping_interval": 5.0,  # with the next line: what is dead is found after 10 s, at the latest
                "ping_timeout": 5.0,
                "idle_timeout": 10.0,  # what is traded on is silent for a second or two; raise it for the rest
                "check_interval": 1.0,  # a window's callable is asked as often as its answer may matter
                "retry_initial": 0.25,  # most losses are of one connection and not of the venue
                # With full jitter 12 dials a minute while a venue is down, and 125 in the first ten minutes: fewer than
                # Kraken's 150 in ten minutes, Binance's 300 in five and Hyperliquid's 30 in one, each of one address.
                "retry_cap": 10.0,
                "retry_pause": 30.0,  # who is told to go away and comes back within the cap is banned for minutes
                "alert_interval": 60.0,  # somebody watches
            }
        ),
        # A gap costs nothing: few pings, few dials, few alerts, for hundreds of streams on one machine.
        "monitoring": MappingProxyType(
            {
                "open_timeout": 30.0,  # a slow handshake is still one
                "ping_interval": 45.0,  # just below the 60 s after which common proxies drop a silent connection
                "ping_timeout": 30.0,
                "idle_timeout": 300.0,  # a quiet market is no fault
                "check_interval": 30.0,
                "retry_initial": 5.0,  # nobody waits for it
                "retry_cap": 300.0,  # one dial in two and a half minutes while a venue is down
                "retry_stable_after": 300.0,  # as long as the cap, so that what comes back only to fall stays at it
                "alert_interval": 900.0,  # four an hour
            }
        ),
    }
)
"""Settings by the name of a preset."""
