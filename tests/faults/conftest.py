"""What the faults share: who knows what the client leaves behind, and what the loop's exception handler hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

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


@pytest.fixture
def watch(leftovers: Leftovers) -> Any:
    """Make a `Watch`: the stream under test, its settings given."""

    def make(*args: Any, **settings: Any) -> Watch:
        return Watch(leftovers, *args, **settings)

    return make
