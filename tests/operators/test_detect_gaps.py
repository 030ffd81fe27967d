"""Where messages are missing stands in the stream, before the message behind the hole."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest
import reactivex as rx
from hypothesis import given
from hypothesis import strategies as st
from reactivex import operators as ops

from rxws.errors import ConfigError, ConnectionClosed
from rxws.events import ConnectionState, DisconnectReason, Gap, Rotated
from rxws.gaps import State, Step, Verdict, consecutive, links
from rxws.market import BookDelta, BookSnapshot, Trade
from rxws.operators import detect_gaps
from tests.operators.hand import STAMP, Hand, closed, opened
from tests.operators.seen import COMPLETED, Seen


def trade(number: int, symbol: str = "BTC", venue: str = "v") -> Trade:
    """Return a trade of this number."""
    one = Decimal(1)
    return Trade(venue=venue, symbol=symbol, price=one, size=one, side=None, id="", time_ns=0, sequence=number)


def delta(number: int, previous: int) -> BookDelta:
    """Return what changed in a book."""
    return BookDelta(venue="v", symbol="BTC", bids=(), asks=(), sequence=number, previous=previous)


def book(number: int) -> BookSnapshot:
    """Return a whole book."""
    return BookSnapshot(venue="v", symbol="BTC", bids=(), asks=(), sequence=number)


def shown(values: list[Any]) -> list[Any]:
    """Return the numbers of what came, and what the gaps say."""
    return [
        (each.topic, each.last, each.next) if isinstance(each, Gap) else getattr(each, "sequence", each)
        for each in values
    ]


def by_one(state: State | None, value: Any) -> Step:
    """A rule of one's own, over pairs of a topic and a number."""
    missing = state is not None and value[1] > state.last + 1
    return Step(Verdict.GAP if missing else Verdict.OK, State(value[1]), value[1])


def test_a_gap_stands_before_the_value_behind_it() -> None:
    """All values pass, as they are."""
    values = [trade(7), trade(8), trade(11), trade(12)]
    fed = Hand(detect_gaps(consecutive)).at(0.0, *values)
    assert shown(fed.values) == [7, 8, ("v:trade:BTC", 8, 11), 11, 12]
    assert [value for value in fed.values if isinstance(value, Trade)] == values


def test_each_topic_is_judged_by_itself() -> None:
    """By venue, kind and symbol."""
    fed = Hand(detect_gaps(consecutive))
    fed.at(0.0, trade(1), trade(5, "ETH"), trade(9, venue="w"), trade(2), trade(6, "ETH"), trade(10, venue="w"))
    assert [value for value in fed.values if isinstance(value, Gap)] == []
    fed.at(0.0, trade(8, "ETH"), trade(13, venue="w"), trade(3))
    gaps = [(value.topic, value.last, value.next) for value in fed.values if isinstance(value, Gap)]
    assert gaps == [("v:trade:ETH", 6, 8), ("w:trade:BTC", 10, 13)]


def test_a_snapshot_and_its_changes_are_one_topic() -> None:
    """It begins anew."""
    fed = Hand(detect_gaps(links)).at(0.0, book(10), delta(12, 10), delta(20, 15), book(30), delta(31, 30))
    assert shown(fed.values) == [10, 12, ("v:book:BTC", 12, 20), 20, 30, 31]


def test_what_is_no_market_event_passes_without_being_judged() -> None:
    """Unless there is a key."""
    fed = Hand(detect_gaps(by_one)).at(0.0, ("a", 1), ("a", 5), None)
    assert fed.values == [("a", 1), ("a", 5), None]


def test_a_key_of_ones_own_may_be_anything_hashable() -> None:
    """It is told as text; a value whose key is None passes without being judged."""
    key: Any = lambda value: value[0]  # noqa: E731
    fed = Hand(detect_gaps(by_one, key)).at(0.0, ("a", 1), (("x", 2), 5), (None, 9), ("a", 5), (("x", 2), 8))
    assert [value.topic for value in fed.values if isinstance(value, Gap)] == ["a", "x:2"]
    assert len(fed.values) == 7


def test_duplicates_pass_or_are_dropped() -> None:
    """As the caller chose; nothing else is."""
    values = [trade(1), trade(2), trade(1), trade(5), trade(4)]
    assert shown(Hand(detect_gaps(consecutive)).at(0.0, *values).values) == [1, 2, 1, ("v:trade:BTC", 2, 5), 5, 4]
    dropping = Hand(detect_gaps(consecutive, duplicates="drop")).at(0.0, *values)
    assert shown(dropping.values) == [1, 2, ("v:trade:BTC", 2, 5), 5]


def test_where_a_venue_began_anew_there_is_no_gap() -> None:
    """And what tells so is not dropped."""
    fed = Hand(detect_gaps(links, duplicates="drop")).at(0.0, book(15), delta(17, 15), delta(3, 17), delta(4, 3))
    assert shown(fed.values) == [15, 17, 3, 4]


def test_a_rule_that_knows_nothing_any_more_begins_anew() -> None:
    """A book without a number, say."""
    nameless = BookSnapshot(venue="v", symbol="BTC", bids=(), asks=())
    fed = Hand(detect_gaps(links)).at(0.0, nameless, delta(9, 8), nameless, delta(20, 19))
    assert [value for value in fed.values if isinstance(value, Gap)] == []


def test_a_rule_that_finds_a_gap_before_it_knew_anything_is_not_believed() -> None:
    """There is no number that it could be behind."""
    fed = Hand(detect_gaps(lambda state, value: Step(Verdict.GAP, None), str)).at(0.0, 1)
    assert fed.values == [1]


# What a gap says


def test_a_gap_says_of_which_connection_it_is() -> None:
    """That of the latest event; before any, of the venue."""
    fed = Hand(detect_gaps(consecutive)).at(5.0, trade(1), trade(3), opened(), trade(5))
    first, second = (value for value in fed.values if isinstance(value, Gap))
    assert (first.generation, first.origin, first.state) == (0, "v", ConnectionState.DISCONNECTED)
    assert (second.generation, second.origin, second.state) == (3, STAMP["origin"], ConnectionState.CONNECTED)
    assert second.time_ns == 5_000_000_000
    assert Hand(detect_gaps(by_one, lambda value: value[0])).at(0.0, ("a", 1), ("a", 5)).values[1].origin == ""


def test_it_needs_neither_a_loop_nor_a_scheduler() -> None:
    """Recorded messages may be judged too."""
    seen: list[Any] = []
    rx.of(trade(1), trade(3)).pipe(detect_gaps(consecutive)).subscribe(seen.append)
    assert shown(seen) == [1, ("v:trade:BTC", 1, 3), 3]


# Numbers of a connection


def test_numbers_that_a_connection_counts_begin_anew_with_the_next() -> None:
    """Where the caller says that they do; else what was missed in between is a gap, or what came is a duplicate."""
    feed = [trade(8), closed(), opened(), trade(1), trade(2), trade(4)]
    anew = Hand(detect_gaps(consecutive, duplicates="drop", per_connection=True)).at(0.0, *feed)
    assert shown(anew.values) == [8, closed(), opened(), 1, 2, ("v:trade:BTC", 2, 4), 4]
    goes_on = Hand(detect_gaps(consecutive)).at(0.0, trade(8), closed(), opened(), trade(11))
    assert shown(goes_on.values)[3:] == [("v:trade:BTC", 8, 11), 11]


def test_a_rotation_is_another_connection_too() -> None:
    """From its cut on, and not from the end of one that did not take over."""
    rotated = Rotated(**STAMP, previous=2, reason=DisconnectReason.SCHEDULED, rule="age", uptime=9.0, took=1.0)
    kept = closed(ConnectionState.CONNECTED)
    fed = Hand(detect_gaps(consecutive, per_connection=True))
    fed.at(0.0, trade(8), opened(), kept, trade(9), rotated, trade(20), trade(22))
    assert shown(fed.values)[4:] == [rotated, 20, ("v:trade:BTC", 20, 22), 22]


# What all operators keep


@pytest.mark.parametrize(
    "arguments",
    [(lambda state, value: value.nothing, str), (by_one, lambda value: value.nothing), (by_one, lambda value: [value])],
    ids=["rule", "key", "no key"],
)
def test_what_the_callers_functions_raise_is_the_results_error(arguments: Any) -> None:
    """The source is left."""
    fed, left = Hand(detect_gaps(*arguments)), list[bool]()
    fed.on_seen = lambda error: left.append(fed.is_left)
    fed.at(0.0, ("a", 1), ("a", 2))
    assert left == [True]  # before anybody hears of it
    assert [type(value) for value in fed.values] in ([AttributeError], [TypeError])
    assert fed.is_left


def test_who_leaves_at_a_gap_does_not_get_the_value() -> None:
    """And leaves the source."""
    fed = Hand(lambda _: lambda source: source.pipe(detect_gaps(consecutive), ops.take(2)))
    fed.at(0.0, trade(1), trade(3), trade(4))
    assert (shown(fed.values), fed.is_left) == ([1, ("v:trade:BTC", 1, 3), COMPLETED], True)


def test_it_ends_as_the_source_does() -> None:
    """Completion and error."""
    assert Hand(detect_gaps(consecutive)).ends().values == [COMPLETED]
    error = ConnectionClosed(1006)
    assert Hand(detect_gaps(consecutive)).ends(error).values == [error]


def test_two_subscribers_are_independent() -> None:
    """Each knows what it has seen."""
    fed = Hand(detect_gaps(consecutive)).at(0.0, trade(1))
    second = Seen(fed.virtual, fed.stream)
    fed.at(1.0, trade(3))
    assert (shown(fed.values), shown(second.values)) == ([1, ("v:trade:BTC", 1, 3), 3], [3])


def test_of_too_many_topics_the_one_that_was_silent_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins anew."""
    monkeypatch.setattr(sys.modules["rxws.operators._numbering"], "MOST", 2)
    fed = Hand(detect_gaps(consecutive)).at(0.0, trade(1, "A"), trade(1, "B"), trade(2, "A"), trade(1, "C"))
    fed.at(0.0, trade(9, "B"), trade(9, "C"), trade(9, "A"))
    assert [value.topic for value in fed.values if isinstance(value, Gap)] == ["v:trade:C"]


@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 3)), max_size=40))
def test_every_number_is_there_or_in_a_gap(steps: list[tuple[str, int]]) -> None:
    """Of each topic, from its first to its last."""
    fed, last = Hand(detect_gaps(consecutive)), {"A": 0, "B": 0}
    for symbol, step in steps:
        last[symbol] += step
        fed.at(0.0, trade(last[symbol], symbol))
    for symbol in "AB":
        there = [value.sequence for value in fed.values if isinstance(value, Trade) and value.symbol == symbol]
        for gap in fed.values:
            if isinstance(gap, Gap) and gap.topic == f"v:trade:{symbol}":
                there += range(gap.last + 1, gap.next)
        assert sorted(there) == list(range(min(there, default=1), last[symbol] + 1))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [({"rule": None}, "rule"), ({"key": "s"}, "key"), ({"duplicates": "keep"}, "duplicates")],
)
def test_a_wrong_argument_is_named(arguments: Any, field: str) -> None:
    """Before anybody subscribes."""
    with pytest.raises(ConfigError) as caught:
        detect_gaps(**{"rule": links, **arguments})
    assert caught.value.field == field
