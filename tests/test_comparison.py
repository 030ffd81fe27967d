"""The table of docs/comparison.md claims what happens, and README.md's claims nothing else.

All rows are played again to the two clients of this environment, at once, in processes of their own.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.compare import page
from benchmarks.compare.columns import NAMES, RXWS, WEBSOCKETS, Absent, of_this_environment
from benchmarks.compare.judges import Answer, count_class
from benchmarks.compare.rows import ROWS, Row
from benchmarks.compare.running import Cell, Table, joined, table
from benchmarks.compare.trial import ROOT
from benchmarks.markers import between, lines

AT_ONCE = 8


def claims(path: Path) -> dict[tuple[str, str], str] | None:
    """Return a page's cells by question and client; None where it shows no table."""
    shown = between(path.read_text(encoding="utf-8"), page.TABLE)
    if shown is None or not lines(shown):
        return None
    (_, *clients), *rows = lines(shown)
    names = [client.split()[0] for client in clients]
    return {(question, name): cell for question, *cells in rows for name, cell in zip(names, cells, strict=True)}


@pytest.fixture(scope="module")
def seen() -> Table:
    """Play all rows to both clients; the one that counts before the others, which would slow it down."""
    clients = of_this_environment()
    counts = [row for row in ROWS if row.key == "flapping"]
    others = [row for row in ROWS if row.key != "flapping"]
    return asyncio.run(table(clients, AT_ONCE, counts)) | asyncio.run(table(clients, AT_ONCE, others))


@pytest.mark.parametrize("client", [RXWS, WEBSOCKETS])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_a_cell_says_what_happens(row: Row, client: str, seen: Table) -> None:
    """What was seen of a client just now is what the page claims of it."""
    claimed = claims(page.PAGE)

    assert claimed is not None
    assert claimed[row.question, client] == seen[row.key, client].text, seen[row.key, client].figures


def test_the_table_has_every_row_and_every_client() -> None:
    """No answer is left out."""
    assert list(claims(page.PAGE) or ()) == [(row.question, name) for row in ROWS for name in NAMES]


def test_the_readme_claims_nothing_else() -> None:
    """A table that README.md shows has only rows of the page, word for word, with every client's cell."""
    readme, claimed = claims(ROOT / "README.md"), claims(page.PAGE)

    assert claimed is not None
    if readme is not None:
        assert readme == {key: claimed.get(key) for key in claimed if key[0] in {question for question, _ in readme}}


def test_counts_are_claimed_as_classes() -> None:
    """A count that another machine may not reach again is told by its class."""
    assert [count_class(count) for count in (1, 14, 15, 99, 100, 5000)] == [
        *["fewer than 15"] * 2,
        *["15 to 99"] * 2,
        *["100 or more"] * 2,
    ]


def test_a_yes_says_what_it_is_owed_to_and_a_no_does_not() -> None:
    """A setting that is not a default is named with the answer that it gives."""
    assert joined(Answer("yes"), "`limit`", None, None).text == "yes, `limit`"
    assert joined(Answer("no"), "`limit`", None, None).text == "no"


def test_a_page_is_written_between_its_markers_only(tmp_path: Path) -> None:
    """What people wrote stays; a client that could not be run has a column that says why."""
    path = tmp_path / "page.md"
    path.write_text(
        "mine\n<!-- comparison -->\nold\n<!-- /comparison -->\n<!-- measured -->\n<!-- /measured -->\nmine\n"
    )
    absent = Absent("RxJS", "node is missing")
    cells = {(row.key, "RxJS"): Cell("not run: node is missing", "") for row in ROWS}

    page.write([absent], cells, path)

    written = path.read_text()
    assert written.startswith("mine\n<!-- comparison -->\n| What happens | RxJS |\n| --- | --- |\n| Comes back")
    assert written.endswith("<!-- /measured -->\nmine\n")
    assert "old" not in written
    assert set((claims(path) or {}).values()) == {"not run: node is missing"}


def test_a_page_without_markers_is_not_written(tmp_path: Path) -> None:
    """It is an error that says which are missing."""
    path = tmp_path / "page.md"
    path.write_text("mine\n")

    with pytest.raises(ValueError, match="<!-- comparison -->"):
        page.write([], {}, path)
    assert path.read_text() == "mine\n"
