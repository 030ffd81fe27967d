"""A page that is loaded anew, a chart that is seen twice, and a tab that is hidden."""

from __future__ import annotations

from tests.notebook.browser.conftest import Sit
from tests.notebook.browser.test_drawing import DOWN, SOME, UP

SHOWN = "chart = live_candles(klines, autostop=None)\nchart"


def test_a_reload_keeps_the_history(sit: Sit) -> None:
    """What the page knew comes again as one snapshot, and goes on; whoever shows it once more has its picture too."""
    person = sit(SHOWN, "chart")
    person.run(1)
    before = person.until_store("store.candles?.length > 30")
    person.save()
    person.reload()
    after = person.until_store(f"store.candles?.length > {before['candles']} && store.frames > 5 && store.drawn > 3")
    assert after["snapshots"] == 1 and after["gaps"] == 0
    assert after["oldest"] == before["oldest"]
    assert person.pixels(*UP) > SOME and person.pixels(*DOWN) > SOME

    person.stop()
    person.until_bar("stopped")
    person.run(2)
    outputs = person.save().cells[2].outputs
    assert ["image/png" in output.data for output in outputs] == [True]


def test_two_views_of_one_chart(sit: Sit) -> None:
    """They draw the same store, whose messages come once; the button of either stops both."""
    person = sit(SHOWN, "chart")
    person.run(1, 2)
    person.until_store("store.candles?.length > 30 && store.drawn > 10")
    assert len(person.stores()) == 1
    assert person.page.locator(".rxws").count() == 2
    for view in range(2):
        assert person.pixels(*UP, view=view) > SOME
    person.stop()
    person.until("() => [...document.querySelectorAll('.rxws-text')].every(text => text.innerText === 'stopped')")
    person.clear_outputs()
    person.until("() => [...globalThis.__rxws.values()].every(store => store.views === 0)")


def test_a_hidden_tab_catches_up(sit: Sit) -> None:
    """While another tab is in front it draws nothing, and takes what comes; in front again, it shows all of it."""
    person = sit(SHOWN)
    person.run(1)
    person.until_store("store.candles?.length > 20")
    # A headless page never says that it is hidden: it is told so, and its frames are held, as a browser does.
    person.page.evaluate(
        "() => { const held = []; globalThis.__held = held; globalThis.__frame = requestAnimationFrame;"
        " globalThis.requestAnimationFrame = call => held.push(call);"
        " Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    hidden = person.store()
    person.until_store(f"store.frames > {hidden['frames']} + 20")
    assert person.store()["drawn"] <= hidden["drawn"] + 1
    assert person.page.evaluate("() => globalThis.__held.length") <= 2  # no queue of frames
    person.page.evaluate(
        "() => { delete document.hidden; globalThis.requestAnimationFrame = globalThis.__frame;"
        " for (const call of globalThis.__held) requestAnimationFrame(call);"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    caught = person.until_store(f"store.drawn > {hidden['drawn']} + 2")
    assert caught["candles"] > hidden["candles"] and caught["gaps"] == 0
    assert person.pixels(*UP) > SOME
