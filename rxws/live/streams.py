"""What a bar says of a view's streams, and the stretches of time in which one had no live connection."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from rxws.events import Closed, Connecting, ConnectionState, Event, GaveUp, Live, Opened, Waiting
from rxws.live.words import end, way_back

__all__ = ["COUNTDOWN", "Mark", "Report", "State", "StreamState", "report_of"]

State: TypeAlias = Literal["new", "connecting", "live", "waiting", "stopped", "completed", "error"]

COUNTDOWN = "{in}"
"""Stands in `Report.text` for how long it still takes."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch without a live connection: `kind` says whether it was lost, or left by plan; `to_ns` None: still."""

    stream: str
    kind: Literal["lost", "planned"]
    from_ns: int
    to_ns: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a bar says.

    `seconds` is how long it still takes where `text` holds ``{in}``; `quiet` how long nothing has come, in seconds,
    None: nothing yet.
    """

    state: State
    text: str
    seconds: float | None = None
    quiet: float | None = None


class StreamState:
    """One subscription of a WebSocket, as its events tell of it.

    Args:
        name: what the stream is called that it belongs to; empty where it is the only one.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.origin = ""
        self.state: State = "live"
        self.words = ""
        """What a bar says while it is not live."""
        self.until: float | None = None
        """When the next attempt is due, on the view's clock; None: nobody knows."""
        self.mark: Mark | None = None
        """The stretch that is not over yet."""
        self.is_over = False
        self._why = ""

    def hear(self, event: Event, now: float) -> Mark | None:
        """Take an event; return a mark that has begun or ended by it."""
        self.origin = event.origin
        if self.state == "live" and event.state is ConnectionState.CONNECTED:
            return None  # a rotation: whatever becomes of the next connection, the current one delivers
        match event:
            case Connecting() if self.mark is None or not self._why:
                self._is("connecting", "connecting")
            case Connecting():
                self._is("connecting", f"connecting, attempt {event.attempt}: {self._why}")
            case Opened():
                self._is("connecting", "connected, no data yet")
            case Live():
                return self._alive(event)
            case Closed() if event.state in (ConnectionState.CLOSING, ConnectionState.CLOSED):
                self.is_over = True
            case Closed():
                return self._gone(event)
            case Waiting():
                self._wait(event, now)
            case GaveUp():
                self.is_over = True
        return None

    def _is(self, state: State, words: str = "", until: float | None = None) -> None:
        self.state, self.words, self.until = state, words, until

    def _alive(self, event: Live) -> Mark | None:
        self._is("live")
        self._why = ""
        mark, self.mark = self.mark, None
        return mark and replace(mark, to_ns=event.time_ns)

    def _gone(self, event: Closed) -> Mark | None:
        self._why = end(event)
        self._is("waiting", self._why)
        if self.mark is not None:  # one more attempt that failed
            return None
        kind: Literal["lost", "planned"] = "planned" if event.reason.is_proactive else "lost"
        self.mark = Mark(self.name, kind, event.time_ns, None, self._why)
        return self.mark

    def _wait(self, event: Waiting, now: float) -> None:
        if event.seconds is None:
            self._is("waiting", f"{self._why}; {way_back(event)}" if self._why else way_back(event))
            return
        verb = "reconnecting" if self._why and event.error is not None else "connecting"
        why = f": {self._why}" if self._why else ""
        self._is("waiting", f"{verb} {COUNTDOWN}{why}", now + event.seconds)


def report_of(streams: Collection[StreamState], now: float, quiet: float | None) -> Report:
    """Say of all streams together what a bar says: how those are that are not live; "live" where all are.

    Args:
        streams: all that have not ended.
        now: on the view's clock.
        quiet: how long nothing has come, in seconds; None: nothing yet.
    """
    ill = [stream for stream in streams if stream.state != "live"]
    if not ill:
        return Report("live", "live", quiet=quiet)
    due = next((stream for stream in ill if stream.until is not None), None)
    texts = []
    for stream in ill:
        words = stream.words if stream is due else stream.words.replace(f" {COUNTDOWN}", "")
        name = _told_apart(stream, streams)
        texts.append(f"{name}: {words}" if name else words)
    state: State = "waiting" if any(stream.state == "waiting" for stream in ill) else "connecting"
    seconds = None if due is None or due.until is None else max(0.0, due.until - now)
    return Report(state, "; ".join(texts), seconds, quiet)


def _told_apart(stream: StreamState, streams: Collection[StreamState]) -> str:
    """Return its name, and where one of this name has several connections, where this one leads to."""
    if sum(other.name == stream.name for other in streams) == 1:
        return stream.name
    return f"{stream.name} {urlsplit(stream.origin).netloc}".lstrip()
