"""How long the next attempt waits: each strategy alone, and what an error's own wish makes of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from math import inf, isclose, nan
from sys import float_info
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st

from rxws.backoff import Backoff, Policy, Wait, check_policy, decide
from rxws.errors import (
    TABLE,
    ConfigError,
    ConnectionClosed,
    Fatal,
    HandshakeRejected,
    MessageTooBig,
    Refresh,
    RetriesExhausted,
    RetryAfter,
    verdict,
)
from rxws.types import RetrySignal

URL = "ws://venue.example"
LOST = ConnectionClosed(1006)
BUSY = ConnectionClosed(1013)

CHANCE = st.floats(0.0, 1.0, exclude_max=True)
IN_A_ROW = st.integers(1, 10**6)
INITIALS = st.floats(1e-3, 100.0)
POLICIES = st.builds(
    lambda initial, factor, more: Backoff(initial, factor, initial + more),
    INITIALS,
    st.floats(1.0, 10.0),
    st.floats(0.0, 1e4),
)


def lost(in_a_row: int = 1, error: Exception = LOST, total: int = 0) -> RetrySignal:
    """Return the signal of a loss."""
    return RetrySignal(error, total or in_a_row, in_a_row, 0.0)


def always(chance: float) -> Callable[[], float]:
    """Return a chance that is none."""
    return lambda: chance


def waits(policy: Policy, error: Exception = LOST, in_a_row: int = 1, chance: float = 0.0) -> Wait:
    """Return what is decided, where that is a wait."""
    decided = decide(policy, lost(in_a_row, error), always(chance))
    assert isinstance(decided, Wait)
    return decided


# Growth


@pytest.mark.parametrize(
    ("policy", "delays"),
    [
        (Backoff(), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
        (Backoff(initial=0.5, factor=3.0, cap=10.0), [0.5, 1.5, 4.5, 10.0, 10.0]),
        (Backoff(initial=5, factor=1, cap=60), [5.0, 5.0, 5.0]),
        (Backoff(initial=7.0, cap=7.0), [7.0, 7.0]),
        (Backoff.exponential(0.1, 2.0, 0.5), [0.1, 0.2, 0.4, 0.5]),
        (Backoff.fixed(3.0), [3.0, 3.0, 3.0]),
        (Backoff.fixed(0.0), [0.0, 0.0]),
        (Backoff.immediate(), [0.0, 0.0, 0.0]),
    ],
    ids=repr,
)
def test_a_delay_grows_by_its_factor_up_to_its_cap(policy: Backoff, delays: list[float]) -> None:
    """The first is `initial`, each further one `factor` times as long, none longer than `cap`."""
    assert [policy.delay(failures) for failures in range(1, len(delays) + 1)] == pytest.approx(delays)


@given(POLICIES, st.integers(1, 200))
def test_a_delay_is_what_the_formula_says(policy: Backoff, in_a_row: int) -> None:
    """min(cap, initial * factor ** (n - 1))."""
    assert policy.delay(in_a_row) == min(policy.cap, policy.initial * policy.factor ** (in_a_row - 1))


@given(POLICIES, IN_A_ROW, IN_A_ROW)
def test_a_delay_never_shrinks(policy: Backoff, one: int, other: int) -> None:
    """More failures in a row never wait less."""
    assert policy.delay(min(one, other)) <= policy.delay(max(one, other))


@pytest.mark.parametrize("in_a_row", [1_024, 1_025, 2_000, 10**6])
@pytest.mark.parametrize("factor", [2, 2.0, 1e300])
def test_weeks_of_failures_do_not_overflow(in_a_row: int, factor: float) -> None:
    """Beyond what a float holds the delay is the cap; and nothing times anything stays nothing."""
    assert Backoff(factor=factor).delay(in_a_row) == 60.0
    assert Backoff(initial=0.0, factor=factor).delay(in_a_row) == 0.0


# Jitter


@given(POLICIES, IN_A_ROW, CHANCE)
def test_a_jittered_delay_is_more_than_nothing_and_at_most_the_cap(
    policy: Backoff, in_a_row: int, chance: float
) -> None:
    """Chance never makes a storm, and never a longer wait than was asked for."""
    delay = policy(lost(in_a_row), always(chance))

    assert delay is not None
    assert 0.0 < delay <= policy.delay(in_a_row) <= policy.cap


@given(POLICIES, IN_A_ROW, st.lists(CHANCE, min_size=2, max_size=5))
def test_full_jitter_is_uniform(policy: Backoff, in_a_row: int, chances: list[float]) -> None:
    """The part of the delay that is waited is exactly the part that chance leaves."""
    delay = policy.delay(in_a_row)

    for chance in chances:
        assert isclose(policy(lost(in_a_row), always(chance)) or nan, delay * (1.0 - chance))


@given(IN_A_ROW.filter(lambda n: n > 10), CHANCE, CHANCE)
def test_at_the_cap_delays_still_differ(in_a_row: int, one: float, other: float) -> None:
    """After a long outage clients come back one by one: jitter follows the cap."""
    policy = Backoff()
    delays = [policy(lost(in_a_row), always(chance)) or nan for chance in (one, other)]

    assert isclose(abs(delays[0] - delays[1]), 60.0 * abs(one - other), abs_tol=1e-9)


def test_chance_is_pythons_own_unless_given() -> None:
    """Without a say of the caller, delays are drawn."""
    drawn = {Backoff()(lost(50)) for _ in range(50)}

    assert len(drawn) > 40
    assert all(delay is not None and 0.0 < delay <= 60.0 for delay in drawn)


@given(POLICIES, IN_A_ROW)
def test_without_jitter_chance_is_not_asked(policy: Backoff, in_a_row: int) -> None:
    """ "none" waits the delay itself."""

    def chance() -> float:
        raise AssertionError("asked")

    assert replace(policy, jitter="none")(lost(in_a_row), chance) == policy.delay(in_a_row)


# Attempts


@pytest.mark.parametrize(
    "make", [Backoff, Backoff.immediate, Backoff.exponential, lambda **more: Backoff.fixed(1.0, **more)]
)
def test_attempts_count_from_the_first_dial(make: Callable[..., Backoff]) -> None:
    """With three allowed, the third failure in a row is the last."""
    policy = make(max_attempts=3)

    assert [policy(lost(failures)) is None for failures in (1, 2, 3, 4)] == [False, False, True, True]
    assert make(max_attempts=1)(lost(1)) is None


def test_without_a_limit_attempts_go_on() -> None:
    """A stream that is to live for weeks gives up on nothing."""
    assert Backoff()(lost(10**6)) is not None


# The value


def test_the_strategies_are_the_one_policy_with_other_arguments() -> None:
    """Each carries the table, and what an error waits that asks for a pause."""
    table = {**TABLE, 1008: Fatal()}

    assert Backoff.exponential() == Backoff()
    assert Backoff.exponential(1, 3, 9, jitter="none", max_attempts=2, stable_after=5.0, table=table) == Backoff(
        initial=1, factor=3, cap=9, jitter="none", max_attempts=2, stable_after=5.0, table=table
    )
    assert Backoff.immediate(table=table).table is table
    assert Backoff.fixed(1.0, table=table).table is table
    assert (Backoff.immediate().initial, Backoff.immediate().cap) == (0.0, 0.0)
    assert Backoff().stable_after == Backoff.immediate().stable_after == 60.0


def test_a_policy_is_a_frozen_value() -> None:
    """Vary it with `dataclasses.replace`; two alike are the same."""
    policy: Any = Backoff()

    assert replace(policy, cap=5.0) == Backoff(cap=5.0) != policy
    assert hash(Backoff()) == hash(policy)
    for value in (policy, Wait(1.0, "policy")):
        assert not hasattr(value, "__dict__")
        for field in fields(value):
            with pytest.raises(FrozenInstanceError):
                setattr(value, field.name, 5.0)


def test_a_policy_shows_its_numbers() -> None:
    """The table, which is long, is left out."""
    assert repr(Backoff.fixed(3.0, max_attempts=7)) == (
        "Backoff(initial=3.0, factor=1.0, cap=3.0, jitter='none', max_attempts=7, stable_after=60.0)"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"initial": -1.0}, "initial: -1.0 is out of range; take a number, 0 or more seconds"),
        ({"initial": nan}, "initial: nan is out of range"),
        ({"initial": inf, "cap": inf}, "initial: inf is out of range"),
        ({"initial": "1"}, "initial: '1' is no float or int; take a number, 0 or more seconds"),
        ({"initial": True}, "initial: True is no float or int"),
        ({"initial": None}, "initial: None is no float or int"),
        ({"factor": 0.5}, "factor: 0.5 is out of range; take a number, 1 or more"),
        ({"factor": -inf}, "factor: -inf is out of range"),
        ({"factor": nan}, "factor: nan is out of range"),
        ({"factor": [2]}, "factor: [2] is no float or int"),
        ({"cap": 0.5}, "cap: 0.5 is out of range; take a number, at least initial=1.0"),
        ({"cap": inf}, "cap: inf is out of range"),
        ({"cap": 10**400}, "is out of range; take a number, at least initial=1.0"),
        ({"cap": None}, "cap: None is no float or int"),
        ({"stable_after": -0.1}, "stable_after: -0.1 is out of range; take a number, 0 or more"),
        ({"stable_after": nan}, "stable_after: nan is out of range"),
        ({"stable_after": "60"}, "stable_after: '60' is no float or int"),
        ({"jitter": "equal"}, 'jitter: \'equal\' is unknown; take "full" or "none"'),
        ({"jitter": None}, "jitter: None is unknown"),
        ({"max_attempts": 0}, "max_attempts: 0 is out of range; take a whole number, 1 or more, or None for no limit"),
        ({"max_attempts": -3}, "max_attempts: -3 is out of range"),
        ({"max_attempts": 2.5}, "max_attempts: 2.5 is out of range"),
        ({"max_attempts": nan}, "max_attempts: nan is out of range"),
        ({"max_attempts": True}, "max_attempts: True is out of range"),
        ({"max_attempts": "3"}, "max_attempts: '3' is out of range"),
        ({"table": None}, "table: None is no mapping; take one like rxws.errors.TABLE"),
        ({"table": {1008: 30.0}}, "table: 1008 means 30.0; take Retry(), RetryAfter(), Refresh() or Fatal()"),
        ({"table": {1008: Fatal}}, "table: 1008 means <class 'rxws.errors.Fatal'>; take Retry()"),
        ({"table": {429: RetryAfter(-1.0)}}, "table: -1.0 is out of range; take a number, 0 or more seconds for 429"),
        ({"table": {429: RetryAfter(inf)}}, "table: inf is out of range"),
        ({"pause": -1.0}, "pause: -1.0 is out of range; take a number, 0 or more seconds"),
    ],
    ids=repr,
)
def test_a_wrong_argument_is_refused_by_its_name(arguments: dict[str, Any], says: str) -> None:
    """When the policy is made, with the value and the way out."""
    with pytest.raises(ConfigError) as caught:
        Backoff(**arguments)

    assert says in str(caught.value)
    assert caught.value.field in arguments


def test_the_bounds_themselves_are_taken() -> None:
    """Nothing to wait, no growth, and proof by the handshake are odd, but what they say is clear."""
    policy = Backoff(initial=0, factor=1, cap=float_info.max, stable_after=0, max_attempts=1, pause=0)

    assert policy.delay(5) == 0.0
    assert verdict(BUSY, Backoff(table={1013: RetryAfter(0.0)}).table) == RetryAfter(0.0)


@pytest.mark.parametrize("seconds", [-1.0, nan, inf, "5", None, True], ids=repr)
def test_a_fixed_policys_seconds_are_refused_by_that_name(seconds: Any) -> None:
    """Not by the name of the field that they fill."""
    with pytest.raises(ConfigError, match="^seconds: "):
        Backoff.fixed(seconds)


# What follows a loss


def test_without_a_policy_the_error_is_the_subscribers() -> None:
    """None never tries again, whatever was lost."""
    assert decide(None, lost()) is LOST
    assert decide(None, lost(error=BUSY)) is BUSY


@pytest.mark.parametrize("error", [HandshakeRejected(URL, 401, 5.0), MessageTooBig(1), ValueError("a bug")], ids=repr)
@pytest.mark.parametrize(
    "policy", [Backoff(), Backoff(max_attempts=1), lambda signal: None], ids=["b", "one", "callable"]
)
def test_what_is_fatal_goes_through_untouched(policy: Policy, error: Exception) -> None:
    """The very error, and the policy is not asked, though it would give up."""
    assert decide(policy, lost(9, error)) is error


def test_a_policys_own_table_decides() -> None:
    """What is fatal for one venue is cured by a new token for another."""
    refused = HandshakeRejected(URL, 401)

    assert waits(Backoff(table={**TABLE, 401: Refresh()}), refused) == Wait(1.0, "policy")
    assert decide(Backoff(table={**TABLE, 1006: Fatal()}), lost()) is LOST


def test_a_policy_sees_the_signal() -> None:
    """Any function of it is a policy."""
    signal = RetrySignal(LOST, total=12, in_a_row=3, uptime=1.5)
    seen: list[RetrySignal] = []

    def policy(signal: RetrySignal) -> float:
        seen.append(signal)
        return signal.in_a_row * 2.0

    assert decide(policy, signal) == Wait(6.0, "policy")
    assert seen == [signal]


def test_a_policy_gets_the_chance_that_was_given() -> None:
    """A `Backoff` draws from `random`, for its delay and for its pause."""
    assert waits(Backoff(), chance=0.25) == Wait(0.75, "policy")
    assert waits(Backoff(), BUSY, chance=0.25) == Wait(52.5, "pause")


@pytest.mark.parametrize("policy", [Backoff(max_attempts=3), lambda signal: None], ids=["backoff", "callable"])
@pytest.mark.parametrize("error", [LOST, BUSY, HandshakeRejected(URL, 429, 7.0)], ids=repr)
def test_a_policy_that_gives_up_is_exhausted_from_the_error(policy: Policy, error: Exception) -> None:
    """Both counts are told, the last error is the cause, and its wish to wait changes nothing."""
    decided = decide(policy, lost(3, error, total=12))

    assert isinstance(decided, RetriesExhausted)
    assert (decided.in_a_row, decided.total) == (3, 12)
    assert decided.__cause__ is error


class Number:
    """Like the numbers of numpy that are no floats."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [(2.5, 2.5), (3, 3.0), (0, 0.0), (-4.0, 0.0), (Number(1.5), 1.5), (Number(-1.5), 0.0)],
    ids=["float", "int", "zero", "negative", "number", "negative number"],
)
def test_a_policys_number_is_seconds(answer: Any, seconds: float) -> None:
    """Also one of numpy's; less than nothing is now."""
    wait = waits(lambda signal: answer)

    assert (wait.seconds, wait.rule, wait.until) == (seconds, "policy", None)
    assert type(wait.seconds) is float


@pytest.mark.parametrize("answer", [rx.never(), rx.of(1), rx.Subject()], ids=["never", "of", "subject"])
def test_a_policys_observable_is_waited_for(answer: Any) -> None:
    """It is handed on as it is."""
    wait = waits(lambda signal: answer)

    assert wait.until is answer
    assert (wait.seconds, wait.rule) == (0.0, "policy")


@pytest.mark.parametrize("answer", [nan, inf, -inf, Number(nan), True, False, "5", [], {"a": 1}], ids=repr)
def test_a_policys_other_answers_are_refused(answer: Any) -> None:
    """They are named: `False` would be a storm, and "5" would fail when it is waited for."""
    with pytest.raises(ConfigError) as caught:
        decide(lambda signal: answer, lost())

    assert str(caught.value).startswith(
        f"retry: the policy returned {answer!r}; return seconds, an observable, or None"
    )


def test_what_a_policy_raises_goes_up() -> None:
    """A bug in it is not an answer."""

    def policy(signal: RetrySignal) -> float:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide(policy, lost())


# The error's own wish


@given(POLICIES, st.floats(0.0, 1e5), CHANCE)
def test_retry_after_is_a_floor_and_is_not_jittered(policy: Backoff, asked: float, chance: float) -> None:
    """The longer of the two is waited, and it says whose wish it was."""
    own = waits(policy, chance=chance)
    wait = waits(policy, HandshakeRejected(URL, 503, asked), chance=chance)

    assert wait == (Wait(asked, "retry after") if asked > own.seconds else own)


@pytest.mark.parametrize(
    "policy", [Backoff(), Backoff.immediate(), Backoff.fixed(2.0), lambda signal: 2.0], ids=["b", "i", "f", "c"]
)
def test_retry_after_is_a_floor_under_every_policy(policy: Policy) -> None:
    """Also under the caller's own."""
    assert waits(policy, HandshakeRejected(URL, 429, 7.0)) == Wait(7.0, "retry after")


@given(POLICIES, IN_A_ROW, CHANCE)
def test_a_pause_is_between_half_the_cap_and_all_of_it(policy: Backoff, in_a_row: int, chance: float) -> None:
    """1008, 1013 and 429 do not wait less; where the policy's own delay is longer, that is waited."""
    for error in (BUSY, ConnectionClosed(1008), HandshakeRejected(URL, 429), HandshakeRejected(URL, 418)):
        wait = waits(policy, error, in_a_row, chance)
        own = policy(lost(in_a_row), always(chance)) or nan
        pause = policy.cap * (0.5 + 0.5 * (1.0 - chance))

        assert isclose(wait.seconds, max(own, pause))
        assert policy.cap / 2 <= wait.seconds <= policy.cap


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        (Backoff(jitter="none"), 60.0),
        (Backoff(cap=10.0, jitter="none"), 10.0),
        (Backoff.immediate(), 30.0),
        (Backoff.fixed(2.0), 30.0),
        (Backoff.fixed(45.0), 45.0),
        (lambda signal: 2.0, 30.0),
        (lambda signal: 45.0, 45.0),
        (replace(Backoff(), pause=90.0), 90.0),
        (replace(Backoff(), pause=0.0), 1.0),
    ],
)
def test_a_pause_is_the_cap_or_at_least_30_seconds(policy: Policy, seconds: float) -> None:
    """A policy without a cap of its own would come back at once, and be banned; none of these is jittered."""
    for error in (BUSY, ConnectionClosed(1008), HandshakeRejected(URL, 429)):
        assert waits(policy, error, chance=0.0).seconds == seconds
    if seconds > 1.0:
        assert waits(policy, BUSY, chance=0.99).seconds == seconds


@pytest.mark.parametrize(
    "policy",
    [
        Backoff(table={**TABLE, 1008: RetryAfter(120.0)}),
        Backoff.immediate(table={**TABLE, 1008: RetryAfter(120.0)}),
        Backoff.fixed(2.0, table={**TABLE, 1008: RetryAfter(120.0)}),
    ],
    ids=["exponential", "immediate", "fixed"],
)
def test_a_venues_table_may_ask_for_more(policy: Backoff) -> None:
    """Seconds in the table are a floor as they stand."""
    assert waits(policy, ConnectionClosed(1008), chance=0.5) == Wait(120.0, "retry after")


def test_an_observable_too_waits_out_the_floor() -> None:
    """Both must be over: the seconds that the error asks for, and what the policy waits for."""
    never: rx.Observable[Any] = rx.never()

    assert waits(lambda signal: never, BUSY) == Wait(30.0, "pause", never)
    assert waits(lambda signal: never, HandshakeRejected(URL, 429, 7.0)) == Wait(7.0, "retry after", never)
    assert waits(lambda signal: never, HandshakeRejected(URL, 429, 0.0)) == Wait(0.0, "policy", never)


def test_chance_of_a_decision_is_pythons_own_unless_given() -> None:
    """Two streams that were lost together do not come back together."""
    state = random.getstate()
    decided = {decide(Backoff(), lost(50)) for _ in range(20)}

    assert len(decided) > 15
    assert random.getstate() != state


@pytest.mark.parametrize("policy", [None, Backoff(), Backoff.fixed(1.0), lambda signal: 1.0])
def test_a_policy_is_a_backoff_or_a_function_or_none(policy: Any) -> None:
    """Nothing is said of it."""
    check_policy("retry", policy)


@pytest.mark.parametrize("wrong", [5, True, "fixed", Backoff, Backoff.immediate])
def test_what_is_no_policy_is_refused(wrong: Any) -> None:
    """One that was not called, too: it would break at the first loss, weeks after the start perhaps."""
    with pytest.raises(ConfigError, match=r"will not do; take a Backoff\(…\), a function") as refused:
        check_policy("policy", wrong)
    assert refused.value.field == "policy"
