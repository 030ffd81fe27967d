"""What the tests of the client share: who knows what it leaves behind, and what the loop's exception handler hears."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from benchmarks.reliability.raw_server import SERVER_THREAD
from rxws.testing import Leftovers
from tests.client.hand import Hand
from tests.heard import unheard as unheard


@pytest.fixture
async def hand() -> AsyncIterator[Hand]:
    """Make clients."""
    with Leftovers(threads={SERVER_THREAD}) as leftovers:
        yield Hand(leftovers)
