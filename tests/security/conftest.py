"""What the tests of security share: nothing of the machine's own, and the faults' stream under test."""

from __future__ import annotations

import os

import pytest

from tests.faults.conftest import leftovers, transport, watch

__all__ = ["leftovers", "no_proxies", "transport", "watch"]


@pytest.fixture(autouse=True, scope="package")
def no_proxies() -> object:
    """The machine's own proxies are not asked; by default a transport asks them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield
