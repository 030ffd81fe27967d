"""The rows of the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.compare import faults, judges
from benchmarks.compare.judges import Answer
from benchmarks.compare.server import Play, Refuse
from benchmarks.compare.trial import Trial


@dataclass(frozen=True)
class Row:
    """One line of the table: the question, what was done, and who does and judges it."""

    key: str
    question: str
    done: str
    judge: Callable[[Trial], Awaitable[Answer]]
    play: Play = faults.hold
    refuse: Refuse = faults.accept


ROWS = (
    Row(
        "clean-close",
        "Comes back after a clean close by the server (1000, 1001)",
        "The server closes the first connection with 1000 and the second with 1001. Yes: there is a third within 4 s.",
        judges.clean_close,
        faults.close_cleanly,
    ),
    Row(
        "subscriptions",
        "Sends two subscriptions again after a reset",
        "The first connection is reset half a second after it opened. Yes: the second one gets both payloads, each "
        "once, and nothing else.",
        judges.subscriptions,
        faults.reset_the_first,
    ),
    Row(
        "flapping",
        "Dials in 2 s against a server that accepts and closes at once",
        "The server closes each connection with 1011 as soon as it is open. Its handshakes of 2 s are counted; then "
        "one more has to come within 4 s.",
        judges.flapping,
        faults.close_at_once,
    ),
    Row(
        "silent",
        "Finds a connection on which no data comes, though pongs do",
        "The server sends ten messages in half a second, then none, and answers pings. The limit is 1 s without a "
        "message. Yes: there is another connection within 4 s.",
        judges.another_connection_soon,
        faults.fall_silent,
    ),
    Row(
        "half-open",
        "Finds a half-open connection by its own pings",
        "After one message the server reads nothing more and leaves TCP open. No limit for data is set, as for a "
        "stream that may be quiet. Pings go out, and their pongs are due, after 0.3 s. Yes: there is another "
        "connection within 4 s; late: within 15 s.",
        judges.another_connection,
        faults.fall_deaf,
    ),
    Row(
        "unauthorized",
        "Gives up at once on 401, with an error",
        "The server refuses each handshake with 401. Yes: 2 s later it has seen one, and the user's code has seen an "
        "error.",
        judges.unauthorized,
        refuse=faults.unauthorized,
    ),
    Row(
        "retry-after",
        "Keeps `Retry-After` (429)",
        "The server refuses the first handshake with 429 and `Retry-After: 2`. Yes: the second comes, and not within "
        "those 2 s.",
        judges.retry_after,
        refuse=faults.too_many,
    ),
    Row(
        "burst",
        "Delivered of a burst of 20,000 messages to a slower consumer",
        "The server sends 20,000 numbered messages as fast as TCP takes them; the consumer is busy for some 0.1 ms "
        "with each. Counted is what the consumer has had.",
        judges.burst,
        faults.burst,
    ),
    Row(
        "slow",
        "Keeps a good connection whose consumer lags by more than the ping timeout",
        "The server sends 3,000 messages of 300 bytes at once; the consumer takes a little over 1 ms for each. Pings "
        "go out, and their pongs are due, after 0.3 s; the server answers each at once. Yes: one connection carries "
        "all messages, and is still open.",
        judges.slow,
        faults.flood,
    ),
    Row(
        "stop",
        "Stopped while it waits to dial again, it stays stopped",
        "The server closes the first connection with 1011 and refuses the next four handshakes with 503. Then the "
        "client is stopped, and the server accepts again. Yes: nothing connects within 2 s.",
        judges.stop,
        faults.close_the_first,
        faults.away,
    ),
    Row(
        "exception",
        "An exception of the consumer: who learns of it; connections left",
        "The consumer raises at its third message. Seen: it reaches the user's code (an `except`, or the exception "
        "handler of the loop). Left are the connections that the server still has a second later.",
        judges.exception,
        faults.five,
    ),
)
