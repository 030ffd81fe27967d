"""A notifier for `retry_when`, made of a policy."""

from __future__ import annotations

import random as chance
from collections.abc import Callable
from typing import Any

from reactivex import Observable, timer
from reactivex import zip as zip_

from rxws.backoff import Backoff, Policy, check_policy, decide
from rxws.operators._notifier import Decision, deciding
from rxws.types import Logbook, RetrySignal, Silence

__all__ = ["after"]


def after(
    policy: Policy | None = Backoff(),
    *,
    random: Callable[[], float] = chance.random,
    journal: Logbook | None = None,
) -> Callable[[Observable[RetrySignal]], Observable[Any]]:
    """Make the notifier of `retry_when` that emits when a policy says so.

    ::

        signals   ──s────────────s──
        policy      └ 0.7 s ┐    └ None
        result    ──────────n────#            RetriesExhausted

    What the error means comes first (`rxws.errors.TABLE`): a fatal one is the result's error, untouched; Retry-After
    and the pause that some close codes ask for are a floor under the policy.

    Args:
        policy: a `Backoff`, or any function of a `RetrySignal`: seconds, or an observable whose first value means now
            (where it completes without one, the result completes), or None to give up. None: the error goes to the
            subscriber at once.
        random: uniform in [0, 1), for the jitter.
        journal: told of each wait; None: nobody.

    Raises:
        ConfigError: `policy` is not callable.

    Errors of the result: `RetriesExhausted` from the last error when the policy gives up; what the policy raises.

    >>> from reactivex.testing import TestScheduler
    >>> import reactivex as rx
    >>> from rxws.errors import ConnectionClosed
    >>> from rxws.operators import retry_when
    >>> virtual, seen = TestScheduler(), []
    >>> source = rx.concat(rx.of("tick"), rx.throw(ConnectionClosed(1001)))
    >>> again = retry_when(after(Backoff.fixed(2.0, max_attempts=3)))
    >>> _ = source.pipe(again).subscribe(seen.append, lambda error: seen.append(str(error)), scheduler=virtual)
    >>> virtual.advance_to(3.0)
    >>> seen
    ['tick', 'tick']
    >>> virtual.advance_to(9.0)
    >>> seen[-1]
    'gave up after 3 failures in a row, 3 in total: ConnectionClosed: the server closed the connection with code 1001'
    """
    check_policy("policy", policy)
    told = Silence() if journal is None else journal

    def decision(signal: RetrySignal) -> Decision:
        wait = decide(policy, signal, random)
        if isinstance(wait, Exception):
            return wait
        told.waiting(None if wait.until else wait.seconds, wait.rule, signal.error, signal.in_a_row + 1)
        if wait.until is None:
            return wait.seconds
        return zip_(wait.until, timer(wait.seconds)) if wait.seconds else wait.until

    return deciding(decision)
