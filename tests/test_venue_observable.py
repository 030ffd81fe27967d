"""Topics that are known to be live, in virtual time: what is asked, what is told of each, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import reactivex as rx
from reactivex import Subject
from reactivex.disposable import SerialDisposable
from reactivex.subject import BehaviorSubject
from reactivex.testing import TestScheduler

from rxws import Backoff, multiplex, venue_observable
from rxws.correspondence import PENDING, Correspondence
from rxws.desired import Topics
from rxws.errors import (
    TABLE,
    BufferOverflow,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    DecodeError,
    Killed,
    RetryAfter,
    SubscriptionRejected,
    SubscriptionTimeout,
)
from rxws.events import BadFrame, Closed, Event, GaveUp, Rejected, Rotated, Stale, TopicChanged, TopicStatus
from rxws.exchanges import binance, binance_usdm
from rxws.feeds import binance as binance_feed
from rxws.limits import SendLimit
from rxws.market import Quote
from rxws.request_rate import RequestRate
from rxws.testing import Attempt, ScriptedTransport
from rxws.venue import Kind
from tests.scripted import Full
from tests.talking import BNB, BTC, ETH, ack, quote, quotes, refusal, talk, until

LOST = ConnectionClosed(1006)
SUB, UNSUB = "SUBSCRIBE", "UNSUBSCRIBE"


# From asked to live


def test_a_topic_is_asked_for_acknowledged_and_live() -> None:
    """Each step is told once, with the seconds since it was asked for, and can be asked for at any time."""
    topics = Topics([BTC])
    talked = talk(until((0.5, ack()), *quotes(BTC, 2.0, 3.0)), topics=topics)
    assert topics.status(BTC) is TopicStatus.REQUESTED
    for until_when, status in [(0.1, "requested"), (1.0, "acknowledged"), (2.5, "live"), (9.0, "live")]:
        talked.to(until_when)
        assert topics.statuses == {BTC: TopicStatus(status)}
    assert talked.topics == [(BTC, "requested"), (BTC, "acknowledged"), (BTC, "live")]
    assert [event.after for event in talked.of(TopicChanged)] == [0.0, 0.5, 2.0]
    assert talked.said() == [(SUB, [BTC])]
    assert talked.numbers == [("BTCUSDT", 20), ("BTCUSDT", 30)]


def test_data_that_comes_before_the_acknowledgement_is_handed_on_and_proves_it() -> None:
    """The acknowledgement behind it says nothing new."""
    talked = talk(until(*quotes(BTC, 0.5), (0.7, ack()), *quotes(BTC, 0.9))).to(100.0)
    assert talked.numbers == [("BTCUSDT", 5), ("BTCUSDT", 9)]
    assert talked.topics == [(BTC, "requested"), (BTC, "live")]


def test_a_topic_that_the_venue_accepts_in_silence_is_caught_by_its_first_data() -> None:
    """Binance acknowledges what it does not have: the deadline counts from the acknowledgement."""
    talked = talk(until((1.0, ack()), *quotes(BTC, 2.0)), topics=[BTC, ETH], first_data_timeout=30.0).to(30.9)
    assert (ETH, "timed out") not in talked.topics
    talked.to(31.1)
    (late,) = [event for event in talked.of(TopicChanged) if event.status is TopicStatus.TIMED_OUT]
    assert (late.topic, late.after, late.why) == (ETH, 31.0, "first data")
    assert talked.error is None


def test_what_comes_too_late_still_proves_it() -> None:
    """Timed out is no end."""
    topics = Topics([BTC])
    talked = talk(until((1.0, ack()), *quotes(BTC, 9.0)), topics=topics, first_data_timeout=5.0).to(10.0)
    assert [status for _, status in talked.topics] == ["requested", "acknowledged", "timed out", "live"]
    assert topics.status(BTC) is TopicStatus.LIVE


def test_an_acknowledgement_that_comes_too_late_is_one_all_the_same() -> None:
    """And the first data is then waited for."""
    talked = talk(until((12.0, ack())), ack_timeout=10.0, first_data_timeout=5.0).to(30.0)
    assert [status for _, status in talked.topics] == ["requested", "timed out", "acknowledged", "timed out"]
    assert [event.why for event in talked.of(TopicChanged)] == ["", "acknowledgement", "", "first data"]


def test_silence_is_an_error_where_that_is_asked_for() -> None:
    """It names the topic and what was awaited; the connection ends by it, and nothing follows."""
    talked = talk(until(), ack_timeout=10.0, on_silent="raise").to(60.0)
    assert isinstance(talked.error, SubscriptionTimeout)
    assert (talked.error.topic, talked.error.awaited, talked.error.timeout) == (BTC, "acknowledgement", 10.0)
    assert talked.told[-3:] == ["TopicChanged", "Closed", "GaveUp"]
    assert (talked.dials, talked.transport.live) == ([0.0], 0)


@pytest.mark.parametrize("timeout", ["ack_timeout", "first_data_timeout"])
def test_without_a_deadline_it_is_waited_for_ever(timeout: str) -> None:
    """None is for ever."""
    talked = talk(until((1.0, ack())) if timeout == "first_data_timeout" else until(), max_age=None, **{timeout: None})
    talked.to(20_000.0)
    assert (BTC, "timed out") not in talked.topics


def test_each_topic_may_have_its_own_patience() -> None:
    """A function of the topic; one that raises, or returns no seconds, is told, and then there is none."""

    def patience(topic: str) -> Any:
        return {BTC: 5.0, ETH: None, BNB: -1.0}[topic]

    talked = talk(until((1.0, ack())), topics=[BTC, ETH, BNB], first_data_timeout=patience).to(5_000.0)
    assert [topic for topic, status in talked.topics if status == "timed out"] == [BTC]
    assert [status for _, status in talked.topics].count("acknowledged") == 3


def test_what_patience_raises_is_told_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The acknowledgement is taken all the same."""
    talked = talk(until((1.0, ack()), *quotes(BTC, 2.0)), first_data_timeout=lambda topic: 1 / 0).to(10.0)
    assert talked.topics == [(BTC, "requested"), (BTC, "acknowledged"), (BTC, "live")]
    assert "first_data_timeout raised ZeroDivisionError" in caplog.text
    assert talked.stats.bad_frames == 0


def test_the_time_to_answer_counts_from_when_the_request_has_left() -> None:
    """A limit may keep it back for longer than the answer may take."""
    wanted = [binance.quotes(f"A{number}USDT") for number in range(700)]
    acks = [(number * 2.0 - 0.5, ack(number)) for number in range(1, 8)]
    talked = talk(until(*acks), topics=wanted, ack_timeout=2.0, send_limit=SendLimit(2, 2.0), first_data_timeout=None)
    talked.to(100.0)
    assert len(talked.said()) == 7
    assert [status for _, status in talked.topics].count("acknowledged") == 700
    assert not [topic for topic, status in talked.topics if status == "timed out"]


def test_the_time_to_answer_is_that_of_the_last_request() -> None:
    """One that was held back, and is not the last about its topic any more, begins nothing."""
    topics = Topics([BTC])
    talked = talk(until((0.5, ack())), topics=topics, ack_timeout=4.0, send_limit=SendLimit(2, 5.0)).to(1.0)
    topics.add(ETH)
    talked.to(2.0)
    topics.renew(ETH)
    talked.to(18.9)
    assert [method for method, _ in talked.said()] == [SUB, SUB, UNSUB, SUB]
    assert (ETH, "timed out") not in talked.topics
    talked.to(19.1)
    assert talked.topics[-1] == (ETH, "timed out")


# Refused


def test_a_refused_topic_is_the_streams_error() -> None:
    """By default; it is told first, with the venue's words."""
    talked = talk(until((1.0, refusal()))).to(60.0)
    assert isinstance(talked.error, SubscriptionRejected)
    assert (talked.error.topic, talked.error.reply) == (BTC, "invalid stream")
    assert talked.told[-3:] == ["Rejected", "Closed", "GaveUp"]
    assert talked.of(Closed)[0].error is talked.error is talked.of(GaveUp)[0].error
    assert (talked.dials, talked.transport.live) == ([0.0], 0)


def test_a_refused_topic_may_be_told_only_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody can say whose fault it was is asked again in halves, until it is found; the log has it too."""
    answers = [(1.0, refusal(1)), (2.0, ack(2)), (3.0, refusal(3)), (3.5, ack(4)), (4.0, refusal(5))]
    topics = Topics([BTC, ETH, BNB, binance.quotes("FAKE")])
    talked = talk(until(*answers), topics=topics, on_rejected="tell").to(10.0)
    fake = binance.quotes("FAKE")
    assert talked.said() == [
        (SUB, [BTC, ETH, BNB, fake]),
        *[(SUB, half) for half in ([BTC, ETH], [BNB, fake], [BNB], [fake])],
    ]
    (rejected,) = talked.of(Rejected)
    assert (rejected.topic, rejected.reply) == (fake, "invalid stream")
    assert [each.getMessage() for each in caplog.records] == [f"{rejected.origin}: {fake} was refused (event Rejected)"]
    assert topics.statuses == {**dict.fromkeys([BTC, ETH, BNB], TopicStatus.ACKNOWLEDGED), fake: TopicStatus.REJECTED}
    assert talked.error is None


def test_what_was_refused_is_asked_for_again_by_the_next_connection() -> None:
    """A venue may have it by then."""
    refused = until((1.0, refusal()), lost=(5.0, LOST))
    talked = talk(refused, until((1.0, ack())), on_rejected="tell").to(20.0)
    assert talked.said(1) == [(SUB, [BTC])]
    assert talked.topics[-1] == (BTC, "acknowledged")


def test_what_was_refused_is_not_unsubscribed() -> None:
    """The venue does not have it, and may refuse all that it is told with."""
    topics = Topics([BTC])
    talked = talk(until((1.0, refusal()), (3.0, ack(2))), topics=topics, on_rejected="tell").to(2.0)
    topics.replace([ETH])
    assert talked.to(4.0).said() == [(SUB, [BTC]), (SUB, [ETH])]


def test_an_end_that_is_refused_is_asked_for_again_in_halves() -> None:
    """What is wanted again by then is left alone."""
    topics = Topics([BTC, ETH, BNB])
    talked = talk(until((0.5, ack()), (3.0, refusal(2)), (4.0, ack(3)), (4.0, ack(4))), topics=topics).to(2.0)
    topics.discard(BTC, ETH)
    talked.to(5.0)
    assert talked.said()[1:] == [(UNSUB, [BTC, ETH]), (UNSUB, [BTC]), (UNSUB, [ETH])]
    assert talked.error is None


def test_an_end_that_is_refused_ends_nothing_that_is_wanted_again() -> None:
    """The later wish counts."""
    topics = Topics([BTC, ETH, BNB])
    talked = talk(until((0.5, ack()), (3.5, refusal(2)), (4.0, ack(3))), topics=topics).to(2.0)
    topics.discard(BTC, ETH)
    talked.to(3.0)
    topics.add(BTC)
    talked.to(5.0)
    assert talked.said()[1:] == [(UNSUB, [BTC, ETH]), (SUB, [BTC]), (UNSUB, [ETH])]
    assert topics.status(BTC) is TopicStatus.ACKNOWLEDGED


def test_a_refused_topic_is_asked_for_again_when_it_is_renewed() -> None:
    """Without ending it first: it never began."""
    topics = Topics([BTC])
    talked = talk(until((1.0, refusal()), (3.0, ack(2))), topics=topics, on_rejected="tell").to(2.0)
    topics.renew(BTC)
    assert talked.to(4.0).said() == [(SUB, [BTC]), (SUB, [BTC])]
    assert topics.status(BTC) is TopicStatus.ACKNOWLEDGED


def test_an_error_of_nothing_that_was_asked_is_a_bad_frame() -> None:
    """As is what the venue does not document."""
    strange = [(1.0, refusal(77)), (2.0, '{"e":"news"}'), (3.0, "hello"), (4.0, '{"code":3,"msg":"no"}')]
    talked = talk(until((0.5, ack()), *strange)).to(5.0)
    assert (talked.stats.bad_frames, len(talked.of(BadFrame))) == (4, 4)
    assert talked.error is None


def test_data_that_cannot_be_decoded_proves_nothing() -> None:
    """It is a bad frame, and the topic times out."""
    broken = f'{{"stream":"{BTC}","data":{{"u":"x"}}}}'
    talked = talk(until((0.5, ack()), (1.0, broken)), first_data_timeout=5.0).to(10.0)
    assert talked.stats.bad_frames == 1
    assert talked.topics[-1] == (BTC, "timed out")
    raising = talk(until((0.5, ack()), (1.0, broken)), on_bad_frame="raise").to(10.0)
    assert isinstance(raising.error, DecodeError)


# Changed


def test_what_is_added_and_taken_away_is_sent_as_a_difference() -> None:
    """Changes of one turn are one; what stays is left alone."""
    topics = Topics([BTC, ETH])
    answers = [(0.5, ack()), (3.0, ack(2)), (3.0, ack(3))]
    talked = talk(until(*answers, *quotes(BTC, 1.0, 4.0)), topics=topics).to(2.0)
    topics.add(BNB)
    topics.discard(ETH)
    topics.add(ETH)
    topics.discard(ETH)
    talked.to(6.0)
    assert talked.said() == [(SUB, [BTC, ETH]), (UNSUB, [ETH]), (SUB, [BNB])]
    assert topics.statuses == {BTC: TopicStatus.LIVE, BNB: TopicStatus.ACKNOWLEDGED}
    assert talked.numbers == [("BTCUSDT", 10), ("BTCUSDT", 40)]


def test_a_change_that_is_taken_back_at_once_says_nothing() -> None:
    """Neither on the wire nor in events."""
    topics = Topics([BTC])
    talked = talk(until((0.5, ack())), topics=topics).to(1.0)
    topics.discard(BTC)
    topics.add(BTC)
    assert talked.to(2.0).said() == [(SUB, [BTC])]
    assert talked.topics == [(BTC, "requested"), (BTC, "acknowledged")]


def test_what_is_wanted_while_requests_are_kept_back_goes_together_behind_them() -> None:
    """One message for all of it, and what was wanted in vain is never asked for; what is discarded is so at once."""
    topics = Topics([BTC, ETH])
    talked = talk(until((3.0, quote(ETH, 1))), topics=topics, send_limit=SendLimit(2, 10.0)).to(1.0)
    topics.add(BNB)  # waits for its place
    talked.to(1.5)
    many = [binance.quotes(f"A{number}USDT") for number in range(5)]
    for number, topic in enumerate(many):
        topics.add(topic)
        talked.to(2.0 + number / 10)
    topics.discard(many[2])
    topics.discard(ETH)
    talked.to(9.0)
    assert talked.said() == [(SUB, [BTC, ETH])]
    assert (talked.values, talked.stats.late) == ([], 1)
    talked.to(15.0)
    assert talked.said()[1:] == [(SUB, [BNB])]
    talked.to(25.0)
    assert talked.said()[2:] == [(UNSUB, [ETH])]
    talked.to(60.0)
    assert talked.said()[3:] == [(SUB, [*many[:2], *many[3:]])]


def test_what_ends_and_is_wanted_again_while_requests_are_kept_back_begins_anew() -> None:
    """On the wire too: whoever wants it wants its beginning."""
    topics = Topics([BTC, ETH])
    talked = talk(until(), topics=topics, send_limit=SendLimit(2, 10.0)).to(1.0)
    topics.add(BNB)
    talked.to(2.0)
    topics.discard(BTC)
    talked.to(3.0)
    topics.add(BTC)
    talked.to(60.0)
    assert talked.said()[1:] == [(SUB, [BNB]), (UNSUB, [BTC]), (SUB, [BTC])]


def test_what_is_to_be_renewed_while_requests_are_kept_back_goes_on_until_then() -> None:
    """Nobody has ended it yet."""
    topics = Topics([BTC, ETH])
    seconds = [float(second) for second in range(2, 60, 2)]
    talked = talk(until(*quotes(BTC, *seconds)), topics=topics, send_limit=SendLimit(2, 40.0)).to(1.0)
    topics.add(BNB)  # waits for its place
    talked.to(1.5)
    topics.renew(BTC)
    talked.to(39.0)
    assert (len(talked.values), talked.stats.late, talked.said()[1:]) == (19, 0, [])
    assert topics.status(BTC) is TopicStatus.LIVE
    talked.to(200.0)
    assert talked.said()[1:] == [(SUB, [BNB]), (UNSUB, [BTC]), (SUB, [BTC])]


def test_a_request_that_is_lost_when_its_turn_comes_costs_the_connection() -> None:
    """As one does that is lost at once: else its topics would be waited for, and nothing asked for behind it."""
    topics = Topics([BTC])
    full = Full(1, BufferOverflow(1, 1), until(), until())
    talked = talk(transport=full, topics=topics, send_limit=SendLimit(2, 10.0)).to(1.0)
    topics.add(ETH)
    talked.to(9.0)
    assert talked.of(Closed) == []
    talked.to(11.0)
    (closed,) = talked.of(Closed)
    assert isinstance(closed.error, ConnectionFailed)
    assert talked.to(15.0).dials == [0.0, 12.0]


def test_requests_that_are_kept_back_for_long_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """OKX takes 480 an hour; until they have left, nothing else tells of it."""
    topics = Topics([BTC])
    talked = talk(until(), topics=topics, send_limit=SendLimit(2, 40.0), ack_timeout=None).to(1.0)
    topics.add(ETH)
    talked.to(15.5)
    assert caplog.messages == []
    talked.to(17.0)
    (told,) = caplog.messages
    assert "1 requests wait, the first for 15 s" in told
    talked.to(300.0)
    assert len(caplog.messages) == 1


def test_a_venues_limit_is_kept_also_where_the_network_brings_messages_closer_together() -> None:
    """By half a second: Binance counts five a second as they arrive, and ends the connection of whoever sends more."""
    talked = talk(until(), topics=[binance.quotes(f"A{number}USDT") for number in range(1_000)])
    assert [len(talked.to(at).said()) for at in (1.0, 1.49, 1.51, 2.99, 3.01)] == [4, 4, 8, 8, 10]


@pytest.mark.parametrize(("table", "waits"), [(None, 120.0), ({**TABLE, 1008: RetryAfter(7.0)}, 7.0)])
def test_what_an_error_means_here_is_so_with_a_policy_of_ones_own(table: Any, waits: float) -> None:
    """Binance bans who comes back sooner; a table of one's own says otherwise."""
    retry = Backoff(initial=3.0, cap=3.0, **({} if table is None else {"table": table}))
    talked = talk(until(lost=(1.0, ConnectionClosed(1008))), until(), retry=retry).to(300.0)
    assert talked.dials == [0.0, pytest.approx(1.0 + waits)]


def test_what_crosses_the_message_that_ends_it_is_dropped_and_counted() -> None:
    """It is late."""
    topics = Topics([BTC, ETH])
    talked = talk(until((0.5, ack()), *quotes(ETH, 1.0, 2.1, 2.2), (3.0, ack(2))), topics=topics).to(2.0)
    topics.discard(ETH)
    talked.to(5.0)
    assert talked.numbers == [("ETHUSDT", 10)]
    assert talked.stats.late == 2


def test_what_changes_while_there_is_no_connection_is_asked_of_the_next() -> None:
    """With all the rest, once."""
    topics = Topics([BTC])
    talked = talk(until((0.5, ack()), *quotes(BTC, 0.9), lost=(1.0, LOST)), until(), topics=topics).to(2.0)
    assert topics.status(BTC) is TopicStatus.REQUESTED
    topics.add(ETH)
    topics.discard(BTC)
    topics.renew(ETH)
    talked.to(10.0)
    assert talked.dials == [0.0, 3.0]
    assert talked.said(1) == [(SUB, [ETH])]


def test_a_renewal_ends_it_and_begins_it_anew() -> None:
    """What comes of it meanwhile is handed on, but proves nothing of the new subscription."""
    topics = Topics([BTC, ETH])
    answers = [(0.5, ack()), (2.5, ack(2)), (3.0, ack(3))]
    talked = talk(until(*answers, *quotes(BTC, 1.0, 2.2, 3.5)), topics=topics).to(2.0)
    topics.renew(BTC)
    topics.renew(BTC)
    topics.renew(BNB)
    talked.to(9.0)
    assert talked.said() == [(SUB, [BTC, ETH]), (UNSUB, [BTC]), (SUB, [BTC])]
    mine = [status for topic, status in talked.topics if topic == BTC]
    assert mine == ["requested", "acknowledged", "live", "requested", "acknowledged", "live"]
    assert [number for _, number in talked.numbers] == [10, 22, 35]


def test_an_answer_to_a_request_before_says_nothing_of_the_last() -> None:
    """A topic that was ended and asked for again is acknowledged by the second answer."""
    topics = Topics([BTC, ETH])
    late = [(5.0, ack(1)), (6.0, ack(2)), (7.0, ack(3))]
    talked = talk(until(*late), topics=topics, ack_timeout=None).to(1.0)
    topics.renew(BTC)
    talked.to(5.5)
    assert topics.statuses == {BTC: TopicStatus.REQUESTED, ETH: TopicStatus.ACKNOWLEDGED}
    talked.to(8.0)
    assert topics.status(BTC) is TopicStatus.ACKNOWLEDGED


def test_a_renewal_that_nobody_answers_times_out_and_may_still_come() -> None:
    """Then its data proves it: it cannot be told any more from which subscription it is."""
    topics = Topics([BTC])
    talked = talk(until((0.5, ack()), *quotes(BTC, 1.0, 3.0, 20.0)), topics=topics, ack_timeout=10.0).to(2.0)
    topics.renew(BTC)
    talked.to(25.0)
    assert [status for _, status in talked.topics][-3:] == ["requested", "timed out", "live"]
    assert len(talked.numbers) == 3


# As many as a connection has


def test_more_than_a_connection_has_are_refused_without_a_word_to_the_venue() -> None:
    """Binance would end them all with the 1,025th; those that are refused take no place."""
    most = [binance.quotes(f"A{number}USDT") for number in range(1_024)]
    topics = Topics(most[:-1])
    talked = talk(until(), topics=topics, on_rejected="tell").to(10.0)
    topics.add(most[-1], BTC, ETH)
    talked.to(11.0)
    assert [event.topic for event in talked.of(Rejected)] == [BTC, ETH]
    assert "at most 1024" in talked.of(Rejected)[0].reply
    topics.discard(most[0])
    talked.to(12.0)
    topics.renew(ETH)
    talked.to(13.0)
    assert talked.said()[-2:] == [(UNSUB, [most[0]]), (SUB, [ETH])]


def test_what_another_endpoint_has_is_refused_and_takes_no_place() -> None:
    """Binance's futures would acknowledge it, and never bring anything."""
    topics = Topics([binance_usdm.quotes("BTCUSDT")])
    trades = binance_usdm.trades("BTCUSDT")
    talked = talk(until(), topics=topics, venue=binance_usdm, on_rejected="tell").to(1.0)
    room = [binance_usdm.quotes(f"A{number}USDT") for number in range(1_023)]
    topics.add(trades, *room)
    talked.to(20.0)
    assert [event.topic for event in talked.of(Rejected)] == [trades]
    assert "'market'" in talked.of(Rejected)[0].reply
    assert sum(len(asked) for _, asked in talked.said()) == 1_024
    assert talked.transport.dials[0].url.endswith("/public/stream")


def test_what_no_endpoint_has_is_refused_too() -> None:
    """Whoever adds it gets no exception; where it is the first, the stream has nowhere to go."""
    topics = Topics([binance_usdm.quotes("BTCUSDT")])
    talked = talk(until(), topics=topics, venue=binance_usdm, on_rejected="tell").to(1.0)
    topics.add("nonsense")
    talked.to(2.0)
    assert [event.topic for event in talked.of(Rejected)] == ["nonsense"]
    nowhere = Topics()
    lost = talk(until(), topics=nowhere, venue=binance_usdm).to(1.0)
    nowhere.add("nonsense")
    assert isinstance(lost.error, ConfigError)
    assert lost.dials == []


# A connection that is wanted


def test_without_topics_there_is_no_connection_until_there_are() -> None:
    """It begins with the first, ends a turn after the last, and begins again."""
    topics = Topics()
    talked = talk(until(*quotes(BTC, 1.0)), topics=topics).to(5.0)
    assert talked.dials == []
    topics.add(BTC)
    talked.to(8.0)
    topics.discard(BTC)
    talked.to(9.0)
    assert (talked.dials, talked.transport.live, talked.error, talked.completed) == ([5.0], 0, None, False)
    topics.add(ETH)
    talked.to(10.0)
    assert (talked.dials, talked.said(1)) == ([5.0, 9.0], [(SUB, [ETH])])


def test_the_last_topic_may_be_another_one_in_the_same_turn() -> None:
    """The connection stays."""
    topics = Topics([BTC])
    talked = talk(until((0.5, ack())), topics=topics).to(1.0)
    topics.discard(BTC)
    topics.add(ETH)
    talked.to(2.0)
    assert (talked.dials, talked.said()[1:]) == ([0.0], [(UNSUB, [BTC]), (SUB, [ETH])])


def test_an_observable_says_what_is_wanted_from_then_on() -> None:
    """Each of its values replaces what was wanted; that it completes changes nothing."""
    wanted: Subject[set[str]] = Subject()
    talked = talk(until(), topics=wanted).to(1.0)
    assert talked.dials == []
    wanted.on_next({BTC})
    talked.to(2.0)
    wanted.on_next({BTC, ETH})
    talked.to(3.0)
    wanted.on_next(set())
    wanted.on_next({ETH})
    talked.to(4.0)
    wanted.on_completed()
    talked.to(5.0)
    assert talked.said() == [(SUB, [BTC]), (SUB, [ETH]), (UNSUB, [BTC])]
    assert (talked.completed, talked.transport.live) == (False, 1)


def test_an_observable_may_say_so_inside_of_subscribe() -> None:
    """A `BehaviorSubject` does."""
    talked = talk(until(), topics=BehaviorSubject([BTC])).to(1.0)
    assert talked.said() == [(SUB, [BTC])]


@pytest.mark.parametrize("wanted", [rx.empty(), rx.of([]), rx.of([BTC], [])], ids=["nothing", "none", "no more"])
def test_an_observable_that_completes_and_wants_nothing_completes_the_stream(wanted: Any) -> None:
    """There will never be anything."""
    talked = talk(until(), topics=wanted).to(1.0)
    assert (talked.completed, talked.error, talked.transport.live) == (True, None, 0)


def test_what_an_observable_of_topics_errors_with_is_the_streams_error() -> None:
    """And the connection is closed."""
    wanted: Subject[list[str]] = Subject()
    talked = talk(until(), topics=wanted)
    wanted.on_next([BTC])
    talked.to(1.0)
    bug = ZeroDivisionError()
    wanted.on_error(bug)
    assert (talked.error, talked.transport.live) == (bug, 0)


@pytest.mark.parametrize("wrong", [None, BTC, [""], 7], ids=["none", "a string", "empty", "a number"])
def test_what_is_no_collection_of_topics_is_the_streams_error(wrong: Any) -> None:
    """It is not raised to whoever emits it."""
    wanted: Subject[Any] = Subject()
    talked = talk(until(), topics=wanted)
    wanted.on_next([BTC])
    talked.to(1.0)
    wanted.on_next(wrong)
    assert isinstance(talked.error, ConfigError)
    assert (talked.transport.live, wanted.observers) == (0, [])


# Across connections


def test_all_that_is_wanted_is_asked_of_every_connection() -> None:
    """In the order in which it was wanted, once."""
    lost = until((0.5, ack()), *quotes(BTC, 0.7), lost=(1.0, LOST))
    talked = talk(lost, lost, until(), topics=[BTC, ETH]).to(20.0)
    assert [talked.said(dial) for dial in range(3)] == [[(SUB, [BTC, ETH])]] * 3
    assert talked.dials == [0.0, 3.0, 6.0]


def test_the_connection_can_be_cut_by_hand() -> None:
    """It is a loss; without one nothing happens."""
    topics = Topics()
    topics.reconnect()
    talked = talk(until(), topics=topics).to(1.0)
    topics.reconnect()
    topics.add(BTC)
    talked.to(2.0)
    topics.reconnect()
    topics.reconnect()
    talked.to(9.0)
    assert (talked.dials, talked.said(1)) == ([1.0, 4.0], [(SUB, [BTC])])
    assert isinstance(talked.of(Closed)[0].error, Killed)


def test_no_deadline_outlives_its_connection() -> None:
    """The next one counts its own."""
    lost = until(lost=(9.0, LOST))
    talked = talk(lost, until((1.0, ack()), *quotes(BTC, 2.0)), ack_timeout=10.0).to(60.0)
    assert [(event.generation, event.status.value) for event in talked.of(TopicChanged)] == [
        (1, "requested"),
        (2, "requested"),
        (2, "acknowledged"),
        (2, "live"),
    ]


def feed(topic: str, *, later: float = 0.0, answered: float = 0.1) -> Any:
    """Return what makes an attempt of a feed that goes on without it: a message each second, from `later` on."""

    def attempt(dialled: float) -> Attempt:
        begin = round(dialled + later) + 1
        messages = [(second - dialled, quote(topic, second)) for second in range(begin, 90)]
        return until((answered, ack()), *messages)

    return attempt


def test_a_notice_replaces_the_connection_without_a_gap_and_without_a_duplicate() -> None:
    """The next one is opened, asked, and seen to deliver before the old one is closed."""
    old = until((0.1, ack()), *[(float(at), quote(BTC, at)) for at in range(1, 60)], (10.5, '{"e":"serverShutdown"}'))
    talked = talk(old, feed(BTC)).to(30.0)
    assert [number for _, number in talked.numbers] == list(range(1, 31))
    assert len(talked.of(Rotated)) == 1
    assert talked.of(Closed) == []
    assert talked.dials == [0.0, 10.5]


def test_messages_without_numbers_overlap_without_a_gap_too() -> None:
    """Candles have none: what they say tells them apart."""
    topic = binance.candles("BTCUSDT", "1m")

    def candle(second: int) -> str:
        times = f'"t":60000,"T":119999,"s":"BTCUSDT","i":"1m","f":1,"L":2,"n":{second}'
        prices = f'"o":"1","c":"{second}","h":"9","l":"1","v":"{second}","q":"1","V":"1","Q":"1","B":"0","x":false'
        return (
            f'{{"stream":"{topic}","data":{{"e":"kline","E":{60000 + second},"s":"BTCUSDT","k":{{{times},{prices}}}}}}}'
        )

    def attempt(dialled: float) -> Attempt:
        notice = [(10.5, '{"e":"serverShutdown"}')] if not dialled else []
        begin = round(dialled) + 1
        return until((0.1, ack()), *[(at - dialled, candle(at)) for at in range(begin, 60)], *notice)

    talked = talk(attempt, topics=[topic]).to(30.0)
    assert [value.close for _, value in talked.values] == list(range(1, 31))
    assert len(talked.of(Rotated)) == 1


def test_a_successor_takes_over_only_when_all_its_topics_are_answered() -> None:
    """One busy topic must not cut off the others, which are not subscribed there yet."""
    busy = [(float(at), quote(BTC, at)) for at in range(1, 60)]
    old = until((0.1, ack()), *busy, (15.2, quote(ETH, 1)), (10.5, '{"e":"serverShutdown"}'))

    def new(dialled: float) -> Attempt:
        mine = [(at - dialled, quote(BTC, at)) for at in range(11, 60)]
        return until(*mine, (6.0, ack(1)), (7.6, quote(ETH, 2)))

    talked = talk(old, new, topics=[BTC, ETH]).to(30.0)
    (rotated,) = talked.of(Rotated)
    assert rotated.took >= 6.0
    assert [number for symbol, number in talked.numbers if symbol == "ETHUSDT"] == [1, 2]
    assert [number for symbol, number in talked.numbers if symbol == "BTCUSDT"] == list(range(1, 31))


def test_while_two_overlap_a_topic_stands_where_it_stands_better_and_both_hear_of_changes() -> None:
    """The old one is live while the new one asks."""
    topics = Topics([BTC])
    old = until((0.1, ack()), *quotes(BTC, *range(1, 60)), (10.5, '{"e":"serverShutdown"}'))
    talked = talk(old, until(), topics=topics).to(11.0)
    assert topics.status(BTC) is TopicStatus.LIVE
    topics.add(ETH)
    talked.to(12.0)
    assert [talked.said(dial)[-1] for dial in (0, 1)] == [(SUB, [ETH])] * 2
    assert topics.status(ETH) is TopicStatus.REQUESTED


def test_no_room_for_a_request_costs_the_connection_and_is_retried() -> None:
    """What could not be asked for would be missed in silence."""
    full = Full(1, BufferOverflow(1, 1), until(), until())
    talked = talk(transport=full, topics=[binance.quotes(f"A{number}USDT") for number in range(150)], send_limit=None)
    talked.to(2.5)
    (closed, *_) = talked.of(Closed)
    assert isinstance(closed.error, ConnectionFailed)
    assert isinstance(closed.error.__cause__, BufferOverflow)
    assert talked.dials == [0.0, 2.0]


def test_pending_requests_are_bounded() -> None:
    """Those that a venue never answers are forgotten, the oldest first."""
    deaf: Any = Deaf()
    correspondence = Correspondence(
        deaf, binance, RequestRate(None), lambda request: None, lambda: None, TestScheduler()
    )
    for _ in range(PENDING + 10):
        correspondence.end([BTC])
    assert len(correspondence) == PENDING
    assert list(correspondence.replies(ack(10).encode(), Kind.ACKNOWLEDGEMENT)) == []
    assert len(list(correspondence.replies(ack(11).encode(), Kind.ACKNOWLEDGEMENT))) == 1


class Deaf:
    """Takes what is sent, and never answers."""

    url = "wss://deaf.example"

    def send(self, message: object) -> None:
        """It is lost."""

    def when_sent(self, action: Callable[[], None], lost: Callable[[], None] | None = None) -> None:
        """It has left at once."""
        action()


# Who listens


def test_events_stand_in_the_stream_where_that_is_asked_for() -> None:
    """In order with the data: live is told before the first data."""
    talked = talk(until((0.5, ack()), *quotes(BTC, 1.0)), lifecycle=True).to(2.0)
    names = [type(value).__name__ for _, value in talked.values]
    wanted = ["Connecting", "Opened", "TopicChanged", "Live", "TopicChanged", "TopicChanged", "Quote"]
    assert names == wanted


def test_two_subscriptions_have_two_connections_and_nothing_in_common() -> None:
    """State is born in subscribe."""
    virtual = TestScheduler()
    first = talk(until((0.5, ack()), *quotes(BTC, 1.0, 2.0)), virtual=virtual)
    stream = venue_observable(binance, [BTC], transport=first.transport, ping_interval=None)
    seen: list[Any] = []
    one = stream.subscribe(seen.append, scheduler=virtual)
    two = stream.subscribe(seen.append, scheduler=virtual)
    virtual.advance_to(1.5)
    one.dispose()
    virtual.advance_to(3.0)
    assert (len(seen), len(first.dials)) == (3, 3)
    two.dispose()
    first.subscription.dispose()
    assert first.transport.live == 0


def test_several_subscriptions_may_follow_the_same_topics() -> None:
    """All hear of each change, and a topic stands where it has got furthest."""
    topics, virtual = Topics([BTC]), TestScheduler()
    first = talk(until((0.5, ack()), *quotes(BTC, 1.0)), topics=topics, virtual=virtual)
    second = talk(until(), topics=topics, virtual=virtual)
    virtual.advance_to(2.0)
    topics.add(ETH)
    virtual.advance_to(3.0)
    assert (first.said()[-1], second.said()[-1]) == ((SUB, [ETH]), (SUB, [ETH]))
    assert topics.status(BTC) is TopicStatus.LIVE
    first.subscription.dispose()
    assert topics.status(BTC) is TopicStatus.REQUESTED


@pytest.mark.parametrize("moment", ["Connecting", "Opened", "TopicChanged", "Rejected", "Live", "Quote", "Closed"])
def test_who_leaves_at_any_moment_hears_nothing_more(moment: str) -> None:
    """In the middle of an event, or of a message: nothing more is asked, and no socket is left."""
    virtual, subscription, events = TestScheduler(), SerialDisposable(), list[Event]()
    answers = [(0.5, refusal(1)), (0.6, refusal(2)), (0.7, ack(3))]
    transport = ScriptedTransport(until(*answers, *quotes(ETH, 1.0, 2.0), lost=(3.0, LOST)))
    stream = venue_observable(
        binance,
        [BTC, ETH],
        transport=transport,
        lifecycle=True,
        on_rejected="tell",
        first_data_timeout=5.0,
        events=events.append,
    )
    seen: list[str] = []

    def note(value: object) -> None:
        seen.append(type(value).__name__)
        if seen[-1] == moment:
            subscription.dispose()

    subscription.disposable = stream.subscribe(note, scheduler=virtual)
    virtual.advance_to(60.0)
    assert seen[-1] == moment
    assert seen.count(moment) == 1
    told = [type(event).__name__ for event in events]
    assert [name for name in told if name != "Closed"] == [name for name in seen if name not in ("Quote", "Closed")]
    assert (len(transport.dials), transport.live) == (moment != "Connecting", 0)
    said = sum(len(dialed.sent) for dialed in transport.dials)
    assert said == {"Rejected": 3, "Quote": 3, "Closed": 3, "Live": 1}.get(moment, 0)


@pytest.mark.parametrize("moment", [TopicChanged, Quote])
def test_who_raises_is_told_nothing_more_and_its_error_is_no_bad_frame(moment: type) -> None:
    """In an event as in a message."""
    virtual, seen = TestScheduler(), []
    transport = ScriptedTransport(until((0.5, ack()), *quotes(BTC, 1.0, 2.0)))

    def note(value: object) -> None:
        seen.append(value)
        if isinstance(value, moment):
            raise ZeroDivisionError

    stream = venue_observable(binance, [BTC], transport=transport, lifecycle=True)
    stream.subscribe(note, scheduler=virtual)
    with pytest.raises(ZeroDivisionError):
        virtual.advance_to(9.0)
    virtual.advance_to(10.0)
    assert isinstance(seen[-1], moment)
    assert not [value for value in seen if isinstance(value, BadFrame)]
    assert transport.live == 0


def test_a_topic_that_falls_silent_is_told_as_stale() -> None:
    """With the options of `ws_observable`; the topic is the venue's."""
    talked = talk(
        until((0.1, ack()), *quotes(BTC, 1.0), *quotes(ETH, *range(1, 30))), topics=[BTC, ETH], topic_timeout=5.0
    )
    talked.to(20.0)
    assert [event.topic for event in talked.of(Stale)] == [BTC]


# What is wrong is said at once


@pytest.mark.parametrize(
    ("topics", "options", "field"),
    [
        ([], {}, "topics"),
        (BTC, {}, "topics"),
        (None, {}, "topics"),
        ([1], {}, "topics"),
        ([binance.quotes(f"A{number}USDT") for number in range(1_025)], {}, "topics"),
        ([BTC], {"on_rejected": "ignore"}, "on_rejected"),
        ([BTC], {"on_silent": None}, "on_silent"),
        ([BTC], {"ack_timeout": -1.0}, "ack_timeout"),
        ([BTC], {"first_data_timeout": 0.0}, "first_data_timeout"),
        ([BTC], {"lifecycle": 1}, "lifecycle"),
        ([BTC], {"idle_timeout": -1.0}, "idle_timeout"),
        ([BTC], {"retry": 7}, "retry"),
        ([BTC], {"topic_timeout": "soon"}, "topic_timeout"),
        ([BTC], {"decode": None}, "decode"),
        ([BTC], {"batch": True}, "batch"),
        ([BTC], {"url": "ws://x"}, "url"),
        ([BTC], {"is_data": bool}, "is_data"),
        ([BTC], {"speed": 7}, "speed"),
        ([BTC], {"base": "localhost:80"}, "base"),
        ([BTC], {"base": 7}, "base"),
        ([BTC], {"base": "ws://127.0.0.1:1/ws"}, "base"),
        ([BTC], {"base": "ws://127.0.0.1:1?key=secret"}, "base"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_before_anybody_subscribes(topics: Any, options: Any, field: str) -> None:
    """It is named."""
    with pytest.raises(ConfigError) as told:
        venue_observable(binance, topics, **options)
    assert told.value.field == field


@pytest.mark.parametrize("wrong", [binance_feed, "binance"], ids=["feed", "name"])
def test_what_is_no_venue_is_refused_by_what_would_be_one(wrong: Any) -> None:
    """Feeds are called as their modules are."""
    for make in (lambda: venue_observable(wrong, [BTC]), lambda: multiplex(wrong)):
        with pytest.raises(ConfigError, match="take a module of rxws.exchanges") as told:
            make()
        assert told.value.field == "venue"


def test_topics_of_two_endpoints_are_refused() -> None:
    """A connection has one."""
    both = [binance_usdm.quotes("BTCUSDT"), binance_usdm.trades("BTCUSDT")]
    with pytest.raises(ConfigError, match="market and public"):
        venue_observable(binance_usdm, both)
