"""What is left to say at the end: what was survived, what came, and what was lost, by the exchanges' own numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from rxws.events import DisconnectReason

__all__ = ["Account", "Numbers", "failures", "summary"]


class Numbers:
    """The numbers of the messages that came from one exchange, which counts what it sends.

    >>> numbers = Numbers()
    >>> for number in (1, 2, 5, 5, 4, 6):
    ...     numbers.take(number)
    >>> numbers.came, numbers.last, numbers.astray
    (6, 6, 2)
    """

    def __init__(self) -> None:
        self.came = 0
        self.last = 0
        self.astray = 0
        """How many came a second time, or after one with a higher number."""

    def take(self, number: int) -> None:
        """One more came."""
        self.came += 1
        if number <= self.last:
            self.astray += 1
        else:
            self.last = number


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One exchange at the end.

    Args:
        name: what it is called.
        reasons: how many of its connections ended for which reason, but for the end of the demo itself.
        down: how many of them no live connection has followed.
        refused: attempts that never became a connection.
        came: messages that came.
        astray: those of them that came twice or out of order.
        written: messages that the exchange wrote to a connection, up to the last one that came.
        missed: messages that it sent while no connection was there to get them.
    """

    name: str
    reasons: Mapping[DisconnectReason, int] = field(default_factory=dict)
    down: int = 0
    refused: int = 0
    came: int = 0
    astray: int = 0
    written: int = 0
    missed: int = 0

    @property
    def disconnects(self) -> int:
        """Connections that ended."""
        return sum(self.reasons.values())

    @property
    def survived(self) -> int:
        """Those that a live connection has followed."""
        return self.disconnects - self.down

    @property
    def proactive(self) -> int:
        """Those that we ended."""
        return sum(count for reason, count in self.reasons.items() if reason.is_proactive)

    @property
    def reactive(self) -> int:
        """Those that ended on us."""
        return self.disconnects - self.proactive

    @property
    def unread(self) -> int:
        """Messages that were written to a connection as it ended, and never came.

        >>> Account(name="spot", came=90, astray=2, written=91).unread
        3
        """
        return self.written - (self.came - self.astray)


def summary(accounts: Sequence[Account], seconds: float, over: bool = True) -> list[str]:
    """Return the lines of the summary.

    Args:
        accounts: one an exchange.
        seconds: how long it went on.
        over: whether the script came to its end.
    """
    survived = _total(accounts, lambda each: each.survived)
    so_far = "" if over else ", then interrupted"
    came = _total(accounts, lambda each: each.came)
    missed = _total(accounts, lambda each: each.missed)
    unread = _total(accounts, lambda each: each.unread)
    astray = _total(accounts, lambda each: each.astray)
    order = "each once and in order" if not astray else f"{astray:,} of them twice or out of order"
    lines = [
        f"{_plural(survived, 'disconnect')} survived in {seconds:.1f} s{so_far}.",
        "",
        *_table(accounts),
        "",
        "By the numbers that the exchanges give to what they send:",
        f"{_plural(came, 'message')} came, {order};",
        f"{missed:,} {'was' if missed == 1 else 'were'} sent while no working connection was there to get them.",
    ]
    if unread:
        were = "was on its" if unread == 1 else "were on their"
        lines.append(f"{unread:,} more {were} way as a connection was reset, or left by plan.")
    return lines


def failures(accounts: Sequence[Account], error: Exception | None = None, over: bool = True) -> list[str]:
    """Return what went wrong, a sentence each; none where the pipeline has survived.

    Args:
        accounts: one an exchange.
        error: what ended the pipeline, if anything did.
        over: whether the script came to its end; where it did not, there was perhaps no time for all.

    >>> failures([Account(name="spot")])
    ['no message came from spot']
    """
    told = [] if error is None else [f"the pipeline ended with {type(error).__name__}: {error}"]
    for account in accounts:
        if account.astray:
            told.append(f"{_plural(account.astray, 'message')} of {account.name} came twice or out of order")
        if account.down and over:
            told.append(f"{account.name} was still down when the time was up")
        if not account.came and over:
            told.append(f"no message came from {account.name}")
    return told


def _table(accounts: Sequence[Account]) -> list[str]:
    reasons = sum((Counter(each.reasons) for each in accounts), Counter[DisconnectReason]())
    by_kind = sorted(reasons, key=lambda reason: (reason.is_reactive, reason.value))

    def of(reason: DisconnectReason) -> Callable[[Account], int]:
        return lambda each: each.reasons.get(reason, 0)

    rows: list[tuple[str, Callable[[Account], int]]] = [
        ("proactive disconnects (we ended it)", lambda each: each.proactive),
        *((f"  {reason.value}", of(reason)) for reason in by_kind if reason.is_proactive),
        ("reactive disconnects (it ended on us)", lambda each: each.reactive),
        *((f"  {reason.value}", of(reason)) for reason in by_kind if reason.is_reactive),
        ("attempts that got no connection", lambda each: each.refused),
        ("messages that came", lambda each: each.came),
        ("messages lost between two connections", lambda each: each.missed),
    ]
    head = [f"{'':<40}" + "".join(f"{name:>9}" for name in [*(each.name for each in accounts), "all"])]
    return head + [_row(name, [value(each) for each in accounts]) for name, value in rows]


def _row(name: str, values: Sequence[int]) -> str:
    return f"{name:<40}" + "".join(f"{value:>9,}" for value in [*values, sum(values)])


def _total(accounts: Sequence[Account], value: Callable[[Account], int]) -> int:
    return sum(map(value, accounts))


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
