"""How a chart ends: by its button, by a call, by its cell running again, and because nobody looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.notebook.browser.conftest import Sit
from tests.notebook.browser.lab import Lab
from tests.notebook.kernels import ipykernel

CHART = "chart = live_candles(klines, autostop={autostop})\nchart"


@pytest.mark.parametrize("version", ["", "6.31.0", "7.0.1", "7.1.0"], ids=lambda version: version or "installed")
def test_the_button_works_while_a_cell_awaits(sit: Sit, lab: Lab, tmp_path: Path, version: str) -> None:
    """The cell still runs when the chart has stopped and the socket is closed, on each kind of kernel."""
    kernel = "python3"
    if version:
        packages = ipykernel(version, tmp_path)
        if packages is None:
            pytest.skip(f"ipykernel {version} cannot be fetched: the package index is out of reach")
        kernel = f"ipykernel-{version}"
        lab.install_kernel(kernel, packages)
    person = sit(
        CHART.format(autostop=None),
        "import ipykernel; print(ipykernel.__version__)\n"
        "await until(lambda: chart.status == 'stopped' and not exchange.live)\n"
        "print('closed')\n"
        "await asyncio.sleep(3_600)",
        kernel=kernel,
    )
    person.run(1)
    person.until_store("store.candles?.length > 5")
    person.begin(2)
    person.until("() => document.querySelectorAll('.jp-CodeCell')[2].innerText.includes('[*]')")
    person.stop()
    person.until_bar("stopped")
    person.until_text(2, "closed")
    assert version in person.text(2)
    assert person.count(2) is None
    assert not person.page.locator(".rxws-stop").last.is_visible()


def test_stop_from_a_cell_and_in_vain_twice(sit: Sit) -> None:
    """`.stop()` closes the socket, its bar says so, and once more changes nothing."""
    person = sit(
        CHART.format(autostop=None),
        "await until(lambda: exchange.live)\nchart.stop(); chart.stop(); chart.dispose()\n"
        "await until(lambda: not exchange.live)\nprint(chart.status)",
    )
    person.run(1, 2)
    assert person.text(2) == "stopped"
    person.until_bar("stopped")


def test_a_cell_that_runs_again_replaces_its_chart(sit: Sit) -> None:
    """One socket, one widget: the old ones are gone, though nothing would have stopped them for nobody looking."""
    person = sit(CHART.format(autostop=None), "first = chart", "print(first.status, chart.status, len(exchange.live))")
    person.run(1)
    person.until_store("store.candles?.length > 5")
    person.run(2, 1)
    person.until("() => globalThis.__rxws.size === 1")
    person.until_store("store.candles?.length > 5 && store.views === 1")
    person.run(3)
    assert person.text(3) == "stopped live 1"
    assert person.page.locator(".rxws").count() == 1


def test_an_output_that_was_cleared_is_looked_at_by_nobody(sit: Sit) -> None:
    """While it is seen it goes on, cell or no cell; then it stops of its own accord."""
    person = sit(
        CHART.format(autostop=1.5),
        "print(chart.status)",
        "print(chart.status, len(exchange.live))",
    )
    person.run(1)
    person.until_store("store.candles?.length > 5")
    person.page.wait_for_timeout(2_000)
    person.run(2)
    assert person.text(2) == "live"
    person.clear_outputs()
    # A cell that waits for the end would keep it from coming: who runs a cell is there.
    person.page.wait_for_timeout(2_000)
    person.run(3)
    assert person.text(3) == "stopped 0"


def test_a_page_that_was_closed_is_looked_at_by_nobody(sit: Sit) -> None:
    """The kernel lives on, the socket does not."""
    person = sit(CHART.format(autostop=1.5), "print(chart.status, len(exchange.live))")
    person.run(1)
    person.until_store("store.candles?.length > 5")
    person.save()
    person.close()
    person.come_back(after=2.0)
    person.run(2)
    assert person.text(2) == "stopped 0"
