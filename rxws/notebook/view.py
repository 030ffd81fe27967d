"""A live view in a notebook: a widget shows it, and a picture where there is no browser, or it has ended."""

from __future__ import annotations

import sys
from abc import abstractmethod
from base64 import b64encode
from collections.abc import Hashable, Sequence
from typing import Any
from uuid import uuid4

from reactivex import abc
from reactivex.disposable import CompositeDisposable, SerialDisposable

from rxws import arguments
from rxws.errors import ConfigError
from rxws.live import Feed, LiveView
from rxws.live.feeds import check_drawing
from rxws.live.view import Model
from rxws.notebook.autostop import Autostop
from rxws.notebook.cells import Cells, cells
from rxws.notebook.extra import check_extra
from rxws.notebook.output import Output
from rxws.notebook.wire import Message, status_of
from rxws.notebook.words import counted
from rxws.scheduler import RAISED, report

__all__ = ["NotebookView"]

NO_BROWSER = 1.5
"""Seconds after which a browser that has not spoken is taken for none."""
COUNTED = 1.0
"""Seconds between two counts of events, where nothing else in the bar changes."""


class NotebookView(LiveView):
    """What charts and tables share: where they are shown, what browsers are told, and when nobody looks any more.

    Args:
        feeds: the streams.
        model: what holds their values.
        fps: how often browsers are told of changes at most, times a second.
        autostop: after so many seconds in which nobody looks it stops; None: never.
    """

    NO_LOOP = "no event loop is running here; in a script put it into a coroutine: asyncio.run(main()), and in main \
`await chart.wait(3)`"

    def __init__(self, feeds: Sequence[Feed], model: Model, fps: float, autostop: float | None) -> None:
        check_extra()
        check_drawing(fps, autostop)
        super().__init__(feeds, model, fps)
        self._uid = uuid4().hex
        self._autostop_after = autostop
        self._autostop: Autostop | None = None
        self._output = Output(self._uid)
        self._widget: Any = None  # Any: anywidget is imported when there is something to show
        self._comm_id = ""
        self._heard_of_browser = False
        self._picture_timer = SerialDisposable()
        self._seq = 0
        self._told: Message = {}
        self._told_at = 0.0
        self._told_shape: Hashable = None
        self._replaced = CompositeDisposable()
        self._cells: Cells | None = cells()
        if self._cells is not None:
            self._cells.add(self)

    def show(self) -> None:
        """Show it in the output of the current cell, once more if it is shown already; it starts if it is new.

        Outside of IPython there is nowhere to show it, and it only starts.

        Raises:
            ConfigError: it is new, and no event loop is running here.
        """
        self.start()
        if self._cells is None:
            return
        if self._widget is None and self._cells.has_kernel and self.status == "live":
            self._open_widget(self._cells)
        first = not self._output.is_shown
        self._output.show(self._bundle(picture=self.status != "live"))
        if first and self.status == "live":
            self._begin_asking(self._cells)

    def fail(self, error: BaseException) -> None:
        """End it by an error that came from elsewhere; from any thread."""
        self._on_loop(lambda _: self._fail(error))(None)

    def until_replaced(self, subscription: abc.DisposableBase) -> None:
        """Let this end too when its cell runs again."""
        self._replaced.add(subscription)

    def replace(self) -> None:
        """End it for good: its cell runs again, and makes another one."""
        self._replaced.dispose()
        widget, self._widget = self._widget, None
        if self.status in ("new", "live"):
            self.stop()
        else:
            self._show_picture()  # where it is shown elsewhere, no widget is behind it any more
        if widget is not None:
            widget.close()

    async def wait(self, seconds: float | None = None) -> None:
        """Show it if it is not shown yet, and wait until it ends; after `seconds` stop it. None: as long as it goes on.

        When this returns, the sockets are closed and the last picture is drawn. It raises nothing of the streams:
        `error` is what ended them.

        Raises:
            ConfigError: `seconds` is out of range.
        """
        arguments.seconds("seconds", seconds)
        if not self._output.is_shown:
            self.show()
        await super().wait(seconds)

    @abstractmethod
    def png(self) -> bytes:
        """Return a picture of it as it is now."""

    def __repr__(self) -> str:
        text = self.report().text.replace(" {in}", "")
        parts = [getattr(self._model, "title", ""), *self._values(), counted(self.events_in, "event"), text]
        return f"<{type(self).__name__} {' · '.join(filter(None, parts))}>"

    def _ipython_display_(self) -> None:
        try:
            self.show()
        except ConfigError as error:  # one line says it; IPython would print a traceback
            sys.stderr.write(f"{error}\n")

    @abstractmethod
    def _snapshot(self) -> Message:
        """Return all that a browser shows."""

    @abstractmethod
    def _shape(self) -> Hashable:
        """Return what no frame can change: where it has changed, a snapshot is due."""

    @abstractmethod
    def _frame(self) -> Message:
        """Return what has changed since the last frame, or snapshot."""

    @abstractmethod
    def _aside(self) -> Message:
        """Return what is small, and sent as a whole whenever it has changed."""

    @abstractmethod
    def _values(self) -> Sequence[str]:
        """Return the last values, in words."""

    def _draw(self) -> None:
        frame = self._frame()  # also where nobody hears of it: what has changed must not add up
        if self._widget is None or not self._heard_of_browser:
            return
        if self._shape() != self._told_shape:
            self._tell_all()
            return
        for name, value in (self._aside() | self._status()).items():
            if self._told.get(name) != value:
                self._told[name] = frame[name] = value
        if len(frame) > 1:
            self._tell(frame)

    def _over(self) -> None:
        if self._autostop is not None:
            self._autostop.dispose()
        self._picture_timer.dispose()
        if self._cells is not None:
            self._cells.forget(self._comm_id)
        self._show_picture()

    def _open_widget(self, cells: Cells) -> None:
        from rxws.notebook.widget import LiveWidget

        self._widget = LiveWidget(self._uid, self._heard)
        self._comm_id = self._widget.model_id
        cells.listen(self._comm_id, self._heard)

    def _begin_asking(self, cells: Cells) -> None:
        self._picture_timer.disposable = self._scheduler.schedule_relative(NO_BROWSER, lambda *_: self._no_browser())
        if self._autostop_after is not None:
            self._autostop = Autostop(
                self._autostop_after,
                ask=self._ask,
                stop=self.stop,
                is_busy=lambda: cells.executing,
                scheduler=self._scheduler,
            )
            self._autostop.start()

    def _no_browser(self) -> None:
        if not self._heard_of_browser:
            self._show_picture()

    def _show_picture(self) -> None:
        if not self._output.is_shown or self._cells is None:
            return
        try:
            bundle = self._bundle(picture=True)
            self._cells.in_cell(lambda: self._output.update(bundle))
        except RAISED as error:
            report(error)  # a view that has ended must still tell whoever waits for it

    def _bundle(self, *, picture: bool) -> Message:
        bundle: Message = {"text/plain": repr(self)}
        if self._widget is not None:
            bundle["application/vnd.jupyter.widget-view+json"] = self._widget.get_view_spec()
        if picture:
            try:
                bundle["image/png"] = b64encode(self.png()).decode()
            except RAISED as error:
                report(error)
                bundle["text/plain"] += f" · no picture: {type(error).__name__}: {error}"
        return bundle

    def _heard(self, message: Any) -> None:
        # ipykernel 7 calls this on whichever thread its subshell has.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take_message, message)

    def _take_message(self, message: Any) -> None:
        match message:
            case {"type": "ready"} if self._widget is not None:
                self._heard_of_browser = True
                self._tell_all()
            case {"type": "stop"}:
                self.stop()
            case {"type": "answer", "views": int(views)} if self._autostop is not None:
                self._autostop.answer(views)

    def _ask(self) -> None:
        if self._widget is not None:
            self._widget.send({"type": "ask"})

    def _status(self) -> Message:
        status = status_of(self.report(), self.events_in, self.dropped)
        told, now = self._told.get("status"), self._loop.time()
        # Counts alone are worth no message, and seconds are counted in the browser.
        if told is not None and now - self._told_at < COUNTED and _said(told) == _said(status):
            return {}
        self._told_at = now
        return {"status": status}

    def _tell_all(self) -> None:
        status = status_of(self.report(), self.events_in, self.dropped)
        snapshot = self._snapshot()
        self._told = {"status": status, **self._aside()}
        self._told_shape = self._shape()
        self._told_at = self._loop.time()
        self._tell({**snapshot, "status": status})

    def _tell(self, message: Message) -> None:
        self._seq += 1
        self._widget.send({**message, "seq": self._seq})


def _said(status: Message) -> tuple[object, ...]:
    return status["state"], status["text"], status["dropped"]
