"""What an operator may set without touching the program: from keywords, the environment, a TOML file and presets.

URLs and headers are no settings: they may hold secrets, and belong where a program keeps those. Callables, windows and
observables are none either: they are code.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from sys import float_info
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypedDict

import msgspec

from rxws._presets import PRESETS
from rxws._sources import Clamped, Found, Range, check_name, clamp, fields_of, from_environment, from_file
from rxws.arguments import check_close_codes, fraction, seconds, size
from rxws.backoff import Backoff
from rxws.errors import ConfigError

__all__ = ["FIELDS", "PRESETS", "Clamped", "QueueOptions", "Range", "Settings", "SettingsOptions"]

LOG = logging.getLogger("rxws")

Strategy = Literal["exponential", "fixed", "immediate"]
Jitter = Literal["full", "none"]
Overflow = Literal["error", "drop_oldest", "drop_newest", "latest"]


class SettingsOptions(TypedDict):
    """What settings say of `ws_observable`, by its own keywords."""

    open_timeout: float | None
    ping_interval: float | None
    ping_timeout: float | None
    close_timeout: float | None
    idle_timeout: float | None
    max_age: float | None
    max_age_jitter: float
    check_interval: float
    max_size: int | None
    final_close_codes: tuple[int, ...]
    retry: Backoff | None


class QueueOptions(TypedDict):
    """What settings say of `aiter`, by its own keywords."""

    maxsize: int
    overflow: Overflow


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything of a stream that a file or the environment can hold; `Settings()` changes nothing.

    Beside each field stand the hard range that `load` keeps values of files and of the environment in, and the
    default, which is that of `ws_observable`, `Backoff` and `aiter`. A keyword only has to make sense: a positive
    number, or None where the field takes it. The variable of a field is RXWS_ and its name in capitals.

    Attributes:
        open_timeout: seconds for dialing and the handshake; None: no limit.
        ping_interval: seconds between two pings; None: no pings.
        ping_timeout: seconds in which a pong has to come; None: none has to.
        close_timeout: seconds for the closing handshake; None: no limit.
        idle_timeout: seconds without data after which a connection counts as lost; None: never.
        max_age: seconds after which a connection is ended by plan; None: never.
        max_age_jitter: the fraction of `max_age` that chance may take off.
        check_interval: seconds between two questions to a callable; around a planned end no two dials are nearer.
        max_size: bytes of the largest message taken; None: no limit.
        final_close_codes: close codes of the server that complete the stream for good; in a variable parted by commas.
        retry_strategy: "exponential", "fixed" (always `retry_initial` seconds) or "immediate"; None: a loss is the
            stream's error.
        retry_initial: seconds of the first delay.
        retry_factor: what each further failure multiplies it by.
        retry_cap: seconds of the largest delay.
        retry_jitter: "full": uniform in (0, delay]; "none": the delay itself.
        retry_max_attempts: how many attempts in a row may fail, the first included; None: no limit.
        retry_stable_after: seconds that a connection must have been open for the next failure to count as the first.
        retry_pause: seconds that an error waits which asks for a pause without saying how long (1008, 1013, 429);
            None: `retry_cap`, and under the other strategies 30 at least.
        queue_maxsize: how many values may wait for an iteration.
        queue_overflow: what happens to a value that finds no room there.
        alert_interval: seconds between two alerts about disconnects, at least.

    Raises:
        ConfigError: a field makes no sense; it is named, with what would do.

    Source of the ranges: those of kstlib 3.8.2 where it has such a parameter, read 2026-11.

    >>> Settings(ping_interval=5.0, retry_cap=10.0).backoff()
    Backoff(initial=1.0, factor=2.0, cap=10.0, jitter='full', max_attempts=None, stable_after=60.0)
    """

    open_timeout: Annotated[float | None, Range(5.0, 120.0)] = 10.0
    ping_interval: Annotated[float | None, Range(5.0, 60.0)] = 20.0
    ping_timeout: Annotated[float | None, Range(5.0, 30.0)] = 20.0
    close_timeout: Annotated[float | None, Range(0.1, 30.0)] = 1.0
    idle_timeout: Annotated[float | None, Range(1.0, 3600.0)] = None
    max_age: Annotated[float | None, Range(60.0, 604_800.0)] = None
    max_age_jitter: Annotated[float, Range(0.0, 0.5, "of max_age")] = 0.1
    check_interval: Annotated[float, Range(0.5, 60.0)] = 5.0
    # A message that is too big ends a stream for good, so a file cannot make the limit one that ordinary books exceed.
    max_size: Annotated[int | None, Range(2**16, 2**30, "bytes")] = 16 * 2**20
    final_close_codes: tuple[int, ...] = ()
    retry_strategy: Strategy | None = "exponential"
    retry_initial: Annotated[float, Range(0.0, 300.0)] = 1.0
    retry_factor: Annotated[float, Range(1.0, 10.0, "times")] = 2.0
    retry_cap: Annotated[float, Range(1.0, 600.0)] = 60.0
    retry_jitter: Jitter = "full"
    retry_max_attempts: Annotated[int | None, Range(1, 100, "attempts")] = None
    retry_stable_after: Annotated[float, Range(10.0, 300.0)] = 60.0
    retry_pause: Annotated[float | None, Range(10.0, 300.0)] = None
    # kstlib's is 0 to 10,000, and 0 is no bound at all: here everything has one, and memory for a larger one.
    queue_maxsize: Annotated[int, Range(1, 1_000_000, "values")] = 65_536
    queue_overflow: Overflow = "error"
    alert_interval: Annotated[float, Range(30.0, 3600.0)] = 300.0

    def __post_init__(self) -> None:
        for name in ("open_timeout", "ping_interval", "ping_timeout", "close_timeout", "idle_timeout", "max_age"):
            seconds(name, getattr(self, name))
        for name in ("check_interval", "alert_interval"):
            seconds(name, getattr(self, name), optional=False)
        size("max_size", self.max_size)
        fraction("max_age_jitter", self.max_age_jitter)
        _check_codes(self.final_close_codes)
        for name in ("retry_strategy", "retry_jitter", "queue_overflow"):
            _check_choice(name, getattr(self, name))
        _check_count(self.queue_maxsize)
        _check_retry(self)

    @classmethod
    def load(
        cls,
        file: str | os.PathLike[str] | None = None,
        *,
        preset: str | None = None,
        environ: Mapping[str, str] | None = None,
        prefix: str = "RXWS_",
        table: str = "rxws",
        clamped: Callable[[Clamped], object] | None = None,
        **keywords: object,
    ) -> Settings:
        """Put settings together: a keyword before the environment, that before the file, the preset, the default.

        In the environment and in files "none" means None, where the field takes it. A variable that is empty is as one
        that is not there, so that an empty line of a deployment switches nothing off. What is out of its hard range is
        clamped, and told. What is wrong is refused also where something before it makes it of no effect.

        Args:
            file: a TOML file; None: none.
            preset: a name of `PRESETS`; None: none.
            environ: variables by name; None: those of the process, as they are now.
            prefix: what the names of our variables begin with; one such variable that is no setting is an error.
            table: the file's table, dotted where it stands in another: "tool.rxws".
            clamped: is told of each value in use that was clamped; None: a warning of the logger "rxws" each. One that
                raises makes the hard ranges an error.
            keywords: settings by name; they only have to make sense.

        Raises:
            ConfigError: a name or a value is wrong, and the field and where it stands are named (text that stands
                there is not: it may be a secret); the file or its table cannot be read.

        >>> Settings.load(environ={"RXWS_PING_INTERVAL": "15"}, preset="trading").ping_interval
        15.0
        """
        for name in keywords:
            check_name(name, FIELDS)
        found = {
            **_from_preset(preset),
            **({} if file is None else from_file(FIELDS, file, table)),
            **from_environment(FIELDS, os.environ if environ is None else environ, prefix),
        }
        used = {name: _in_range(value, name, clamped or _warn) for name, value in found.items() if name not in keywords}
        # Any: each value is of its field's type, which no checker can follow here; they are checked as they come in.
        values: dict[str, Any] = {**{name: value.value for name, value in used.items()}, **keywords}
        try:
            return cls(**values)
        except ConfigError as error:
            named = [name for name in used if name == error.field or name in error.message]
            places = "; ".join(f"{name} is from {used[name].source}" for name in named)
            raise ConfigError(error.field, f"{error.message} ({places})" if places else error.message) from None

    def options(self) -> SettingsOptions:
        """Return the keywords for `ws_observable(url, **settings.options())`."""
        return {
            "open_timeout": self.open_timeout,
            "ping_interval": self.ping_interval,
            "ping_timeout": self.ping_timeout,
            "close_timeout": self.close_timeout,
            "idle_timeout": self.idle_timeout,
            "max_age": self.max_age,
            "max_age_jitter": self.max_age_jitter,
            "check_interval": self.check_interval,
            "max_size": self.max_size,
            "final_close_codes": self.final_close_codes,
            "retry": self.backoff(),
        }

    def queue(self) -> QueueOptions:
        """Return the keywords for `aiter(stream, **settings.queue())`."""
        return {"maxsize": self.queue_maxsize, "overflow": self.queue_overflow}

    def backoff(self) -> Backoff | None:
        """Return the policy for losses; its table of errors is the default one.

        >>> Settings(retry_strategy="fixed", retry_initial=3.0, retry_pause=60.0).backoff().delay(5)
        3.0
        """
        attempts = self.retry_max_attempts
        if self.retry_strategy is None:
            return None
        if self.retry_strategy == "exponential":
            policy = Backoff(self.retry_initial, self.retry_factor, self.retry_cap, self.retry_jitter, attempts)
        elif self.retry_strategy == "fixed":
            policy = Backoff.fixed(self.retry_initial, max_attempts=attempts)
        else:
            policy = Backoff.immediate(max_attempts=attempts)
        pause = policy.pause if self.retry_pause is None else self.retry_pause
        return replace(policy, stable_after=self.retry_stable_after, pause=pause)


FIELDS = MappingProxyType(fields_of(Settings))
"""What each setting takes, by name."""


def _from_preset(name: str | None) -> dict[str, Found]:
    if name is None:
        return {}
    if name not in PRESETS:
        raise ConfigError("preset", f"{name!r} is unknown; take one of {', '.join(sorted(PRESETS))}")
    return {field: Found(value, f"the preset {name}") for field, value in PRESETS[name].items()}


def _in_range(found: Found, name: str, tell: Callable[[Clamped], object]) -> Found:
    clamped = clamp(FIELDS[name], found)
    if clamped is None:
        return found
    tell(clamped)
    return replace(found, value=clamped.used)


def _warn(clamped: Clamped) -> None:
    LOG.warning("%s", clamped)


def _check_codes(codes: tuple[int, ...]) -> None:
    if not isinstance(codes, tuple):
        raise ConfigError("final_close_codes", f"{codes!r} is no tuple; take one of close codes, (1000,)")
    check_close_codes("final_close_codes", codes)


def _check_choice(name: str, value: str | None) -> None:
    choices = (*FIELDS[name].choices, *([None] if FIELDS[name].optional else []))
    if value not in choices:
        raise ConfigError(name, f"{value!r} is unknown; take one of {', '.join(map(repr, choices))}")


def _check_count(value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError("queue_maxsize", f"{value!r} is out of range; take a number of values, 1 or more")


def _check_retry(settings: Settings) -> None:
    try:
        apart = Backoff(
            0.0,
            settings.retry_factor,
            settings.retry_cap,
            settings.retry_jitter,
            settings.retry_max_attempts,
            settings.retry_stable_after,
            pause=settings.retry_pause,
        )
        replace(apart, initial=settings.retry_initial, cap=float_info.max)
    except ConfigError as error:
        raise ConfigError(f"retry_{error.field}", error.message) from None
    if settings.retry_strategy == "exponential" and settings.retry_cap < settings.retry_initial:
        less = f"{settings.retry_cap!r} is less than retry_initial={settings.retry_initial!r}"
        raise ConfigError("retry_cap", f"{less}; take at least as much")
