from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rxws.errors import WrongShape
from rxws.live.table import Table


@dataclass
class Data:
    s: str
    p: float


class Struct(msgspec.Struct):
    s: str
    p: float


class Tuple(NamedTuple):
    s: str
    p: float


@pytest.mark.parametrize("value", [{"s": "A", "p": 1.5}, Data("A", 1.5), Struct("A", 1.5), Tuple("A", 1.5)])
def test_a_row_is_whatever_has_fields(value: object) -> None:
    """Dicts, dataclasses, Structs, NamedTuples; columns come with the first."""
    table = Table()
    table.take(value, 0)
    assert table.columns == ["s", "p"]
    assert table.numeric == {"p"}
    assert [cells for _, cells in table.rows()] == [["A", "1.5"]]


@pytest.mark.parametrize("value", [3.14, "text", None, (1, 2), Data])
def test_what_has_no_fields_says_so(value: object) -> None:
    """And shows itself."""
    with pytest.raises(WrongShape, match="the row has no fields") as raised:
        Table().take(value, 0)
    assert repr(value) in str(raised.value)


def test_columns_and_key_must_be_there() -> None:
    """The missing one is named, the value shown."""
    with pytest.raises(WrongShape, match=r"the column 'x' is missing in \{'s': 1\}"):
        Table(columns=["s", "x"]).take({"s": 1}, 0)
    with pytest.raises(WrongShape, match=r"the key 'x' is missing in \{'s': 1\}"):
        Table(key="x").take({"s": 1}, 0)


def test_a_key_replaces_its_row_and_rows_stay_where_they_are() -> None:
    """By a column, or by a function of the value."""
    for key in ("s", lambda value: value["s"]):
        table = Table(key)
        for symbol, price in (("A", 1), ("B", 2), ("A", 3)):
            table.take({"s": symbol, "p": price}, 0)
        assert table.rows() == [("A", ["A", "3"]), ("B", ["B", "2"])]


def test_without_a_key_the_newest_is_on_top() -> None:
    """And the oldest goes, which is no loss."""
    table = Table(max_rows=2)
    for number in range(4):
        table.take({"n": number}, 0)
    assert [cells for _, cells in table.rows()] == [["3"], ["2"]]
    assert table.dropped == 0


def test_with_a_key_the_one_that_is_longest_unchanged_goes_and_is_counted() -> None:
    """Its place in the table does not matter."""
    table = Table("s", max_rows=2)
    for symbol in ("A", "B", "A", "C"):
        table.take({"s": symbol}, 0)
    assert [key for key, _ in table.rows()] == ["A", "C"]
    assert table.dropped == 1


def test_a_column_is_numeric_while_all_in_it_are_numbers() -> None:
    """Prices come as strings; a missing one changes nothing, a word does."""
    table = Table()
    table.take({"p": "0.3520", "q": Decimal(1), "s": "A", "b": True}, 0)
    assert table.numeric == {"p", "q"}
    table.take({"p": None, "q": "much", "s": "1", "b": False}, 0)
    assert table.numeric == {"p"}


def test_columns_are_bounded() -> None:
    """Values whose fields are ever others do not grow a table for ever."""
    table = Table()
    for number in range(100):
        table.take({f"c{number}": number}, 0)
    assert len(table.columns) == 30
    assert all(len(cells) == 30 for _, cells in table.rows())


@example([("a", 1), ("b", 1), None, ("c", 1), ("a", 2)], 2, True)
@given(
    st.lists(st.one_of(st.none(), st.tuples(st.sampled_from("abcdef"), st.integers(0, 9))), max_size=60),
    st.integers(1, 5),
    st.booleans(),
)
def test_what_is_told_as_changed_makes_the_same_rows(
    steps: list[tuple[str, int] | None], bound: int, keyed: bool
) -> None:
    """As the browser puts them in: known keys in their place, new ones on top or at the end, and what has gone."""
    table, copy = Table("s" if keyed else None, max_rows=bound), dict[Hashable, list[str]]()
    for step in [*steps, None]:
        if step is not None:
            table.take({"s": step[0], "n": step[1]}, 0)
            continue
        changed, removed = table.changed()
        for key in removed:
            copy.pop(key, None)
        for key, cells in changed:
            copy[key] = cells
        rows = list(copy.items())
        assert (rows if keyed else rows[::-1]) == table.rows()


def test_rows_that_nobody_asks_for_leave_nothing_behind() -> None:
    """A terminal draws all rows, and never asks what has changed."""
    table = Table(max_rows=2)
    for number in range(1_000):
        table.take({"a": number}, 0)
    assert table.changed() == ([(998, ["998"]), (999, ["999"])], [])
    table.take({"a": 1_000}, 0)
    assert table.changed() == ([(1_000, ["1000"])], [998])


def test_one_dict_emitted_again_and_again_is_many_rows() -> None:
    """What becomes of it later is another row."""
    table = Table()
    row = {"a": 1}
    table.take(row, 0)
    row["a"] = 2
    table.take(row, 0)
    assert [texts for _, texts in table.rows()] == [["2"], ["1"]]


def test_a_field_whose_name_is_no_string_says_so() -> None:
    """An order book as {price: quantity} is no row."""
    with pytest.raises(WrongShape, match="the field 1.5 has a name that is no string in {1.5: 3}"):
        Table().take({1.5: 3}, 0)


def test_a_column_is_numeric_though_its_first_cell_is_empty() -> None:
    """And is not, once a word was there."""
    table = Table()
    for value in ({"p": None, "q": 1}, {"p": "1.5", "q": "x"}, {"p": 2, "q": 3}):
        table.take(value, 0)
    assert table.numeric == {"p"}


def test_a_key_may_be_anything_and_a_cell_has_a_bound() -> None:
    """What cannot be hashed is known by its text."""
    table = Table(key=lambda value: value["levels"])
    for _ in range(2):
        table.take({"levels": [1] * 1_000}, 0)
    ((_, (text,)),) = table.rows()
    assert len(text) == 201
    assert text.endswith("…")
