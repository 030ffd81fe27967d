"""What a table holds: rows by their key, or the newest rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from itertools import count
from typing import Any, TypeAlias

from rxws.errors import WrongShape

__all__ = ["KeyOf", "Row", "Table", "row_of"]

Row: TypeAlias = Mapping[str, object]
KeyOf: TypeAlias = str | Callable[[Any], Hashable] | None  # Any: whatever the stream emits
"""A column, or a function of a value; None: each value is a row of its own."""

MOST_COLUMNS = 30
"""What a person can look at, and a bound for values whose fields are ever others."""
LONGEST = 200
"""Characters of a cell; a book of a thousand levels is no cell."""
WAY_OUT = "a row is a dict, a dataclass, a Struct or a NamedTuple; ops.map makes them"


class Table:
    """Rows of text.

    Args:
        key: by what a value replaces a row; None: the newest is on top, and the oldest goes.
        columns: which, in their order; None: those of the values, as they come.
        max_rows: how many; beyond, the row that has not changed for the longest time goes.
        title: above it; None: none.
    """

    def __init__(
        self,
        key: KeyOf = None,
        columns: Sequence[str] | None = None,
        max_rows: int = 100,
        title: str | None = None,
    ) -> None:
        self.title = title or ""
        self.columns = list(columns or ())
        self.numeric: set[str] = set()
        """The columns that hold nothing but numbers."""
        self.newest_on_top = key is None
        self.max_rows = max_rows
        self.dropped = 0
        """How many rows with a key had to go."""
        self._key = key
        self._chosen = columns is not None
        self._seen: set[str] = set()
        self._numbers = count()
        self._cells: dict[Hashable, Row] = {}
        self._ages: dict[Hashable, None] = {}
        self._changed: dict[Hashable, None] = {}
        self._removed: dict[Hashable, None] = {}
        self._told: set[Hashable] = set()
        self._typed: set[str] = set()

    def take(self, value: object, time_ns: int) -> None:
        """Take a value.

        Raises:
            WrongShape: it has no fields, or not the column that is asked for.
        """
        row = row_of(value)
        key = self._key_of(value, row)
        self._widen(row)
        self._cells[key] = row
        self._ages.pop(key, None)
        self._ages[key] = self._changed[key] = None
        if len(self._cells) > self.max_rows:
            self._remove(next(iter(self._ages)))

    def rows(self) -> list[tuple[Hashable, list[str]]]:
        """All rows from the top: their key, and the text of each column."""
        keys = reversed(self._cells) if self.newest_on_top else iter(self._cells)
        return [(key, self._texts(key)) for key in keys]

    def changed(self) -> tuple[list[tuple[Hashable, list[str]]], list[Hashable]]:
        """What has changed since this was last called: rows, the oldest change first, and the keys of those gone.

        A row that has gone and come back is among both: those gone go first.
        """
        rows = [(key, self._texts(key)) for key in self._changed]
        self._told.update(self._changed)
        removed = list(self._removed)
        self._changed.clear()
        self._removed.clear()
        return rows, removed

    def _key_of(self, value: object, row: Row) -> Hashable:
        if self._key is None:
            return next(self._numbers)
        if callable(self._key):
            found: object = self._key(value)
            return found if isinstance(found, Hashable) else repr(found)
        if self._key not in row:
            raise WrongShape(f"the key {self._key!r}", value, way_out=WAY_OUT)
        found = row[self._key]
        return found if isinstance(found, Hashable) else repr(found)

    def _widen(self, row: Row) -> None:
        if self._chosen:
            for name in self.columns:
                if name not in row:
                    raise WrongShape(
                        f"the column {name!r}", dict(row), way_out="columns= names fields that each row has"
                    )
        for name in self.columns if self._chosen else row:
            if name not in self._seen and len(self._seen) < MOST_COLUMNS:
                self._seen.add(name)
                if not self._chosen:
                    self.columns.append(name)
            self._see_type(name, row[name])

    def _see_type(self, name: str, cell: object) -> None:
        if cell is None or name not in self._seen:
            return
        if not _is_number(cell):
            self.numeric.discard(name)
        elif name not in self._typed:
            self.numeric.add(name)
        self._typed.add(name)

    def _remove(self, key: Hashable) -> None:
        del self._cells[key], self._ages[key]
        self._changed.pop(key, None)
        if key in self._told:  # of one that nobody has heard of, nobody must hear that it is gone
            self._told.remove(key)
            self._removed[key] = None
        self.dropped += self._key is not None

    def _texts(self, key: Hashable) -> list[str]:
        row = self._cells[key]
        return [_text(row.get(name)) for name in self.columns]


def row_of(value: object) -> Row:
    """Return the fields of a value.

    Raises:
        WrongShape: it has none.

    >>> from rxws.events import Rejected
    >>> row_of({"a": 1}), list(row_of(Rejected(generation=1, origin="", time_ns=0, topic="t", reply=None)))[:2]
    ({'a': 1}, ['generation', 'origin'])
    """
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise WrongShape(f"the field {name!r}", dict(value), "has a name that is no string", WAY_OUT)
        return dict(value)  # whoever emits one dict again and again changes it meanwhile
    names = getattr(value, "__struct_fields__", None) or getattr(value, "_fields", None)  # msgspec; a NamedTuple
    if names is None and is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
    if names is None:
        raise WrongShape("the row", value, f"has no fields: it is a {type(value).__name__}", WAY_OUT)
    return {name: getattr(value, name) for name in names}


def _is_number(cell: object) -> bool:
    """Tell a number, also one in a string: prices come so.

    >>> [_is_number(cell) for cell in (1.5, "0.3520", "BTC", None, True)]
    [True, True, False, False, False]
    """
    if isinstance(cell, str):
        try:
            float(cell)
        except ValueError:
            return False
        return True
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


def _text(cell: object) -> str:
    """Return what stands in a cell.

    >>> _text(0.1 + 0.2), _text(None), _text("1.10")
    ('0.3', '', '1.10')
    """
    if cell is None:
        return ""
    text = f"{cell:.10g}" if isinstance(cell, float) else str(cell)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
