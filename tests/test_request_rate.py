"""How often an address asks a venue, and how much slower once it was refused."""

from __future__ import annotations

import pytest
from reactivex.testing import TestScheduler

from rxws.exchanges import binance, coinbase_exchange, deribit, okx
from rxws.request_rate import LONGEST_PAUSE, RequestRate, rate_for
from rxws.venue import Rate, Venue
from rxws.venue_stream import _request_rate

HOST = "venue.example:443"


def pauses(rate: RequestRate, refusals: int) -> list[float]:
    """Seconds from each refusal to the next request, which is refused at once."""
    now, found = 0.0, []
    for _ in range(refusals):
        rate.refused(HOST, sent=now, now=now)
        at = rate.governor(now).reserve(HOST, now)
        found.append(at - now)
        now = at
    return found


def test_a_pause_is_no_longer_than_it_may_be() -> None:
    """Whatever the venue says."""
    assert pauses(RequestRate(Rate(10, 1.0)), 8) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert pauses(RequestRate(None, longest=2.5), 4) == [1.0, 2.0, 2.5, 2.5]
    assert pauses(RequestRate(None, longest=0.5), 2) == [0.5, 0.5]


def test_where_nothing_limits_nothing_waits_until_a_refusal() -> None:
    """And again when that is long over."""
    rate = RequestRate(None)
    assert [rate.governor(0.0).reserve(HOST, 0.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    rate.refused(HOST, sent=0.0, now=0.0)
    assert [rate.governor(0.0).reserve(HOST, 0.0) for _ in range(3)] == [1.0, 2.0, 3.0]
    over = 1.0 + LONGEST_PAUSE
    assert [rate.governor(over).reserve(HOST, over) for _ in range(3)] == [over] * 3


def test_it_is_shared_by_those_who_ask_the_same_host_on_the_same_loop() -> None:
    """A test network counts by itself."""
    first, second = TestScheduler(), TestScheduler()
    shared = rate_for("deribit", HOST, Rate(1, 1.0), 60.0, first)
    assert rate_for("deribit", HOST, Rate(1, 1.0), 60.0, first) is shared
    others = [("deribit", "test.example:443", first), ("okx", HOST, first), ("deribit", HOST, second)]
    assert all(rate_for(name, host, Rate(1, 1.0), 60.0, on) is not shared for name, host, on in others)


@pytest.mark.parametrize(
    ("venue", "longest", "is_shared"),
    [(deribit, 30.0, True), (coinbase_exchange, 2.5, True), (okx, 15.0, False), (binance, 60.0, False)],
)
def test_no_pause_costs_a_connection_that_has_not_subscribed_yet(venue: Venue, longest: float, is_shared: bool) -> None:
    """It is half as long as the venue waits; only where the venue counts by address, it is everybody's."""
    virtual = TestScheduler()
    rate = _request_rate(venue, HOST, {}, virtual)
    assert max(pauses(rate, 10)) == longest
    assert (_request_rate(venue, HOST, {}, virtual) is rate) is is_shared
    assert _request_rate(venue, HOST, {"send_limit": None}, virtual) is not rate
