# SPDX-License-Identifier: GPL-2.0-or-later
"""What travels with a step to a worker that doesn't see the campaign's files, and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kbisect.lab.recipe import Recipe

_MOST = 16 << 20
"""Bytes of a step's files that are sent back."""


def with_script(recipe: Recipe, path: Path, content: bytes, folder: Path) -> Recipe:
    """Write the campaign's script where this worker can run it, and let the recipe name that."""
    here = folder / "script"
    here.write_bytes(content)
    here.chmod(0o700)
    return replace(
        recipe,
        stages=tuple(
            replace(
                stage,
                command=tuple(str(here) if word == str(path) else word for word in stage.command),
            )
            for stage in recipe.stages
        ),
    )


def collect(folder: Path) -> dict[str, bytes]:
    """Return a step's files, as many as may travel, the smallest first."""
    found: dict[str, bytes] = {}
    left = _MOST
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    for path in sorted(files, key=lambda each: each.stat().st_size):
        content = path.read_bytes() if path.stat().st_size <= left else None
        if content is not None:
            left -= len(content)
            found[str(path.relative_to(folder))] = content
    return found
