# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the man pages into the wheel, where `make dist` has made them."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManPages(BuildHookInterface[Any]):
    """Made beforehand: they come from the commands, which a build environment can't import."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add `build/man/man1` as `share/man/man1`, the place beside `bin` where man looks."""
        pages = Path(self.root, "build", "man")
        if pages.is_dir():
            build_data["shared_data"][str(pages)] = "share/man"
