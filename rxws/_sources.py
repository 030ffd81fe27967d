"""Where settings stand outside a program, in a TOML table and in the environment: read, checked and kept in range."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isnan, nan
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from rxws.errors import ConfigError

__all__ = ["Clamped", "Field", "Found", "Range", "check_name", "clamp", "fields_of", "from_environment", "from_file"]


@dataclass(frozen=True, slots=True)
class Range:
    """The hard range of a setting that comes from the environment or from a file: `least` to `most`, both included."""

    least: float
    most: float
    unit: str = "seconds"


@dataclass(frozen=True, slots=True)
class Clamped:
    """A value of the environment or of a file that was out of its hard range.

    Args:
        field: the setting's name.
        value: what stood there.
        used: the nearest end of the range, which is used instead.
        source: the environment variable, or the file and its table.
    """

    field: str
    value: float
    used: float
    source: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value!r} in {self.source} is out of range; {self.used!r} is used"


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it was found."""

    value: Any  # Any: of whatever type its field has
    source: str


@dataclass(frozen=True, slots=True)
class Field:
    """What one setting takes."""

    name: str
    kind: object
    range: Range | None
    choices: tuple[str, ...]
    optional: bool

    @property
    def right(self) -> str:
        """What would do, for people."""
        none = ', or "none"' if self.optional else ""
        if self.choices:
            return f"one of {', '.join(self.choices)}{none}"
        if self.range is None:
            return "whole numbers"
        return f"a number from {self.range.least:g} to {self.range.most:g} ({self.range.unit}){none}"

    def read(self, value: object, source: str, *, strict: bool) -> Found:
        """Return `value` as the field's type; text is read as a number only where that is not `strict`.

        Raises:
            ConfigError: it is of another type; neither the value nor its text is told, for it may be a secret.
        """
        if self.optional and isinstance(value, str) and value.lower() == "none":
            return Found(None, source)
        try:
            read = msgspec.convert(value, self.kind, strict=strict)
        except msgspec.ValidationError:
            read = nan
        # Raised here and not above, for msgspec's own sentence may hold the value.
        if isinstance(read, float) and isnan(read):
            raise ConfigError(self.name, f"what stands in {source} will not do; take {self.right}")
        return Found(read, source)


def fields_of(kind: type[msgspec.Struct]) -> dict[str, Field]:
    """Return what the fields of a Struct take, by name; a `Range` stands in the field's annotation."""
    return {name: _field(name, hint) for name, hint in get_type_hints(kind, include_extras=True).items()}


def _field(name: str, hint: object) -> Field:
    kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    members = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    choices = [choice for member in members if get_origin(member) is Literal for choice in get_args(member)]
    return Field(name, kind, next(iter(extras), None), tuple(choices), NoneType in members)


def from_file(fields: Mapping[str, Field], file: str | os.PathLike[str], table: str) -> dict[str, Found]:
    """Read the `table`, dotted where it stands in another, of a TOML file.

    Raises:
        ConfigError: the file or its table cannot be read, or something in it is wrong.
    """
    path = os.fspath(file)
    source = f"{path} [{table}]"
    found = _table(path, table)
    for name in found:
        check_name(name, fields, f" in {source}")
    return {name: fields[name].read(value, source, strict=True) for name, value in found.items()}


def _table(path: str, table: str) -> dict[str, object]:
    try:
        with open(path, "rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise ConfigError("file", f"{path} cannot be read: {error.strerror}; take a TOML file, or None") from error
    except ValueError as error:
        raise ConfigError("file", f"{path} is no TOML: {error}") from error
    for part in table.split("."):
        inner = found.get(part)
        if not isinstance(inner, dict):
            raise ConfigError("table", f"{path} has no table [{table}]; add it, or name another")
        found = inner
    return found


def from_environment(fields: Mapping[str, Field], environ: Mapping[str, str], prefix: str) -> dict[str, Found]:
    """Read the variables whose names begin with `prefix`; an empty one is as if it was not there.

    Raises:
        ConfigError: one is no setting, or holds what is wrong.
    """
    if not prefix:
        raise ConfigError("prefix", "it is empty, and every variable would begin with it; take some like RXWS_")
    names = {prefix + name.upper(): name for name in fields}
    ours = {variable: text.strip() for variable, text in environ.items() if variable.startswith(prefix)}
    for variable in ours:
        check_name(variable, names, " in the environment")
    return {
        names[variable]: _from_text(fields[names[variable]], text, variable) for variable, text in ours.items() if text
    }


def _from_text(field: Field, text: str, variable: str) -> Found:
    if get_origin(field.kind) is not tuple:
        return field.read(text, variable, strict=False)
    parts = [] if text.lower() == "none" else [part.strip() for part in text.split(",")]
    return field.read(parts, variable, strict=False)


def check_name(name: str, names: Iterable[str], where: str = "") -> None:
    """Refuse a name that is none of `names`.

    Raises:
        ConfigError: it tells the nearest one, or all.
    """
    if name not in names:
        meant = get_close_matches(name, names, n=1)
        known = f"did you mean {meant[0]!r}?" if meant else f"there are {', '.join(sorted(names))}"
        raise ConfigError(name, f"no such setting{where}; {known}")


def clamp(field: Field, found: Found) -> Clamped | None:
    """Return what a value that is out of its field's hard range becomes; None where it is in range."""
    if field.range is None or found.value is None:
        return None
    used = min(max(found.value, field.range.least), field.range.most)
    return None if used == found.value else Clamped(field.name, found.value, used, found.source)
