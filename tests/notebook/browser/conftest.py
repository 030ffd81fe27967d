"""One JupyterLab and one browser for all tests here; each test sits down before a notebook of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.notebook.browser.lab import CHROMIUM, Lab, Person, browser

Sit: TypeAlias = Callable[..., Person]

# Each trade tells three messages, one of them a kline: a hundred klines a second, and ten for a candle.
EXCHANGE = """
import asyncio
import reactivex as rx
from reactivex import operators as ops
from reactivex.subject import Subject
from rxws import ws_observable
from rxws.notebook import *
from rxws.operators import filter_kline
from rxws.testing import SimulatedExchange, random_walk

exchange = SimulatedExchange(random_walk("btcusdt"), candle=0.1, rate=300)
await exchange.start()
klines = ws_observable(exchange.combined_url("btcusdt@kline_1m")).pipe(filter_kline)

async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.02)
"""


# Package-scoped, for while they live no test of ours can have an event loop: playwright's own runs beneath.
@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab on loopback."""
    with Lab(tmp_path_factory.mktemp("lab")) as started:
        yield started


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: as root on Debian, sh .ci/browser installs it")
    with browser() as started:
        yield started


@pytest.fixture(scope="package")
def window(chromium: Browser) -> BrowserContext:
    """One for all: what it has loaded once, it keeps."""
    return chromium.new_context(viewport={"width": 1280, "height": 900})


@pytest.fixture
def sit(window: BrowserContext, lab: Lab, request: pytest.FixtureRequest) -> Iterator[Sit]:
    """Sit down before a new notebook of these cells, the first of which has run: it starts an exchange.

    Whatever a test does there, nothing may be asked of another machine, and no error may stay uncaught in the page.
    """
    people: list[Person] = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def sit_down(*cells: str, first: str = EXCHANGE, kernel: str = "python3", path: Path | None = None) -> Person:
        notebook = f"{name}-{len(people)}"
        if path is None:
            lab.write(notebook, first, *cells, kernel=kernel)
        else:
            lab.copy(notebook, path)
        person = Person(lab, window.new_page(), notebook, stalls=kernel.startswith("ipykernel-7"))
        people.append(person)
        if path is None:
            person.run(0)
        return person

    yield sit_down
    for person in people:
        person.leave()
    for seen in (page for person in people for page in person.seen):
        assert seen.outside == []
        assert seen.errors == []
