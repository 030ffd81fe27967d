"""Fresh connections, one after another, for a loop that does everything else by hand."""

from __future__ import annotations

import asyncio
import random as chance
from collections.abc import AsyncIterator, Callable
from typing import TypedDict, Unpack

from rxws.backoff import Backoff, Policy, decide
from rxws.buffer import Buffer
from rxws.connection import Headers, Url, connect
from rxws.errors import ConfigError, Disconnected
from rxws.operators._attempts import Attempts
from rxws.scheduler import scheduler, settled
from rxws.transport import Transport, TransportOptions
from rxws.types import Connection, Message, Payload

__all__ = ["ConnectOptions", "FreshConnection", "connections"]


class ConnectOptions(TransportOptions, total=False):
    """The keywords of `connect`."""

    headers: Headers
    transport: str | Transport
    open_timeout: float | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    max_size: int | None
