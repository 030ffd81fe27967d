"""What is left in the file, and in a page that is made of it."""

from __future__ import annotations

import base64
from pathlib import Path

from nbconvert import HTMLExporter
from playwright.sync_api import BrowserContext

from tests.notebook.browser.conftest import Sit
from tests.notebook.browser.lab import watched

# What nbconvert's own page asks for, whatever the notebook holds; of widgets' code there is nothing in it.
OF_ITS_OWN = ("/require.js/", "/mathjax/")

LARGEST = 60_000
"""Bytes that a notebook of one chart may have."""


def test_a_saved_notebook_and_its_html_show_the_picture(sit: Sit, window: BrowserContext, tmp_path: Path) -> None:
    """The file holds a picture and little else; as HTML it asks nobody for anything, and the picture is seen."""
    person = sit("chart = live_candles(klines.pipe(ops.take(2_000)), title='BTCUSDT')\nawait chart.wait(2)")
    person.run(1)
    saved = person.save()
    (output,) = saved.cells[1].outputs
    assert base64.b64decode(output.data["image/png"]).startswith(b"\x89PNG")
    assert (person.lab.work / f"{person.name}.ipynb").stat().st_size < LARGEST

    page = tmp_path / "saved.html"
    text, _ = HTMLExporter().from_notebook_node(saved)
    page.write_text(text)
    tab = window.new_page()
    seen = watched(tab)
    tab.goto(page.as_uri())
    picture = tab.locator(".jp-RenderedImage img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1400
    assert picture.is_visible()
    tab.close()
    assert [url for url in seen.outside if not any(part in url for part in OF_ITS_OWN)] == []
