# SPDX-License-Identifier: GPL-2.0-or-later
"""The message of a backport: upstream's, with the marker that says what it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

_TRAILER = re.compile(r"[A-Za-z][A-Za-z0-9-]*:\s|\(cherry picked from |\[[^\]]+: [^\]]*\]\s*\Z")


class Marker(StrEnum):
    """How a branch says which upstream commit a commit is."""

    UPSTREAM = "upstream"
    BRACKET = "bracket"
    SMALL_BRACKET = "small-bracket"
    CHERRY_PICK = "cherry-pick"

    @classmethod
    def of(cls, texts: Iterable[str]) -> Marker:
        """Return the one a branch uses most, by its markers as they are written."""
        counts = dict.fromkeys(cls, 0)
        for text in texts:
            if text.startswith("("):
                counts[cls.CHERRY_PICK] += 1
            elif text.startswith("[ u"):
                counts[cls.SMALL_BRACKET] += 1
            elif text.startswith("["):
                counts[cls.BRACKET] += 1
            elif text.lower().startswith("commit "):
                counts[cls.UPSTREAM] += 1
        return max(counts, key=lambda marker: counts[marker])


def message(
    upstream: str, oid: str, marker: Marker, signer: str | None = None, note: str | None = None
) -> str:
    """Return a backport's message.

    Parameters
    ----------
    upstream : the upstream commit's message
    signer : `Name <address>` who signs off, None for nobody
    note : `[ Name: what was changed ]`, where the patch isn't upstream's
    """
    subject, _, body = upstream.strip("\n").partition("\n")
    body = body.strip("\n")
    head = {
        Marker.UPSTREAM: f"commit {oid} upstream.\n\n",
        Marker.BRACKET: f"[ Upstream commit {oid} ]\n\n",
        Marker.SMALL_BRACKET: f"[ upstream commit {oid} ]\n\n",
        Marker.CHERRY_PICK: "",
    }[marker]
    tail = [f"(cherry picked from commit {oid})"] if marker is Marker.CHERRY_PICK else []
    tail += [note] if note else []
    signed = f"Signed-off-by: {signer}" if signer else ""
    lines = body.split("\n")
    if signed and (tail or signed != lines[-1]):
        tail.append(signed)
    gap = "\n" if _TRAILER.match(lines[-1]) else "\n\n"
    text = f"{head}{body}".rstrip("\n")
    end = "\n".join(tail)
    return f"{subject}\n\n{text}{gap if end and text else ''}{end}".rstrip("\n") + "\n"
