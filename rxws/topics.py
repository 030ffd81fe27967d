"""The topics of one connection, told of by its own journal."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from rxws import operators as wsops
from rxws.errors import IdleTimeout
from rxws.types import Connection

__all__ = ["by_topic"]


def by_topic(
    values: Callable[[Observable[Connection]], Observable[Any]],  # Any: whatever is decoded
    topic: Callable[[Any], Hashable] | None,
    timeout: float | None,
    reconnect: bool,
) -> Callable[[Observable[Connection]], Observable[Any]]:
    """Return `values`, with an eye on the topics of each connection.

    Args:
        values: from connections to values.
        topic: of a value; one that raises is told, and the value belongs to none.
        timeout: seconds that a topic may be silent; None: for ever.
        reconnect: whether the connection then counts as lost.
    """
    if topic is None or timeout is None:
        return values

    def operator(source: Observable[Connection]) -> Observable[Any]:
        def attempt(_: object) -> Observable[Any]:
            current: list[Connection] = []

            def stale(silent: Hashable, idle: float) -> None:
                current[0].journal.stale(idle, str(silent))
                if reconnect:
                    current[0].fail(IdleTimeout(timeout))

            def failed(error: Exception) -> None:
                current[0].journal.callback_failed("topic", error)

            watched = wsops.topic_timeout(timeout, topic, stale, failed=failed, connection=lambda: current[0])
            return source.pipe(ops.do_action(current.append), values, watched)

        return rx.defer(attempt)

    return operator
