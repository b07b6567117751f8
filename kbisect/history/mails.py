# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails that a commit's trailers lead to, by Message-Id. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote

from kbisect.history.trailers import Trailer

# Archives that find a mail by its Message-Id: lore with the name of a list (or r/, or all/), and
# the redirectors that lead there (Documentation/process/maintainer-tip.rst, "Link").
_ARCHIVED = re.compile(
    r"""(?ix) https?:// (?: (?:www\.)?(?:lore|lkml)\.kernel\.org/(?:[\w.-]+/)?
        | patch\.msgid\.link/ | mid\.gmane\.org/ )
    (?P<id>[^\s/<>#?]+(?:@|%40)[^\s/<>#?]+)"""
)
_BARE = re.compile(r"<?(?P<id>[^\s<>@]+@[^\s<>]+?)>?\s*\Z")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail.

    Attributes
    ----------
    message_id : without its brackets
    url : on lore
    key : of the trailer that names it
    """

    message_id: str
    url: str
    key: str


def mails(trailers: Iterable[Trailer]) -> list[Mail]:
    """Return the mails that trailers name, each once: by Message-Id, or by an archive's URL."""
    found: dict[str, Mail] = {}
    for trailer in trailers:
        own = trailer.key.lower() == "message-id"
        named = (_BARE.match if own else _ARCHIVED.search)(trailer.value)
        if named:
            identity = named["id"] if own else unquote(named["id"])
            url = f"https://lore.kernel.org/r/{quote(identity, safe='@+=$!*,;:~')}/"
            found.setdefault(identity, Mail(identity, url, trailer.key))
    return list(found.values())
