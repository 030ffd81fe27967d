"""What measures the cost of books reads the recordings whole, and says so where cryptofeed is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.books import __main__ as bench
from benchmarks.books import ours, short
from benchmarks.books.recordings import BOOKS, book_frames, ending
from benchmarks.compare.trial import ROOT
from benchmarks.markers import between, lines
from benchmarks.speed import figures, page

MESSAGES = {"okx": 290, "binance_usdm": 764, "deribit": 46, "coinbase_exchange": 3_425}


@pytest.mark.parametrize("name", BOOKS)
def test_all_messages_of_books_are_measured(name: str) -> None:
    """And nothing else of the recording."""
    assert len(book_frames(name)) == MESSAGES[name]


def test_ours_is_measured_in_four_ways() -> None:
    """Checksums only where the venue has them; each costs something."""
    assert set(ours.measured("okx", 1)) == {"all", "checked", "book", "read"}
    costs = ours.measured("deribit", 1)

    assert set(costs) == {"all", "book", "read"}
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
    assert [row[-2:] for row in rows] == [["–", "–"]] * 3
    assert "cryptofeed is not there: pip could not install it (status 1)." in out


def test_a_ratio_is_ours_by_theirs() -> None:
    """What they have not has none."""
    assert bench.rows("okx", {"all": 3.0, "book": 1.0}, {"all": 2.0}) == [
        [f"`okx`: {bench.LABELS['all']}", "3.00", "333,333", "2.00", "1.50"],
        [f"`okx`: {bench.LABELS['book']}", "1.00", "1,000,000", "–", "–"],
    ]


def test_books_that_are_not_the_same_are_not_compared() -> None:
    """However they differ: a symbol, a level, the last digit of a size."""
    price, right, wrong = Decimal("61250.10"), Decimal("0.26"), Decimal("0.27")
    ends = {"BTC": ending({price: right}, {})}

    bench.check_ends("okx", ends, {"BTC": ending({Decimal("61250.1"): Decimal("0.260")}, {})})
    for other in ({}, {"BTC": ending({}, {price: right})}, {"BTC": ending({price: wrong}, {})}):
        with pytest.raises(bench.Different, match="okx: the books of BTC are not the same at the end"):
            bench.check_ends("okx", ends, other)


def test_ours_ends_with_a_book_for_each_symbol() -> None:
    """Its sides have as many levels as the recording leaves in them."""
    found = ours.ends("okx")

    assert found["BTC-USDT"][:2] == [400, 400]


def test_no_ratio_has_slid() -> None:
    """Each is within a fifth of what was recorded: in a process of its own, for what measures coverage slows Python."""
    command = [sys.executable, "-m", "benchmarks.books", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_ratio_that_slid_is_named(tmp_path: Path) -> None:
    """It is measured once more before."""
    path, said, names = tmp_path / "ratios.json", list[str](), list(figures.recorded(short.RECORDED))
    path.write_text(json.dumps({names[0]: 0.01}))

    assert not short.check(said.append, path, rounds=1, again=1)
    assert said[0].startswith(f"slid by more than a fifth: {names[0]} was 0.01 and is ")


def test_the_page_has_the_table() -> None:
    """With a line for each recording."""
    text = page.PAGES[1].read_text(encoding="utf-8")
    table = between(text, bench.TABLE) or ""

    assert [name for name in BOOKS if f"`{name}`" not in table] == []
