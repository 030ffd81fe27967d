"""How long to wait before the next attempt: pure policies, and the one function that applies them."""

from __future__ import annotations

import random as chance
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from math import inf, isfinite
from sys import float_info
from typing import TYPE_CHECKING, Any, Literal

from rxws.errors import (
    TABLE,
    ConfigError,
    Fatal,
    RetriesExhausted,
    RetryAfter,
    Table,
    Verdict,
    verdict,
)
from rxws.types import RetrySignal

if TYPE_CHECKING:
    from reactivex import Observable

__all__ = ["Backoff", "Policy", "Wait", "check_policy", "decide"]

Policy = Callable[[RetrySignal], "float | Observable[Any] | None"]  # Any: only that it emits matters, not what
"""A loss to the seconds until the next attempt, or an observable whose first value means now; None: give up."""

# What 1008, 1013 and 429 wait under a policy that has no cap of its own. Binance bans for about 120 s whoever comes
# back sooner, and venues that answer 1013 ask for a pause without saying how long.
PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """A delay that grows with the failures in a row, up to a cap, and is then jittered.

    The delay before attempt ``n + 1`` after ``n`` failures in a row is ``min(cap, initial * factor ** (n - 1))``;
    full jitter then draws from (0, delay].

    Args:
        initial: the first delay in seconds, 0 or more.
        factor: what each further failure multiplies it by, 1 or more.
        cap: the largest delay in seconds, at least `initial`.
        jitter: "full": uniform in (0, delay], drawn after the cap; "none": the delay itself.
        max_attempts: how many attempts in a row may fail, the first included; None: no limit.
        stable_after: seconds that a connection must have been open to have proved itself; after that the next
            failure counts as the first.
        table: what each error means, see `rxws.errors.TABLE`.

    Raises:
        ConfigError: an argument is out of its range.

    >>> policy = Backoff(initial=1.0, cap=10.0, jitter="none")
    >>> [policy.delay(failures) for failures in range(1, 7)]
    [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    """

    initial: float = 1.0
    factor: float = 2.0
    cap: float = 60.0
    jitter: Literal["full", "none"] = "full"
    max_attempts: int | None = None
    stable_after: float = 60.0
    table: Table = field(default_factory=lambda: TABLE, repr=False, hash=False)
    _: KW_ONLY
    pause: float | None = field(default=None, repr=False)
    """What an error waits that asks for a pause without saying how long; None: `cap`."""

    def __post_init__(self) -> None:
        _check("initial", self.initial, 0.0, "0 or more seconds")
        _check("factor", self.factor, 1.0, "1 or more")
        _check("cap", self.cap, self.initial, f"at least initial={self.initial}")
        _check("stable_after", self.stable_after, 0.0, "0 or more")
        if self.jitter not in ("full", "none"):
            raise ConfigError("jitter", f'{self.jitter!r} is unknown; take "full" or "none"')
        _check_count("max_attempts", self.max_attempts)
        _check_table(self.table)
        if self.pause is not None:
            _check("pause", self.pause, 0.0, "0 or more seconds")

    @classmethod
    def immediate(cls, *, max_attempts: int | None = None, table: Table = TABLE) -> Backoff:
        """Try again at once. Meant for tests: against a server that is down this is a storm."""
        return cls(0.0, 1.0, 0.0, "none", max_attempts, table=table, pause=PAUSE)

    @classmethod
    def fixed(cls, seconds: float, *, max_attempts: int | None = None, table: Table = TABLE) -> Backoff:
        """Wait the same `seconds` before each attempt."""
        _check("seconds", seconds, 0.0, "0 or more seconds")
        return cls(seconds, 1.0, seconds, "none", max_attempts, table=table, pause=max(seconds, PAUSE))

    @classmethod
    def exponential(
        cls,
        initial: float = 1.0,
        factor: float = 2.0,
        cap: float = 60.0,
        *,
        jitter: Literal["full", "none"] = "full",
        max_attempts: int | None = None,
        stable_after: float = 60.0,
        table: Table = TABLE,
    ) -> Backoff:
        """The default by its name, with its arguments."""
        return cls(initial, factor, cap, jitter, max_attempts, stable_after, table)

    def delay(self, in_a_row: int) -> float:
        """Return the delay in seconds after `in_a_row` failures, before jitter."""
        try:
            grown = self.initial * self.factor ** (in_a_row - 1)
        except OverflowError:
            grown = inf if self.initial else 0.0
        return min(self.cap, grown)

    def __call__(self, signal: RetrySignal, random: Callable[[], float] = chance.random) -> float | None:
        """Return the seconds to wait after `signal`, jittered by `random`; None once `max_attempts` have failed."""
        if self.max_attempts is not None and signal.in_a_row >= self.max_attempts:
            return None
        delay = self.delay(signal.in_a_row)
        # random() is in [0, 1): one minus it is in (0, 1], so that a delay is never 0 by chance.
        return delay * (1.0 - random()) if self.jitter == "full" else delay


@dataclass(frozen=True, slots=True)
class Wait:
    """What `decide` says: wait `seconds`, because of `rule`, and for the first value of `until` too, if any."""

    seconds: float
    rule: str
    until: Observable[Any] | None = None


def check_policy(name: str, policy: object) -> None:
    """Refuse what is no policy, a `Backoff` or one of its makers that was not called among them, and not None.

    Raises:
        ConfigError: it names `name`.

    >>> check_policy("retry", Backoff.immediate)
    Traceback (most recent call last):
    rxws.errors.ConfigError: retry: method will not do; take a Backoff(…), a function of a RetrySignal, or None
    """
    uncalled = isinstance(policy, type) or isinstance(getattr(policy, "__self__", None), type)
    if policy is not None and (uncalled or not callable(policy)):
        kind = type(policy).__name__
        raise ConfigError(name, f"{kind} will not do; take a Backoff(…), a function of a RetrySignal, or None")


def decide(policy: Policy | None, signal: RetrySignal, random: Callable[[], float] = chance.random) -> Wait | Exception:
    """Say what follows a loss: a wait, or the error that goes to the subscriber.

    The error's verdict comes first: what is Fatal goes to the subscriber untouched. Then the policy is asked; None is
    `RetriesExhausted`, from the last error. Then the error's own wish is a floor: seconds that it names (Retry-After)
    are kept as they are; a pause without a length (1008, 1013, 429) is the policy's cap,
    jittered between half and all of it, and at least 30 s under a policy that has no cap.

    Args:
        policy: a `Backoff` or any callable; None: never try again.
        signal: the loss.
        random: uniform in [0, 1).
    """
    table = policy.table if isinstance(policy, Backoff) else TABLE
    meaning = verdict(signal.error, table)
    if policy is None or isinstance(meaning, Fatal):
        return signal.error
    answer = policy(signal, random) if isinstance(policy, Backoff) else policy(signal)
    if answer is None:
        exhausted = RetriesExhausted(signal.in_a_row, signal.total)
        exhausted.__cause__ = signal.error
        return exhausted
    wait = _answered(answer)
    if isinstance(meaning, RetryAfter):
        floor = _asked_for(meaning, policy, random)
        return replace(floor, until=wait.until) if floor.seconds > wait.seconds else wait
    return wait


def _answered(answer: float | Observable[Any]) -> Wait:
    # Neither kind is asked for by name: reactivex is not imported here, and numpy's numbers are seconds too.
    if hasattr(answer, "__float__") and not isinstance(answer, bool) and isfinite(answer):
        return Wait(max(0.0, float(answer)), "policy")
    if not hasattr(answer, "__float__") and hasattr(answer, "subscribe"):
        return Wait(0.0, "policy", answer)
    raise ConfigError("retry", f"the policy returned {answer!r}; return seconds, an observable, or None to give up")


def _asked_for(meaning: RetryAfter, policy: Policy, random: Callable[[], float]) -> Wait:
    if meaning.seconds is not None:
        return Wait(meaning.seconds, "retry after")
    pause = PAUSE
    if isinstance(policy, Backoff):
        pause = policy.cap if policy.pause is None else policy.pause
        if policy.pause is None and policy.jitter == "full":
            pause *= 0.5 + 0.5 * (1.0 - random())
    return Wait(pause, "pause")


def _check(name: str, value: float, least: float, right: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigError(name, f"{value!r} is no float or int; take a number, {right}")
    if not least <= value <= float_info.max:
        raise ConfigError(name, f"{value!r} is out of range; take a number, {right}")


def _check_count(name: str, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(name, f"{value!r} is out of range; take a whole number, 1 or more, or None for no limit")


def _check_table(table: Table) -> None:
    if not isinstance(table, Mapping):
        raise ConfigError("table", f"{table!r} is no mapping; take one like rxws.errors.TABLE")
    for key, meaning in table.items():
        if not isinstance(meaning, Verdict):
            raise ConfigError("table", f"{key!r} means {meaning!r}; take Retry(), RetryAfter(), Refresh() or Fatal()")
        if isinstance(meaning, RetryAfter) and meaning.seconds is not None:
            _check("table", meaning.seconds, 0.0, f"0 or more seconds for {key!r}")
