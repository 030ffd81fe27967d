"""The names of the functions behind an observer: who it is that takes so long."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from types import BuiltinMethodType, FunctionType, MethodType

__all__ = ["names_behind"]

OURS = ("rxws", "reactivex")
# Where reactivex's observers and subjects, and ours, keep what a value goes to.
WAYS = ("_on_next", "on_next", "observers", "_observers", "_observer", "_function", "_take", "_listener", "_told")
MOST = 500
"""Objects that are looked at."""
SHOWN = 5
"""Names that are told."""


def names_behind(observer: object) -> str:
    """Return the names of the caller's functions that `observer` hands a value to, as far as they can be found.

    It follows the closures of operators, and is only asked when something took too long.

    >>> from reactivex import Subject
    >>> subject, seen = Subject(), []
    >>> _ = subject.subscribe(seen.append)
    >>> names_behind(subject)
    'list.append'
    """
    names = list(dict.fromkeys(_found(observer)))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more if names else type(observer).__qualname__


def _found(start: object) -> Iterator[str]:
    waiting, seen = [start], {id(start)}
    while waiting and len(seen) <= MOST:
        each = waiting.pop(0)
        name = _name(each)
        if name is not None:
            yield name
            continue
        for inner in _inner(each):
            if id(inner) not in seen:
                seen.add(id(inner))
                waiting.append(inner)


def _name(each: object) -> str | None:
    if isinstance(each, FunctionType | MethodType):
        return None if _is_ours(each.__module__) else f"{each.__module__}.{each.__qualname__}"
    if isinstance(each, BuiltinMethodType):
        return each.__qualname__
    if isinstance(each, type) or _is_ours(type(each).__module__) or not callable(getattr(each, "on_next", None)):
        return None
    return f"{type(each).__module__}.{type(each).__qualname__}"


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
    elif _is_ours(type(each).__module__):
        for way in WAYS:
            inner = inspect.getattr_static(each, way, None)
            yield from () if inner is None else (getattr(each, way, None),)


def _closed_over(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not yet assigned
            continue
        if callable(value) or callable(getattr(value, "on_next", None)):
            yield value


def _is_ours(module: str | None) -> bool:
    return (module or "").partition(".")[0] in OURS
