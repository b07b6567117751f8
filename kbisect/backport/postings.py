# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches that were posted as one series: a fix may need those before it, though none names it.

`git send-email` and b4 number the mails of a series in their Message-Ids, which `Link:` trailers
keep (`20230104112233.4567-3-me@example.org`). Where none is kept, patches of one series stand one
behind the other, by one author, with dates that are seconds apart: the dates of the mails.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from kbisect.history.mails import mails
from kbisect.history.messages import Trailer
from kbisect.history.store import Index

_APART = 60
"""Seconds between two mails of a series: send-email dates them one second after another."""
_NUMBERED = re.compile(r"(?P<stem>.+)-(?P<number>\d{1,3})-(?P<host>[^@]*@.+)")


@dataclass(frozen=True, slots=True)
class Sent:
    """A commit, and what is known of the mail that it came in.

    Attributes
    ----------
    parent : its first, None for a root
    author_time : Unix seconds
    mail : Message-Id, None where no trailer keeps it
    """

    oid: str
    parent: str | None
    author_email: str
    author_time: int
    mail: str | None = None


def postings(commits: Iterable[Sent]) -> dict[str, tuple[str, ...]]:
    """Return for each commit those of the same posting before it, oldest first.

    Parameters
    ----------
    commits : parents before children

    Returns
    -------
    dict
        oid → oids; who stands alone, or first, isn't in it
    """
    known: dict[str, Sent] = {}
    before: dict[str, tuple[str, ...]] = {}
    by_mail: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for sent in commits:
        known[sent.oid] = sent
        numbered = _NUMBERED.fullmatch(sent.mail or "")
        if numbered:
            own = by_mail.setdefault((numbered["stem"], numbered["host"]), [])
            before[sent.oid] = tuple(oid for n, oid in own if n < int(numbered["number"]))
            own.append((int(numbered["number"]), sent.oid))
            continue
        above = known.get(sent.parent or "")
        if above and not sent.mail and not above.mail and _behind(sent, above):
            before[sent.oid] = (*before.get(above.oid, ()), above.oid)
    return {oid: others for oid, others in before.items() if others}


def _behind(sent: Sent, above: Sent) -> bool:
    apart = sent.author_time - above.author_time
    return sent.author_email == above.author_email and 0 <= apart <= _APART


def posted_before(index: Index) -> dict[str, tuple[str, ...]]:
    """Return for each commit in scope those of the same posting before it (see `postings`)."""
    kept: dict[str, list[Trailer]] = {}
    for oid, key, value in index.rows(
        "SELECT oid, t.key, t.value FROM (SELECT oid, UNNEST(trailers) AS t FROM commits)"
        " WHERE lower(t.key) IN ('link', 'message-id')"
    ):
        kept.setdefault(oid, []).append(Trailer(key, value))
    return postings(
        Sent(
            *(oid, parents[0] if parents else None, email, time),
            mail=next((mail.message_id for mail in mails(kept.get(oid, ()))), None),
        )
        for oid, parents, email, time in index.rows(
            "SELECT oid, parents, author_email, author_time FROM commits ORDER BY number"
        )
    )
