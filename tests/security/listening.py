"""Hears everything that comes out of a subscription: logs, events, errors and tracebacks, asyncio's own words."""

from __future__ import annotations

import asyncio
import logging
import traceback
import warnings
from collections.abc import Callable
from typing import Any, Self

from rxws import Backoff, ws_observable
from rxws.events import Closed, Event
from rxws.telling import LOG

SETTINGS: dict[str, Any] = {
    "retry": Backoff(initial=0.001, cap=0.001, max_attempts=2),
    "open_timeout": 5.0,
    "ping_interval": None,
    "close_timeout": 0.2,
}


class Heard(logging.Handler):
    """Takes the records of all loggers at INFO and above, and those of "rxws" at DEBUG; and what else can be read.

    asyncio is in its debug mode, and takes every step for a slow one: it logs each with what it was called with, what
    it returned and what it raised.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self.records: list[logging.LogRecord] = []
        self.texts: list[str] = []
        self.events: list[Event] = []
        self.errors: list[BaseException] = []
        self.values: list[Any] = []
        self._warnings = warnings.catch_warnings(record=True)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.texts.append(self.format(record))

    def event(self, event: Event) -> None:
        """Take an event, as a person prints it and as it stands in a list."""
        self.events.append(event)
        self.texts += [str(event), repr([event])]
        if isinstance(event, Closed) and event.error is not None:
            self.error(event.error)

    def error(self, error: BaseException) -> None:
        """Take an error, and all that it was raised from: what is printed of them, and the traceback."""
        self.errors.append(error)
        self.texts.append("".join(traceback.format_exception(error)))
        each: BaseException | None = error
        while each is not None:
            self.texts += [str(each), repr(each), repr(each.args)]
            each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)

    @property
    def everything(self) -> str:
        """All of it."""
        return "\n".join([*self.texts, *(str(each.message) for each in self._warned)])

    def logged(self, level: int) -> str:
        """What was logged at this level and above."""
        return "\n".join(self.format(each) for each in self.records if each.levelno >= level)

    @property
    def broken(self) -> list[str]:
        """What asyncio had to say of errors, but for that of the subscriber who takes none."""
        errors = [each for each in self.records if each.name == "asyncio" and each.levelno >= logging.ERROR]
        return [each.getMessage() for each in errors if not each.getMessage().startswith("what consumes")]

    async def life(self, url: Any, condition: Callable[[Heard], object] | None = None, **settings: Any) -> None:
        """Subscribe until the stream has failed, or until `condition`; then nobody takes the error of another one.

        What nobody takes is logged by asyncio with its traceback.
        """
        failed = asyncio.Event()

        def on_error(error: Exception) -> None:
            self.error(error)
            failed.set()

        stream = ws_observable(url, events=self.event, **{**SETTINGS, **settings})
        subscription = stream.subscribe(self.values.append, on_error)
        untaken = stream.subscribe(self.values.append)
        async with asyncio.timeout(20.0):
            while not (failed.is_set() if condition is None else condition(self)):
                await asyncio.sleep(0.002)
            await asyncio.sleep(0.02)  # for the other one, which does the same
        subscription.dispose()
        untaken.dispose()

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self)
        self._levels = [(log, log.level) for log in (logging.getLogger(), LOG)]
        logging.getLogger().setLevel(logging.INFO)
        LOG.setLevel(logging.DEBUG)
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.0
        self._warned = self._warnings.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._warnings.__exit__(None, None, None)
        asyncio.get_running_loop().set_debug(False)
        for log, level in self._levels:
            log.setLevel(level)
        logging.getLogger().removeHandler(self)
