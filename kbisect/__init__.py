# SPDX-License-Identifier: GPL-2.0-or-later
"""The history of Linux networking: which commit broke it, what changed, what to backport.

`kbisect.open(directory)` opens a repository; see `kbisect.library`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kbisect.errors import KbisectError as KbisectError
    from kbisect.library import History as History
    from kbisect.library import open_history as open

__all__ = ["History", "KbisectError", "open"]


def __getattr__(name: str) -> object:
    # PEP 562: nothing is imported before it is asked for.
    from importlib import import_module

    if name == "KbisectError":
        return import_module("kbisect.errors").KbisectError
    if name == "History":
        return import_module("kbisect.library").History
    if name == "open":
        return import_module("kbisect.library").open_history
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
