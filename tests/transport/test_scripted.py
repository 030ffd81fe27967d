"""The scripted transport tells what its script says, when it says so, in the order of the seam."""

from __future__ import annotations

import pytest
from reactivex.testing import TestScheduler

from rxws.errors import ConfigError, ConnectionClosed, ConnectionFailed, HandshakeRejected
from rxws.transport import Attempt, Dial, ScriptedTransport
from tests.transport.receiving import Recorder

DIAL = Dial("ws://scripted/ws", {"X-Api-Key": "k"})


class Timed(Recorder):
    """Writes down when, too."""

    def __init__(self, virtual: TestScheduler) -> None:
        super().__init__()
        self._virtual = virtual
        self.at: list[float] = []

    def tell(self, what: object) -> None:
        super().tell(what)
        self.at.append(self._virtual.clock)


def opened(attempt: Attempt) -> tuple[TestScheduler, ScriptedTransport, Timed]:
    """Play an attempt until it is open."""
    virtual, transport = TestScheduler(), ScriptedTransport(attempt)
    client = Timed(virtual)
    transport.open(DIAL, client, virtual)
    assert client.told == []
    virtual.advance_by(0.5)
    assert client.told == ["open"]
    return virtual, transport, client


def test_a_script_is_played_in_the_schedulers_time() -> None:
    """Open, messages with their reads, the loss and the end of the socket; no event loop runs here."""
    closed = ConnectionClosed(1001, "bye")
    virtual, transport = (
        TestScheduler(),
        ScriptedTransport(Attempt(opens=1.0, messages=[(1.0, "text"), (2.5, b"\xff")], lost=(4.0, closed))),
    )
    virtual.advance_to(100.0)
    client = Timed(virtual)
    transport.open(DIAL, client, virtual)
    virtual.advance_to(200.0)

    assert client.told == ["open", "read", "text", "read", b"\xff", "lost", "gone"]
    assert client.at == [101.0, 101.0, 101.0, 102.5, 102.5, 104.0, 104.0]
    assert client.error is closed
    assert client.socket.subprotocol is None


def test_what_was_asked_of_a_connection_stands_in_dials() -> None:
    """When, where to, with which headers, and what was sent on it."""
    virtual, transport, client = opened(Attempt())
    client.socket.send("ü".encode(), True)
    client.socket.send(b"\xff", False)
    client.socket.ping(b"1")
    virtual.advance_by(1.0)
    client.socket.close(1001, "away")

    (dialed,) = transport.dials
    assert (dialed.at, dialed.url, dialed.headers) == (0.0, "ws://scripted/ws", {"X-Api-Key": "k"})
    assert (dialed.sent, dialed.pings, dialed.close_code) == (["ü", b"\xff"], 1, 1001)
    assert (dialed.opened, dialed.ended) == (True, True)
    assert client.told == ["open", ("pong", b"1"), "gone"]


def test_each_dial_plays_the_next_attempt_and_the_last_one_again() -> None:
    """Without any it opens and stays."""
    virtual, transport = TestScheduler(), ScriptedTransport(Attempt.closes(1.0), Attempt.refused())
    clients = [Timed(virtual) for _ in range(3)]
    for client in clients:
        transport.open(DIAL, client, virtual)
    virtual.advance_to(10.0)

    assert [client.told for client in clients] == [["open", "lost", "gone"], ["lost"], ["lost"]]
    opened(*ScriptedTransport()._attempts)


def test_a_refused_attempt_never_opens() -> None:
    """It is lost, by any error, and there is no socket to be gone."""
    refusal = HandshakeRejected("ws://scripted", 429)
    virtual = TestScheduler()
    clients = [Timed(virtual) for _ in range(2)]
    for client, attempt in zip(clients, [Attempt.refused(), Attempt.refused(2.0, refusal)], strict=True):
        ScriptedTransport(attempt).open(DIAL, client, virtual)
    virtual.advance_to(10.0)

    assert [client.told for client in clients] == [["lost"], ["lost"]]
    assert [client.at[0] for client in clients] == [0.0, 2.0]
    assert isinstance(clients[0].error, ConnectionFailed)
    assert clients[1].error is refusal


def test_a_close_by_the_script_has_its_code_and_reason() -> None:
    """1006 where none is given."""
    for attempt, code, reason in [
        (Attempt.closes(1.0, 1012, "restart"), 1012, "restart"),
        (Attempt.closes(1.0), 1006, ""),
    ]:
        virtual, _, client = opened(attempt)
        virtual.advance_to(1.0)
        assert isinstance(client.error, ConnectionClosed)
        assert (client.error.code, client.error.reason) == (code, reason)


def test_pongs_can_be_missing() -> None:
    """The pings are counted all the same."""
    virtual, transport, client = opened(Attempt(pongs=False))
    client.socket.ping(b"1")
    virtual.advance_by(10.0)

    assert (client.told, transport.dials[0].pings) == (["open"], 1)


def test_while_it_is_paused_all_that_arrives_waits_in_order() -> None:
    """Messages, pongs and the loss, as behind a socket; they follow a turn after `resume`."""
    script = Attempt(messages=[(1.0, "a"), (2.0, "b"), (3.0, "c")], lost=(4.0, ConnectionClosed(1000)))
    virtual, transport, client = opened(script)
    client.socket.pause()
    client.socket.ping(b"1")
    virtual.advance_to(10.0)
    assert (client.told, transport.live) == (["open"], 1)
    for _ in range(2):
        client.socket.resume()
    assert client.told == ["open"]
    virtual.advance_to(11.0)

    assert client.told == ["open", ("pong", b"1"), "read", "a", "read", "b", "read", "c", "lost", "gone"]
    assert set(client.at[1:]) == {10.0}


def test_what_waits_behind_a_pause_is_gone_with_the_connection() -> None:
    """Nothing of it is told."""
    virtual, _, client = opened(Attempt(messages=[(1.0, "a")]))
    client.socket.pause()
    virtual.advance_to(10.0)
    client.socket.resume()
    client.socket.close(1000, "")
    virtual.advance_to(20.0)

    assert client.told == ["open", "gone"]


@pytest.mark.parametrize("end", ["close", "abort"])
def test_an_end_by_us_is_gone_at_once_and_the_rest_of_the_script_is_not_played(end: str) -> None:
    """`on_gone` is told once, and no loss follows."""
    virtual, transport, client = opened(Attempt(messages=[(1.0, "late")], lost=(2.0, ConnectionClosed(1000))))
    client.socket.ping(b"pong that does not come")
    for _ in range(2):
        client.socket.close(1000, "") if end == "close" else client.socket.abort()
    virtual.advance_to(10.0)

    assert client.told == ["open", "gone"]
    assert transport.live == 0


def test_once_ended_a_connection_takes_nothing() -> None:
    """`send` says so; a ping and a close leave no trace."""
    virtual, transport, client = opened(Attempt.closes(1.0))
    virtual.advance_to(10.0)
    client.socket.ping(b"")
    client.socket.close(1000, "")
    with pytest.raises(ConnectionClosed):
        client.socket.send(b"", True)

    (dialed,) = transport.dials
    assert (dialed.sent, dialed.pings, dialed.close_code) == ([], 0, None)
    assert client.told == ["open", "lost", "gone"]


def test_disposing_breaks_off_what_has_not_opened_and_leaves_what_has() -> None:
    """As the seam says; `live` counts what is open or being opened."""
    virtual, transport = TestScheduler(), ScriptedTransport(Attempt(opens=5.0, messages=[(6.0, "there")]))
    early, late = Timed(virtual), Timed(virtual)
    transport.open(DIAL, early, virtual).dispose()
    opening = transport.open(DIAL, late, virtual)
    assert transport.live == 1
    virtual.advance_to(5.5)
    opening.dispose()
    virtual.advance_to(10.0)

    assert (early.told, late.told) == ([], ["open", "read", "there"])
    assert transport.live == 1


@pytest.mark.parametrize(("opens", "when"), [(2.0, "opens at 2 s"), (None, "never opens")])
def test_a_message_before_the_connection_is_open_is_refused(opens: float | None, when: str) -> None:
    """Such a script would tell what no socket does."""
    with pytest.raises(ConfigError, match=f"messages: one comes at 1.5 s, and the connection {when}"):
        Attempt(opens=opens, messages=[(1.5, "early")])


@pytest.mark.parametrize(
    ("closing", "close_timeout", "gone"),
    [(0.0, 1.0, 0.5), (0.25, 1.0, 0.75), (0.25, None, 0.75), (9.0, 1.0, 1.5), (None, 1.0, 1.5), (None, None, None)],
)
def test_a_close_takes_as_long_as_the_script_says_and_close_timeout_allows(
    closing: float | None, close_timeout: float | None, gone: float | None
) -> None:
    """Until then the socket is live, what comes is told, and a loss is none any more; a second close is none."""
    virtual, client = TestScheduler(), Recorder()
    transport = ScriptedTransport(
        Attempt(messages=[(0.6, "late")], closing=closing, lost=(0.7, ConnectionClosed(1000)))
    )
    transport.open(Dial("ws://scripted", close_timeout=close_timeout), client, virtual)
    virtual.advance_to(0.5)
    client.socket.close(1000, "")
    client.socket.close(1001, "")
    assert transport.dials[0].close_code == 1000
    virtual.advance_to(0.65)
    assert client.told == (["open", "gone"] if closing == 0.0 else ["open", "read", "late"])
    virtual.advance_to(100.0)
    assert client.told[-1] == "gone"
    assert "lost" not in client.told
    assert transport.live == 0


def test_how_many_were_live_at_once_is_known() -> None:
    """Those that are being closed are among them."""
    virtual, client = TestScheduler(), Recorder()
    transport = ScriptedTransport(Attempt(closing=1.0))
    for at in (0.0, 1.0, 5.0):
        virtual.advance_to(at)
        transport.open(Dial("ws://scripted"), client, virtual)
        virtual.advance_by(0.5)
        client.socket.close(1000, "")
    assert transport.most_live == 2


def test_an_attempt_may_depend_on_when_it_is_dialled() -> None:
    """A feed goes on without us: each connection gets what comes from then on."""
    virtual, client = TestScheduler(), Recorder()
    transport = ScriptedTransport(lambda at: Attempt(messages=[(1.0, f"{at + 1.0:g}")]))
    for at in (10.0, 20.0):
        virtual.advance_to(at)
        transport.open(DIAL, client, virtual)
    virtual.advance_to(30.0)
    assert [told for told in client.told if told not in ("open", "read")] == ["11", "21"]
