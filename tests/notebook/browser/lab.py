"""A real JupyterLab, and a real browser that a person sits before: what they do has the names of what people do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import urlopen

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as PageTimeout
from websockets.sync.client import connect

ROOT = Path(__file__).parents[3]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TOKEN = "loopback-only"
PATIENCE = 60.0
"""Seconds after which what is waited for fails a test."""
STALLED, VISITS = 10.0, 3
"""Seconds after which a kernel that stalls is visited, and how often."""

# What a browser does of its own accord would be asked of the outside.
QUIET = """
--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
--disable-sync --mute-audio --hide-scrollbars
""".split()
NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


class Lab:
    """A JupyterLab on loopback, with a home of its own.

    Args:
        home: an empty folder; notebooks stand in its `work`.
    """

    def __init__(self, home: Path) -> None:
        self.work = home / "work"
        self.work.mkdir(parents=True)
        self._runtime = home / "runtime"
        settings = home / "app-settings"
        settings.mkdir()
        (settings / "overrides.json").write_text(json.dumps(NO_NEWS))
        folders = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
        environment = {f"JUPYTER_{name}_DIR": str(home / folder) for name, folder in folders.items()}
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": "0",
            "ServerApp.root_dir": str(self.work),
            "ServerApp.disable_check_xsrf": "True",
            "IdentityProvider.token": TOKEN,
            "LabApp.expose_app_in_browser": "True",
            "LabApp.extension_manager": "readonly",
            "LabApp.app_settings_dir": str(settings),
        }
        self._log = (home / "jupyterlab.log").open("wb")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
            + [f"--{name}={value}" for name, value in options.items()],
            env={
                **os.environ,
                **environment,
                "HOME": str(home),
                "IPYTHONDIR": str(home / "ipython"),
                "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
                "PYTHONPATH": str(ROOT),
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.data = home / "data"
        self.url = wait_for(self._address, "JupyterLab to listen")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()
        self._log.close()

    def write(self, name: str, *cells: str, kernel: str = "python3") -> None:
        """Write a notebook of code cells."""
        notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(notebook, self.work / f"{name}.ipynb")

    def copy(self, name: str, source: Path) -> None:
        """Make a notebook of a source in jupytext's format."""
        jupytext.write(jupytext.read(source), self.work / f"{name}.ipynb")

    def saved(self, name: str) -> Any:
        """The notebook as it was saved."""
        return nbformat.read(self.work / f"{name}.ipynb", as_version=4)

    def install_kernel(self, name: str, packages: Path) -> None:
        """Let there be a kernel that takes the packages of a folder before the installed ones."""
        folder = self.data / "kernels" / name
        folder.mkdir(parents=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": os.pathsep.join([str(packages), str(ROOT)])},
        }
        (folder / "kernel.json").write_text(json.dumps(spec))

    def visit_kernels(self) -> None:
        """Connect to each kernel that runs, and leave: one that has left a request unread looks at it then."""
        with urlopen(f"{self.url}/api/kernels?token={TOKEN}", timeout=PATIENCE) as answer:
            running = [kernel["id"] for kernel in json.load(answer)]
        for kernel in running:
            address = f"{self.url.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?token={TOKEN}"
            with connect(address, proxy=None) as visit, suppress(TimeoutError):
                visit.recv(timeout=1.0)

    def _address(self) -> str | None:
        for file in self._runtime.glob("jpserver-*.json"):
            text = file.read_text()
            if text:
                return str(json.loads(text)["url"]).rstrip("/")
        assert self._server.poll() is None, "JupyterLab ended before it listened"
        return None


@dataclass
class Seen:
    """What no page of ours may do."""

    outside: list[str] = field(default_factory=list)
    """Requests to another machine."""
    errors: list[str] = field(default_factory=list)
    """Errors that nobody caught in the page."""


class Person:
    """Somebody before a notebook.

    Args:
        lab: where it is.
        page: the tab.
        name: the notebook's.
        stalls: whether its kernel may leave a request unread until another client connects. ipykernel 7.0 to 7.3 do so
            now and then, whatever a notebook does: ipython/ipykernel, issue 1554 and its pull request 1529.
    """

    def __init__(self, lab: Lab, page: Page, name: str, stalls: bool = False) -> None:
        self.lab, self.page, self.name, self.stalls = lab, page, name, stalls
        self.seen = [watched(page)]
        self.open()

    def open(self) -> None:
        """Open the notebook."""
        # A workspace of its own: Lab would open the notebooks of others again.
        self.page.goto(f"{self.lab.url}/lab/workspaces/{self.name}/tree/{self.name}.ipynb?token={TOKEN}")
        self.ready()

    def ready(self) -> None:
        """Wait until the notebook's kernel waits for us."""
        self.until(
            "() => globalThis.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
            " && document.querySelectorAll('.jp-CodeCell').length > 0"
        )

    def until(self, condition: str, argument: object = None) -> None:
        """Wait until a function of the page is true."""
        for _ in range(VISITS if self.stalls else 0):
            with suppress(PageTimeout):
                self.page.wait_for_function(condition, arg=argument, timeout=STALLED * 1_000, polling=50)
                return
            self.lab.visit_kernels()
        self.page.wait_for_function(condition, arg=argument, timeout=PATIENCE * 1_000, polling=50)

    def command(self, name: str) -> None:
        """Do what a menu does; it is over when the cell is."""
        self.page.evaluate("name => jupyterapp.commands.execute(name).then(() => null)", name)

    def begin(self, number: int) -> None:
        """Run a cell, and do not wait for it."""
        self.page.evaluate(
            "number => { const notebook = jupyterapp.shell.currentWidget.content;"
            " notebook.activeCellIndex = number; notebook.deselectAll();"
            " jupyterapp.commands.execute('notebook:run-cell'); }",
            number,
        )

    def run(self, *numbers: int) -> None:
        """Run cells, each to its end, which is no error."""
        for number in numbers:
            before = self.count(number)
            self.begin(number)
            self.until(
                "([number, before]) => { const cell = jupyterapp.shell.currentWidget.content.widgets[number];"
                " const count = cell.model.executionCount; return count !== null && count !== before; }",
                [number, before],
            )
            errors = self.page.evaluate(
                "number => jupyterapp.shell.currentWidget.content.widgets[number].model.sharedModel.toJSON().outputs"
                ".filter(output => output.output_type === 'error').map(output => output.ename + ': ' + output.evalue)",
                number,
            )
            assert not errors, f"cell {number} of {self.name}: {errors}"

    def begin_all(self) -> None:
        """Run all cells, and do not wait for them."""
        self.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def until_all(self) -> None:
        """Wait until the last cell has run."""
        last = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.findLastIndex(cell => cell.model.type === 'code')"
        )
        self.until("last => jupyterapp.shell.currentWidget.content.widgets[last].model.executionCount !== null", last)
        self.ready()

    def canvases(self) -> int:
        """How many charts are drawn."""
        return self.page.locator(".rxws canvas").count()

    def count(self, number: int) -> int | None:
        """A cell's execution count; None: it runs, or has not run."""
        found = self.page.evaluate(
            "number => jupyterapp.shell.currentWidget.content.widgets[number].model.executionCount", number
        )
        return None if found is None else int(found)

    def text(self, number: int) -> str:
        """What stands under a cell, charts apart."""
        outputs = self.page.locator(".jp-CodeCell").nth(number).locator(".jp-RenderedText")
        return "\n".join(outputs.all_inner_texts()).strip()

    def until_text(self, number: int, words: str) -> None:
        """Wait until these words stand under a cell."""
        self.until(
            "([number, words]) => [...document.querySelectorAll('.jp-CodeCell')[number]"
            ".querySelectorAll('.jp-RenderedText')].some(output => output.innerText.includes(words))",
            [number, words],
        )

    def stores(self) -> list[dict[str, Any]]:
        """What our widgets hold, the oldest first; without what is long."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "() => [...(globalThis.__rxws ?? new Map()).values()].map(store => ({"
            " seq: store.seq, frames: store.frames, gaps: store.gaps, snapshots: store.snapshots, views: store.views,"
            " drawn: store.drawn, kind: store.kind, title: store.title, status: store.status, marks: store.marks,"
            " rows: store.rows.length, candles: store.candles?.length ?? 0,"
            " oldest: store.candles?.[0]?.[0] ?? null,"
            " lines: Object.fromEntries([...store.lines].map(([name, line]) => [name, line.points.length])) }))"
        )
        return found

    def store(self) -> dict[str, Any]:
        """What the newest of them holds."""
        return self.stores()[-1]

    def until_store(self, condition: str) -> dict[str, Any]:
        """Wait until the newest store is as an expression of `store` says."""
        self.until(
            f"() => {{ const store = [...(globalThis.__rxws ?? new Map()).values()].at(-1);"
            f" return store && ({condition}); }}"
        )
        return self.store()

    def pixels(self, *color: int, view: int = 0) -> int:
        """How many pixels of a view's canvas have this colour, or nearly."""
        found: int = self.page.evaluate(
            "([color, view]) => { const canvas = document.querySelectorAll('.rxws canvas')[view];"
            " const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
            " let count = 0; for (let i = 0; i < data.length; i += 4)"
            " count += data[i + 3] > 200 && [0, 1, 2].every(j => Math.abs(data[i + j] - color[j]) < 12);"
            " return count; }",
            [list(color), view],
        )
        return found

    def bar(self) -> str:
        """What the newest view's bar says."""
        return self.page.locator(".rxws-text").last.inner_text()

    def until_bar(self, words: str) -> None:
        """Wait until the newest view's bar says these words."""
        self.until("words => [...document.querySelectorAll('.rxws-text')].at(-1)?.innerText.includes(words)", words)

    def stop(self) -> None:
        """Press the button."""
        self.page.locator(".rxws-stop:visible").last.click()

    def clear_outputs(self) -> None:
        """Clear what stands under all cells."""
        self.command("notebook:clear-all-cell-outputs")

    def save(self) -> Any:
        """Save the notebook, and return it as it stands on the disk."""
        self.command("docmanager:save")
        return self.lab.saved(self.name)

    def reload(self) -> None:
        """Load the page anew, as after a network that was gone."""
        self.page.reload()
        self.ready()

    def theme(self, name: str) -> None:
        """Take a theme: "light" or "dark"."""
        self.page.evaluate(
            "theme => jupyterapp.commands.execute('apputils:change-theme', {theme}).then(() => null)",
            f"JupyterLab {name.capitalize()}",
        )
        self.until("light => document.body.dataset.jpThemeLight === light", str(name == "light").lower())

    def close(self) -> None:
        """Close the tab; the kernel goes on."""
        self.page.close()

    def come_back(self, after: float) -> None:
        """Open the notebook in another tab, after so many seconds."""
        sleep(after)
        self.page = self.page.context.new_page()
        self.seen.append(watched(self.page))
        self.open()

    def leave(self) -> None:
        """Shut the kernel down, and go."""
        if not self.page.is_closed():
            self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
            self.page.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield chromium
        finally:
            chromium.close()


def watched(page: Page) -> Seen:
    """Note what a page must not do."""
    seen = Seen()

    def asked(url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).hostname != "127.0.0.1":
            seen.outside.append(url)

    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    return seen


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Ask until something is there, and return it."""
    deadline = monotonic() + PATIENCE
    while not (found := condition()):
        assert monotonic() < deadline, f"waited in vain for {what}"
        sleep(0.05)
    return found
