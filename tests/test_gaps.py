"""Whether messages are missing, by the numbers that venues put on them: each hole is told once, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.gaps import Rule, State, Step, Verdict, consecutive, consecutive_trades, links
from rxws.market import BookDelta, BookSnapshot, Candle, LastTrade, MarketEvent, Quote, Ticker, Trade

OK, DUPLICATE, GAP, RESET = Verdict.OK, Verdict.DUPLICATE, Verdict.GAP, Verdict.RESET
WHOSE: dict[str, Any] = {"venue": "v", "symbol": "s"}
ONE = Decimal(1)


def trade(number: int | None) -> Trade:
    """Return a trade of this number."""
    return Trade(**WHOSE, price=ONE, size=ONE, side=None, id=str(number), time_ns=0, sequence=number)


def book(number: int | None) -> BookSnapshot:
    """Return a whole book of this number."""
    return BookSnapshot(**WHOSE, bids=(), asks=(), sequence=number)


def delta(number: int | None, previous: int | None = None, first: int | None = None) -> BookDelta:
    """Return what changed in a book."""
    return BookDelta(**WHOSE, bids=(), asks=(), sequence=number, previous=previous, first=first)


def steps(rule: Rule, *events: MarketEvent, state: State | None = None) -> list[Step]:
    """Return what a rule says of events, one after another."""
    said = []
    for event in events:
        step = rule(state, event)
        state = step.state
        said.append(step)
    return said


def verdicts(rule: Rule, *events: MarketEvent) -> list[Verdict]:
    """Return what they are."""
    return [step.verdict for step in steps(rule, *events)]


def others() -> list[MarketEvent]:
    """What no rule numbers."""
    top: dict[str, Any] = {"bid": None, "bid_size": None, "ask": None, "ask_size": None, "time_ns": 0}
    candle: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close", "volume"), ONE)
    return [
        Quote(**WHOSE, **top, sequence=9),
        Ticker(**WHOSE, **top, last=None, open=None, high=None, low=None, volume=None),
        Candle(**WHOSE, **candle, interval="1m", open_ns=0, close_ns=60, closed=None, time_ns=0),
    ]


# Numbers that grow by one


def test_of_consecutive_numbers_none_may_be_missing() -> None:
    """The first is taken as it is; a gap says between which numbers, and the next one is right again."""
    said = steps(consecutive, trade(7), trade(8), trade(11), trade(12))
    assert [step.verdict for step in said] == [OK, OK, GAP, OK]
    assert said[2] == Step(GAP, State(11), 11)
    assert [step.next for step in said] == [0, 0, 11, 0]


def test_a_number_that_was_there_is_a_duplicate_and_changes_nothing() -> None:
    """However old it is, also where it makes good for a gap."""
    assert verdicts(consecutive, trade(7), trade(7), trade(1), trade(8)) == [OK, DUPLICATE, DUPLICATE, OK]
    assert verdicts(consecutive, trade(1), trade(4), trade(2), trade(3), trade(5)) == [
        OK,
        GAP,
        DUPLICATE,
        DUPLICATE,
        OK,
    ]


def test_what_is_never_numbered_is_not_checked_and_changes_nothing() -> None:
    """It is no part of the count."""
    said = steps(consecutive, trade(7), *others(), trade(8))
    assert [step.verdict for step in said] == [OK] * len(said)
    assert {step.state for step in said[:-1]} == {State(7)}


@pytest.mark.parametrize("unnumbered", [trade(None), delta(None)])
def test_what_lacks_its_number_leaves_the_next_unchecked(unnumbered: MarketEvent) -> None:
    """It may have had any; what has been there is a duplicate all the same, and from the next one on all is checked."""
    came = [trade(7), unnumbered, trade(6), trade(7), LastTrade(venue="v", symbol="s", sequence=9, time_ns=0), trade(9)]
    assert verdicts(consecutive, *came, trade(11)) == [OK, OK, DUPLICATE, DUPLICATE, OK, OK, GAP]
    assert verdicts(consecutive, unnumbered, trade(9), trade(11)) == [OK, OK, GAP]


def test_deltas_that_are_numbered_one_by_one_are_checked_too() -> None:
    """Kraken Futures counts so, and Bybit."""
    assert verdicts(consecutive, book(5), delta(6), delta(8)) == [OK, OK, GAP]


def test_a_whole_book_begins_to_count_anew() -> None:
    """Bybit sends one, with the number 1, when its service has restarted: that is no duplicate, nor what follows."""
    assert verdicts(consecutive, book(500), delta(501), book(1), delta(2), delta(4)) == [OK, OK, OK, OK, GAP]
    assert verdicts(consecutive, delta(5), book(9), delta(10)) == [OK, OK, OK]
    assert verdicts(consecutive, delta(5), book(None), delta(9)) == [OK, OK, OK]


HOLES = st.lists(st.booleans(), max_size=40).map(lambda kept: [True, *kept])
"""Which of some messages come: the first does, so that there is a beginning."""


def holes(kept: Iterable[bool]) -> int:
    """Return how many runs of missing messages have a message behind them."""
    return sum(after and not before for before, after in pairwise(kept))


@given(st.integers(0, 2**63), HOLES)
def test_each_hole_between_consecutive_numbers_is_one_gap(start: int, kept: list[bool]) -> None:
    """And there is no other; what is missing lies between what the gap says."""
    numbers = [start + place for place, is_kept in enumerate(kept) if is_kept]
    said = steps(consecutive, *map(trade, numbers))
    assert sum(step.verdict is GAP for step in said) == holes(kept)
    for last, step in zip(numbers, said[1:], strict=False):
        assert step.verdict in (OK, GAP)
        assert (step.verdict is GAP) == (step.next > last + 1)


@given(st.lists(st.integers(0, 60), max_size=60))
def test_what_is_new_is_what_is_greater_than_all_before(numbers: list[int]) -> None:
    """By brute force, in whatever order they come."""
    said = verdicts(consecutive, *map(trade, numbers))
    for place, (number, verdict) in enumerate(zip(numbers, said, strict=True)):
        before = numbers[:place]
        assert (verdict is DUPLICATE) == (bool(before) and number <= max(before))
        assert (verdict is GAP) == (bool(before) and number > max(before) + 1)


# Deltas that say which number they follow


def chain(numbers: Iterable[int]) -> list[BookDelta]:
    """Return deltas, each linked to the one before."""
    return [delta(number, previous) for previous, number in pairwise(numbers)]


def test_deribit_links_each_change_to_the_one_before() -> None:
    """Numbers are not consecutive; a snapshot begins, and the next change names its number."""
    said = steps(links, book(100), *chain([100, 107, 109]), delta(130, previous=120), delta(131, previous=130))
    assert [step.verdict for step in said] == [OK, OK, OK, GAP, OK]
    assert said[3] == Step(GAP, State(130, previous=120), 130)


def test_the_first_change_after_a_snapshot_must_not_begin_behind_it() -> None:
    """Something lies between."""
    assert verdicts(links, book(100), delta(110, previous=105)) == [OK, GAP]


def test_without_a_snapshot_the_first_change_is_taken_as_it_is() -> None:
    """What was before it nobody asked for."""
    assert verdicts(links, delta(110, previous=105), delta(112, previous=110)) == [OK, OK]


def test_a_new_snapshot_makes_good_whatever_was_missing() -> None:
    """Also one with a smaller number, or with none: then the next change is taken as it is."""
    assert verdicts(links, book(100), delta(130, previous=120), book(140), delta(141, previous=140)) == [
        OK,
        GAP,
        OK,
        OK,
    ]
    assert verdicts(links, book(100), book(3), delta(4, previous=3)) == [OK, OK, OK]
    assert verdicts(links, book(100), book(None), delta(130, previous=120)) == [OK, OK, OK]


def test_okx_may_begin_to_count_anew() -> None:
    """The link is right and the number is smaller: nothing is missing; behind it all is as before."""
    said = verdicts(links, book(15), delta(17, previous=15), delta(3, previous=17), delta(5, previous=3))
    assert said == [OK, OK, RESET, OK]
    assert verdicts(links, book(15), delta(3, previous=15), delta(4, previous=3)) == [OK, RESET, OK]


def test_okx_shows_that_it_is_alive_by_equal_numbers() -> None:
    """As often as it likes."""
    assert verdicts(links, book(15), *chain([15, 15, 15, 18, 18])) == [OK] * 5


def test_okx_lost_the_message_that_began_anew() -> None:
    """The link says so, though the number is small."""
    said = steps(links, book(15), delta(5, previous=3), delta(7, previous=5))
    assert [step.verdict for step in said] == [OK, DUPLICATE, DUPLICATE]  # older than the whole book, as far as known
    said = steps(links, book(10), *chain([10, 15]), delta(5, previous=3), delta(7, previous=5))
    assert [step.verdict for step in said] == [OK, OK, GAP, OK]


def test_a_link_that_comes_twice_in_a_row_is_a_duplicate() -> None:
    """And what follows is linked to it."""
    assert verdicts(links, *chain([1, 5, 9]), *chain([5, 9, 12])) == [OK, OK, DUPLICATE, OK]


def test_changes_that_a_snapshot_holds_already_are_duplicates() -> None:
    """Those that came while it was fetched."""
    said = verdicts(links, book(100), *chain([80, 90, 99]), delta(104, previous=99), delta(105, previous=104))
    assert said == [OK, DUPLICATE, DUPLICATE, OK, OK]


STEPS = st.lists(st.tuples(st.integers(1, 1_000), st.booleans()), min_size=1, max_size=40)


@given(st.integers(0, 2**60), STEPS, st.booleans())
def test_each_hole_in_a_chain_is_one_gap(start: int, taken: list[tuple[int, bool]], begins_whole: bool) -> None:
    """Deribit's and OKX's; the gap's `last` is the number before the hole."""
    numbers = list(accumulate((step for step, _ in taken), initial=start))
    kept = [True, *(is_kept for _, is_kept in taken)]
    begin = book(start) if begins_whole else delta(start, previous=start - 1)
    coming = [each for each, is_kept in zip([begin, *chain(numbers)], kept, strict=True) if is_kept]
    said = verdicts(links, *coming)
    assert [each for each in said if each is not OK] == [GAP] * holes(kept)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=40, unique=True), st.data())
def test_where_numbers_may_begin_anew_each_hole_is_one_gap_too(numbers: list[int], data: st.DataObject) -> None:
    """OKX: whichever way the numbers go, and with signs of life among them, none of which is a message that counts."""
    kept = [True, *data.draw(st.lists(st.booleans(), min_size=len(numbers) - 2, max_size=len(numbers) - 2))]
    coming = [each for each, is_kept in zip(chain(numbers), kept, strict=True) if is_kept]
    alive = [twin for each in coming for twin in (each, delta(each.sequence, previous=each.sequence))]
    said = verdicts(links, *alive)
    assert said.count(GAP) == holes(kept)
    assert DUPLICATE not in said
    resets = sum(
        after.previous == before.sequence and after.sequence < before.sequence  # type: ignore[operator]
        for before, after in pairwise(coming)
    )
    assert said.count(RESET) == resets


# Deltas that say their first and their last number


def test_binance_spot_counts_every_change() -> None:
    """A message begins behind the last number of the one before, or reaches back."""
    said = steps(links, delta(160, first=157), delta(163, first=161), delta(170, first=165), delta(171, first=171))
    assert [step.verdict for step in said] == [OK, OK, GAP, OK]
    assert said[2] == Step(GAP, State(170), 165)


@pytest.mark.parametrize(
    ("first", "last", "verdict"),
    [(155, 159, DUPLICATE), (155, 160, DUPLICATE), (155, 161, OK), (161, 161, OK), (161, 170, OK), (162, 170, GAP)],
)
def test_binance_spot_joins_a_book_that_was_fetched(first: int, last: int, verdict: Verdict) -> None:
    """U <= lastUpdateId + 1 <= u; what ends before that is in the book already."""
    assert verdicts(links, book(160), delta(last, first=first)) == [OK, verdict]


@given(st.integers(0, 2**60), STEPS, st.integers(0, 3))
def test_each_hole_between_ranges_is_one_gap(start: int, taken: list[tuple[int, bool]], back: int) -> None:
    """Behind a book that was fetched, also where the first message reaches back behind it."""
    numbers = list(accumulate((step for step, _ in taken), initial=start))
    kept = [True, *(is_kept for _, is_kept in taken)]
    ranges = [delta(last, first=before + 1 - back) for before, last in pairwise(numbers)]
    coming = [each for each, is_kept in zip([book(start), *ranges], kept, strict=True) if is_kept]
    said = steps(links, *coming)
    lost = [
        (before, after.first)
        for before, after in pairwise(coming)
        if isinstance(after, BookDelta) and after.first > before.sequence + 1  # type: ignore[operator]
    ]
    assert [step.next for step in said if step.verdict is GAP] == [first for _, first in lost]
    assert DUPLICATE not in [step.verdict for step in said]
    if not back:
        assert len(lost) == holes(kept)


# Deltas that say all three


def usdm(first: int, last: int, previous: int) -> BookDelta:
    """Return a change as Binance USD-M sends it: U, u, pu."""
    return delta(last, previous=previous, first=first)


def test_binance_usdm_links_by_pu() -> None:
    """Numbers are shared among symbols, so that U does not follow pu."""
    said = steps(links, usdm(157, 160, 149), usdm(165, 170, 160), usdm(190, 199, 180), usdm(200, 201, 199))
    assert [step.verdict for step in said] == [OK, OK, GAP, OK]
    assert said[2] == Step(GAP, State(199, previous=180), 190)


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (usdm(140, 150, 139), DUPLICATE),
        (usdm(152, 159, 150), DUPLICATE),
        (usdm(155, 160, 150), OK),
        (usdm(155, 165, 150), OK),
        (usdm(160, 165, 159), OK),
        (usdm(161, 165, 160), OK),
        (usdm(163, 165, 160), OK),
        (usdm(163, 165, 158), OK),
        (usdm(163, 165, 161), GAP),
        (usdm(171, 175, 170), GAP),
    ],
    ids=str,
)
def test_binance_usdm_joins_a_book_that_was_fetched(change: BookDelta, verdict: Verdict) -> None:
    """Where U <= lastUpdateId <= u, and where the book's number lies between pu and U; older ones are in it already."""
    assert verdicts(links, book(160), change) == [OK, verdict]


def test_binance_usdm_goes_on_by_pu_behind_a_book() -> None:
    """Only the first change may reach back."""
    assert verdicts(links, book(160), usdm(155, 165, 150), usdm(168, 170, 165)) == [OK, OK, OK]
    assert verdicts(links, book(160), usdm(155, 165, 150), usdm(168, 170, 167)) == [OK, OK, GAP]


def test_a_change_that_comes_twice_from_binance_usdm_is_a_duplicate() -> None:
    """Also one from further back, as in the overlap of a rotation: its numbers never begin anew."""
    first, second, third = usdm(1, 5, 0), usdm(6, 9, 5), usdm(12, 15, 9)
    said = verdicts(links, first, second, first, second, third)
    assert said == [OK, OK, DUPLICATE, DUPLICATE, OK]


@given(st.integers(1, 2**60), STEPS, st.integers(0, 40))
def test_a_book_fetched_at_any_moment_joins_the_changes(start: int, taken: list[tuple[int, bool]], when: int) -> None:
    """Whatever number it has: older changes are duplicates, then each is in its place, and none is a gap."""
    numbers = list(accumulate((step for step, _ in taken), initial=start))
    changes = [usdm(last, last, before) for before, last in pairwise(numbers)]
    fetched = start + when
    said = verdicts(links, book(fetched), *changes)[1:]
    for change, verdict in zip(changes, said, strict=True):
        assert verdict is (DUPLICATE if change.sequence < fetched else OK)  # type: ignore[operator]


@given(st.integers(1, 2**60), STEPS)
def test_each_hole_between_links_of_three_is_one_gap(start: int, taken: list[tuple[int, bool]]) -> None:
    """And the gap ends before the first number of what came."""
    numbers = list(accumulate((step for step, _ in taken), initial=start))
    kept = [True, *(is_kept for _, is_kept in taken)]
    changes = [usdm(last, last, before) for before, last in pairwise(numbers)]
    coming = [each for each, is_kept in zip([book(start), *changes], kept, strict=True) if is_kept]
    said = verdicts(links, *coming)
    assert [each for each in said if each is not OK] == [GAP] * holes(kept)


# What lacks a link


def test_a_change_without_a_link_is_not_checked() -> None:
    """Its number is known from then on, if it has one."""
    said = steps(links, book(5), delta(90), delta(91, previous=90), delta(93, previous=92))
    assert [step.verdict for step in said] == [OK, OK, OK, GAP]
    assert said[1].state == State(90)


@pytest.mark.parametrize(("previous", "verdict"), [(90, OK), (None, OK), (89, OK), (92, GAP)])
def test_a_change_without_a_number_is_checked_by_its_link_and_leaves_the_next_unchecked(
    previous: int | None, verdict: Verdict
) -> None:
    """What it says of the one before it holds; what the next one says of it cannot be held against it."""
    said = steps(links, delta(90), delta(None, previous=previous), delta(95, previous=94), delta(97, previous=96))
    assert [step.verdict for step in said] == [OK, verdict, OK, GAP]
    assert said[1].next == (93 if verdict is GAP else 0)


def test_of_several_changes_without_a_number_only_the_first_can_be_missed_before() -> None:
    """The link of the second leads to one whose number nobody knows."""
    assert verdicts(links, delta(90), delta(None), delta(None, previous=95), delta(95, first=95)) == [
        OK,
        OK,
        OK,
        DUPLICATE,
    ]
    assert verdicts(links, delta(None, previous=3), delta(9)) == [OK, OK]


def test_what_is_no_book_is_not_checked() -> None:
    """And changes nothing, with a state and without."""
    for known in (None, State(5)):
        said = steps(links, trade(9), *others(), state=known)
        assert {step.verdict for step in said} == {OK}
        assert {step.state for step in said} == {known}


# What a heartbeat proves


def proof(number: int) -> LastTrade:
    """A heartbeat that says which trade was the last one."""
    return LastTrade(venue="v", symbol="s", sequence=number, time_ns=None)


def walked(*events: MarketEvent) -> list[str]:
    """Return the verdict of each event, and behind a gap the numbers between which it is."""
    state: State | None = None
    told = []
    for event in events:
        last = None if state is None else state.last
        verdict, state, following = consecutive(state, event)
        told.append(f"gap {last}-{following}" if verdict is Verdict.GAP else verdict.value)
    return told


def test_a_last_trade_that_has_come_proves_nothing() -> None:
    """Nor does one before the first trade: one begins somewhere."""
    assert walked(proof(5), trade(7), proof(7), proof(6), trade(8)) == ["ok"] * 5


def test_a_last_trade_that_has_not_come_is_missing() -> None:
    """It is told once, and the trade behind it is no further gap."""
    assert walked(trade(7), proof(9), proof(9), trade(10)) == ["ok", "gap 7-10", "ok", "ok"]


def test_what_was_proven_missing_may_come_yet() -> None:
    """A heartbeat that overtook a trade costs nothing but a `Gap` too many; what is missing after all is told."""
    assert walked(trade(7), proof(9), trade(8), trade(9), trade(9)) == ["ok", "gap 7-10", "ok", "ok", "duplicate"]
    assert walked(trade(7), proof(9), trade(8), trade(12)) == ["ok", "gap 7-10", "ok", "gap 8-12"]


def test_a_later_proof_tells_what_else_is_missing() -> None:
    """And no proof that is older than another one."""
    assert walked(trade(7), proof(9), proof(8), proof(11)) == ["ok", "gap 7-10", "ok", "gap 7-12"]


def test_a_rule_for_trades_passes_over_the_books_of_the_same_stream() -> None:
    """They have numbers of another kind."""
    both = (trade(1), delta(700), trade(2), book(9), trade(3), delta(900), trade(5))
    assert verdicts(consecutive_trades, *both) == [Verdict.OK] * 6 + [Verdict.GAP]
