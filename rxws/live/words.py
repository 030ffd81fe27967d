"""The life of a connection in a person's words."""

from __future__ import annotations

from rxws.errors import (
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    HandshakeRejected,
    IdleTimeout,
    PingTimeout,
)
from rxws.events import Blocked, Closed, Event, Overflow, Rotated, Stale, Suspended, Waiting

__all__ = ["beside", "end", "way_back"]


def end(closed: Closed) -> str:
    """Say how a connection, or an attempt at one, ended.

    >>> from rxws.events import reason_of
    >>> error = ConnectionClosed(1012)
    >>> end(Closed(generation=1, origin="", time_ns=0, reason=reason_of(error), error=error, uptime=2.0, opened=True))
    'lost: server closed (1012)'
    """
    if closed.error is None:
        return f"left by plan ({closed.reason.value})"
    if closed.opened:
        return f"lost: {_loss(closed.error)}"
    if isinstance(closed.error, HandshakeRejected):
        return f"refused: HTTP {closed.error.status}"
    return f"no connection: {_failure(closed.error)}"


def way_back(waiting: Waiting) -> str:
    """Say when the next attempt follows.

    >>> way_back(Waiting(generation=1, origin="", time_ns=0, seconds=0.42, rule="policy", attempt=2, error=None))
    'back in 0.42 s'
    """
    if waiting.seconds is None:
        return "back when it may"
    return f"back in {waiting.seconds:.2f} s" if waiting.seconds >= 0.005 else "back at once"


def beside(event: Event) -> str:
    """Say what happened beside the connections' coming and going; empty for any other event.

    >>> beside(Suspended(generation=1, origin="", time_ns=0, seconds=61.2))
    'slept for about 61 s; asks whether the connection is still there'
    """
    match event:
        case Rotated():
            return f"rotated without a gap ({event.rule}): the connection was {event.uptime:.3g} s old"
        case Blocked():
            by = "" if event.callback is None else f" in {event.callback}"
            return f"the loop stood still for {event.seconds:.3g} s{by}"
        case Suspended():
            return f"slept for about {event.seconds:.0f} s; asks whether the connection is still there"
        case Stale():
            where = "" if event.topic is None else f" on {event.topic}"
            return f"no data for {event.idle:.3g} s{where}"
        case Overflow():
            messages = "message" if event.dropped == 1 else "messages"
            return f"{event.dropped:,} {messages} dropped: no room in {event.where}"
    return ""


def _loss(error: Exception) -> str:
    match error:
        case ConnectionClosed(code=1006):
            reset = isinstance(error.__cause__, ConnectionResetError)
            return "connection reset" if reset else "cut off (1006)"
        case ConnectionClosed():
            return f"server closed ({error.code})"
        case IdleTimeout():
            return f"no data for {error.timeout:.3g} s"
        case PingTimeout():
            return f"no pong for {error.timeout:.3g} s"
    return str(error)


def _failure(error: Exception) -> str:
    match error:
        case ConnectionFailed(last_error=ConnectionRefusedError()):
            return "refused"
        case ConnectionFailed(last_error=BaseException() as cause):
            return str(cause) or type(cause).__name__
        case ConnectTimeout():
            return f"no answer for {error.timeout:.3g} s"
    return str(error)
