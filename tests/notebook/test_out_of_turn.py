"""The stop button works while a cell awaits, on every kernel and whichever way a browser's messages come."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.notebook.kernels import Kernel, ends, ipykernel, kernel, text, told

IMPORTS = "import asyncio, reactivex as rx, rxws; from rxws.notebook import live_plot"
AWAITS = """
chart = live_plot({"a": rx.interval(0.05, scheduler=rxws.scheduler())}, autostop=None)
try:
    await asyncio.wait_for(chart.wait(), 15)
except TimeoutError:
    print("nobody stopped it")
print(chart.status)
"""

Fetch = Callable[[str], Path | None]


@pytest.fixture(scope="module")
def fetch(tmp_path_factory: pytest.TempPathFactory) -> Fetch:
    """Return where a version of ipykernel is; None: it is the installed one."""
    folder = tmp_path_factory.mktemp("ipykernels")
    fetched: dict[str, Path] = {}

    def of(version: str) -> Path | None:
        if version == "installed":
            return None
        if version not in fetched:
            found = ipykernel(version, folder)
            if found is None:
                pytest.skip(f"ipykernel {version} cannot be fetched from a package index")
            fetched[version] = found
        return fetched[version]

    return of


def stopped_while_awaiting(running: Kernel, subshell: str | None) -> str:
    """Press the button in the middle of a cell that awaits, and return what the cell says."""
    begun = running.begin(AWAITS)
    widget = running.widget()
    running.tell(widget, {"type": "ready"}, subshell)
    assert running.next_of(widget, lambda told: told.get("type") == "snapshot")["kind"] == "chart"
    running.next_of(widget, lambda told: told.get("seq", 0) >= 3)
    running.tell(widget, {"type": "stop"}, subshell)
    return text(running.until(lambda message: ends(message, begun)))


@pytest.mark.parametrize("version", ["6.31.0", "7.0.1", "7.1.0", "installed"])
def test_the_button_stops_while_a_cell_awaits(fetch: Fetch, version: str) -> None:
    """Told over the kernel's only shell, as front ends without subshells do."""
    with kernel(IMPORTS, packages=fetch(version)) as running:
        assert stopped_while_awaiting(running, None) == "stopped"
        assert running.printed("print(chart.status)") == "stopped"


@pytest.mark.parametrize("version", ["7.0.1", "7.1.0", "installed"])
def test_the_button_stops_over_a_subshell(fetch: Fetch, version: str) -> None:
    """Told as JupyterLab does, and taken on another thread."""
    with kernel(IMPORTS, packages=fetch(version)) as running:
        assert stopped_while_awaiting(running, running.subshell()) == "stopped"


def test_what_a_browser_says_is_taken_on_the_loop(fetch: Fetch) -> None:
    """A subshell hears it on a thread of its own; while the main thread does something else, nothing is answered."""
    show = (
        "import threading; chart = live_plot({'a': rx.never()}, autostop=None); chart.show(); gate = threading.Event()"
    )
    with kernel(IMPORTS, packages=fetch("7.1.0")) as running:
        running.run(show)
        widget, subshell = running.widget(), running.subshell()
        running.begin("print('blocked'); print('free' if gate.wait(20) else 'too late')")
        running.until(lambda message: "blocked" in text([message]))
        running.tell(widget, {"type": "ready"}, subshell)
        running.begin("gate.set()", subshell=subshell)
        came = running.until(lambda message: (told(message, widget) or {}).get("type") == "snapshot")
        assert "free" in text(came)


@pytest.mark.parametrize("version", ["6.31.0", "7.1.0"])
def test_what_is_not_ours_waits_its_turn(fetch: Fetch, version: str) -> None:
    """Cells that were asked for meanwhile run one after the other, and other widgets are heard after them."""
    other = "import ipywidgets; other = ipywidgets.Label(); other.on_msg(lambda *heard: print(heard[1]))"
    with kernel(IMPORTS, other, packages=fetch(version)) as running:
        comm = running.printed("print(other.model_id)")
        running.begin(AWAITS)
        widget = running.widget()
        running.tell(comm, {"type": "first"})
        second = running.begin("print('second')")
        running.tell(widget, {"type": "stop"})
        said = text(running.until(lambda message: ends(message, second)))
        assert said.split("\n") == ["stopped", "{'type': 'first'}", "second"]


@pytest.mark.parametrize("version", ["6.31.0", "7.1.0"])
def test_a_kernel_is_left_as_it_was(fetch: Fetch, version: str) -> None:
    """After the last chart has ended, its messages go their own way again."""
    stream = """
kernel = get_ipython().kernel
thread = getattr(kernel, "shell_channel_thread", None)
stream = kernel.shell_stream if thread is None else thread.manager._shell_channel_to_main.to_stream
before = stream._recv_callback"""
    with kernel(IMPORTS, stream, packages=fetch(version)) as running:
        live = "print(stream._recv_callback is before)"
        begun = running.begin(
            f"charts = [live_plot({{'a': rx.never()}}).start() for _ in 'ab']\n[c.show() for c in charts]\n{live}"
        )
        assert "False" in text(running.until(lambda message: ends(message, begun)))
        assert running.printed(f"charts[0].stop()\n{live}") == "False"
        assert running.printed(f"charts[1].stop()\n{live}") == "True"
