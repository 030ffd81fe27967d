"""When requests leave: as the venue lets an address ask, and behind the pauses that refusals make; in virtual time."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from reactivex.testing import TestScheduler

from rxws.correspondence import LONG, PENDING, Correspondence
from rxws.exchanges import deribit, okx
from rxws.request_rate import RequestRate
from rxws.venue import Kind, Rate, Request


class Lines:
    """A connection on which everything leaves at once."""

    url = "wss://venue.example/ws"

    def __init__(self, virtual: TestScheduler) -> None:
        self.sent: list[tuple[float, int]] = []
        self._virtual = virtual

    def send(self, payload: str) -> None:
        self.sent.append((self._virtual.clock, json.loads(payload)["id"]))

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None] | None = None) -> None:
        action()


def many(number: int) -> bytes:
    """Deribit's answer that request `number` was one too many."""
    return b'{"id":%d,"error":{"code":10028,"message":"too_many_requests"}}' % number


TEN = Rate(10, 3.5)


def corresponding(
    venue: Any = deribit, rate: RequestRate | None = None
) -> tuple[TestScheduler, Lines, Correspondence, list[Request]]:
    """What is said on one connection, in virtual time."""
    virtual, left = TestScheduler(), list[Request]()
    lines: Any = Lines(virtual)
    rate = RequestRate(TEN) if rate is None else rate
    return virtual, lines, Correspondence(lines, venue, rate, left.append, lambda: None, virtual), left


def ask(correspondence: Correspondence, *topics: str) -> None:
    """Send the requests for topics."""
    for request in correspondence.asking_for(topics):
        correspondence.send(request)


def refuse(correspondence: Correspondence, number: int) -> None:
    """Answer a request so, and ask for its topics again."""
    for reply in correspondence.replies(many(number), Kind.ERROR):
        ask(correspondence, *reply.later)


def test_each_refusal_doubles_the_pause_up_to_a_minute() -> None:
    """Until none has come for a minute; and there is as much between any two, for the venue would refuse one of them
    again and again."""
    virtual, lines, correspondence, _ = corresponding()
    ask(correspondence, "quote.A")
    for number in range(1, 9):
        refuse(correspondence, number)
        assert correspondence.is_kept
        while correspondence.is_kept:
            virtual.advance_by(0.5)
    begun = [at for at, _ in lines.sent]
    assert [later - at for at, later in pairwise(begun)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    ask(correspondence, "quote.B")
    ask(correspondence, "quote.C")
    virtual.advance_by(100.0)
    ask(correspondence, "quote.D")
    refuse(correspondence, 12)
    virtual.advance_by(1.0)
    assert [at - begun[-1] for at, _ in lines.sent[9:]] == [60.0, 60.0, 100.0, 101.0]


def test_what_was_sent_before_the_first_refusal_came_makes_no_pause_longer() -> None:
    """All of it goes again behind that one pause, in its order."""
    virtual, lines, correspondence, left = corresponding()
    for name in "ABC":
        ask(correspondence, f"quote.{name}")
    for number in (1, 2, 3):
        refuse(correspondence, number)
    virtual.advance_to(0.999)
    assert [number for _, number in lines.sent] == [1, 2, 3]
    virtual.advance_to(3.0)
    assert lines.sent[3:] == [(1.0, 4), (2.0, 5), (3.0, 6)]
    assert [request.topics for request in left] == [(f"quote.{name}",) for name in "ABCABC"]


def test_the_next_waits_for_its_place_among_all() -> None:
    """Ten in any three and a half seconds, whoever asks; who has much to ask lets others in between."""
    rate = RequestRate(TEN)
    virtual, lines, correspondence, _ = corresponding(deribit, rate)
    others: Any = Lines(virtual)
    other = Correspondence(others, deribit, rate, lambda _: None, lambda: None, virtual)
    for number in range(15):
        ask(correspondence, f"quote.A{number}")
    ask(other, "quote.B")
    assert (len(lines.sent), len(others.sent)) == (10, 0)
    virtual.advance_to(20.0)
    assert [at for at, _ in lines.sent[10:]] == [3.5] * 5
    assert [at for at, _ in others.sent] == [3.5]


def test_who_ends_while_it_waits_gives_its_place_back(caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is sent or told of it."""
    rate = RequestRate(TEN)
    virtual, lines, correspondence, left = corresponding(deribit, rate)
    for number in range(12):
        ask(correspondence, f"quote.A{number}")
    others: Any = Lines(virtual)
    other = Correspondence(others, deribit, rate, lambda _: None, lambda: None, virtual)
    correspondence.dispose()
    for number in range(10):
        ask(other, f"quote.B{number}")
    virtual.advance_to(LONG + 20.0)
    assert (len(lines.sent), len(left), len(correspondence)) == (10, 10, 10)
    assert [at for at, _ in others.sent] == [3.5] * 10
    assert not caplog.records


def test_a_topic_that_is_about_to_be_ended_is_known_while_that_waits() -> None:
    """What comes of it meanwhile proves nothing of the subscription that follows."""
    virtual, _, correspondence, _ = corresponding()
    for number in range(10):
        ask(correspondence, f"quote.A{number}")
    correspondence.end(["quote.A0"])
    assert correspondence.is_kept
    assert correspondence.is_ending("quote.A0")
    assert not correspondence.is_ending("quote.A1")
    virtual.advance_to(4.0)
    assert correspondence.is_ending("quote.A0")
    assert len(list(correspondence.replies(b'{"id":11,"result":["quote.A0"]}', Kind.ACKNOWLEDGEMENT))) == 1
    assert not correspondence.is_ending("quote.A0")


def test_where_a_venue_counts_none_only_its_refusals_make_a_pause(caplog: pytest.LogCaptureFixture) -> None:
    """That of one connection is none of another's; a long one is in the log."""
    caplog.set_level(logging.WARNING, "rxws")
    virtual, lines, correspondence, _ = corresponding(okx, RequestRate(None))
    others: Any = Lines(virtual)
    other = Correspondence(others, okx, RequestRate(None), lambda _: None, lambda: None, virtual)
    for number in range(100):
        ask(correspondence, f"trades:A{number}-USDT")
    assert len(lines.sent) == 100
    for number in (100, 101, 102, 103, 104):
        text = json.dumps({"event": "error", "id": f"{number}", "code": "60014", "msg": "often"}).encode()
        for reply in correspondence.replies(text, Kind.ERROR):
            ask(correspondence, *reply.later)
        virtual.advance_by(16.0)
    ask(other, "trades:B-USDT")
    assert [at for at, _ in lines.sent[100:]] == [1.0, 18.0, 36.0, 56.0, 80.0]
    assert [at for at, _ in others.sent] == [80.0]
    assert [record.message for record in caplog.records] == [
        "wss://venue.example/ws: 1 requests wait, the first for 15 s, for no more may be sent as yet; "
        "their topics stay as they are"
    ]


def test_a_refusal_slows_down_all_who_share_the_address_and_nobody_waits_for_ever() -> None:
    """Each has its turn in the order in which they asked, whoever was refused."""
    rate = RequestRate(TEN)
    virtual, lines, correspondence, _ = corresponding(deribit, rate)
    others: Any = Lines(virtual)
    other = Correspondence(others, deribit, rate, lambda _: None, lambda: None, virtual)
    ask(correspondence, "quote.A")
    refuse(correspondence, 1)
    virtual.advance_to(1.0)
    refuse(correspondence, 2)  # three seconds in all; from now on they are two apart
    for name in "BCD":
        ask(correspondence, f"quote.{name}")
    ask(other, "quote.E")
    ask(other, "quote.F")
    virtual.advance_to(30.0)
    assert [at for at, _ in lines.sent] == [0.0, 1.0, 3.0, 7.0, 11.0, 13.0]
    assert [at for at, _ in others.sent] == [5.0, 9.0]


def test_who_waits_for_a_turn_when_all_is_slowed_down_takes_another() -> None:
    """It does not go with the others that waited, all at once."""
    rate = RequestRate(TEN)
    virtual, lines, correspondence, _ = corresponding(deribit, rate)
    waiting: list[Any] = [Lines(virtual) for _ in range(3)]
    for number in range(10):
        ask(correspondence, f"quote.A{number}")
    for each in waiting:
        ask(Correspondence(each, deribit, rate, lambda _: None, lambda: None, virtual), "quote.B")
    virtual.advance_to(3.0)
    refuse(correspondence, 1)
    virtual.advance_to(30.0)
    assert sorted(at for each in waiting for at, _ in each.sent) == [5.0, 6.0, 7.0]
    assert [at for at, _ in lines.sent[10:]] == [4.0]


def test_who_waits_still_when_it_is_no_longer_slow_is_overtaken_by_nobody() -> None:
    """The turns of the slow time end with it."""
    rate = RequestRate(TEN)
    virtual, lines, correspondence, _ = corresponding(deribit, rate)
    ask(correspondence, "quote.A")
    for number in range(1, 6):
        refuse(correspondence, number)
        virtual.advance_by(2.0 ** (number - 1))  # the last pause is of 16 seconds
    waiting: list[Any] = [Lines(virtual) for _ in range(8)]
    for each in waiting:
        ask(Correspondence(each, deribit, rate, lambda _: None, lambda: None, virtual), "quote.B")
    virtual.advance_to(200.0)
    slow_until = 15.0 + 16.0 + 60.0
    assert [at for at, _ in lines.sent] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]
    assert [at for each in waiting for at, _ in each.sent] == [47.0, 63.0, 79.0, *[slow_until] * 5]


def test_a_thousand_requests_leave_at_once_where_nothing_limits_them() -> None:
    """And each is in its place."""
    _, lines, correspondence, _ = corresponding(okx, RequestRate(None))
    for number in range(2_000):
        ask(correspondence, f"trades:A{number}-USDT")
    assert [int(number) for _, number in lines.sent] == list(range(1, 2_001))
    assert len(correspondence._left_at) == PENDING


def test_behind_its_end_nothing_is_sent_and_no_turn_is_taken() -> None:
    """Whoever is told of the last topic of a request may end it all."""
    rate = RequestRate(Rate(1, 60.0))
    virtual, lines, correspondence, _ = corresponding(deribit, rate)
    correspondence.dispose()
    ask(correspondence, "quote.A")
    others: Any = Lines(virtual)
    ask(Correspondence(others, deribit, rate, lambda _: None, lambda: None, virtual), "quote.B")
    assert (lines.sent, others.sent) == ([], [(0.0, 1)])


def test_how_long_requests_have_waited_counts_from_the_first_of_them(caplog: pytest.LogCaptureFixture) -> None:
    """Those that come meanwhile begin nothing anew; where all have left, it is over."""
    virtual, _, correspondence, _ = corresponding(deribit, RequestRate(Rate(1, 100.0)))
    ask(correspondence, "quote.A")
    virtual.advance_to(20.0)
    assert not caplog.records
    ask(correspondence, "quote.B")
    virtual.advance_to(30.0)
    ask(correspondence, "quote.C")
    virtual.advance_to(20.0 + LONG)
    assert [record.args for record in caplog.records] == [(Lines.url, 2, LONG)]
