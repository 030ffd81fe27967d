"""What is told of one attempt of a subscription, by its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from rxws.errors import DecodeError, Disconnected
from rxws.events import (
    BadFrame,
    Closed,
    Connecting,
    DisconnectReason,
    Live,
    Opened,
    Rejected,
    Stale,
    Subscribed,
    TopicChanged,
    TopicStatus,
    reason_of,
)
from rxws.redaction import masked
from rxws.types import Connection, Stamp

if TYPE_CHECKING:
    from rxws.lifecycle import Lifecycle

__all__ = ["Generation"]

R = TypeVar("R")


class Generation:
    """The journal of one attempt: it stamps what it is told with the attempt's number, and hands it on.

    Args:
        life: of the subscription that the attempt belongs to.
        origin: where it leads to, without secrets.
        fail: ends the attempt as lost by an error.
        attempt: how manieth in a row.
    """

    def __init__(self, life: Lifecycle, origin: str, fail: Callable[[Exception], None], attempt: int) -> None:
        self.number = 0
        self.connection: Connection | None = None
        self.attempt = attempt
        self.dial_time = 0.0
        self.opened_time: float | None = None
        self.uptime = 0.0
        self.is_live = False
        self.is_settling = False
        self.ended = False
        self.replaced: DisconnectReason | None = None
        """Why a successor took its place; None: none did."""
        self.replaced_by = ""
        """What asked for that."""
        self.fail = fail
        self._life = life
        self.origin = origin
        self._planned: DisconnectReason | None = None

    def connecting(self, url: str) -> int:
        self.dial_time = self._life.now()
        if url:
            self.origin = masked(url)
        self.number = self._life.dialling(self)
        self._life.tell(Connecting(**self._stamp(), attempt=self.attempt))
        return self.number

    def opened(self, connection: Connection) -> None:
        self.origin = connection.url
        self.connection, self.opened_time = connection, connection.opened_time
        self._life.has_opened(self)
        self._life.tell(Opened(**self._stamp(), took=connection.dial_time, subprotocol=connection.subprotocol))

    def subscribed(self, count: int) -> None:
        self._life.tell(Subscribed(**self._stamp(), count=count))

    def live(self, connection: Connection) -> None:
        self.is_live = True
        self._life.tell(Live(**self._stamp(), after=self._life.now() - connection.opened_time))

    def planned(self, reason: DisconnectReason) -> None:
        self._planned = reason
        self._life.plans(self, reason)

    def closed(self, error: Exception | None, uptime: float, opened: bool) -> DisconnectReason:
        self.ended, self.uptime = True, uptime
        if self.replaced is not None:
            return self.replaced  # no outage: that its successor took over is told instead
        if isinstance(error, Disconnected):
            reason = reason_of(error)
        else:  # a plan, or a wrong URL, say: nothing that the network did
            reason = self._planned or self._life.planned_reason or DisconnectReason.USER_REQUESTED
        self._life.has_ended(self, reason, error)
        self._life.tell(Closed(**self._stamp(), reason=reason, error=error, uptime=uptime, opened=opened))
        return reason

    def gone(self) -> None:
        if self.opened_time is not None:
            self._life.has_gone(self)

    def late(self) -> None:
        self._life.stats.late += 1

    def dropped(self, where: str, count: int = 1) -> None:
        self._life.dropped(where, count)

    def bad_frame(self, error: DecodeError) -> None:
        count = self._life.stats.bad_frames = self._life.stats.bad_frames + 1
        self._life.tell(BadFrame(**self._stamp(), error=error, count=count))
        self._life.log(
            "bad frame",
            "%s: skipped a message of %d bytes that cannot be decoded: %s",
            self.origin,
            len(error.frame),
            error.problem,
        )

    def callback_failed(self, name: str, error: Exception) -> None:
        self._life.callback_failed(name, error)

    def stale(self, idle: float, topic: str | None = None) -> None:
        self._life.tell(Stale(**self._stamp(), idle=idle, topic=topic))

    def topic_changed(self, topic: str, status: TopicStatus, after: float, why: str = "") -> None:
        self._life.tell(TopicChanged(**self._stamp(), topic=topic, status=status, after=after, why=why))
        if status is TopicStatus.TIMED_OUT:
            self._life.log(
                "silent topic",
                "%s: %s brought no %s in %.3g s; does the venue have it?",
                self.origin,
                topic,
                why,
                after,
            )

    def rejected(self, topic: str, reply: object) -> None:
        self._life.tell(Rejected(**self._stamp(), topic=topic, reply=reply))
        self._life.log("rejected topic", "%s: %s was refused (event Rejected)", self.origin, topic)

    def settling(self, is_settling: bool) -> None:
        self.is_settling = is_settling

    def timed(self, function: Callable[..., R]) -> Callable[..., R]:
        return self._life.timed(function)

    def slow(self, seconds: float) -> None:
        self._life.was_slow(self.number, seconds)

    def crashed(self, error: BaseException) -> bool:
        return self._life.crashed(error)

    def _stamp(self) -> Stamp:
        return self._life.stamp(self.number, self.origin)
