"""What the demo says of the life of its connections, and what it makes of their events."""

from __future__ import annotations

import pytest

from rxws.cli.board import Board
from rxws.errors import (
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    HandshakeRejected,
    IdleTimeout,
    PingTimeout,
    ProtocolError,
)
from rxws.events import (
    Blocked,
    Closed,
    Connecting,
    ConnectionState,
    DisconnectReason,
    Event,
    GaveUp,
    Live,
    Opened,
    Overflow,
    Rotated,
    Stale,
    Suspended,
    Waiting,
    reason_of,
)
from rxws.live.words import beside, end, way_back


def closed(error: Exception | None, *, opened: bool = True, at: float = 0.0) -> Closed:
    """Return the end of a connection, or of an attempt at one."""
    reason = DisconnectReason.SCHEDULED if error is None else reason_of(error)
    return Closed(generation=1, origin="", time_ns=int(at * 1e9), reason=reason, error=error, uptime=1.0, opened=opened)


def waiting(seconds: float | None) -> Waiting:
    """Return a wait."""
    return Waiting(generation=1, origin="", time_ns=0, seconds=seconds, rule="policy", attempt=2, error=None)


def live(at: float) -> Live:
    """Return the first data."""
    return Live(generation=2, origin="", time_ns=int(at * 1e9), after=0.0)


def board() -> Board:
    """Return a board at whose clock it is always 0."""
    return Board({"spot": ("A",), "usdm": ("B", "C")}, 20.0, clock=float)


def caused(error: Exception, cause: Exception) -> Exception:
    """Return `error`, raised from `cause`."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (closed(ConnectionClosed(1012)), "lost: server closed (1012)"),
        (closed(ConnectionClosed(1006)), "lost: cut off (1006)"),
        (closed(caused(ConnectionClosed(1006), ConnectionResetError())), "lost: connection reset"),
        (closed(IdleTimeout(1.6)), "lost: no data for 1.6 s"),
        (closed(PingTimeout(0.6)), "lost: no pong for 0.6 s"),
        (closed(ProtocolError("a masked frame")), "lost: a masked frame (we closed with code 1002)"),
        (closed(None), "left by plan (scheduled)"),
        (closed(HandshakeRejected("ws://a", 429), opened=False), "refused: HTTP 429"),
        (closed(ConnectionFailed("ws://a", 1, ConnectionRefusedError()), opened=False), "no connection: refused"),
        (closed(ConnectionFailed("ws://a", 1, OSError("no route")), opened=False), "no connection: no route"),
        (closed(ConnectTimeout("open", 1.0), opened=False), "no connection: no answer for 1 s"),
        (closed(ProtocolError("not HTTP"), opened=False), "no connection: not HTTP (we closed with code 1002)"),
    ],
)
def test_an_end_is_told_in_words(event: Closed, words: str) -> None:
    """Each way to end has words of its own."""
    assert end(event) == words


def test_the_way_back_is_told_in_words() -> None:
    """A number of seconds, none, or nobody knows."""
    assert [way_back(waiting(each)) for each in (0.42, 0.0, None)] == [
        "back in 0.42 s",
        "back at once",
        "back when it may",
    ]


def test_a_feed_counts_from_the_loss_to_the_first_data() -> None:
    """The outage lasts from the loss on, whatever attempts fail meanwhile; only then it counts as survived."""
    shown = board()
    feed = shown.feeds["spot"]
    refused = closed(ConnectionFailed("ws://a", 1, ConnectionRefusedError()), opened=False, at=2.0)
    told: list[Event] = [
        Connecting(generation=1, origin="", time_ns=0, attempt=1),
        Opened(generation=1, origin="", time_ns=0, took=0.0),
        live(0.5),
        closed(ConnectionClosed(1001), at=1.0),
        waiting(1.0),
        refused,
        waiting(0.5),
    ]
    for event in told:
        feed.hear(event)
    assert (feed.state, feed.down, feed.refused, feed.attempts) == ("waiting", 1, 1, 1)
    feed.hear(live(3.5))

    assert (feed.state, feed.down, feed.last_event) == ("live", 0, "live again after 2.50 s")
    assert [line.text for line in shown.lines] == [
        "live: the first message is here",
        "lost: server closed (1001), back in 1.00 s",
        "no connection: refused, back in 0.50 s",
        "live again after 2.50 s",
    ]


def test_giving_up_is_told() -> None:
    """The last event of a stream says why no attempt follows."""
    feed = board().feeds["spot"]
    feed.hear(GaveUp(generation=1, origin="", time_ns=0, error=HandshakeRejected("ws://a", 401), total=1))

    assert feed.last_event == "gave up: ws://a refused the handshake with HTTP 401"


TOLD = {"generation": 2, "origin": "", "time_ns": 0, "state": ConnectionState.CONNECTED}


@pytest.mark.parametrize(
    ("event", "words", "kind"),
    [
        (
            Rotated(previous=1, reason=DisconnectReason.CONNECTION_LIMIT, rule="age", uptime=12.34, took=0.1, **TOLD),
            "rotated without a gap (age): the connection was 12.3 s old",
            "left",
        ),
        (Blocked(seconds=0.312, callback="slow", **TOLD), "the loop stood still for 0.312 s in slow", "fault"),
        (Blocked(seconds=0.5, callback=None, **TOLD), "the loop stood still for 0.5 s", "fault"),
        (Suspended(seconds=61.2, **TOLD), "slept for about 61 s; asks whether the connection is still there", "fault"),
        (Stale(idle=5.0, topic="btcusdt@trade", **TOLD), "no data for 5 s on btcusdt@trade", "fault"),
        (Stale(idle=5.0, **TOLD), "no data for 5 s", "fault"),
        (Overflow(where="the outbox", dropped=1, **TOLD), "1 message dropped: no room in the outbox", "fault"),
        (Overflow(where="a buffer", dropped=1_200, **TOLD), "1,200 messages dropped: no room in a buffer", "fault"),
    ],
)
def test_what_happens_beside_the_connections_is_told(event: Event, words: str, kind: str) -> None:
    """It has words, and changes nothing about how the stream is."""
    shown = board()
    feed = shown.feeds["spot"]
    feed.hear(live(0.0))
    feed.hear(event)

    assert beside(event) == words
    assert (feed.state, feed.last_event) == ("live", words)
    assert [(line.text, line.kind) for line in shown.lines][1:] == [(words, kind)]


def test_a_rotation_is_no_outage() -> None:
    """Its next connection opens while the current one delivers."""
    feed = board().feeds["spot"]
    feed.hear(live(0.0))
    feed.hear(Connecting(attempt=1, **TOLD))
    feed.hear(Opened(took=0.1, **TOLD))

    assert (feed.state, feed.attempts) == ("live", 1)


def test_whatever_happens_is_touched() -> None:
    """So that it is drawn soon."""
    shown, touches = board(), list[int]()
    shown.touched = lambda: touches.append(len(touches))
    trade = {"exchange": "spot", "stream": "A@aggTrade", "n": 1, "data": {"s": "A", "p": "1.5"}}
    kline = {
        "exchange": "spot",
        "stream": "A@kline_1m",
        "data": {"s": "A", "k": {"t": 1, "o": 1, "h": 1, "l": 1, "c": "1"}},
    }
    for act in (
        lambda: shown.take(trade),
        lambda: shown.candles([kline]),
        lambda: shown.say("spot", "words", "fault"),
        lambda: shown.feeds["spot"].hear(Opened(took=0.1, **TOLD)),
    ):
        before = len(touches)
        act()
        assert len(touches) > before
    before = len(touches)
    shown.candles([])
    assert len(touches) == before


def test_an_outage_breaks_the_lines_of_quotes() -> None:
    """Each has a gap where it begins, and the mark ends with it."""
    shown = board()
    feed, market = shown.feeds["spot"], shown.markets["spot", "A"]
    market.quote("1", "2", 10**9)
    feed.hear(live(0.5))
    feed.hear(closed(ConnectionClosed(1012), at=2.0))
    feed.hear(live(3.0))
    market.quote("1", "2", 4 * 10**9)

    assert market.quotes.lines["bid"].points() == [(10**9, 1.0), (2 * 10**9, None), (4 * 10**9, 1.0)]
    assert [(mark.from_ns, mark.to_ns) for mark in market.candles.marks] == [(2 * 10**9, 3 * 10**9)]
    assert not shown.markets["usdm", "B"].candles.marks
