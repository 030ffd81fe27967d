"""What the faults share: who knows what the client leaves behind, and what the loop's exception handler hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from benchmarks.reliability.raw_server import SERVER_THREAD
from benchmarks.reliability.watching import Watch
from rxws.testing import Leftovers
from tests.heard import unheard as unheard


@pytest.fixture
async def leftovers() -> AsyncIterator[Leftovers]:
    """Know what the client makes from here on."""
    with Leftovers(threads={SERVER_THREAD}) as leftovers:
        yield leftovers


@pytest.fixture(params=["websockets", "picows"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport that has a socket: a fault means the same to both."""
    return cast(str, request.param)


@pytest.fixture
def watch(leftovers: Leftovers, transport: str) -> Any:
    """Make a `Watch`: the stream under test, its settings given."""

    def make(*args: Any, **settings: Any) -> Watch:
        settings.setdefault("transport", transport)
        return Watch(leftovers, *args, **settings)

    return make
