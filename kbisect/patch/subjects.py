# SPDX-License-Identifier: GPL-2.0-or-later
"""The subject of a patch: `[PATCH v3 net-next 02/11] acme: count drops`. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAGS = re.compile(r"\s*\[(?P<tags>[^\]]*)\]")
_REPLY = re.compile(r"\s*(?:re|aw|fwd?|sv|antw)\s*:", re.IGNORECASE)
_VERSION = re.compile(r"v(\d+)(?:\.\d+)?\Z", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)/(\d+)\Z")
_NOISE = {"patch", "rfc", "resend", "repost", "rft", "git", "pull", "-", ""}


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject, taken apart.

    Attributes
    ----------
    title : without tags: the commit's subject
    trees : the tree it names, as it names it (`net-next`, `bpf`), then other tags, in lower case
    version : 1 where none is given
    number, total : of `02/11`; 1 of 1 where none is given, 0 for a cover letter
    is_patch, is_rfc, is_resend, is_reply, is_numbered : what its words say
    """

    title: str
    trees: tuple[str, ...] = ()
    version: int = 1
    number: int = 1
    total: int = 1
    is_patch: bool = False
    is_rfc: bool = False
    is_resend: bool = False
    is_reply: bool = False
    is_numbered: bool = False

    @property
    def tree(self) -> str | None:
        """The tree it is meant for, None where it says nothing."""
        return self.trees[0] if self.trees else None


def read(text: str) -> Subject:
    """Take a subject apart."""
    is_reply = False
    while found := _REPLY.match(text):
        is_reply, text = True, text[found.end() :]
    words: list[str] = []
    while found := _TAGS.match(text):
        inside = re.split(r"[\s,]+", found["tags"])
        if words and not any(_is_known(word) for word in inside):
            break
        words += inside
        text = text[found.end() :]
    lower = [word.lower() for word in words]
    numbers = next((n for word in words if (n := _NUMBER.fullmatch(word))), None)
    versions = (v for word in words if (v := _VERSION.fullmatch(word)))
    # `PATCHv2` is written too.
    glued = next((v for word in lower if (v := re.fullmatch(r"patch-?v(\d+)", word))), None)
    version = next(versions, None) or glued
    return Subject(
        title=" ".join(text.split()),
        trees=tuple(
            word
            for word in lower
            if word not in _NOISE
            and not _VERSION.fullmatch(word)
            and not _NUMBER.fullmatch(word)
            and not word.startswith("patch")
        ),
        version=int(version[1]) if version else 1,
        number=int(numbers[1]) if numbers else 1,
        total=int(numbers[2]) if numbers else 1,
        is_patch=any(word.startswith("patch") for word in lower),
        is_rfc="rfc" in lower,
        is_resend=bool({"resend", "repost"} & set(lower)),
        is_reply=is_reply,
        is_numbered=numbers is not None,
    )


def _is_known(word: str) -> bool:
    lower = word.lower()
    return bool(
        lower.startswith("patch")
        or (lower and lower in _NOISE)
        or _VERSION.fullmatch(word)
        or _NUMBER.fullmatch(word)
        or re.fullmatch(r"(?:net|bpf|nf|wireless|ipsec|bluetooth)(?:-next)?", lower)
    )
