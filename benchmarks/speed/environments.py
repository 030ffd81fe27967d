"""The environments of the clients, made under build/ when they are missing."""

from __future__ import annotations

import json
import subprocess

from benchmarks.compare.columns import Absent
from benchmarks.compare.environments import KSTLIB_VERSION, kstlib, virtual
from benchmarks.compare.trial import ROOT
from benchmarks.speed.rows import HERE, KSTLIB
from benchmarks.speed.running import Interpreters

FOLDER = ROOT / "build" / "speed"
BESIDE = ("aiohttp", "psutil")
# dccd's own needs are 600 MB (polars, pyarrow, scipy …) of which its WebSocket imports these two.
DCCD, DCCD_NEEDS = "dccd==3.8.1", ("httpx", "pydantic")
VERSIONS = ("rxws", "reactivex", "websockets", "picows", "msgspec", "aiohttp", "dccd")
SHOW = """
import importlib.metadata, json, sys
installed = {each.name: each.version for each in importlib.metadata.distributions()}
print(json.dumps({name: installed[name] for name in sys.argv[1:] if name in installed}))
"""


def interpreters() -> Interpreters:
    """Make the environments: one for rxws and what lives beside it, one for kstlib."""
    folder = FOLDER / "rxws"
    try:
        beside = virtual(folder, "--editable", f"{ROOT}[fast]", *BESIDE, *DCCD_NEEDS)
    except subprocess.CalledProcessError as error:
        here: str | Absent = Absent(HERE, f"pip could not install it (status {error.returncode})")
    else:
        here = beside
        try:
            virtual(folder, "--no-deps", DCCD)
        except subprocess.CalledProcessError:
            pass  # its row says that it is not installed
    column = kstlib()
    return {HERE: here, KSTLIB: column if isinstance(column, Absent) else column.program.command[0]}


def versions(interpreter: str | Absent) -> str:
    """Return the packages of the environment of rxws, and kstlib, with their versions."""
    if isinstance(interpreter, Absent):
        return interpreter.reason
    done = subprocess.run([interpreter, "-c", SHOW, *VERSIONS], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout) | {"kstlib": KSTLIB_VERSION}
    return ", ".join(f"{name} {version}" for name, version in found.items())
