"""What a chart and a table look like while they live, and how a person reads them."""

from __future__ import annotations

from tests.notebook.browser.conftest import Sit
from tests.notebook.browser.lab import Person

UP, DOWN = (8, 153, 129), (242, 54, 69)
LINE = (47, 126, 216)
SOME = 200
"""So many pixels of a colour are a chart, and no accident."""

RATES = """
async def rate():
    loop = asyncio.get_running_loop()
    began, frames = loop.time(), chart.frames_out
    await asyncio.sleep(2)
    return (chart.frames_out - frames) / (loop.time() - began)

await until(lambda: chart.frames_out > 5)
rates = [await rate()]
while rates[-1] < 10 and len(rates) < 4:  # a machine may have been busy with something else
    rates.append(await rate())
print(10 <= rates[-1] and max(rates) <= 21.5 or rates, chart.events_in > 3 * chart.frames_out)
"""


def picture(person: Person) -> str:
    """All that is painted, as an address."""
    found: str = person.page.evaluate("() => document.querySelector('.rxws canvas').toDataURL()")
    return found


def test_candles_of_both_colours_at_a_bounded_rate(sit: Sit) -> None:
    """A hundred klines a second are twenty frames; none of them is lost, and none comes after the end."""
    person = sit("chart = live_candles(klines, autostop=None)\nchart", RATES, "chart.stop()")
    person.run(1)
    person.until_store("store.candles?.length > 40 && store.drawn > 20")
    assert person.pixels(*UP) > SOME
    assert person.pixels(*DOWN) > SOME
    assert person.bar().startswith("live")

    person.run(2)
    assert person.text(2) == "True True"

    person.run(3)
    person.until_bar("stopped")
    store = person.store()
    assert store["gaps"] == 0 and store["snapshots"] == 1
    assert store["seq"] == store["frames"] + 1
    assert 0 < store["drawn"] <= store["frames"] + 20  # more often than told only where a view has come
    assert person.pixels(*UP) > SOME


def test_nothing_comes_and_nothing_is_told(sit: Sit) -> None:
    """An idle chart costs no message, and says for how long nothing has come."""
    person = sit("values = Subject()\nchart = live_plot({'a': values}, autostop=None)\nchart", "values.on_next(1.0)")
    person.run(1)
    person.until_store("store.views === 1")
    person.run(2)
    before = person.until_store("store.lines.get('a')?.points.length === 1")
    person.until_bar("no update for 5 s")
    after = person.store()
    assert (after["seq"], after["frames"]) == (before["seq"], before["frames"])


def test_lines_of_several_streams(sit: Sit) -> None:
    """Each has its colour and its name, and the legend has its newest value."""
    person = sit(
        "import time\n"
        "minute_ago = time.time_ns() // 10**6 - 60_000\n"
        "bid = rx.from_iterable([(minute_ago + 200 * i, 100 + i % 7) for i in range(300)])\n"
        "spread = rx.from_iterable([(minute_ago + 200 * i, i // 50 % 2 / 100) for i in range(300)])\n"
        "chart = live_plot({'bid': bid, 'spread': spread}, title='both')\nchart"
    )
    person.run(1)
    person.until_store("store.lines.get('spread')?.points.length === 300 && store.drawn > 1")
    person.until("() => document.querySelector('.rxws-legend').innerText.includes('spread 0.01')")
    assert person.pixels(*LINE) > SOME
    assert person.pixels(230, 159, 0) > SOME
    assert person.page.locator(".rxws-title").last.inner_text() == "both"


def test_wheel_and_hand_move_the_time_and_the_crosshair_tells_values(sit: Sit) -> None:
    """The wheel zooms, a drag pans; the legend follows the crosshair, and a double click the newest."""
    person = sit("chart = live_candles(klines.pipe(ops.take(300)), autostop=None)\nchart", "await chart.wait()")
    person.run(1, 2)
    person.until_bar("completed")
    person.page.wait_for_timeout(200)  # for the last frame to be painted
    plot = person.page.locator(".rxws .u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] * 0.85, box["y"] + box["height"] / 2)
    follow = person.page.locator(".rxws-follow").first
    at_first = picture(person)
    assert not follow.is_visible()

    person.page.mouse.move(*middle)
    legend = person.page.locator(".rxws-legend").first.inner_text()
    assert all(f"{name} 6" in legend for name in "OHLC") and "UTC" in legend
    person.page.mouse.move(middle[0] + 100, middle[1])
    assert person.page.locator(".rxws-legend").first.inner_text() != legend

    person.page.mouse.wheel(0, -400)
    person.until("() => !document.querySelector('.rxws-follow').hidden")
    zoomed = picture(person)
    assert zoomed != at_first

    person.page.mouse.down()
    person.page.mouse.move(middle[0] - 200, middle[1], steps=4)
    person.page.mouse.up()
    assert picture(person) not in (at_first, zoomed)

    person.page.mouse.dblclick(*middle)
    person.until("() => document.querySelector('.rxws-follow').hidden")


def test_the_theme_is_the_pages(sit: Sit) -> None:
    """In the dark theme the ground is dark, its words are light, and candles keep their colours."""
    person = sit("chart = live_candles(klines, autostop=None)\nchart")
    person.run(1)
    person.until_store("store.candles?.length > 20 && store.drawn > 10")
    colors = (
        "() => { const style = getComputedStyle(document.querySelector('.rxws'));"
        " return [style.backgroundColor, style.color]; }"
    )
    light = [brightness(color) for color in person.page.evaluate(colors)]
    assert light[0] > 200 > 100 > light[1]

    person.theme("dark")
    drawn = person.store()["drawn"]
    person.until_store(f"store.drawn > {drawn} + 2")
    ground, words = (brightness(color) for color in person.page.evaluate(colors))
    assert ground < 60 and words > 180
    assert person.pixels(*UP) > SOME and person.pixels(*DOWN) > SOME


def brightness(color: str) -> float:
    """Of a CSS colour, from 0 to 255."""
    red, green, blue = (float(part) for part in color[color.index("(") + 1 : -1].split(",")[:3])
    return (red + green + blue) / 3


def test_rows_of_a_table(sit: Sit) -> None:
    """With a key a row changes in place; its columns are the fields of the values."""
    person = sit(
        "trades = Subject()\nchart = live_table(trades, key='symbol', autostop=None)\nchart",
        "for symbol, price in [('btc', 1), ('eth', 2), ('btc', 3)]:\n"
        "    trades.on_next({'symbol': symbol, 'price': price})",
    )
    person.run(1)
    person.until_store("store.views === 1")
    person.run(2)
    person.until_store("store.rows.length === 2 && store.rows.some(([, cells]) => cells.includes('3'))")
    person.until("() => document.querySelectorAll('.rxws tbody tr').length === 2")
    table = person.page.locator(".rxws table").first
    assert table.locator("th").all_inner_texts() == ["symbol", "price"]
    assert sorted(table.locator("td").all_inner_texts()) == ["2", "3", "btc", "eth"]
