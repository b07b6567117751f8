# SPDX-License-Identifier: GPL-2.0-or-later
"""A pause of Python's search for cycles, for code that makes many objects that have none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Search for no cycles meanwhile; what is no longer used is freed as always.

    Reading headers makes a million declarations that live on: to look through them again and
    again was a third of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # Counts all as old without looking at it: the next search would else be through all.
            gc.freeze()
            gc.unfreeze()
            gc.enable()
