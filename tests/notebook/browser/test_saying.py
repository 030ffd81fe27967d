"""What the bar says: errors of streams and of callbacks, losses, completion."""

from __future__ import annotations

from tests.notebook.browser.conftest import Sit


def test_errors_stand_in_the_bar(sit: Sit) -> None:
    """Of a stream, of a shape that does not fit, of a function of the user's; and a completion."""
    person = sit(
        "live_plot({'a': rx.throw(ValueError('the venue is closed'))})",
        "live_candles(rx.of({'price': 64_000}))",
        "def candle(value):\n    raise KeyError('volume')\nlive_candles(rx.of(1), candle=candle)",
        "live_plot({'a': rx.of(1, 2)})",
    )
    for cell, words in enumerate(
        [
            ["ValueError: the venue is closed"],
            ["WrongShape", "is missing in {'price': 64000}"],
            ["KeyError", "volume"],
            ["completed"],
        ],
        start=1,
    ):
        person.run(cell)
        person.until(
            "([cell, words]) => { const text = document.querySelectorAll('.jp-CodeCell')[cell]"
            ".querySelector('.rxws-text')?.innerText; return text && words.every(word => text.includes(word)); }",
            [cell, words],
        )
        assert person.page.locator(".jp-CodeCell").nth(cell).locator(".rxws-stop:visible").count() == 0


def test_what_a_callback_raises_stands_in_the_bar_of_plot(sit: Sit) -> None:
    """The user's own `on_next` raises, beside a chart of what passes by."""
    person = sit(
        "values = Subject()\n"
        "def trade(value):\n    raise RuntimeError('no margin left')\n"
        "subscription = values.pipe(plot(name='price')).subscribe(trade)",
        "try:\n    values.on_next(1.0)\nexcept RuntimeError as error:\n    print('raised too:', error)",
    )
    person.run(1)
    person.until_store("store.views === 1")
    person.run(2)
    person.until_bar("RuntimeError: no margin left")
    assert person.text(2) == "raised too: no margin left"


def test_a_loss_is_told_and_marked(sit: Sit) -> None:
    """The bar says why it is gone and when it is back; afterwards the stretch is marked on the time axis."""
    person = sit(
        "from rxws import Backoff\n"
        "slow = ws_observable(exchange.combined_url('btcusdt@kline_1m'), retry=Backoff.fixed(2.0))\n"
        "chart = live_candles(slow.pipe(filter_kline), autostop=None)\nchart",
        "print(exchange.close(1012))",
    )
    person.run(1)
    person.until_store("store.candles?.length > 10")
    person.run(2)
    person.until_bar("server closed (1012)")
    person.until_bar("reconnecting in")
    person.until_store("store.status.state === 'live' && store.marks.length === 1 && store.marks[0].to !== null")
    (mark,) = person.store()["marks"]
    assert mark["kind"] == "lost" and "1012" in mark["words"]
    assert mark["to"] - mark["from"] > 500
    person.until_bar("live")
