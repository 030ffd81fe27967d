"""Whether messages are missing: pure rules over the numbers that venues put on what they send.

A rule is asked with what it knows of one topic and with the next event of it; it answers what that event is, and what
is known then. Begin with None.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, TypeAlias

from rxws.market import BookDelta, BookSnapshot, LastTrade, MarketEvent, Trade

__all__ = ["Rule", "State", "Step", "Verdict", "consecutive", "consecutive_trades", "links"]


class Verdict(Enum):
    """What an event is, by its numbers."""

    OK = "ok"
    DUPLICATE = "duplicate"
    """It has been there before, or is older than what is known already: nothing of it is new."""
    GAP = "gap"
    """Something before it is missing."""
    RESET = "reset"
    """The venue began to count anew, as it may; nothing is missing."""


class State(NamedTuple):
    """What is known of a topic: the number of its last event, whether that was a whole book, and what it linked to.

    `proven` is the number up to which there were events, where the venue has said so; `loose`: one without a number has
    come since, so that the next may have any that is new.
    """

    last: int
    whole: bool = False
    previous: int | None = None
    proven: int | None = None
    loose: bool = False


class Step(NamedTuple):
    """What an event is, and what is known once it has been taken.

    `next` is the number of the first change that came after the missing ones; 0 where nothing is missing.
    """

    verdict: Verdict
    state: State | None
    next: int = 0


Rule: TypeAlias = Callable[[State | None, MarketEvent], Step]
"""Asked with what is known of a topic, and with its next event."""


def consecutive(state: State | None, event: MarketEvent) -> Step:
    """Each event's `sequence` is the one before plus one: trades, and the books of some venues.

    A whole book begins anew, at whatever number: Bybit sends one, numbered 1, when its service has restarted. What has
    no number is not checked, and the next may have any that is new. A number that goes back is a duplicate, however far
    it goes. A `LastTrade` proves that there were trades up to it: those that have not come are missing, also where no
    later one follows; they may come yet, and are no duplicates then.

    >>> from decimal import Decimal
    >>> def trade(number):
    ...     return Trade(venue="v", symbol="s", price=Decimal(1), size=Decimal(1), side=None, id=str(number),
    ...                  time_ns=0, sequence=number)
    >>> known = consecutive(None, trade(7)).state
    >>> [consecutive(known, trade(number)).verdict.value for number in (8, 7, 10)]
    ['ok', 'duplicate', 'gap']
    """
    if isinstance(event, BookSnapshot):
        return _begun_by(event)
    if isinstance(event, LastTrade):
        return _proven(state, event.sequence)
    if not isinstance(event, Trade | BookDelta):
        return Step(Verdict.OK, state)
    number = event.sequence
    if number is None:
        return Step(Verdict.OK, None if state is None else state._replace(loose=True))
    if state is None:
        return Step(Verdict.OK, State(number))
    if number <= state.last:
        return Step(Verdict.DUPLICATE, state)
    proven = state.proven
    missing = not state.loose and number > (state.last if proven is None else max(state.last, proven)) + 1
    known = State(number, proven=None if proven is None or proven <= number else proven)
    return Step(Verdict.GAP if missing else Verdict.OK, known, number if missing else 0)


def consecutive_trades(state: State | None, event: MarketEvent) -> Step:
    """`consecutive` of trades alone: the books of a stream that has both are numbered otherwise, and pass."""
    return consecutive(state, event) if isinstance(event, Trade | LastTrade) else Step(Verdict.OK, state)


def links(state: State | None, event: MarketEvent) -> Step:
    """Each message of a book is linked to the one before it, by `previous` or by `first`; a whole book begins anew.

    A delta that says `previous` follows the message of that number. Where the numbers go back, or stand still, on a
    link that is right, the venue began anew or only showed that it is alive: OKX does so, and it is no gap. A delta
    that says only `first` must not begin behind the next number. The first delta behind a whole book may reach back
    behind it, for books that are fetched begin somewhere within a message: Binance says so. What lacks a link is not
    checked; what lacks a number is checked by its link, and the next one not.

    Source: Binance spot, "How to manage a local order book correctly"; Binance USD-M, the same; Deribit, notifications
    of `book`; OKX, "Order book channel": all read 2026-11.

    >>> def delta(first, last, previous=None):
    ...     return BookDelta(venue="v", symbol="s", bids=(), asks=(), first=first, sequence=last, previous=previous)
    >>> [links(State(160), delta(*numbers)).verdict.value for numbers in ((161, 163), (158, 160), (162, 165))]
    ['ok', 'duplicate', 'gap']
    >>> [links(State(160), delta(None, *numbers)).verdict.value for numbers in ((175, 160), (3, 160), (175, 170))]
    ['ok', 'reset', 'gap']
    """
    if isinstance(event, BookSnapshot):
        return _begun_by(event)
    if not isinstance(event, BookDelta):
        return Step(Verdict.OK, state)
    if event.sequence is None:
        return _unnumbered(state, event.previous)
    if state is None or (state.loose and event.sequence > state.last):
        return Step(Verdict.OK, State(event.sequence, previous=event.previous))
    if event.previous is not None:
        return _linked(state, event.previous, event.sequence, event.first)
    if event.first is not None:
        return _ranged(state, event.first, event.sequence)
    return Step(Verdict.OK, State(event.sequence))


def _proven(state: State | None, number: int) -> Step:
    # Before the first trade nothing is missing: one begins somewhere.
    if state is None or state.loose or number <= max(state.last, state.proven or state.last):
        return Step(Verdict.OK, state)
    return Step(Verdict.GAP, State(state.last, proven=number), number + 1)


def _unnumbered(state: State | None, previous: int | None) -> Step:
    if state is None:
        return Step(Verdict.OK, None)
    if previous is None or previous <= state.last:
        return Step(Verdict.OK, state._replace(loose=True))
    known = State(previous, loose=True)
    return Step(Verdict.OK, known) if state.loose else Step(Verdict.GAP, known, previous + 1)


def _begun_by(book: BookSnapshot) -> Step:
    return Step(Verdict.OK, None if book.sequence is None else State(book.sequence, whole=True))


def _linked(state: State, previous: int, sequence: int, first: int | None) -> Step:
    known = State(sequence, previous=previous)
    if previous == state.last:
        return Step(Verdict.RESET if sequence < previous else Verdict.OK, known)
    # It holds all that came after `previous`: a book that is as new as that, or newer, lacks nothing. Binance asks for
    # `first` not behind the book's number, but numbers between `previous` and `first` are not this symbol's.
    if state.whole and previous <= state.last <= sequence:
        return Step(Verdict.OK, known)
    # Where numbers may begin anew (no `first`: OKX), an older one is no proof of having been there.
    is_old = sequence <= state.last and (state.whole or first is not None)
    if is_old or known == state:
        return Step(Verdict.DUPLICATE, state)
    return Step(Verdict.GAP, known, sequence if first is None else first)


def _ranged(state: State, first: int, sequence: int) -> Step:
    if sequence <= state.last:
        return Step(Verdict.DUPLICATE, state)
    if first <= state.last + 1:
        return Step(Verdict.OK, State(sequence))
    return Step(Verdict.GAP, State(sequence), first)
