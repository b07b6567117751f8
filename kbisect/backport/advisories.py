# SPDX-License-Identifier: GPL-2.0-or-later
"""CVEs of the kernel and the commits that fix them, from a local copy of its `vulns` repository.

Each record lies below `cve/published/<year>/`: `CVE-….json` (CVE JSON 5) and `CVE-….sha1`, the id
of the fix in mainline. Where a record has no `.sha1`, its JSON says which git ranges are affected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kbisect.errors import UsageError

_OID = re.compile(r"\b[0-9a-f]{40}\b")


@dataclass(frozen=True, slots=True)
class Advisory:
    """A CVE, and every commit that ends a range it affects (mainline's and stable branches')."""

    name: str
    fixes: tuple[str, ...]


def read(directory: Path) -> list[Advisory]:
    """Read all published records below a directory, by name.

    Raises
    ------
    UsageError
        There are none, or one can't be read.
    """
    found: dict[str, dict[str, None]] = {}
    for path in sorted(directory.rglob("CVE-*")):
        if "rejected" in path.parts or path.suffix not in {".json", ".sha1"}:
            continue
        text = path.read_text("utf-8", "replace")
        fixes = _OID.findall(text) if path.suffix == ".sha1" else list(_ends(path, text))
        found.setdefault(path.stem, {}).update(dict.fromkeys(fixes))
    if not found:
        raise UsageError(
            f"{directory} has no CVE records",
            hint="give a clone of https://git.kernel.org/pub/scm/linux/security/vulns.git",
        )
    return [Advisory(name, tuple(fixes)) for name, fixes in sorted(found.items())]


def _ends(path: Path, text: str) -> Iterator[str]:
    try:
        record: Any = json.loads(text)
        affected = record["containers"]["cna"].get("affected", [])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no CVE record: {error}", hint="fetch the vulns repository again"
        ) from None
    for product in affected:
        for version in product.get("versions", []):
            end = str(version.get("lessThan", ""))
            if version.get("versionType") == "git" and _OID.fullmatch(end):
                yield end
