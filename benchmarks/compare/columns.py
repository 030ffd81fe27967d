"""The columns of the table: the clients, and what else of each was tried."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from benchmarks.compare import settings
from benchmarks.compare.trial import ROOT, Program, python

RXWS, WEBSOCKETS, KSTLIB, RXJS = "rxws", "websockets", "kstlib", "RxJS"
NAMES = (RXWS, WEBSOCKETS, KSTLIB, RXJS)

BY: Mapping[str, Mapping[str, str]] = {
    RXWS: {"silent": "`idle_timeout`"},
    RXJS: {"clean-close": "`repeat`", "silent": "`timeout`"},
}
"""What a yes is owed to where it is not the client's default, by client and row."""


@dataclass(frozen=True)
class Variant:
    """A second way to use a client, which its documentation shows as well."""

    name: str
    label: str


VARIANTS: Mapping[str, Mapping[str, Variant]] = {
    WEBSOCKETS: {
        "silent": Variant("timeout", "by hand, `asyncio.timeout` around `recv`"),
        "slow": Variant("max_queue", "with `max_queue=None`"),
    },
    KSTLIB: {
        "silent": Variant("receive", "by hand, `receive(timeout=…)`"),
        "subscriptions": Variant("on_connect", "by hand, `on_connect`"),
        "burst": Variant("queue_size", "with `queue_size=0`"),
        "slow": Variant("queue_size", "with `queue_size=0`"),
        "exception": Variant("on_message", "in `on_message`"),
    },
    RXJS: {"clean-close": Variant("retry", "with `retry` alone")},
}


@dataclass(frozen=True)
class Column:
    """A client that can be run."""

    name: str
    heading: str
    """Its name and version."""
    program: Program
    by: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, Variant] = field(default_factory=dict)


@dataclass(frozen=True)
class Absent:
    """A client that cannot be run here, and why."""

    name: str
    reason: str

    @property
    def heading(self) -> str:
        return self.name


def column(name: str, heading: str, program: Program) -> Column:
    """Return a client with what is known of it."""
    return Column(name, heading, program, BY.get(name, {}), VARIANTS.get(name, {}))


def of_this_environment() -> list[Column]:
    """Return the clients that run where rxws does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [
        column(RXWS, f"rxws {project['version']}", python("rxws_client")),
        column(WEBSOCKETS, f"websockets {version('websockets')}", python("websockets_client")),
    ]


def as_json() -> str:
    """Return the settings for a client that cannot import them."""
    names = ("FIRST_DELAY", "LARGEST_DELAY", "IDLE", "BURST_PAUSE", "SLOW_PAUSE", "SUBSCRIPTIONS")
    return json.dumps({name: getattr(settings, name) for name in names})
