"""Reasons, states and the table between them, and the events."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws import events
from rxws.errors import (
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    DecodeError,
    Disconnected,
    HandshakeRejected,
    IdleTimeout,
    MessageTooBig,
    PingTimeout,
    ProtocolError,
)
from rxws.events import (
    TRANSITIONS,
    BadFrame,
    Blocked,
    Closed,
    Connecting,
    ConnectionState,
    DisconnectReason,
    Event,
    Gap,
    GaveUp,
    Live,
    Mismatch,
    Opened,
    Overflow,
    Rejected,
    Rotated,
    Stale,
    Subscribed,
    Suspended,
    TopicChanged,
    TopicStatus,
    Trigger,
    Waiting,
    next_state,
    reason_of,
)

PROACTIVE = {"USER_REQUESTED", "SCHEDULED", "CALLBACK_TRIGGERED", "CONNECTION_LIMIT"}
REACTIVE = {"SERVER_CLOSED", "NETWORK_ERROR", "PING_TIMEOUT", "IDLE_TIMEOUT", "PROTOCOL_ERROR", "KILLED"}

URL = "ws://venue.example"
WHO: dict[str, Any] = {"generation": 2, "origin": URL, "time_ns": 1_700_000_000_000_000_000}
LOST = ConnectionClosed(1001)
EVENTS: list[Event] = [
    Event(**WHO),
    Connecting(**WHO, attempt=1),
    Opened(**WHO, took=0.1),
    Subscribed(**WHO, count=3),
    TopicChanged(**WHO, topic="trade", status=TopicStatus.LIVE, after=0.1),
    Rejected(**WHO, topic="trade", reply="no"),
    Live(**WHO, after=0.2),
    Closed(**WHO, reason=DisconnectReason.SERVER_CLOSED, error=LOST, uptime=3.0, opened=True),
    Waiting(**WHO, seconds=1.0, rule="policy", attempt=2, error=LOST),
    Stale(**WHO, idle=5.0),
    Gap(**WHO, topic="trade", last=1, next=5),
    Mismatch(**WHO, topic="BTCUSDT", expected=5, computed=6),
    Overflow(**WHO, where="outbox", dropped=1),
    BadFrame(**WHO, error=DecodeError("{"), count=1),
    Blocked(**WHO, seconds=1.4, callback="strategy.decide"),
    Suspended(**WHO, seconds=3_600.0),
    Rotated(**WHO, previous=1, reason=DisconnectReason.SCHEDULED, rule="tick", uptime=3.0, took=0.5),
    GaveUp(**WHO, error=LOST, total=7),
]
NAMES = [type(event).__name__ for event in EVENTS]

STATES = st.sampled_from(ConnectionState)
TRIGGERS = st.sampled_from(Trigger)


# Reasons


def test_the_two_kinds_of_reasons_are_the_designs() -> None:
    """Each reason is either our own will or happened to us, never both."""
    assert {reason.name for reason in DisconnectReason if reason.is_proactive} == PROACTIVE
    assert {reason.name for reason in DisconnectReason if reason.is_reactive} == REACTIVE
    assert [reason.value for reason in DisconnectReason if reason.value.upper().replace(" ", "_") != reason.name] == []


PRODUCED: list[tuple[Exception, DisconnectReason]] = [
    (ConnectionClosed(1000), DisconnectReason.SERVER_CLOSED),
    (ConnectionClosed(1005), DisconnectReason.SERVER_CLOSED),
    (ConnectionClosed(1009), DisconnectReason.SERVER_CLOSED),
    (ConnectionClosed(4000), DisconnectReason.SERVER_CLOSED),
    (ConnectionClosed(1006), DisconnectReason.NETWORK_ERROR),
    (ConnectionFailed(URL), DisconnectReason.NETWORK_ERROR),
    (HandshakeRejected(URL, 503), DisconnectReason.NETWORK_ERROR),
    (ConnectTimeout("open", 1.0), DisconnectReason.NETWORK_ERROR),
    (Disconnected(), DisconnectReason.NETWORK_ERROR),
    (ConfigError("url", "no URL"), DisconnectReason.NETWORK_ERROR),
    (PingTimeout(1.0), DisconnectReason.PING_TIMEOUT),
    (IdleTimeout(1.0), DisconnectReason.IDLE_TIMEOUT),
    (ProtocolError("bad"), DisconnectReason.PROTOCOL_ERROR),
    (MessageTooBig(1), DisconnectReason.PROTOCOL_ERROR),
]


@pytest.mark.parametrize(("error", "reason"), PRODUCED, ids=repr)
def test_an_error_has_its_reason(error: Exception, reason: DisconnectReason) -> None:
    """A close frame is the server's doing, a drop the network's, and each clock has its own."""
    assert reason_of(error) is reason


def test_every_reactive_reason_is_produced() -> None:
    """Only KILLED has no error: it is the user who plays the server there."""
    assert {reason.name for _, reason in PRODUCED} == REACTIVE - {"KILLED"}


# States


def test_every_state_has_its_row() -> None:
    """The table says of each state what moves it."""
    assert set(TRANSITIONS) == set(ConnectionState)


def reached(start: ConnectionState) -> set[ConnectionState]:
    """Return the states to which some triggers lead from `start`."""
    found = {start}
    while more := {target for state in found for target in TRANSITIONS[state].values()} - found:
        found |= more
    return found


def test_every_state_is_reached_from_the_first() -> None:
    """No state is there for show."""
    assert reached(ConnectionState.DISCONNECTED) == set(ConnectionState)


@pytest.mark.parametrize("state", ConnectionState)
def test_from_every_state_there_is_a_way_to_the_end(state: ConnectionState) -> None:
    """A subscription can always be ended, and CLOSED alone has no exit."""
    assert ConnectionState.CLOSED in reached(state)
    assert bool(TRANSITIONS[state]) == (state is not ConnectionState.CLOSED)


def test_every_trigger_moves_something() -> None:
    """No trigger is there for show, and none leads from a state to itself."""
    assert {trigger for row in TRANSITIONS.values() for trigger in row} == set(Trigger)
    assert [state for state, row in TRANSITIONS.items() if state in row.values()] == []


@pytest.mark.parametrize(
    ("walk", "states"),
    [
        ("DIAL OPEN LOSS DIAL OPEN", "CONNECTING CONNECTED RECONNECTING CONNECTING CONNECTED"),
        ("DIAL LOSS LOSS DIAL", "CONNECTING RECONNECTING RECONNECTING CONNECTING"),
        ("DIAL OPEN PLANNED_END GONE DIAL", "CONNECTING CONNECTED DISCONNECTED DISCONNECTED CONNECTING"),
        ("DIAL OPEN END GONE", "CONNECTING CONNECTED CLOSING CLOSED"),
        ("DIAL END", "CONNECTING CLOSED"),
        ("DIAL LOSS END", "CONNECTING RECONNECTING CLOSED"),
        ("DIAL LOSS PLANNED_END END", "CONNECTING RECONNECTING DISCONNECTED CLOSED"),
    ],
)
def test_the_walks_of_a_subscription(walk: str, states: str) -> None:
    """A loss waits, a planned end rests, and an end closes: the socket first where one is open."""
    state = ConnectionState.DISCONNECTED
    seen = []
    for trigger in walk.split():
        state = next_state(state, Trigger[trigger])
        seen.append(state.name)

    assert seen == states.split()


@given(STATES, TRIGGERS)
def test_what_the_table_does_not_name_changes_nothing(state: ConnectionState, trigger: Trigger) -> None:
    """A trigger without an entry leaves the state as it is; one with an entry moves it."""
    named = TRANSITIONS[state].get(trigger)

    assert next_state(state, trigger) is (state if named is None else named)


@given(st.lists(TRIGGERS))
def test_once_closed_nothing_moves_a_subscription(triggers: list[Trigger]) -> None:
    """No late loss or open brings a subscription back."""
    for trigger in triggers:
        assert next_state(ConnectionState.CLOSED, trigger) is ConnectionState.CLOSED


def test_the_table_cannot_be_changed_in_place() -> None:
    """Neither a row nor an entry."""
    table: Any = TRANSITIONS

    with pytest.raises(TypeError):
        table[ConnectionState.CLOSED] = {}
    with pytest.raises(TypeError):
        table[ConnectionState.CLOSED][Trigger.DIAL] = ConnectionState.CONNECTING


# Events


def test_every_event_is_looked_at_here() -> None:
    """The examples leave no class out."""
    assert set(NAMES) == {
        name for name, each in vars(events).items() if isinstance(each, type) and issubclass(each, Event)
    }


@pytest.mark.parametrize("event", EVENTS, ids=NAMES)
def test_an_event_is_a_frozen_value(event: Event) -> None:
    """It is what it is by its fields, and none of them changes or is added."""
    assert replace(event) == event
    assert hash(replace(event)) == hash(event)
    assert replace(event, generation=3) != event
    for field in fields(event):
        with pytest.raises(FrozenInstanceError):
            setattr(event, field.name, None)
    assert not hasattr(event, "__dict__")


@pytest.mark.parametrize("event", EVENTS, ids=NAMES)
def test_an_event_tells_which_connection_and_when(event: Event) -> None:
    """Generation, origin and time are in all of them, and a person can read each field."""
    assert (event.generation, event.origin, event.time_ns) == tuple(WHO.values())
    assert all(f"{field.name}=" in repr(event) for field in fields(event))


@pytest.mark.parametrize("event", EVENTS, ids=NAMES)
def test_an_event_can_be_kept(event: Event) -> None:
    """A pickle brings back all that it said."""
    assert repr(pickle.loads(pickle.dumps(event))) == repr(event)


@pytest.mark.parametrize("kind", {type(event) for event in EVENTS}, ids=lambda kind: kind.__name__)
def test_the_fields_of_an_event_are_named(kind: Any) -> None:
    """No event is built by position, where two numbers could change places."""
    assert {each.kind for each in inspect.signature(kind).parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_what_an_event_need_not_say_is_none() -> None:
    """No subprotocol was agreed; the silence is the whole connection's."""
    assert Opened(**WHO, took=0.1).subprotocol is None
    assert Stale(**WHO, idle=5.0).topic is None


def test_an_event_shows_no_secret_of_the_error_in_it() -> None:
    """Its `repr` is what people log."""
    error = ConnectionFailed("wss://me:hunter2@venue.example?token=s3cr3t", 1, OSError("refused"))
    event = Closed(**WHO, reason=reason_of(error), error=error, uptime=0.0, opened=False)

    assert "refused" in repr(event)
    assert "hunter2" not in repr(event)
    assert "s3cr3t" not in repr(event)
