"""What the tests of the client share, here too."""

from __future__ import annotations

from tests.client.conftest import hand, unheard

__all__ = ["hand", "unheard"]
