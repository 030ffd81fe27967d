"""For each row of the reliability table a client in which what the row is about does not work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops

from benchmarks.reliability.watching import Client
from rxws import Backoff, ws_observable
from rxws.errors import TABLE, Retry

Options = dict[str, Any]


def given(**changed: Any) -> Client:
    """A client that is given other options than it was asked to have; a function makes one of what was asked."""

    def client(url: Any, **options: Any) -> Observable[Any]:
        new = {name: value(options) if callable(value) else value for name, value in changed.items()}
        return ws_observable(url, **{**options, **new})

    return client


def passing(*operators: Callable[[Observable[Any]], Observable[Any]]) -> Client:
    """A client that does something to the values."""
    return lambda url, **options: ws_observable(url, **options).pipe(*operators)


# What happens after a loss

gives_up = given(retry=None)
storms = given(retry=lambda options: Backoff.immediate())
never_gives_up = given(
    retry=lambda options: Backoff(0.05, cap=0.4, table={**TABLE, 401: Retry(), 403: Retry(), 404: Retry()})
)
knows_no_pauses = given(retry=lambda options: Backoff(0.05, cap=0.4, table={**TABLE, 1008: Retry(), 1013: Retry()}))


def deaf_to_retry_after(url: Any, **options: Any) -> Observable[Any]:
    """Come back after a tenth of a second, whatever the server has asked for."""
    return rx.defer(lambda _: ws_observable(url, **{**options, "retry": None})).pipe(
        ops.catch(lambda error, source: rx.timer(0.1).pipe(ops.flat_map(lambda _: source)))
    )


# What becomes of the values

loses = passing(ops.filter(lambda value: not (isinstance(value, dict) and value.get("n", 0) % 7 == 3)))
doubles = passing(ops.flat_map(lambda value: rx.of(value, value)))
