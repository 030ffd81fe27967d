from __future__ import annotations

from xml.etree import ElementTree

import pytest

from rxws.terminal.colours import FALLING, RISING
from rxws.terminal.picture import chart_rows
from rxws.terminal.rows import fitted
from rxws.terminal.svg import svg
from tests.terminal.charts import chart_of

RED, GREEN = "#d70000", "#00af00"


@pytest.mark.parametrize(("dark", "background"), [(True, "#111318"), (False, "#ffffff")])
def test_a_picture_has_both_colours_and_asks_for_nothing(dark: bool, background: str) -> None:
    """It is well-formed, as large as its cells, and names no other address than its own language's."""
    text = svg(chart_rows(chart_of([(1.0, 3.0, 0.0, 2.0), (2.0, 2.0, 1.0, 1.0)]), 40, 10), 40, dark=dark)
    root = ElementTree.fromstring(text)
    fills = {each.get("fill") for each in root}

    assert {RED, GREEN, background} <= fills
    assert (root.get("width"), root.get("height")) == (str(40 * 8 + 24), str(10 * 16 + 24))
    assert text.count("http") == 1


def test_what_others_wrote_is_text_there_too() -> None:
    """It ends no element."""
    root = ElementTree.fromstring(svg([fitted([("</svg><script>a  b", RISING), ("█", FALLING)], 30)], 30))
    assert [each.text for each in root if each.tag.endswith("text")] == ["</svg><script>a", "b"]
