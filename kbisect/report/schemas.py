# SPDX-License-Identifier: GPL-2.0-or-later
"""The published JSON Schemas: one file a command, in the folder beside this module."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

_FOLDER = files("kbisect.report") / "schema"


def names() -> list[str]:
    """Return the names that `"schema": "kbisect.<name>/1"` can have."""
    return sorted(
        path.name.removesuffix(".json") for path in _FOLDER.iterdir() if path.name.endswith(".json")
    )


def load(name: str) -> dict[str, Any]:
    """Return one schema as JSON gives it (draft 2020-12)."""
    found: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text("utf-8"))
    return found
