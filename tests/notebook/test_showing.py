"""Where a view is shown, what stands there, and what a cell that runs again leaves behind."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from tests.notebook.kernels import Kernel, Message, bundles, ends, kernel, text

VIEW = "application/vnd.jupyter.widget-view+json"
IMPORTS = """
import asyncio, reactivex as rx, rxws
from reactivex.subject import Subject
from rxws import ws_observable
from rxws.notebook import *
from rxws.operators import filter_kline
from rxws.testing import SimulatedExchange"""
EXCHANGE = """
exchange = SimulatedExchange("spot", rate=200)
await exchange.start()
klines = ws_observable(exchange.combined_url("nknusdt@kline_1m")).pipe(filter_kline)
async def until(condition):
    async with asyncio.timeout(15):
        await exchange.until(condition)"""


@pytest.fixture(scope="module")
def shared() -> Iterator[Kernel]:
    """One kernel for tests whose cells do not disturb one another."""
    with kernel(IMPORTS, EXCHANGE) as started:
        yield started


def shown(messages: list[Message]) -> list[set[str]]:
    """What kinds of output there were, one after the other."""
    kinds = {"text/plain": "text", VIEW: "widget", "image/png": "picture"}
    return [{kinds[kind] for kind in bundle} for bundle in bundles(messages)]


def is_picture(message: Message) -> bool:
    """Tell whether an output is replaced by one with a picture."""
    return message["msg_type"] == "update_display_data" and "image/png" in message["content"]["data"]


def test_the_last_expression_shows_itself_and_subscribes(shared: Kernel) -> None:
    """Making it does neither; while it is live there is no picture, and what shows it is a widget."""
    assert (
        shared.printed("chart = live_candles(klines, autostop=None); print(chart.status, len(exchange.live))")
        == "new 0"
    )
    assert shown(shared.run("chart")) == [{"text", "widget"}]
    assert shared.printed("await until(lambda: exchange.live); print(chart.status)") == "live"
    assert shown(shared.run("chart.stop()")) == [{"text", "widget", "picture"}]


def test_without_a_browser_there_is_a_picture_though_it_lives(shared: Kernel) -> None:
    """None has spoken: the output holds a picture, and another one when it ends."""
    first = shared.run("chart = live_plot({'a': rx.never()}, autostop=None)\nchart")
    assert shown(first) == [{"text", "widget"}]
    (later,) = bundles(shared.until(is_picture)[-1:])
    assert "live" in later["text/plain"]
    (last,) = bundles(shared.run("chart.stop()"))
    assert "stopped" in last["text/plain"] and "image/png" in last


def test_a_picture_comes_from_the_cell_that_runs(shared: Kernel) -> None:
    """Whoever runs a notebook without a browser takes nothing that comes from a cell before."""
    shared.run("chart = live_plot({'a': rx.never()}, autostop=None)\nchart")
    begun = shared.begin("await asyncio.sleep(20)")
    picture = shared.until(is_picture)[-1]
    assert picture["parent_header"]["msg_id"] == begun
    shared.interrupt()
    shared.until(lambda message: ends(message, begun))
    shared.run("chart.stop()")


def test_with_a_browser_there_is_no_picture_while_it_lives(shared: Kernel) -> None:
    """It has said that it is ready, and draws for itself."""
    shared.run("values = Subject()\nchart = live_plot({'a': values}, autostop=None)\nchart")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    shared.next_of(widget, lambda told: told.get("type") == "snapshot")
    came = shared.run("await asyncio.sleep(2)")
    assert shown(came) == []
    assert shown(shared.run("chart.stop()")) == [{"text", "widget", "picture"}]


def test_waiting_shows_it(shared: Kernel) -> None:
    """Once; and leaves a picture, the sockets closed."""
    came = shared.run("chart = live_candles(klines)\nawait chart.wait(0.5)\nprint(chart.status, len(exchange.live))")
    assert shown(came) == [{"text", "widget"}, {"text", "widget", "picture"}]
    assert text(came) == "stopped 0"
    again = shared.run("display(chart)\nawait chart.wait(1)")
    assert shown(again) == [{"text", "widget", "picture"}]


def test_running_a_cell_again_replaces_its_chart(shared: Kernel) -> None:
    """The old socket is closed at once, though nobody stopped it, and the old widget is closed."""
    code = "before = exchange.handshakes_accepted\nlive_candles(klines, autostop=None)"
    shared.run(code, cell="again")
    old = shared.widget()
    assert shared.printed("await until(lambda: len(exchange.live) == 1)") == ""
    came = shared.run(code, cell="again")
    assert old in [each["content"]["comm_id"] for each in came if each["msg_type"] == "comm_close"]
    assert [VIEW in bundle for bundle in bundles(came)] == [False, True]
    wait = "await until(lambda: exchange.handshakes_accepted == before + 1 and len(exchange.live) == 1); print('one')"
    assert shared.printed(wait) == "one"
    shared.run("pass", cell="again")
    assert shared.printed("await until(lambda: not exchange.live); print('none')") == "none"


def test_running_a_cell_again_ends_what_passes_through_plot(shared: Kernel) -> None:
    """Its subscription is nobody's any more: its name is the new one's. The button of its bar ends the chart alone."""
    code = (
        "before, came = exchange.handshakes_accepted, []\n"
        "subscription = klines.pipe(plot(autostop=None)).subscribe(came.append)"
    )
    shared.run(code, cell="passes")
    shared.tell(shared.widget(), {"type": "stop"})
    assert (
        shared.printed("count = len(came); await until(lambda: len(came) > count + 3); print('goes on')") == "goes on"
    )
    shared.run(code, cell="passes")
    wait = "await until(lambda: exchange.handshakes_accepted == before + 1 and len(exchange.live) == 1); print('one')"
    assert shared.printed(wait) == "one"
    shared.run("pass", cell="passes")
    assert shared.printed("await until(lambda: not exchange.live); print('none')") == "none"


def test_where_a_front_end_names_no_cells_their_text_does(shared: Kernel) -> None:
    """The same text again is the same cell again."""
    code = "chart = live_candles(klines, autostop=None)\nchart"
    shared.run(code)
    shared.run("first = chart")
    shared.run(code)
    assert shared.printed("print(first.status, chart.status, first is chart)") == "stopped live False"
    shared.run("chart.stop()")


def test_two_charts_of_one_cell_both_live(shared: Kernel) -> None:
    """And both go when it runs again."""
    code = "pair = [live_plot({'a': rx.never()}, autostop=None) for _ in range(2)]\ndisplay(*pair)"
    shared.run(code, cell="two")
    assert shared.printed("first = pair; print([each.status for each in first])") == "['live', 'live']"
    shared.run(code, cell="two")
    assert shared.printed("print([each.status for each in first + pair])") == "['stopped', 'stopped', 'live', 'live']"
    shared.run("for each in pair: each.stop()")


def test_a_cell_that_only_shows_a_chart_may_run_again(shared: Kernel) -> None:
    """The chart belongs to the cell that made it; each showing adds an output, and its end is told to all of them."""
    shared.run("chart = live_plot({'a': rx.never()}, autostop=None)", cell="makes")
    first, second = shared.run("chart", cell="shows"), shared.run("chart", cell="shows")
    assert shared.printed("print(chart.status)") == "live"
    made = [each for each in first + second if each["msg_type"] == "display_data"]
    assert len({each["content"]["transient"]["display_id"] for each in made}) == 1
    shared.run("old = chart\nchart = None", cell="makes")
    assert shared.printed("print(old.status)") == "stopped"


def test_an_error_stands_in_the_bar(shared: Kernel) -> None:
    """The browser's, the text's and the picture's; the cell itself does not fail."""
    shared.run("values = Subject()\nchart = live_candles(values, autostop=None)\nchart")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    shared.next_of(widget, lambda told: told.get("type") == "snapshot")
    shared.begin("values.on_next({'e': 'trade'})")
    told = shared.next_of(widget, lambda told: told.get("status", {}).get("state") == "error")
    assert "k (the kline) is missing in {'e': 'trade'}" in told["status"]["text"]
    (bundle,) = bundles(shared.until(is_picture)[-1:])
    assert "WrongShape" in bundle["text/plain"]


def test_a_title_that_becomes_known_is_told(shared: Kernel) -> None:
    """By a new snapshot: candles say what they are of."""
    shared.run("chart = live_candles(klines, autostop=None)\nchart")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    shared.next_of(widget, lambda told: told.get("type") == "snapshot" and told["title"] == "NKNUSDT 1m")
    shared.run("chart.stop()")


def test_a_browser_that_comes_later_gets_all_there_is(shared: Kernel) -> None:
    """As after a reload of the page, also when nothing lives any more; numbers go on without a gap."""
    shared.run("chart = live_plot({'a': rx.from_iterable(range(30))})\nawait chart.start().wait()\n")
    shared.run("values = Subject()\nchart = live_plot({'a': values}, autostop=None)\nchart")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    first = shared.next_of(widget, lambda told: told.get("type") == "snapshot")
    shared.run("values.on_next(1.5)")
    frame = shared.next_of(widget, lambda told: "lines" in told and told["type"] == "frame")
    assert frame["lines"]["a"]["points"][0][1] == 1.5
    shared.run("chart.stop()")
    shared.tell(widget, {"type": "ready"})
    again = shared.next_of(widget, lambda told: told.get("type") == "snapshot")
    assert again["lines"][0]["points"] == frame["lines"]["a"]["points"]
    assert again["status"]["state"] == "stopped"
    sequence = [
        message["content"]["data"]["content"]["seq"]
        for message in shared.heard
        if message["msg_type"] == "comm_msg" and message["content"]["comm_id"] == widget
    ]
    assert sequence == list(range(first["seq"], first["seq"] + len(sequence)))


def test_a_frame_repeats_nothing(shared: Kernel) -> None:
    """Neither marks nor the bar's words, unless they have changed."""
    shared.run("values = Subject()\nchart = live_plot({'a': values}, autostop=None)\nchart")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    shared.next_of(widget, lambda told: told.get("type") == "snapshot")
    shared.run("values.on_next(1)")
    frame = shared.next_of(widget, lambda told: told.get("type") == "frame")
    assert set(frame) == {"type", "seq", "lines"}
    shared.run("chart.stop()")


def test_a_lost_connection_is_marked_and_told(shared: Kernel) -> None:
    """By the chart itself, which overhears the stream: a band that begins, and ends when data come again."""
    shared.run("chart = live_candles(klines, autostop=None)\nchart\nchart.show()")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    shared.next_of(widget, lambda told: told.get("type") == "snapshot" and told["candles"])
    shared.begin("exchange.close(1012, 'restart')")
    begun = shared.next_of(widget, lambda told: bool(told.get("marks")))
    assert [(mark["kind"], mark["to"], mark["words"]) for mark in begun["marks"]] == [
        ("lost", None, "lost: server closed (1012)")
    ]
    ended = shared.next_of(widget, lambda told: bool(told.get("marks") and told["marks"][0]["to"]))
    assert ended["marks"][0]["from"] == begun["marks"][0]["from"] < ended["marks"][0]["to"]
    shared.run("chart.stop()")


def test_nobody_looks_and_it_stops(shared: Kernel) -> None:
    """A browser answers that it shows no view; as long as one does, it goes on."""
    shared.run("chart = live_candles(klines, autostop=1.5)\nchart")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    for _ in range(5):
        shared.next_of(widget, lambda told: told.get("type") == "ask")
        shared.tell(widget, {"type": "answer", "views": 1})
    assert shared.printed("print(chart.status)") == "live"
    while not any(is_picture(message) for message in shared.heard[-3:]):
        came = shared.until(lambda message: is_picture(message) or "ask" in str(message["content"]))
        if not is_picture(came[-1]):
            shared.tell(widget, {"type": "answer", "views": 0})
    assert shared.printed("print(chart.status, len(exchange.live))") == "stopped 0"


def test_what_a_browser_says_amiss_changes_nothing(shared: Kernel) -> None:
    """It is a program of its own, and may be of another version."""
    shared.run("chart = live_plot({'a': rx.never()}, autostop=None)\nchart")
    widget = shared.widget()
    for content in ({}, {"type": "answer"}, {"type": "answer", "views": "x"}, {"type": "unknown"}, [], None, 5):
        shared.tell(widget, content)  # type: ignore[arg-type]  # amiss
    shared.tell(widget, {"type": "ready"})
    assert shared.next_of(widget, lambda told: told.get("type") == "snapshot")["status"]["state"] == "live"
    shared.run("chart.stop()")


def test_a_table_is_shown(shared: Kernel) -> None:
    """Its rows by key, its columns when they change."""
    shared.run("values = Subject()\ntable = live_table(values, key='symbol', autostop=None)\ntable")
    widget = shared.widget()
    shared.tell(widget, {"type": "ready"})
    shared.next_of(widget, lambda told: told.get("type") == "snapshot")
    shared.run("for price in (1, 2): values.on_next({'symbol': 'BTC', 'price': price})")
    frame = shared.next_of(widget, lambda told: "rows" in told and told["type"] == "frame")
    assert frame["rows"] == [["BTC", ["BTC", "2"]]]
    assert frame["columns"] == [{"name": "symbol", "numeric": False}, {"name": "price", "numeric": True}]
    assert frame["top"] is False
    (bundle,) = bundles(shared.run("table.stop()"))
    assert {VIEW, "image/png"} < set(bundle)


def test_the_operator_shows_what_passes(shared: Kernel) -> None:
    """In the cell that subscribes; the values go on."""
    came = shared.run("total = await rx.of(1, 2, 3).pipe(plot(name='n'), rx.operators.sum())\nprint(total)")
    assert text(came) == "6"
    assert shown(came)[-1] >= {"text", "picture"}


NOTEBOOK = [
    IMPORTS,
    EXCHANGE,
    "close = klines.pipe(rx.operators.map(lambda kline: kline['data']['k']['c']))\n"
    "chart = live_candles(klines, lines={'close': close})\n"
    "await chart.wait(1)",
    "plain = live_plot({'a': rx.from_iterable([(t * 1000, t % 7) for t in range(2000)])})\nawait plain.wait()",
    "table = live_table(klines.pipe(rx.operators.map(lambda k: k['data']['k'])))\nawait table.wait(1)",
    "await exchange.stop()",
]


def test_a_saved_notebook_holds_pictures_and_is_small() -> None:
    """Run without a browser, as in CI: no traceback, three pictures, less than 60 kB."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in NOTEBOOK])
    NotebookClient(notebook, timeout=60, kernel_name="python3", store_widget_state=False).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [sorted(output.data) for output in outputs] == [[VIEW, "image/png", "text/plain"]] * 3
    assert [width(output.data) for output in outputs] == [1400] * 3
    assert len(nbformat.writes(notebook)) < 60_000


def width(data: Any) -> int:
    """How wide a picture is."""
    return Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).width


def test_a_picture_that_cannot_be_drawn_leaves_a_word(shared: Kernel) -> None:
    """Why there is none, in the output; and the loop's handler hears of it."""
    shared.run("chart = live_plot({'a': rx.never()}, autostop=None)\nchart")
    shared.run("chart.png = lambda: 1 / 0")
    came = bundles(shared.run("chart.stop()"))
    assert "image/png" not in came[-1]
    assert "no picture: ZeroDivisionError" in came[-1]["text/plain"]


def test_an_interrupted_wait_closes_the_sockets(shared: Kernel) -> None:
    """Whoever interrupts a cell wants an end."""
    shared.run("chart = live_candles(klines, autostop=None)")
    begun = shared.begin("print('begins'); await chart.wait(3_600)")
    shared.until(lambda message: message["content"].get("text", "").startswith("begins"))
    shared.interrupt()
    shared.until(lambda message: ends(message, begun))
    assert shared.printed("await until(lambda: not exchange.live); print(chart.status)") == "stopped"
