from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxws.live import Table
from rxws.terminal.rows import cells
from rxws.terminal.table_picture import table_rows
from tests.terminal.charts import texts

cell = st.text(max_size=50) | st.floats() | st.integers() | st.none()


@given(
    st.lists(st.dictionaries(st.text(max_size=20), cell, max_size=5), max_size=20),
    st.integers(1, 120),
    st.integers(0, 30),
)
def test_every_row_fits_and_nothing_steers_the_terminal(
    values: list[dict[str, object]], width: int, height: int
) -> None:
    """Whatever others wrote."""
    table = Table()
    for value in values:
        table.take(value, 0)
    rows = table_rows(table, width, height)
    assert len(rows) <= height
    assert {cells(row) for row in rows} <= {width}
    assert all(text.isprintable() for text in texts(rows))


def test_numbers_stand_at_the_right() -> None:
    """Below the end of their names."""
    table = Table(key="symbol")
    for value in ({"symbol": "A", "price": "1.50"}, {"symbol": "LONG", "price": 12}):
        table.take(value, 0)
    assert texts(table_rows(table, 16, 9)) == ["symbol  price   ", "A        1.50   ", "LONG       12   "]


def test_of_too_many_rows_it_says_how_many_are_left() -> None:
    """The newest are on top."""
    table = Table()
    for number in range(30):
        table.take({"n": number}, 0)
    told = [text.strip() for text in texts(table_rows(table, 20, 5))]
    assert told == ["n", "29", "28", "27", "… 27 more rows"]


def test_where_it_is_narrow_no_column_takes_all() -> None:
    """What is cut says so."""
    table = Table()
    table.take({"text": "x" * 200, "n": 1}, 0)
    assert texts(table_rows(table, 50, 3))[1] == "x" * 39 + "…  1       "


@pytest.mark.parametrize("width", range(1, 40))
def test_no_number_is_cut(width: int) -> None:
    """A column that has no room is left out, and the row says so."""
    table = Table()
    table.take({"symbol": "BTCUSDT", "bid": "64012.34", "ask": "64012.35"}, 0)
    known = {"symbol", "bid", "ask", "BTCUSDT", "64012.34", "64012.35", "…"}
    for row in texts(table_rows(table, width, 5)):
        assert set(row.split()) <= known
        assert ("…" in row) == (width < 27)
