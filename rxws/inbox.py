"""What arrives on one connection: counted, held until somebody reads it, handed on in order."""

from __future__ import annotations

from collections.abc import Callable

from reactivex import Observable, Subject, abc
from reactivex.disposable import Disposable

from rxws.backlog import Backlog
from rxws.collector import Collector
from rxws.errors import Disconnected, ProtocolError
from rxws.scheduler import RAISED
from rxws.types import Entry, Journal, ListSink, Message, Sink, Tally

__all__ = ["Inbox"]


class Inbox:
    """The way of a message from the transport to the one sink, and to who observes `messages`.

    `_deliver` is the way of one message behind `receive`; it is chosen anew whenever the way changes, so that a message
    asks nothing that was known before it came. Where nothing else is to be done with it, the sink's own entry takes its
    place.

    Args:
        schedule: runs an action one turn later.
        journal: who is told of the first data, and of what is late or found no room.
        crashed: told what the consumer raised.
        invalid: told that a text message is not UTF-8.
        first_data: called before the first data is handed on.
        entered: told of what takes the messages from now on: `receive`, or what stands for it.
    """

    def __init__(
        self,
        schedule: Callable[[Callable[[], None]], object],
        journal: Journal,
        crashed: Callable[[BaseException], None],
        invalid: Callable[[Disconnected], None],
        first_data: Callable[[], None],
        entered: Callable[[Sink], None],
    ) -> None:
        self.is_data: Callable[[bytes], object] | None = None
        self.read_time: float = 0.0
        self.last_data_time: float | None = None
        self._schedule = schedule
        self._journal = journal
        self._crashed = crashed
        self._invalid = invalid
        self._first_data = first_data
        self._entered = entered
        self._tally = Tally()
        self._messages_before = 0
        self._last_time: float | None = None
        self._collector: Collector | None = None
        self._sink: Sink | None = None
        self._entry: Sink | None = None
        self._observers: Subject[Message] = Subject()
        self._held = Backlog()
        self._holding = False
        self._flowing = False
        self._live = False
        self._deliver: Sink = self._hold
        entered(self.receive)

    def receive(self, payload: bytes, is_text: bool) -> None:
        """Take one message from the transport. What its consumer raises ends here, and nowhere else."""
        self._tally.messages += 1
        self._tally.bytes += len(payload)
        try:
            self._deliver(payload, is_text)
        except RAISED as error:
            self._crashed(error)

    def begin_read(self, now: float) -> None:
        """Stamp what comes from now on: once a read, not once a message."""
        self._last_time, self._messages_before = self.last_message_time, self.messages_received
        self.read_time = now

    def end_read(self) -> None:
        """Hand on what was gathered: no list goes over the end of a read."""
        if self._collector is not None:
            self._collector.hand_on()

    @property
    def messages_received(self) -> int:
        if self._collector is not None:
            self._collector.count()
        return self._tally.messages

    @property
    def bytes_received(self) -> int:
        if self._collector is not None:
            self._collector.count()
        return self._tally.bytes

    @property
    def last_message_time(self) -> float | None:
        return self._last_time if self.messages_received == self._messages_before else self.read_time

    def attach(self, sink: Sink, entry: Entry | None = None) -> None:
        """Hand every message to `sink` from now on, those held first."""
        self._sink = sink
        self._entry = None if entry is None else entry(self._tally, self._crashed)
        self._begin()

    def attach_lists(self, sink: ListSink, most: int) -> None:
        """Hand all messages to `sink` in lists of at most `most` from now on, those held first."""
        self._collector = Collector(sink, most, self._tally, self._crashed)
        self._sink, self._entry = self._collector.take, self._collector.collect
        self._begin()

    def hold(self) -> None:
        """Hold what arrives, also while `messages` is observed; who observes it then sees each message once."""
        self._holding = True

    def release(self) -> None:
        """End what `hold` began."""
        self._holding = False

    def drain(self) -> None:
        """Hand on at once what would have followed a turn later: the connection is about to be lost."""
        if self._flowing:
            self._flush()
        self.end_read()

    def forsake(self) -> None:
        """Say how many messages nobody has taken: a login script failed, or the connection was lost meanwhile."""
        if forgotten := self._held.clear():
            self._journal.dropped("inbox", forgotten)

    def end(self, error: Exception | None) -> None:
        """Take nothing more; those who observe `messages` hear how it ended."""
        self._switch(self._late)
        self._held.clear()
        for _ in range(self._collector.clear() if self._collector is not None else 0):
            self._journal.late()
        if error is None:
            self._observers.on_completed()
        else:
            self._observers.on_error(error)

    @property
    def messages(self) -> Observable[Message]:
        """Whole messages, hot."""

        def subscribe(
            observer: abc.ObserverBase[Message], scheduler: abc.SchedulerBase | None = None
        ) -> abc.DisposableBase:
            subscription = self._observers.subscribe(observer, scheduler=scheduler)
            if self._deliver == self._late:
                return subscription
            if self._holding:
                self._switch(self._hold_and_show)
                self._schedule(self._show_safely)
            else:
                self._begin()

            def leave() -> None:
                subscription.dispose()
                if self._deliver not in (self._late, self._hold, self._hold_and_show):
                    self._switch(self._way())

            return Disposable(leave)

        return Observable(subscribe)

    def _begin(self) -> None:
        if self._held and not self._flowing:
            # Never from inside a subscribe: what was held follows one turn later, and what comes until then behind it.
            self._flowing = True
            self._schedule(self._flush)
        elif not self._held:
            self._switch(self._way())

    def _flush(self) -> None:
        way, rest_of_way = self._way(), self._way(shown=True)
        while self._held and self._deliver != self._late:
            payload, is_text, shown = self._held.take()  # what has been shown goes to the sink only
            try:
                (rest_of_way if shown else way)(payload, is_text)
            except RAISED as error:
                self._crashed(error)
        self.end_read()
        if self._deliver != self._late:
            self._switch(self._way())

    def _switch(self, way: Sink) -> None:
        self._deliver = way
        self._entered(self._entry if self._entry is not None and way == self._sink else self.receive)

    def _way(self, shown: bool = False) -> Sink:
        sink = self._sink
        if sink is None:
            way: Sink = self._observe
        elif self._observers.observers and not shown:
            way = self._observe_and(sink)
        else:
            way = sink
        if self.is_data is not None:
            return self._checked(way, self.is_data)
        return way if self._live else self._announced(way)

    def _announced(self, way: Sink) -> Sink:
        def first(payload: bytes, is_text: bool) -> None:
            self._went_live()
            self._go_on(way, payload, is_text)

        return first

    def _checked(self, way: Sink, is_data: Callable[[bytes], object]) -> Sink:
        def checked(payload: bytes, is_text: bool) -> None:
            try:
                data = bool(is_data(payload))
            except Exception as error:
                self._journal.callback_failed("is_data", error)
                data = False
            if data:
                self.last_data_time = self.read_time
                if not self._live:
                    self._went_live()
            self._go_on(way, payload, is_text)

        return checked

    def _go_on(self, way: Sink, payload: bytes, is_text: bool) -> None:
        # Who was asked, or told, may have ended the connection.
        (way if self._deliver != self._late else self._late)(payload, is_text)

    def _went_live(self) -> None:
        if not self._live:
            self._live = True
            self.end_read()  # what came before it, and was no data, is told before it
            if self.is_data is None and self._deliver != self._late:
                self._switch(self._way())
            self._first_data()

    def _observe(self, payload: bytes, is_text: bool) -> None:
        message: Message = payload
        if is_text:
            try:
                message = payload.decode()
            except UnicodeDecodeError as error:
                invalid = ProtocolError("a text message is not UTF-8", 1007)
                invalid.__cause__ = error
                self.end_read()
                self._invalid(invalid)
                return
        self._observers.on_next(message)

    def _observe_and(self, sink: Sink) -> Sink:
        def both(payload: bytes, is_text: bool) -> None:
            self._observe(payload, is_text)
            self._go_on(sink, payload, is_text)

        return both

    def _hold_and_show(self, payload: bytes, is_text: bool) -> None:
        self._hold(payload, is_text)
        self._show()

    def _show_safely(self) -> None:
        try:
            self._show()
        except RAISED as error:
            self._crashed(error)

    def _show(self) -> None:
        # A script that reads one answer after another sees each message once, also one that came before it read.
        while self._observers.observers and (held := self._held.show()):
            self._observe(held.payload, held.is_text)

    def _hold(self, payload: bytes, is_text: bool) -> None:
        if not self._held.add(payload, is_text):
            self._journal.dropped("inbox")

    def _late(self, payload: bytes, is_text: bool) -> None:
        self._journal.late()
