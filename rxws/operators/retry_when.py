"""Subscribe again after a loss, when a notifier says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from reactivex import Observable

from rxws.arguments import function, zero_or_more
from rxws.operators._attempts import Attempts
from rxws.operators._resubscribe import Notifier, resubscribe
from rxws.types import RetrySignal

__all__ = ["retry_when"]

T = TypeVar("T")


def retry_when(
    notifier: Notifier[RetrySignal],
    stable_after: float = 60.0,
    *,
    attempts: Attempts | None = None,
) -> Callable[[Observable[T]], Observable[T]]:
    """Subscribe the source again after each loss of its connection, when the notifier emits.

    ::

        source    ──1──2──x
        notifier  ────────s──n               s: RetrySignal in, n: any value out
        source               ──3──4──x
        result    ──1──2───────3──4──…

    Only a `Disconnected` is a loss; any other error goes through untouched, and so does completion. The attempt is
    disposed before the notifier hears of its end. Sources that end within their subscribe do not grow the stack.

    Args:
        notifier: from the losses to an observable; each of its values subscribes again, its completion completes the
            result, its error is the result's. Called once a subscription. `operators.after` makes one of a policy.
        stable_after: seconds that a connection must have been open for the next loss to count as the first in a row.
        attempts: the count to go on with, where several operators share one; None: one of its own each subscription.

    Raises:
        ConfigError: `notifier` is not callable, or `stable_after` is not 0 or more.

    Source: ReactiveX `retryWhen` (reactivex.io/documentation/operators/retry.html), with the signal of Reactor's
    `Retry`.

    >>> import reactivex as rx
    >>> from reactivex import operators as ops
    >>> from rxws.errors import ConnectionClosed
    >>> source = rx.concat(rx.of(1, 2), rx.throw(ConnectionClosed(1001)))
    >>> _ = source.pipe(retry_when(lambda signals: signals.pipe(ops.take(1))), ops.catch(rx.empty())).subscribe(print)
    1
    2
    """
    function("notifier", notifier, "the losses, such as operators.after(policy)")
    zero_or_more("stable_after", stable_after)

    def operator(source: Observable[T]) -> Observable[T]:
        return resubscribe(source, notifier, lambda _: Losses(Attempts(stable_after) if attempts is None else attempts))

    return operator


class Losses:
    """Losses are counted and told; a completion is the subscriber's."""

    def __init__(self, attempts: Attempts) -> None:
        self.lost = attempts.lost

    def begin(self) -> None: ...

    def completed(self) -> None: ...
