"""Real IPython kernels, driven as a front end drives them: cells, and what a widget's browser says and hears."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any, Self

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]

PATIENCE = 30.0
"""Seconds after which a kernel that does not say what is waited for fails a test."""

Message = dict[str, Any]


class Kernel:
    """A kernel and its only front end.

    Args:
        packages: a folder of packages that it takes before the installed ones.
    """

    def __init__(self, packages: Path | None = None) -> None:
        self._manager = KernelManager()
        launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        self._manager._kernel_spec = KernelSpec(argv=launch, display_name="python3", language="python")
        path = os.pathsep.join(map(str, filter(None, [packages, ROOT])))
        self._manager.transport = "ipc"
        self._manager.start_kernel(env={**os.environ, "PYTHONPATH": path, "JPY_SESSION_NAME": ""})
        self._client: Any = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self.heard: list[Message] = []
        """All that it has published."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    def begin(self, code: str, cell: str | None = None, subshell: str | None = None) -> str:
        """Let it run a cell, and return what tells its outputs from others."""
        message = self._client.session.msg("execute_request", {"code": code, "silent": False, "store_history": True})
        message["metadata"] = {} if cell is None else {"cellId": cell}
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def run(self, code: str, cell: str | None = None) -> list[Message]:
        """Run a cell to its end, and return what it has published meanwhile."""
        begun = self.begin(code, cell)
        return self.until(lambda message: ends(message, begun))

    def printed(self, code: str, cell: str | None = None) -> str:
        """Run a cell, and return what it prints, or raises."""
        return text(self.run(code, cell))

    def until(self, wanted: Callable[[Message], bool]) -> list[Message]:
        """Wait for a message; return all up to it."""
        came: list[Message] = []
        deadline = monotonic() + PATIENCE
        while not came or not wanted(came[-1]):
            if monotonic() > deadline:
                raise TimeoutError(f"it has said much, but not what was waited for: {came[-3:]}")
            try:
                came.append(self._client.get_iopub_msg(timeout=PATIENCE))
            except Empty:
                alive = "lives" if self._manager.is_alive() else "has died"
                raise TimeoutError(
                    f"the kernel {alive}, and has said nothing for {PATIENCE} s; before: {came}"
                ) from None
        self.heard += came
        return came

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        self._manager.interrupt_kernel()

    def subshell(self) -> str:
        """Make a subshell, as JupyterLab does for the messages of widgets."""
        request = self._client.session.msg("create_subshell_request")
        self._client.control_channel.send(request)
        while True:
            reply = self._client.get_control_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                return str(reply["content"]["subshell_id"])

    def widget(self) -> str:
        """Return the newest of our widgets, waiting for the first one."""
        known = [message for message in self.heard if is_ours(message)] or self.until(is_ours)
        return str(known[-1]["content"]["comm_id"])

    def tell(self, widget: str, content: Message, subshell: str | None = None) -> None:
        """Tell a widget something, as a browser does."""
        data = {"method": "custom", "content": content}
        message = self._client.session.msg("comm_msg", {"comm_id": widget, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self._client.shell_channel.send(message)

    def next_of(self, widget: str, wanted: Callable[[Message], bool]) -> Message:
        """Wait for what a widget tells its browser, and return it."""
        came = self.until(lambda message: wanted(told(message, widget) or {}))
        return told(came[-1], widget) or {}


def is_ours(message: Message) -> bool:
    """Tell whether a widget of ours is opened."""
    return message["msg_type"] == "comm_open" and "uid" in message["content"]["data"]["state"]


def told(message: Message, widget: str) -> Message | None:
    """Return what a message tells the browser of a widget."""
    if message["msg_type"] != "comm_msg" or message["content"]["comm_id"] != widget:
        return None
    content: Message | None = message["content"]["data"].get("content")
    return content


def ends(message: Message, begun: str) -> bool:
    """Tell whether a cell has ended."""
    is_idle = message["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return bool(is_idle and message["parent_header"].get("msg_id") == begun)


def text(messages: list[Message]) -> str:
    """Return what was printed, or raised."""
    parts = [message["content"].get("text") or message["content"].get("evalue") or "" for message in messages]
    return "".join(parts).strip()


def bundles(messages: list[Message]) -> list[Message]:
    """Return what was shown, and what it was replaced by."""
    return [message["content"]["data"] for message in messages if message["msg_type"].endswith("display_data")]


@contextmanager
def kernel(*cells: str, packages: Path | None = None) -> Iterator[Kernel]:
    """A kernel that has run these cells."""
    with Kernel(packages) as started:
        for cell in cells:
            assert started.printed(cell) == ""
        yield started


def ipykernel(version: str, folder: Path) -> Path | None:
    """Fetch a version of ipykernel into a folder of its own; None: it cannot be had."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"]
    target = folder / version
    done = subprocess.run([*pip, "--target", str(target), f"ipykernel=={version}"], capture_output=True, check=False)
    return target if done.returncode == 0 else None
