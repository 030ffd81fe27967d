"""The tree of errors, what each says and keeps, and what an error means for the next attempt."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws import errors
from rxws.errors import (
    TABLE,
    BrokenBook,
    BufferOverflow,
    ChecksumMismatch,
    ConfigError,
    ConnectionClosed,
    ConnectionFailed,
    ConnectTimeout,
    DecodeError,
    Disconnected,
    Fatal,
    HandshakeRejected,
    IdleTimeout,
    Killed,
    MessageTooBig,
    NotConnected,
    PingTimeout,
    ProtocolError,
    Refresh,
    RetriesExhausted,
    Retry,
    RetryAfter,
    RxwsError,
    SequenceGap,
    SubscriptionRejected,
    SubscriptionTimeout,
    Table,
    Verdict,
    WrongShape,
    verdict,
)

URL = "wss://venue.example/ws"
LISTEN_KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
SECRET = f"wss://alice:hunter2@venue.example:9443/ws/{LISTEN_KEY}?token=s3cr3t-value#fragment-id"
SECRETS = ["alice", "hunter2", LISTEN_KEY, "s3cr3t-value", "fragment-id"]
SHOWN = "wss://***@venue.example:9443/ws/***?token=***"

PARENTS: dict[type[Exception], type[Exception]] = {
    RxwsError: Exception,
    Disconnected: RxwsError,
    ConnectionFailed: Disconnected,
    HandshakeRejected: ConnectionFailed,
    ConnectTimeout: Disconnected,
    ConnectionClosed: Disconnected,
    Killed: ConnectionClosed,
    NotConnected: ConnectionClosed,
    PingTimeout: Disconnected,
    IdleTimeout: Disconnected,
    ProtocolError: Disconnected,
    MessageTooBig: ProtocolError,
    DecodeError: RxwsError,
    SubscriptionRejected: RxwsError,
    SubscriptionTimeout: RxwsError,
    BrokenBook: RxwsError,
    SequenceGap: BrokenBook,
    ChecksumMismatch: BrokenBook,
    BufferOverflow: RxwsError,
    RetriesExhausted: RxwsError,
    WrongShape: RxwsError,
    ConfigError: RxwsError,
}

# (error, its fields, what a person reads)
TOLD: list[tuple[RxwsError, dict[str, Any], str]] = [
    (RxwsError("any"), {}, "any"),
    (Disconnected("any"), {"uptime": 0.0}, "any"),
    (
        ConnectionFailed(URL),
        {"url": URL, "attempts": 1, "last_error": None},
        f"no connection to {URL} (attempt 1 in a row)",
    ),
    (
        ConnectionFailed(URL, 3, OSError("refused")),
        {"url": URL, "attempts": 3},
        f"no connection to {URL} (attempt 3 in a row): OSError: refused",
    ),
    (
        ConnectionFailed(URL, 1, KeyError("token"), "on_open"),
        {"url": URL, "script": "on_open"},
        f"no connection to {URL} (attempt 1 in a row): on_open: KeyError: 'token'",
    ),
    (
        ConnectionFailed(URL, 1, TimeoutError()),
        {"url": URL},
        f"no connection to {URL} (attempt 1 in a row): TimeoutError",
    ),
    (
        HandshakeRejected(URL, 503),
        {"url": URL, "status": 503, "retry_after": None, "body": b"", "attempts": 1, "last_error": None},
        f"{URL} refused the handshake with HTTP 503",
    ),
    (
        HandshakeRejected(URL, 429, 7.0, b" slow \xff down\n", 2),
        {"status": 429, "retry_after": 7.0, "body": b" slow \xff down\n", "attempts": 2},
        f"{URL} refused the handshake with HTTP 429, try again after 7 s: 'slow \ufffd down'",
    ),
    (
        ConnectTimeout("on_open", 2.5),
        {"operation": "on_open", "timeout": 2.5},
        "on_open took longer than 2.5 s",
    ),
    (
        ConnectionClosed(1001, "going\naway"),
        {"code": 1001, "reason": "going\naway"},
        "the server closed the connection with code 1001",
    ),
    (
        ConnectionClosed(1006),
        {"code": 1006, "reason": ""},
        "the connection dropped without a close frame (1006)",
    ),
    (Killed(), {"code": 1006, "reason": ""}, "the connection was cut by hand"),
    (
        NotConnected(),
        {"code": 1006, "reason": ""},
        "there is no connection now; await connect() or wait_connected(), or hold what is sent (unsent)",
    ),
    (PingTimeout(20.0), {"timeout": 20.0}, "no pong within 20 s"),
    (IdleTimeout(0.5), {"timeout": 0.5}, "no data for 0.5 s"),
    (
        ProtocolError("a frame with reserved bits"),
        {"message": "a frame with reserved bits", "code": 1002},
        "a frame with reserved bits (we closed with code 1002)",
    ),
    (
        MessageTooBig(100),
        {"max_size": 100, "code": 1009},
        "a message is larger than max_size=100 bytes; raise max_size, or None for no limit (we closed with code 1009)",
    ),
    (
        MessageTooBig(None),
        {"max_size": None, "code": 1009},
        "a message is larger than its limit; raise max_size, or None for no limit (we closed with code 1009)",
    ),
    (
        DecodeError("a" * 100),
        {"frame": "a" * 100, "problem": ""},
        f"cannot decode a message of 100 characters: {'a' * 80!r}",
    ),
    (
        DecodeError(b"\xff", "not UTF-8"),
        {"frame": b"\xff", "problem": "not UTF-8"},
        "cannot decode a message of 1 bytes (not UTF-8): b'\\xff'",
    ),
    (
        SubscriptionRejected("btcusdt@trade", {"code": 2}),
        {"topic": "btcusdt@trade", "reply": {"code": 2}},
        "'btcusdt@trade' was rejected: {'code': 2}",
    ),
    (
        SubscriptionTimeout("fake@trade", "first data", 60.0),
        {"topic": "fake@trade", "awaited": "first data", "timeout": 60.0},
        "'fake@trade' brought no first data within 60 s; does the venue have it?",
    ),
    (
        BrokenBook("BTCUSDT"),
        {"symbol": "BTCUSDT"},
        "the book of BTCUSDT is broken; take a snapshot of it",
    ),
    (
        SequenceGap("BTCUSDT", 160, 175),
        {"symbol": "BTCUSDT", "last": 160, "next": 175},
        "messages of the book of BTCUSDT are missing between 160 and 175",
    ),
    (
        ChecksumMismatch("BTC-USDT", -5, 6),
        {"symbol": "BTC-USDT", "expected": -5, "computed": 6},
        "the book of BTC-USDT has the checksum 6, and the venue says -5",
    ),
    (
        BufferOverflow(64, 3),
        {"size": 64, "dropped": 3},
        "a buffer of 64 is full; 3 dropped so far",
    ),
    (
        RetriesExhausted(5, 12),
        {"in_a_row": 5, "total": 12},
        "gave up after 5 failures in a row, 12 in total",
    ),
    (
        WrongShape("k.o", {"k": {"note": "\x1b[2J"}}, way_out="take another"),
        {"field": "k.o", "value": {"k": {"note": "\x1b[2J"}}, "problem": "is missing", "way_out": "take another"},
        "k.o is missing in {'k': {'note': '\\x1b[2J'}}; take another",
    ),
    (
        ConfigError("cap", "-1 is out of range"),
        {"field": "cap", "message": "-1 is out of range"},
        "cap: -1 is out of range",
    ),
]
ERRORS = [error for error, _, _ in TOLD]
NAMES = [f"{type(error).__name__}-{number}" for number, error in enumerate(ERRORS)]


def caused(error: Exception, cause: Exception) -> Exception:
    """Return `error` as if it had been raised from `cause`."""
    error.__cause__ = cause
    return error


# The tree


def test_the_tree_is_the_designs() -> None:
    """Each class stands below the one of which it is a special case, and there are no others."""
    found = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}

    assert {each: each.__base__ for each in found} == PARENTS


def test_the_tree_in_the_docstring_is_the_real_one() -> None:
    """What the module's page draws is what the classes are."""
    drawn: dict[str, str] = {}
    above = {-1: "Exception"}
    for branch, name in re.findall(r"^ {4}([│├└─ ]*)([A-Z]\w+)", errors.__doc__ or "", re.MULTILINE):
        depth = len(branch) // 4
        drawn[name] = above[depth - 1]
        above[depth] = name

    assert drawn == {each.__name__: parent.__name__ for each, parent in PARENTS.items()}


def test_every_error_is_looked_at_here() -> None:
    """The examples below leave no class out."""
    assert {type(error) for error in ERRORS} == set(PARENTS)


# What each says and keeps


@pytest.mark.parametrize(("error", "fields", "sentence"), TOLD, ids=NAMES)
def test_an_error_has_fields_for_programs_and_a_sentence_for_people(
    error: RxwsError, fields: dict[str, Any], sentence: str
) -> None:
    """What was given is there by name, and `str` says it in words."""
    assert {name: getattr(error, name) for name in fields} == fields
    assert str(error) == sentence


@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_only_the_errors_of_a_connection_carry_its_uptime(error: RxwsError) -> None:
    """`uptime` is 0.0 until the connection says better, and other errors have none."""
    assert getattr(error, "uptime", None) == (0.0 if isinstance(error, Disconnected) else None)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_a_copy_and_a_pickle_keep_every_field(error: RxwsError, again: Any) -> None:
    """Also the fields that were set later: how long it was up, and which attempt it was."""
    original = copy.copy(error)
    if isinstance(original, Disconnected):
        original.uptime = 12.5
    if isinstance(original, ConnectionFailed):
        original.attempts = 7

    other = again(original)

    assert type(other) is type(original)
    assert str(other) == str(original)
    assert {name: repr(value) for name, value in vars(other).items()} == {
        name: repr(value) for name, value in vars(original).items()
    }
    assert repr(other.args) == repr(original.args)


@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_an_error_made_by_keywords_is_the_same(error: RxwsError) -> None:
    """It can be copied and pickled as well, though Python keeps only positional arguments by itself."""
    names = [] if "__init__" not in vars(type(error)) else list(inspect.signature(type(error)).parameters)
    kind: Any = type(error)
    other = kind(**dict(zip(names, error.args, strict=True))) if names else error

    for again in (other, copy.copy(other), pickle.loads(pickle.dumps(other))):
        assert (repr(again), str(again), repr(again.args)) == (repr(error), str(error), repr(error.args))


def test_the_sentence_of_a_loss_says_what_the_system_said() -> None:
    """A drop without a close frame, and the end of all attempts, name their cause."""
    dropped = caused(ConnectionClosed(1006), ConnectionResetError("reset by peer"))
    exhausted = caused(RetriesExhausted(2, 3), PingTimeout(1.0))

    assert str(dropped).endswith("(1006): ConnectionResetError: reset by peer")
    assert str(exhausted).endswith("in total: PingTimeout: no pong within 1 s")


def test_the_repr_of_a_failure_is_its_sentence() -> None:
    """Not its arguments: among them is an error that is not ours, whose text may show a secret."""
    error = ConnectionFailed(URL, 2, OSError("refused"))

    assert repr(error) == f"ConnectionFailed({str(error)!r})"


def test_the_servers_words_are_not_shown() -> None:
    """A close reason is not ours: `str` and `repr` leave it out, the field keeps it."""
    error = ConnectionClosed(4000, "\x1b[2Jgone")

    assert "gone" not in str(error)
    assert repr(error) == "ConnectionClosed(4000)"
    assert error.reason == "\x1b[2Jgone"


def test_a_body_is_kept_up_to_its_512th_byte() -> None:
    """A page of megabytes is no part of an error, neither in its field nor in what is pickled."""
    error = HandshakeRejected(URL, 500, body=b"x" * 10_000)

    assert error.body == b"x" * 512
    assert len(pickle.dumps(error)) < 2_000
    assert str(error).endswith(f"HTTP 500: {'x' * 200!r}")


# Secrets


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed(SECRET),
        ConnectionFailed(SECRET, 4, OSError("refused")),
        HandshakeRejected(SECRET, 401),
        HandshakeRejected(SECRET, 404, 1.0, f"Cannot GET /ws/{LISTEN_KEY}?token=s3cr3t-value".encode(), 2),
        HandshakeRejected(SECRET, 404, body=b"x" * 480 + LISTEN_KEY.encode()),
    ],
    ids=["dial", "refused", "status", "echo", "echo cut off"],
)
def test_an_error_holds_no_secret_of_its_url(error: ConnectionFailed) -> None:
    """Neither what is read, nor the fields, nor `args`, nor a pickle, nor what the server echoed."""
    held = [str(error), repr(error), repr(error.args), repr(vars(error)), repr(pickle.dumps(error))]

    assert error.url == SHOWN
    assert [(secret[:12], text) for secret in SECRETS for text in held if secret[:12] in text] == []


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed(URL, 1, ValueError(f"{SECRET} isn't a valid URI")),
        caused(ConnectionClosed(1006), OSError(f"lost ({SECRET})")),
        caused(RetriesExhausted(1, 1), ConnectionFailed(SECRET, 1, OSError(f"<{SECRET}>"))),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_url_in_somebody_elses_sentence_is_masked(error: Exception) -> None:
    """Libraries put URLs and proxies into their errors' texts; told by ours they have no secrets."""
    for text in (str(error), repr(error)):
        assert [secret for secret in SECRETS if secret in text] == []
    assert "***@venue.example" in str(error)


# What an error means


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (HandshakeRejected(URL, 401), Fatal()),
        (HandshakeRejected(URL, 403), Fatal()),
        (HandshakeRejected(URL, 404), Fatal()),
        (HandshakeRejected(URL, 418), RetryAfter()),
        (HandshakeRejected(URL, 429), RetryAfter()),
        (HandshakeRejected(URL, 301), Retry()),
        (HandshakeRejected(URL, 502), Retry()),
        (ConnectionClosed(1008), RetryAfter()),
        (ConnectionClosed(1013), RetryAfter()),
        (ConnectionClosed(1000), Retry()),
        (ConnectionClosed(1001), Retry()),
        (ConnectionClosed(1006), Retry()),
        (ConnectionClosed(4401), Retry()),
        (MessageTooBig(1), Fatal()),
        (ConnectionClosed(1009), Retry()),  # a message of ours was too big for the server
        (ProtocolError("a bad frame"), Retry()),
        (ProtocolError("not UTF-8", 1008), Retry()),  # that code is ours, not the server's
        (ConnectionFailed(URL), Retry()),
        (ConnectTimeout("open", 1.0), Retry()),
        (PingTimeout(1.0), Retry()),
        (IdleTimeout(1.0), Retry()),
        (DecodeError(b""), Fatal()),
        (SubscriptionRejected("topic", None), Fatal()),
        (SubscriptionTimeout("topic", "first data", 1.0), Fatal()),
        (SequenceGap("BTCUSDT", 1, 3), Fatal()),
        (BufferOverflow(1, 1), Fatal()),
        (RetriesExhausted(1, 1), Fatal()),
        (WrongShape("k", {}), Fatal()),
        (ConfigError("url", "wrong"), Fatal()),
        (RxwsError(), Fatal()),
        (ConnectionError("somebody else's"), Fatal()),
    ],
    ids=repr,
)
def test_the_table_says_what_each_error_means(error: Exception, meaning: Verdict) -> None:
    """Refusals are final, bans and pauses wait, losses are retried, and nobody else's error is."""
    assert verdict(error) == meaning


@given(status=st.integers(100, 599), seconds=st.floats(0, 1e6))
@example(status=429, seconds=7.0)
@example(status=403, seconds=7.0)
def test_a_retry_after_header_is_a_floor_whatever_the_status(status: int, seconds: float) -> None:
    """Its seconds are the verdict, unless the status is fatal."""
    meaning = verdict(HandshakeRejected(URL, status, seconds))

    assert meaning == (Fatal() if status in (401, 403, 404) else RetryAfter(seconds))


@pytest.mark.parametrize(("asked", "waits"), [(7.0, 120.0), (300.0, 300.0), (None, 120.0)])
def test_of_the_header_and_the_table_the_longer_wait_counts(asked: float | None, waits: float) -> None:
    """A venue's table may know that the header is too short."""
    table = {**TABLE, 429: RetryAfter(120.0)}

    assert verdict(HandshakeRejected(URL, 429, asked), table) == RetryAfter(waits)


def test_a_users_table_decides_by_status_and_close_code() -> None:
    """Each line of a table can be changed, and lines added."""
    table = {**TABLE, 403: Refresh(), 404: Retry(), 1008: Fatal(), 4401: Refresh(), 1009: RetryAfter(5.0)}

    assert verdict(HandshakeRejected(URL, 403), table) == Refresh()
    assert verdict(HandshakeRejected(URL, 403, 2.0), table) == RetryAfter(2.0)
    assert verdict(HandshakeRejected(URL, 404), table) == Retry()
    assert verdict(ConnectionClosed(1008), table) == Fatal()
    assert verdict(ConnectionClosed(4401), table) == Refresh()
    assert verdict(ConnectionClosed(1009), table) == RetryAfter(5.0)
    assert verdict(MessageTooBig(1), table) == Fatal()


def test_of_the_classes_in_a_table_the_nearest_decides() -> None:
    """A status or code goes before any class, a class before the one above it."""
    table: Table = {
        HandshakeRejected: Refresh(),
        ConnectionFailed: Fatal(),
        ProtocolError: RetryAfter(1.0),
        RxwsError: RetryAfter(2.0),
        429: Retry(),
    }

    assert verdict(HandshakeRejected(URL, 500), table) == Refresh()
    assert verdict(HandshakeRejected(URL, 429), table) == Retry()
    assert verdict(ConnectionFailed(URL), table) == Fatal()
    assert verdict(MessageTooBig(1), table) == RetryAfter(1.0)
    assert verdict(PingTimeout(1.0), table) == RetryAfter(2.0)
    assert verdict(DecodeError(""), table) == RetryAfter(2.0)


def test_what_no_line_of_a_table_names_is_fatal() -> None:
    """An empty table retries nothing."""
    assert {type(verdict(error, {})) for error in ERRORS} == {Fatal}


def test_a_class_that_is_no_error_of_ours_is_never_looked_up() -> None:
    """`Exception: Retry()` in a table would retry a bug in the consumer."""
    table: Any = {Exception: Retry(), ValueError: Retry()}

    assert verdict(ValueError("a bug"), table) == Fatal()


def test_the_table_cannot_be_changed_in_place() -> None:
    """What one stream would change, all others would get."""
    with pytest.raises(TypeError):
        TABLE[401] = Retry()  # type: ignore[index]


@pytest.mark.parametrize("meaning", [Retry(), RetryAfter(), RetryAfter(1.0), Refresh(), Fatal()])
def test_a_verdict_is_a_frozen_value(meaning: Verdict) -> None:
    """Two that say the same are the same, and none changes."""
    assert copy.copy(meaning) == meaning
    assert hash(copy.copy(meaning)) == hash(meaning)
    assert not hasattr(meaning, "__dict__")
    assert RetryAfter().seconds is None
    with pytest.raises((AttributeError, TypeError)):
        setattr(meaning, "seconds", 2.0)  # noqa: B010  # mypy would refuse an assignment
