"""What a client of rxws needs to say that something is not there yet, or not installed."""

from __future__ import annotations

from typing import Any

from reactivex import Observable

from benchmarks.speed.clients.meter import Absent
from rxws import Stats, ws_observable
from rxws.errors import ConfigError


def stream(url: str, **settings: Any) -> Observable[Any]:
    """Return `ws_observable` as a careful user would have it: counted, and watched for silence.

    Raises:
        Absent: a transport or a setting is not there.
    """
    try:
        return ws_observable(url, stats=Stats(), idle_timeout=30, **settings)
    except ConfigError as error:
        raise Absent(str(error)) from error
