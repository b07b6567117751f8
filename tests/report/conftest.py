# SPDX-License-Identifier: GPL-2.0-or-later
"""One browser for all pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium. Where there is none the tests fail, and say how to get it."""
    with Browser() as opened:
        yield opened
