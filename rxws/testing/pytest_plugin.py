"""The pytest fixture `simulated_exchange`; pytest finds it by itself where rxws is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

try:  # without pytest-asyncio it is an async fixture for whatever else runs them
    from pytest_asyncio import fixture
except ImportError:
    from pytest import fixture  # type: ignore[no-redef]  # either one decorates

if TYPE_CHECKING:
    from rxws.testing.exchange import SimulatedExchange

__all__ = ["pytest_configure", "simulated_exchange"]

_MARKER = "simulated_exchange(*args, **kwargs): what to build the fixture's SimulatedExchange with"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known (pytest's hook)."""
    config.addinivalue_line("markers", _MARKER)


@fixture
async def simulated_exchange(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedExchange]:
    """A running `rxws.testing.SimulatedExchange`, stopped after the test.

    A marker says how it is built::

        @pytest.mark.simulated_exchange("usdm", rate=None)
        async def test_survives_a_reset(simulated_exchange): ...
    """
    from rxws.testing.exchange import SimulatedExchange

    marker = request.node.get_closest_marker("simulated_exchange")
    args, kwargs = (marker.args, marker.kwargs) if marker else ((), {})
    async with SimulatedExchange(*args, **kwargs) as exchange:
        yield exchange
