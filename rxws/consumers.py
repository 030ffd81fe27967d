"""The names of the functions behind an observer: who it is that takes so long."""

from __future__ import annotations

import functools
import inspect
from collections import deque
from collections.abc import Iterator
from types import BuiltinMethodType, FunctionType, MethodType

__all__ = ["names_behind"]

OURS = ("rxws", "reactivex")
# Where reactivex's observers and subjects, and ours, keep what a value goes to.
WAYS = (
    *("_on_next", "on_next", "_handler_on_next", "observer", "observers"),
    *("_observer", "_observers", "_sharers", "_function", "_key", "_take", "_listener", "_told", "_asked", "_format"),
)
MOST = 500
"""Objects that are looked at."""
SHOWN = 5
"""Names that are told."""


def names_behind(*first: object) -> str | None:
    """Return the names of the caller's functions that are `first`, or that those hand a value to; None: none is found.

    It follows the closures of operators as far as it can, into `MOST` objects, and is only asked when something took
    too long. Functions behind an `async for` are not found, for they are not called: a value only waits for them.

    >>> from reactivex import Subject
    >>> subject, seen = Subject(), []
    >>> _ = subject.subscribe(seen.append)
    >>> names_behind(subject)
    'list.append'
    """
    names: dict[str, None] = {}
    try:
        for name in _found(first):
            names[name] = None
    except Exception:  # an object of the caller's that does not let itself be looked at
        names.setdefault("a function whose name cannot be found")
    shown = list(names)[:SHOWN]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(shown) + more if names else None


def _found(first: tuple[object, ...]) -> Iterator[str]:
    waiting: deque[object] = deque(first)
    seen = {id(each): each for each in first}  # held, or the id of one that is gone would be another's
    while waiting:
        each = waiting.popleft()
        name = _name(each)
        if name is not None:
            yield name
            continue
        for inner in _inner(each):
            if len(seen) >= MOST:
                break
            if id(inner) not in seen:
                seen[id(inner)] = inner
                waiting.append(inner)


def _name(each: object) -> str | None:
    """The name, where `each` is the caller's; None where it only leads on."""
    if isinstance(each, FunctionType | MethodType):
        return None if _is_ours(each.__module__) else f"{each.__module__}.{each.__qualname__}"
    if isinstance(each, BuiltinMethodType):
        return each.__qualname__
    if isinstance(each, functools.partial | list | tuple) or each is None or _is_ours(type(each).__module__):
        return None
    if isinstance(each, type):  # a class that is called with each value, or that msgspec decodes into
        return None if _is_ours(each.__module__) else f"{each.__module__}.{each.__qualname__}"
    if not (callable(each) or callable(getattr(each, "on_next", None))):
        return None
    own = getattr(each, "__qualname__", None)  # what functools.lru_cache and their kin made keeps its name
    return f"{each.__module__}.{own or type(each).__qualname__}"


def _inner(each: object) -> Iterator[object]:
    if isinstance(each, functools.partial):
        yield each.func
    elif isinstance(each, MethodType):
        yield each.__self__
        yield each.__func__
    elif isinstance(each, FunctionType):
        yield from _closed_over(each)
    elif isinstance(each, list | tuple):
        yield from each
    elif isinstance(each, dict):
        yield from each.values()
    elif _is_ours(type(each).__module__):
        for way in WAYS:
            if inspect.getattr_static(each, way, None) is not None:
                yield getattr(each, way)


def _closed_over(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
        if callable(value) or callable(getattr(value, "on_next", None)):
            yield value


def _is_ours(module: object) -> bool:
    return str(module).partition(".")[0] in OURS
