# SPDX-License-Identifier: GPL-2.0-or-later
"""Which headers are the public network API, and what an `#include` line calls them. Pure.

Which headers belong to networking is told by the table in `history.scope`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kbisect.history.scope import HEADER_FOLDERS, is_network_header

FOLDERS = ("include/net", *HEADER_FOLDERS)


@lru_cache(maxsize=50_000)
def is_public(path: str) -> bool:
    """Whether a path is a header of the public network API."""
    return path.endswith(".h") and is_network_header(path)


@dataclass(frozen=True, slots=True)
class Surface:
    """The public headers, and those below some paths more: private ones of a driver."""

    paths: tuple[str, ...] = ()

    @property
    def folders(self) -> tuple[str, ...]:
        """Where to look for headers."""
        return (*FOLDERS, *self.paths)

    def holds(self, path: str) -> bool:
        """Whether a path is a header that counts."""
        return is_public(path) or (
            bool(self.paths)
            and path.endswith(".h")
            and any(path == more or path.startswith(f"{more}/") for more in self.paths)
        )


PUBLIC = Surface()


def include_name(path: str) -> str:
    """Return the header's name as an `#include` line has it: the uapi half has its old one.

    >>> include_name("include/uapi/linux/if_ether.h")
    'linux/if_ether.h'
    """
    return path.removeprefix("include/").removeprefix("uapi/")
