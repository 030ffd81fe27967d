"""Values in lists, and what must be as if they came one by one; all in virtual time."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex import operators as ops
from reactivex.testing import TestScheduler

from rxws import Backoff, Rotation, Stats, ws_observable
from rxws import operators as wsops
from rxws.client import WebSocketClient
from rxws.errors import ConfigError, ConnectionClosed, DecodeError, ProtocolError
from rxws.events import BadFrame, Closed, Connecting, Event, Live, Opened, Rotated, Stale
from rxws.testing import Attempt, ScriptedTransport
from rxws.types import LIST, Connection
from tests.operators.seen import Seen, dialled
from tests.scripted import Played, play


class Trade(msgspec.Struct):
    n: int


def numbers(*which: int) -> list[str | bytes]:
    """Return messages of one read."""
    return [f'{{"n":{n}}}' for n in which]


def lists(*reads: list[str | bytes], **options: Any) -> Played:
    """Play reads at the seconds 1, 2 and so on."""
    attempt = Attempt(messages=list(enumerate(reads, start=1)))
    return play(attempt, **{"batch": True, "decode": Trade, **options}).to(len(reads) + 1.0)


def singly(values: list[tuple[float, Any]]) -> list[Any]:
    """Return the numbers of all lists."""
    return [trade.n for _, trades in values for trade in trades]


# Lists


def test_a_read_is_a_list_and_no_list_goes_over_the_end_of_a_read() -> None:
    """What has come is with the subscriber when the read is over."""
    played = lists(numbers(1, 2, 3), numbers(4), numbers(5, 6))

    assert played.values == [
        (1.0, [Trade(1), Trade(2), Trade(3)]),
        (2.0, [Trade(4)]),
        (3.0, [Trade(5), Trade(6)]),
    ]


@pytest.mark.parametrize("count", [LIST - 1, LIST, LIST + 1, 3 * LIST, 3 * LIST + 7])
def test_a_list_holds_at_most_64(count: int) -> None:
    """A read of more is several lists, in order."""
    played = lists(numbers(*range(count)))

    assert [len(trades) for _, trades in played.values] == [LIST] * (count // LIST) + [count % LIST] * (
        count % LIST > 0
    )
    assert singly(played.values) == list(range(count))


def test_each_list_is_the_subscribers_own() -> None:
    """It may keep it, or change it."""
    played = lists(numbers(1), numbers(2), decode=None)
    played.values[0][1].clear()

    assert [values for _, values in played.values] == [[], ['{"n":2}']]


def test_text_and_binary_share_a_list_only_with_their_like_and_keep_their_order() -> None:
    """Raw messages are `str` and `bytes` as they came."""
    played = lists(["a", "b", b"c", b"d", "e"], decode=None)

    assert [values for _, values in played.values] == [["a", "b"], [b"c", b"d"], ["e"]]


def test_what_is_kept_is_asked_of_each_message_and_an_empty_list_is_none() -> None:
    """Nothing is emitted for a read that brings nothing."""
    asked: list[bytes] = []

    def even(payload: bytes) -> bool:
        asked.append(payload)
        return msgspec.json.decode(payload, type=Trade).n % 2 == 0

    played = lists(numbers(1, 2, 3, 4), numbers(5), keep=even)

    assert played.values == [(1.0, [Trade(2), Trade(4)])]
    assert asked == [f'{{"n":{n}}}'.encode() for n in (1, 2, 3, 4, 5)]


def test_what_the_default_makes_of_a_message_that_is_no_json_stands_in_its_place() -> None:
    """It is no bad frame."""
    played = play(Attempt(messages=[(1.0, ["1", "pong", "2"]), (2.0, [b"\xff"])]), batch=True).to(3.0)

    assert played.values == [(1.0, [1, "pong", 2]), (2.0, [b"\xff"])]
    assert played.stats.bad_frames == 0


def test_a_bad_frame_parts_a_list_and_is_told_in_its_place() -> None:
    """Whatever is wrong with one, the others arrive; nothing is decoded twice."""
    decoded: list[int] = []

    def decode(payload: bytes) -> int:
        decoded.append(int(payload))
        if payload == b"3":
            raise KeyError("three")
        return decoded[-1]

    def keep(payload: bytes) -> bool:
        return bool(1 / (int(payload) - 5))

    played = play(Attempt(messages=[(1.0, list("123456"))]), batch=True, decode=decode, keep=keep, lifecycle=True)
    played.to(2.0)
    told = [each if isinstance(each, list) else type(each).__name__ for _, each in played.values]

    assert told == ["Connecting", "Opened", "Live", [1, 2], "BadFrame", [4], "BadFrame", [6]]
    assert decoded == [1, 2, 3, 4, 6]
    assert [event.error.frame for event in played.of(BadFrame)] == ["3", "5"]


def test_a_bad_frame_that_is_to_be_raised_ends_the_stream_behind_the_values_before_it() -> None:
    """And nothing comes after it."""
    played = lists([*numbers(1, 2), "{", *numbers(3)], numbers(4), on_bad_frame="raise")

    assert played.values == [(1.0, [Trade(1), Trade(2)])]
    assert isinstance(played.error, DecodeError)
    assert played.transport.live == 0


def test_what_keep_raises_can_be_fatal_too() -> None:
    """As what `decode` raises."""

    def keep(payload: bytes) -> bool:
        return bool(1 / (payload != b"2"))

    played = lists(["1", "2", "3"], decode=int, keep=keep, on_bad_frame="raise")

    assert played.values == [(1.0, [1])]
    assert isinstance(played.error, DecodeError)


def test_text_that_is_not_utf8_ends_the_connection_behind_the_values_before_it() -> None:
    """With 1007 (RFC 6455, section 8.1); what stands behind it is not handed on."""
    transport, connections = ScriptedTransport(), list[Connection]()
    stream = ws_observable(
        "ws://scripted",
        transport=transport,
        batch=True,
        decode=None,
        retry=None,
        heartbeat=lambda source: source.pipe(ops.do_action(connections.append)),
    )
    virtual = TestScheduler()
    seen = Seen(virtual, stream)
    virtual.advance_to(1.0)
    (connection,) = connections
    a_read(connection, b"1", b"\xc3(", b"3")

    values, error = seen.values
    assert values == ["1"]
    assert isinstance(error, ProtocolError) and error.code == 1007


def a_read(connection: Any, *payloads: bytes, over: bool = True) -> None:
    """Bring messages of text in one read."""
    connection.on_read()
    for payload in payloads:
        connection.on_message(payload, True)
    if over:
        connection.on_read_over()


# As if they came one by one

MESSAGES = st.lists(
    st.lists(st.sampled_from(['{"n":1}', '{"n":2}', b'{"n":3}', "{", b"\xff", "pong", '{"n":"x"}']), max_size=5),
    max_size=4,
)


def kept(payload: bytes) -> bool:
    """Leave one out, and stumble over another."""
    if payload == b"pong":
        raise ValueError("pong")
    return payload != b'{"n":2}'


@pytest.mark.parametrize("decode", [None, Trade, msgspec.json.decode])
@pytest.mark.parametrize("keep", [None, kept])
@pytest.mark.parametrize("is_data", [None, lambda payload: payload != b"{"])
@given(reads=MESSAGES)
def test_lists_hold_what_would_come_one_by_one(reads: Any, decode: Any, keep: Any, is_data: Any) -> None:
    """The same values and events in the same order, and the same figures."""
    played = [
        play(
            Attempt(messages=list(enumerate(reads, start=1)), lost=(9.0, ConnectionClosed(1006))),
            decode=decode,
            keep=keep,
            is_data=is_data,
            lifecycle=True,
            batch=batch,
            retry=Backoff.fixed(100.0),
        ).to(10.0)
        for batch in (False, True)
    ]
    one, many = ([shown(time, each) for time, value in each_.values for each in flat(value)] for each_ in played)

    assert many == one
    ours, theirs = played[1].stats, played[0].stats
    assert ours.messages_received == theirs.messages_received == sum(map(len, reads))
    assert ours.bytes_received == theirs.bytes_received
    assert (ours.bad_frames, ours.last_message_time) == (theirs.bad_frames, theirs.last_message_time)


def flat(value: Any) -> list[Any]:
    """Return the values of a list, or an event."""
    return value if isinstance(value, list) else [value]


def shown(time: float, value: Any) -> object:
    """Return what can be compared."""
    return (time, (type(value).__name__, str(getattr(value, "error", None))) if isinstance(value, Event) else value)


FIRST = Attempt(messages=[(1.0, ['{"s":[0]}', '{"s":[1]}', '{"s":[]}', '{"s":[3]}', '{"s":[]}'])])


def first(payload: bytes) -> int:
    """Return the first of several: an everyday function that raises StopIteration."""
    return int(next(iter(msgspec.json.decode(payload)["s"])))


@pytest.mark.parametrize(
    "options", [{"decode": first}, {"decode": None, "keep": first}, {"decode": first, "keep": bool}]
)
def test_a_function_that_raises_stop_iteration_loses_no_other_message(options: Any) -> None:
    """It is no end of the list, also from the last of it."""
    one, many = (play(FIRST, batch=batch, **options).to(2.0) for batch in (False, True))

    values = [each for _, value in one.values for each in flat(value)]
    assert values == [each for _, value in many.values for each in value]
    assert len(values) == (2 if options.get("keep") is first else 3)  # of 0 and 3 `first` keeps the one that is true
    assert one.stats.bad_frames == many.stats.bad_frames == 2


MIXED = ["0", "1", "x", "3", "4"]


@pytest.mark.parametrize("keep", [None, bool])
@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("who", ["subscriber", "events", "raise"])
def test_behind_an_end_within_a_read_nothing_comes_and_all_is_late(who: str, batch: bool, keep: Any) -> None:
    """Whoever ended it: values, bad frames and late ones are all that was read."""
    transport, virtual, stats = ScriptedTransport(Attempt(messages=[(1.0, MIXED)])), TestScheduler(), Stats()
    seen: list[Any] = []

    def take(value: Any) -> None:
        seen.extend(flat(value))
        if who == "subscriber":
            subscription.dispose()

    def listen(event: Event) -> None:
        seen.append(type(event).__name__)
        if who == "events" and isinstance(event, BadFrame):
            subscription.dispose()

    stream = ws_observable(
        "ws://scripted",
        transport=transport,
        stats=stats,
        events=listen,
        decode=int,
        keep=keep,
        batch=batch,
        on_bad_frame="raise" if who == "raise" else "skip",
    )
    subscription = stream.subscribe(take, seen.append, scheduler=virtual)
    virtual.advance_to(2.0)

    ended = {"subscriber": [0, 1] if batch else [0], "events": [0, 1, "BadFrame"], "raise": [0, 1]}[who]
    assert seen[3 : 3 + len(ended) + 1] == [*ended, "Closed"]
    delivered = sum(isinstance(each, int) for each in seen)
    bad = stats.bad_frames + sum(isinstance(each, DecodeError) for each in seen)
    assert delivered + bad + stats.late == len(MIXED)


def test_a_function_that_ends_it_within_a_list_makes_what_was_not_handed_on_late() -> None:
    """What was decoded before it, too."""

    def decode(payload: bytes) -> int:
        if payload == b"2":
            subscription.dispose()
        return int(payload)

    for batch, keep in ((True, None), (False, bool), (True, bool)):
        transport, virtual, stats = (
            ScriptedTransport(Attempt(messages=[(1.0, list("012345"))])),
            TestScheduler(),
            Stats(),
        )
        seen: list[Any] = []
        stream = ws_observable("ws://scripted", transport=transport, stats=stats, decode=decode, keep=keep, batch=batch)
        subscription = stream.subscribe(seen.append, scheduler=virtual)
        virtual.advance_to(2.0)

        assert seen == []
        assert stats.late == 6


def test_bad_utf8_that_an_observer_of_messages_meets_is_behind_what_was_gathered() -> None:
    """As it is behind what came one by one."""
    connections = list[Connection]()
    played = play(
        batch=True,
        decode=Trade,
        retry=None,
        heartbeat=lambda source: source.pipe(ops.do_action(connections.append)),
    ).to(1.0)
    beside = Seen(played.virtual, connections[0].messages)
    a_read(connections[0], b'{"n":1}', b'{"n":2}', b"\xff", b'{"n":3}')

    assert singly(played.values) == [1, 2]
    assert isinstance(played.error, ProtocolError)
    assert played.stats.late == 2
    assert beside.values[:2] == numbers(1, 2)


def test_an_observer_of_messages_that_has_left_costs_nothing_more() -> None:
    """Text that only it would have read as text is no error any more."""
    connections = list[Connection]()
    played = play(Attempt(), decode=len, heartbeat=lambda source: source.pipe(ops.do_action(connections.append))).to(
        1.0
    )
    connection: Any = connections[0]
    a_read(connection, b"live")
    entry = connection.on_message
    beside = Seen(played.virtual, connection.messages)
    assert connection.on_message != entry
    beside.dispose()
    assert connection.on_message == entry

    a_read(connection, b"\xff\xff")
    assert [value for _, value in played.values] == [4, 2]


@pytest.mark.parametrize("flag", ["batch", "lifecycle"])
@pytest.mark.parametrize("value", ["yes", 1, None, 100])
def test_what_is_neither_true_nor_false_is_refused(flag: str, value: Any) -> None:
    """A number might be taken for a size."""
    with pytest.raises(ConfigError, match=f"{flag}: .* take True or False"):
        ws_observable("ws://scripted", **{flag: value})


@pytest.mark.parametrize("read", [1, 2, LIST, LIST + 1, 2 * LIST])
def test_the_counts_are_right_at_any_time(read: int) -> None:
    """Also in the middle of a read, and to who gets the list."""
    asked: list[tuple[int, int]] = []
    stats = Stats()
    stream = ws_observable(
        "ws://scripted",
        transport=ScriptedTransport(Attempt(messages=[(1.0, numbers(*range(read))), (2.0, numbers(7))])),
        stats=stats,
        batch=True,
    )
    virtual = TestScheduler()
    stream.subscribe(lambda values: asked.append((stats.messages_received, stats.bytes_received)), scheduler=virtual)
    virtual.advance_to(3.0)

    sizes = [len(message) for message in numbers(*range(read))]
    whole = [(end, sum(sizes[:end])) for end in (LIST, read, 2 * LIST) if end <= read]
    assert asked == [*sorted(set(whole)), (read + 1, sum(sizes) + 7)]
    assert stats.last_message_time == 2.0


def test_what_came_before_anybody_read_is_handed_on_in_lists_and_counted_once() -> None:
    """A login script has read some of it; what comes then follows behind."""
    attempt = Attempt(messages=[(0.0, numbers(1, 2)), (0.0, numbers(3)), (2.0, numbers(4, 5))])
    transport, virtual, stats = ScriptedTransport(attempt), TestScheduler(), Stats()
    seen: list[Any] = []
    late = (
        dialled(transport)
        .pipe(wsops.record_stats(stats), ops.delay(1.0))
        .subscribe(
            lambda connection: connection.attach_lists(lambda each, is_text: seen.append(each)), scheduler=virtual
        )
    )
    virtual.advance_to(0.5)
    assert stats.messages_received == 3
    virtual.advance_to(3.0)

    assert [[msgspec.json.decode(each)["n"] for each in payloads] for payloads in seen] == [[1, 2, 3], [4, 5]]
    assert stats.messages_received == 5
    late.dispose()


def test_who_observes_messages_beside_it_sees_each() -> None:
    """And the lists are as before."""
    connections = list[Connection]()
    played = play(
        Attempt(messages=[(1.0, numbers(1, 2)), (2.0, numbers(3, 4)), (3.0, numbers(5))]),
        batch=True,
        decode=Trade,
        heartbeat=lambda source: source.pipe(ops.do_action(connections.append)),
    ).to(1.5)
    beside = Seen(played.virtual, connections[0].messages)
    played.to(2.5)
    beside.dispose()
    played.to(4.0)

    assert beside.values == numbers(3, 4)
    assert singly(played.values) == [1, 2, 3, 4, 5]
    assert played.stats.messages_received == 5


def test_who_says_what_is_data_is_asked_of_each_and_lists_stay_lists() -> None:
    """Also in a read of many."""
    asked: list[bytes] = []
    played = lists(numbers(*range(150)), is_data=asked.append)

    assert [len(trades) for _, trades in played.values] == [LIST, LIST, 22]
    assert len(asked) == played.stats.messages_received == 150


def test_who_begins_to_observe_in_the_middle_of_a_read_changes_no_count() -> None:
    """What was gathered before is counted, and what comes then is counted once."""
    connections = list[Connection]()
    played = play(batch=True, decode=Trade, heartbeat=lambda source: source.pipe(ops.do_action(connections.append))).to(
        1.0
    )
    connection: Any = connections[0]
    a_read(connection, b'{"n":0}')
    a_read(connection, b'{"n":1}', b'{"n":2}', over=False)
    beside = Seen(played.virtual, connection.messages)
    connection.on_message(b'{"n":3}', True)
    connection.on_read_over()

    assert singly(played.values) == [0, 1, 2, 3]
    assert beside.values == numbers(3)
    assert played.stats.messages_received == 4


# The end


def test_what_was_read_before_a_loss_comes_before_it() -> None:
    """Also where the read is never over: the socket broke under it."""
    connections = list[Connection]()
    played = play(
        batch=True,
        decode=Trade,
        lifecycle=True,
        retry=None,
        heartbeat=lambda source: source.pipe(ops.do_action(connections.append)),
    ).to(1.0)
    connection: Any = connections[0]
    a_read(connection, b'{"n":1}', b'{"n":2}', over=False)
    connection.on_lost(ConnectionClosed(1006))

    told = [each if isinstance(each, list) else type(each) for _, each in played.values]
    assert told[:5] == [Connecting, Opened, Live, [Trade(1), Trade(2)], Closed]


def test_who_leaves_gets_no_more_and_what_was_read_behind_it_is_late() -> None:
    """Of a read of many lists."""
    transport, virtual, stats = (
        ScriptedTransport(Attempt(messages=[(1.0, numbers(*range(200)))])),
        TestScheduler(),
        Stats(),
    )
    seen: list[Any] = []

    def leave(values: list[Any]) -> None:
        seen.append(values)
        subscription.dispose()

    stream = ws_observable("ws://scripted", transport=transport, stats=stats, batch=True)
    subscription = stream.subscribe(leave, scheduler=virtual)
    virtual.advance_to(2.0)

    assert [len(values) for values in seen] == [LIST]
    assert stats.late == 200 - LIST
    assert transport.live == 0


def test_what_is_gathered_when_the_connection_is_ended_by_who_looks_at_messages_is_late() -> None:
    """Nobody gets it, and it is counted."""
    connections = list[Connection]()

    def is_data(payload: bytes) -> bool:
        if payload == b"3":
            connections[0].abort()
        return True

    played = play(
        Attempt(messages=[(1.0, list("123"))]),
        batch=True,
        is_data=is_data,
        heartbeat=lambda source: source.pipe(ops.do_action(connections.append)),
    ).to(2.0)

    assert played.values == []
    assert played.stats.late == 3


def test_a_consumer_that_raises_ends_the_subscription() -> None:
    """It is reported, not retried, and hears nothing more."""
    transport, virtual = ScriptedTransport(Attempt(messages=[(1.0, numbers(*range(100)))])), TestScheduler()
    seen: list[Any] = []

    def broken(values: list[Any]) -> None:
        seen.append(values)
        raise KeyError("mine")

    ws_observable("ws://scripted", transport=transport, batch=True).subscribe(broken, scheduler=virtual)
    with pytest.raises(KeyError, match="mine"):
        virtual.advance_to(2.0)

    assert len(seen) == 1
    assert transport.live == 0


# With keep, one by one


def test_with_keep_values_come_one_by_one_at_the_end_of_the_read() -> None:
    """In order, and behind the bad frames before them."""
    played = play(
        Attempt(messages=[(1.0, [*numbers(1, 2), "{", *numbers(3)]), (2.0, numbers(2, 4))]),
        decode=Trade,
        keep=lambda payload: payload != b'{"n":2}',
        lifecycle=True,
    ).to(3.0)
    told = [each if isinstance(each, Trade) else type(each).__name__ for _, each in played.values]

    assert told[3:] == [Trade(1), "BadFrame", Trade(3), Trade(4)]


def test_with_keep_who_leaves_gets_no_more_and_what_stands_behind_is_late() -> None:
    """The list that it was decoded in is over."""
    transport, virtual, stats = (
        ScriptedTransport(Attempt(messages=[(1.0, numbers(*range(100)))])),
        TestScheduler(),
        Stats(),
    )
    seen: list[Any] = []
    stream = ws_observable("ws://scripted", transport=transport, stats=stats, decode=Trade, keep=bool)
    stream.pipe(ops.take(10)).subscribe(seen.append, scheduler=virtual)
    virtual.advance_to(2.0)

    assert seen == [Trade(n) for n in range(10)]
    assert stats.late == 90
    assert transport.live == 0


def test_with_keep_a_bad_frame_can_be_fatal_behind_the_values_before_it() -> None:
    """And what stands behind it is not handed on."""
    played = lists([*numbers(1), "{", *numbers(2)], keep=bool, batch=False, on_bad_frame="raise")

    assert played.values == [(1.0, Trade(1))]
    assert isinstance(played.error, DecodeError)


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("which", ["keep", "decode", "is_data", "events"])
def test_a_function_that_ends_the_subscription_gets_its_subscriber_no_more(which: str, batch: bool) -> None:
    """Whoever is asked on the way, or hears of events, may dispose."""
    transport, virtual = ScriptedTransport(Attempt(messages=[(1.0, ["1", "2"])])), TestScheduler()
    seen: list[Any] = []

    def leave(what: Any) -> int:
        if what == b"1" or type(what).__name__ == "Live":
            subscription.dispose()
        return 1

    stream = ws_observable("ws://scripted", transport=transport, batch=batch, **{which: leave})
    subscription = stream.subscribe(seen.append, scheduler=virtual)
    virtual.advance_to(2.0)

    assert seen == []
    assert transport.live == 0


def test_with_keep_and_without_anything_kept_nothing_is_said() -> None:
    """And of what cannot be decoded only what was kept is bad."""
    played = lists(["{", *numbers(2)], keep=lambda payload: False, batch=False)

    assert played.values == []
    assert played.stats.bad_frames == 0


# Operators that look at values


def test_topics_are_watched_value_by_value() -> None:
    """And a list stays a list."""
    attempt = Attempt(messages=[(1.0, numbers(1, 2)), (2.0, numbers(1, 1)), (3.0, numbers(1))])
    played = play(attempt, batch=True, decode=Trade, topic=lambda trade: trade.n, topic_timeout=1.5).to(4.0)

    assert [trades for _, trades in played.values] == [[Trade(1), Trade(2)], [Trade(1), Trade(1)], [Trade(1)]]
    assert [event.topic for event in played.of(Stale)] == ["2"]


@pytest.mark.parametrize("lifecycle", [False, True])
def test_a_rotation_splices_value_by_value_and_hands_on_lists(lifecycle: bool) -> None:
    """Each number once and in order, whichever connection brought it, and Rotated where it happened."""
    old = Attempt(messages=[(at, numbers(2 * at, 2 * at + 1)) for at in range(1, 20)])
    new = Attempt(messages=[(at, numbers(2 * at + 20, 2 * at + 21)) for at in range(1, 9)])  # dialled at 10
    played = play(
        old,
        new,
        batch=True,
        decode=Trade,
        lifecycle=lifecycle,
        rotate=Rotation(10.0, key=lambda trade: trade.n, jitter=0.0),
    ).to(18.5)
    values = [(time, each) for time, each in played.values if isinstance(each, list)]

    assert singly(values) == list(range(2, 38))
    assert max(len(trades) for _, trades in values) == 2
    assert len(played.of(Rotated)) == 1
    if lifecycle:
        at = [type(each) for _, each in played.values].index(Rotated)
        before = [trade.n for _, each in played.values[:at] if isinstance(each, list) for trade in each]
        assert before == list(range(2, 2 + len(before)))


def test_an_event_within_a_list_parts_it() -> None:
    """The old connection's list goes over the cut: what came before it is handed on before Rotated is told."""
    old = Attempt(messages=[(at + 0.5, numbers(3 * at, 3 * at + 1, 3 * at + 2)) for at in range(1, 20)])
    new = Attempt(
        messages=[(at, numbers(3 * at + 31, 3 * at + 32, 3 * at + 33)) for at in range(1, 9)]
    )  # dialled at 10
    rotation = Rotation(10.0, key=lambda trade: trade.n, jitter=0.0)
    played = play(old, new, batch=True, decode=Trade, lifecycle=True, rotate=rotation).to(12.1)
    told = [each for time, each in played.values if time == 11.5]
    rotated = [type(each) for each in told].index(Rotated)

    assert [trade.n for each in told[:rotated] if isinstance(each, list) for trade in each] == [33, 34]
    assert [trade.n for each in told[rotated:] if isinstance(each, list) for trade in each] == [35, 36]


def test_an_error_within_a_list_is_behind_the_values_before_it() -> None:
    """Here one of the observable that asks for rotations."""
    asked: Subject[None] = Subject()

    def topic(trade: Trade) -> int:
        if trade.n == 3:
            asked.on_error(KeyError("mine"))
        return 0

    options: Any = {"topic": topic, "topic_timeout": 60.0, "rotate": Rotation(asked)}
    played = lists(numbers(1, 2, 3, 4), **options)

    assert played.values == [(1.0, [Trade(1), Trade(2)])]
    assert isinstance(played.error, KeyError)


def test_a_long_read_is_lists_of_64_behind_operators_too() -> None:
    """And what was gathered goes before an error."""
    attempt = Attempt(messages=[(1.0, [*numbers(*range(100)), "{"])])
    played = play(
        attempt, batch=True, decode=Trade, topic=lambda trade: 0, topic_timeout=60.0, on_bad_frame="raise"
    ).to(2.0)

    assert [len(trades) for _, trades in played.values] == [LIST, 36]
    assert isinstance(played.error, DecodeError)


def test_a_planned_end_is_behind_what_was_gathered() -> None:
    """Behind operators that look at values."""
    attempt = Attempt(messages=[(at, numbers(1, 2)) for at in (1.0, 2.0, 3.0)])
    played = play(attempt, batch=True, decode=Trade, topic=lambda trade: 0, topic_timeout=60.0, max_age=2.5).to(3.0)

    assert [trades for _, trades in played.values] == [[Trade(1), Trade(2)]] * 2
    assert played.stats.proactive_disconnects == 1


# flatten


def test_flatten_makes_values_of_lists_and_leaves_events_in_their_place() -> None:
    """As without `batch`."""
    transport, virtual = ScriptedTransport(Attempt(messages=[(1.0, numbers(1, 2)), (2.0, numbers(3))])), TestScheduler()
    stream = ws_observable("ws://scripted", transport=transport, decode=Trade, batch=True, lifecycle=True)
    seen = Seen(virtual, stream.pipe(wsops.flatten()))
    virtual.advance_to(3.0)

    assert [value for value in seen.values if isinstance(value, Trade)] == [Trade(1), Trade(2), Trade(3)]
    assert [type(value).__name__ for value in seen.values[:3]] == ["Connecting", "Opened", "Live"]


def test_who_leaves_flatten_in_the_middle_of_a_list_gets_no_more() -> None:
    """And the connection is closed."""
    transport, virtual = ScriptedTransport(Attempt(messages=[(1.0, numbers(1, 2, 3))])), TestScheduler()
    stream = ws_observable("ws://scripted", transport=transport, decode=Trade, batch=True)
    seen = Seen(virtual, stream.pipe(wsops.flatten(), ops.take(2)))
    virtual.advance_to(3.0)

    assert seen.values == [Trade(1), Trade(2), "completed"]
    assert transport.live == 0


# What does not go together


def test_an_async_keep_is_refused() -> None:
    """What it returns is true of every message."""

    async def keep(payload: bytes) -> bool:
        return False

    with pytest.raises(ConfigError, match="keep: an async function"):
        ws_observable("ws://scripted", keep=keep)


def test_a_client_has_no_lists() -> None:
    """It hands out values one by one; the error says what to take."""
    with pytest.raises(ConfigError, match="batch: .* take ws_observable"):
        WebSocketClient("ws://scripted", batch=True)  # type: ignore[call-overload]
    WebSocketClient("ws://scripted", batch=False)  # type: ignore[call-overload]
