# SPDX-License-Identifier: GPL-2.0-or-later
"""One JSON document a command: findings as they are, full oids, UTC times."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")


def utc(seconds: float | None) -> str | None:
    """Return Unix seconds as `2011-10-06T23:15:10Z`."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def document(command: str, content: Mapping[str, object]) -> str:
    """Render the JSON document of one command, `kbisect.<command>/1`."""
    whole = {"schema": f"kbisect.{command}/1"} | {
        key: plain(value) for key, value in content.items()
    }
    text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A path's bytes that are no UTF-8 (`surrogateescape`) can't be printed, but JSON can name them.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def plain(value: object) -> object:
    """Turn findings (dataclasses, enums, tuples, times) into what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Path | date):
        return str(value)
    if hasattr(value, "item"):  # a numpy scalar
        return value.item()
    return value
