"""The ratios of what a message costs are what they were, and what judges them does not look away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.compare.columns import Absent
from benchmarks.compare.trial import ROOT
from benchmarks.markers import between, lines
from benchmarks.speed import figures, frames, page, short
from benchmarks.speed.figures import FIGURES, Figure
from benchmarks.speed.rows import CLIENTS, DELIVERED, HERE, KSTLIB, RATES, TOPICS, WATCHED, Row
from benchmarks.speed.running import Failed, Miscounted, Results, Sample, Server, measure, run, sample, watch

FIGURE = next(each for each in FIGURES if each.over == "rxws-typed")
ROWS = {row.key: row for row in (*CLIENTS, *TOPICS)}
SENT = 10_000
BRIEF = short.Form([ROWS[FIGURE.over], ROWS[FIGURE.under], DELIVERED], SENT, 1, 2)
MARKERS = (page.CLIENTS_TABLE, page.FIGURES_TABLE, page.TOPICS_TABLE, page.SOCKETS_TABLE, page.LATENCY_TABLE)
HERE_ONLY = {HERE: sys.executable}


def judged(value: float | None, delivered: float | None = 1.0) -> tuple[bool, str]:
    """Judge one ratio that was recorded as 1."""
    said: list[str] = []
    well = short.judged({"a ratio": value}, {"a ratio": 1.0}, delivered, said.append)
    return well, "\n".join(said)


# The short form


def test_no_ratio_has_slid() -> None:
    """Each ratio is within a fifth of what was recorded, and nothing of a burst is lost."""
    command = [sys.executable, "-m", "benchmarks.speed", "--short"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_recorded_are_figures() -> None:
    """A figure that got another name is recorded anew."""
    assert set(figures.recorded()) == {figure.name for figure in FIGURES}


def test_a_ratio_that_slid_is_measured_again_and_then_named(tmp_path: Path) -> None:
    """With a recorded ratio that no client reaches, the form fails, and says which it is."""
    path, said = tmp_path / "ratios.json", []
    path.write_text(json.dumps({FIGURE.name: 0.01}))

    assert not short.check(said.append, path, BRIEF)
    assert f"once more, in 2 rounds: {FIGURE.name}" in said
    assert said[-1].startswith(f"slid by more than a fifth: {FIGURE.name} was 0.01 and is 0.")


def test_what_is_recorded_is_what_was_measured(tmp_path: Path) -> None:
    """Figures whose clients are not there are left out."""
    path = tmp_path / "ratios.json"

    short.record(lambda text: None, path, BRIEF)

    assert list(figures.recorded(path)) == [FIGURE.name]
    assert figures.recorded(path)[FIGURE.name] > 0.0


# The judge


@pytest.mark.parametrize("value", [0.5, 1.0, 1.19])
def test_a_ratio_within_a_fifth_passes(value: float) -> None:
    """So does a better one."""
    assert judged(value) == (True, "")


def test_a_ratio_that_slid_by_more_fails_by_its_name() -> None:
    """What it was and what it is are told."""
    assert judged(1.21) == (False, "slid by more than a fifth: a ratio was 1.00 and is 1.21")


def test_a_ratio_that_cannot_be_measured_any_more_fails() -> None:
    """Else a client that is gone would pass."""
    assert judged(None) == (False, "slid by more than a fifth: a ratio was 1.00 and cannot be measured")


def test_a_lost_message_of_a_burst_fails() -> None:
    """All must come."""
    assert judged(1.0, 0.999) == (False, "delivered of a burst of 100,000: 99.9%")
    assert judged(1.0, None) == (False, "no burst was delivered")


def test_a_ratio_is_the_median_of_its_rounds() -> None:
    """A machine that slows down between rounds changes no ratio; one round that it disturbed does not count."""
    results: Results = {
        "over": [Sample(us, 1, 1) for us in (2.0, 20.0, 9.0)],
        "under": [Sample(us, 1, 1) for us in (1.0, 10.0, 1.0)],
        "gone": Absent("gone", "it is not there"),
    }

    assert figures.ratio(results, "over", "under") == 2.0
    assert figures.ratio(results, "over", "gone") is None


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(None, "not there"), (1.3, "not reached"), (1.2, "reached"), (1.1, "reached, the aim too")],
)
def test_a_figure_says_whether_it_is_reached(value: float | None, verdict: str) -> None:
    """What must be and what is better are both limits that may be met."""
    assert figures.verdict(Figure("a figure", "over", "under", must=1.2, aim=1.1), value) == verdict


# The clients


@pytest.mark.parametrize("told", [SENT // 2, SENT * 2])
def test_a_client_that_miscounts_is_an_error(told: int) -> None:
    """One that takes too many and one that gets too few."""
    row = ROWS["websockets-json"]
    with Server() as server:
        seen = run(sys.executable, row.module, server.url("feed", 1, SENT), told)
        assert not isinstance(seen, Absent)

        with pytest.raises(Miscounted, match="websockets-json counted 1000 closed klines"):
            sample(row, told, seen)


def test_a_client_that_counts_all_is_measured() -> None:
    """It has had all, and it cost something."""
    with Server() as server:
        found = measure(server, HERE_ONLY, ROWS["rxws-json"], SENT)

    assert isinstance(found, Sample)
    assert (found.received, found.sent) == (SENT, SENT)
    assert found.us is not None
    assert found.us > 0.0


def test_a_client_of_many_topics_hears_of_each() -> None:
    """Its subscribers count all klines of their topics, each once."""
    with Server() as server:
        for key in ("filter-10", "route-100"):
            found = measure(server, HERE_ONLY, ROWS[key], SENT)
            assert isinstance(found, Sample) and found.received == found.sent


def test_a_client_that_is_not_installed_is_absent() -> None:
    """Its row says what is missing, and the others go on."""
    with Server() as server:
        found = measure(server, {KSTLIB: sys.executable}, ROWS[KSTLIB], SENT)

    assert isinstance(found, Absent)
    assert found.reason == "kstlib is not installed"


def test_a_client_that_fails_is_an_error_with_what_it_wrote() -> None:
    """It is not taken for one that is absent."""
    with pytest.raises(Failed, match="ConnectionRefusedError"):
        run(sys.executable, "websockets_json", "ws://127.0.0.1:1/", SENT)


def test_a_stamped_kline_is_late_by_something() -> None:
    """Three quantiles, none smaller than the one before it."""
    with Server() as server:
        path = ("stamped", 1_000, 500)
        seen = watch(server, sys.executable, "watched_rxws", "stamps", path, 500, "websockets")

    assert not isinstance(seen, Absent)
    assert seen["received"] == 500
    assert 0.0 < seen["us"][0] <= seen["us"][1] <= seen["us"][2]


# The feed and the page


def test_a_kline_has_300_bytes_and_one_in_ten_is_closed() -> None:
    """Whatever its number and its symbol."""
    payloads = [frame[4:] for frame in frames.block(100)]

    assert {len(payload) for payload in payloads} == {300}
    assert sum(b'"x":true' in payload for payload in payloads) == frames.BLOCK // 10
    assert len({json.loads(payload)["s"] for payload in payloads}) == 100


def test_tables_are_written_between_the_markers_that_are_there(tmp_path: Path) -> None:
    """What people wrote stays."""
    path = tmp_path / "page.md"
    path.write_text("mine\n<!-- speed -->\nold\n<!-- /speed -->\nmine\n")

    other = tmp_path / "other.md"
    other.write_text("<!-- speed-topics -->\n<!-- /speed-topics -->\n")

    page.write({"speed": "new\n", "speed-topics": "topics\n"}, [path, other])
    assert path.read_text() == "mine\n<!-- speed -->\nnew\n<!-- /speed -->\nmine\n"
    assert other.read_text() == "<!-- speed-topics -->\ntopics\n<!-- /speed-topics -->\n"
    with pytest.raises(ValueError, match="speed-nowhere"):
        page.write({"speed-nowhere": ""}, [path, other])


def test_the_pages_show_every_row_and_every_figure() -> None:
    """They are what `make bench ARGS=--write` wrote of these clients."""
    text = "".join(each.read_text(encoding="utf-8") for each in page.PAGES)
    shown = {marker: [cells[0] for cells in lines(between(text, marker) or "")[1:]] for marker in MARKERS}

    assert shown["speed"] == [row.label for row in CLIENTS]
    assert shown["speed-topics"] == [row.label for row in TOPICS]
    assert shown["speed-sockets"] == [client.label for client in WATCHED]
    assert shown["speed-latency"] == [client.label for client in WATCHED] * len(RATES)
    assert shown["speed-figures"][:-1] == [figure.name for figure in FIGURES]


def test_the_table_has_every_client_and_says_why_one_is_absent() -> None:
    """A client that lost messages has a count and no cost."""
    results: Results = {row.key: [Sample(2.0, SENT, SENT)] for row in CLIENTS}
    results[KSTLIB] = [Sample(None, 1_078, SENT)]
    results["dccd"] = Absent("dccd", "dccd is not installed")

    heading, *rows = lines(page.clients(results))

    cells = {row[0]: row[1:] for row in rows}
    assert heading[1:] == ["µs of CPU a message", "× floor", "delivered"]
    assert list(cells) == [row.label for row in CLIENTS]
    assert cells["kstlib"] == ["–", "–", "1,078 of 10,000"]
    assert cells["dccd"] == ["not there: dccd is not installed", "–", "–"]
    assert cells[ROWS["rxws-json"].label] == ["2.00", "1.00", "all"]


def test_every_row_has_a_program() -> None:
    """None is named that is not there."""
    rows: list[Row] = [*CLIENTS, *TOPICS, DELIVERED]
    assert all((ROOT / "benchmarks" / "speed" / "clients" / f"{row.module}.py").exists() for row in rows)
