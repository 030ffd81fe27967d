"""The keywords of `ws_observable` as a type, for its overloads; what each means stands in its docstring."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Literal

from reactivex import Observable

from rxws.backoff import Policy
from rxws.connection import Headers
from rxws.lifecycle import EventObserver
from rxws.operators._decoded import Keep, OnBadFrame
from rxws.operators._gate import Condition
from rxws.operators.send_subscriptions import OnOpen
from rxws.planned_ends import Ticks, WayBack
from rxws.stats import Stats
from rxws.transport import Transport, TransportOptions
from rxws.types import Payload

__all__ = ["StreamOptions"]


class StreamOptions(TransportOptions, total=False):
    """All keywords of `ws_observable` but `decode` and `lifecycle`, on which its type depends."""

    headers: Headers
    on_open: OnOpen | None
    subscriptions: Iterable[Payload]
    outgoing: Observable[Payload] | None
    keep: Keep
    on_bad_frame: OnBadFrame
    retry: Policy | None
    connect_while: Condition | None
    disconnect_when: Ticks | None
    reconnect_when: WayBack | None
    check_interval: float
    max_age: float | None
    max_age_jitter: float
    rotate: None
    idle_timeout: float | None
    is_data: Callable[[bytes], object] | None
    open_timeout: float | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    max_size: int | None
    final_close_codes: Collection[int]
    stats: Stats | None
    events: EventObserver | None
    batch: Literal[False]
    dials: None
    transport: str | Transport
    random: Callable[[], float]
