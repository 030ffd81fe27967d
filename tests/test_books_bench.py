"""What measures the cost of books reads the recordings whole, and says so where cryptofeed is not there."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from benchmarks.books import __main__ as bench
from benchmarks.books import ours
from benchmarks.books.recordings import BOOKS, book_frames
from benchmarks.markers import between, lines
from benchmarks.speed import page

MESSAGES = {"okx": 290, "binance_usdm": 764, "deribit": 46, "coinbase_exchange": 3_425}


@pytest.mark.parametrize("name", BOOKS)
def test_all_messages_of_books_are_measured(name: str) -> None:
    """And nothing else of the recording."""
    assert len(book_frames(name)) == MESSAGES[name]


def test_ours_is_measured_in_three_ways() -> None:
    """Checksums only where the venue has them; each costs something."""
    assert set(ours.measured("okx", 1)) == {"all", "checked", "book"}
    costs = ours.measured("deribit", 1)

    assert set(costs) == {"all", "book"}
    assert costs["all"] > costs["book"] > 0.0


def test_what_is_told_to_another_library_is_what_happened() -> None:
    """Symbol, whether it is the whole book, and both sides, with every digit."""
    told = json.loads(bench.events("deribit"))
    symbol, is_whole, bids, asks = told[0]

    assert (symbol, is_whole) == ("ETH-30JUL21-2800-C", True)
    assert bids == [["0.0015", "4714.0"], ["0.001", "861.0"], ["0.0005", "1.0"]]
    assert Decimal(asks[0][0]) == Decimal("0.0025")
    assert len(told) == MESSAGES["deribit"]


def test_without_cryptofeed_there_is_one_line_that_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And ours is measured all the same."""
    monkeypatch.setattr(bench, "cryptofeed", lambda: "pip could not install it (status 1)")
    monkeypatch.setattr(bench, "BOOKS", {"deribit": ""})
    monkeypatch.setattr(bench, "MESSAGES", 46)

    assert bench.main(["--rounds", "1"]) == 0
    out = capsys.readouterr().out
    heading, *rows = lines(out.partition("\n\n")[0])
    assert heading[1:3] == ["rxws, µs", "a second"]
    assert [row[-2:] for row in rows] == [["–", "–"]] * 2
    assert "cryptofeed is not there: pip could not install it (status 1)." in out


def test_a_ratio_is_ours_by_theirs() -> None:
    """What they have not has none."""
    assert bench.rows("okx", {"all": 3.0, "book": 1.0}, {"all": 2.0}) == [
        [f"`okx`: {bench.LABELS['all']}", "3.00", "333,333", "2.00", "1.50"],
        [f"`okx`: {bench.LABELS['book']}", "1.00", "1,000,000", "–", "–"],
    ]


def test_the_page_has_the_table() -> None:
    """With a line for each recording."""
    text = page.PAGES[1].read_text(encoding="utf-8")
    table = between(text, bench.TABLE) or ""

    assert [name for name in BOOKS if f"`{name}`" not in table] == []
