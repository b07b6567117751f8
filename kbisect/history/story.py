# SPDX-License-Identifier: GPL-2.0-or-later
"""One commit's story: where it came from, what it says of others, what others say of it."""

from __future__ import annotations

from dataclasses import dataclass

from kbisect.git import commits
from kbisect.git.repository import Repository
from kbisect.history.containment import trees_with
from kbisect.history.mails import Mail, mails
from kbisect.history.messages import LinkKind, links
from kbisect.history.scope import Scope
from kbisect.history.store import Index
from kbisect.history.trailers import trailers

_PROSE = (LinkKind.BLAMES, LinkKind.BUILDS_ON, LinkKind.LIKE, LinkKind.UNCLEAR)


@dataclass(frozen=True, slots=True)
class Relation:
    """A link between two commits, seen from one of them.

    Attributes
    ----------
    kind : what the one that speaks says of the other
    oid : the other commit, None when it isn't in this repository
    subject : of the other commit, as far as it is known
    release : first release that contains the other commit
    how : exact, abbreviated, subject, repaired, ambiguous, unknown, unresolved
    text : the line or sentence as written
    """

    kind: LinkKind
    oid: str | None
    subject: str | None
    release: str | None
    how: str | None
    text: str

    @property
    def in_prose(self) -> bool:
        """Whether a sentence says so, not a trailer."""
        return self.kind in _PROSE


@dataclass(frozen=True, slots=True)
class Story:
    """What the index knows of one commit. Times are Unix seconds.

    Attributes
    ----------
    files, files_outside : paths it changes, in scope and outside; of a merge none
    """

    oid: str
    subject: str
    author: str
    author_time: int
    commit_time: int
    merge: bool
    in_scope: bool
    lineage: tuple[str, ...]
    landed: str | None
    subsystem: str | None
    release: str | None
    trees: tuple[str, ...]
    files: tuple[str, ...]
    files_outside: tuple[str, ...]
    fixes: tuple[Relation, ...]
    mentions: tuple[Relation, ...]
    fixed_by: tuple[Relation, ...]
    reverted_by: tuple[Relation, ...]
    reverts: tuple[Relation, ...]
    upstream: tuple[Relation, ...]
    backports: tuple[Relation, ...]
    stable: tuple[str, ...]
    mails: tuple[Mail, ...]


def tell(repository: Repository, index: Index, oid: str) -> Story:
    """Put one commit's story together.

    Raises
    ------
    UsageError
        The commit came after the index was made.
    """
    number = index.number(oid)
    record = commits.record(repository, oid)
    changed = [change.path for change in record.changes]
    landed = int(index.lineage.landed[number])
    scope = Scope.of(index.meta.scope)
    files = tuple(path for path in changed if scope.contains(path))
    kept = index.rows("SELECT subsystem, author, author_email FROM commits WHERE oid = ?", [oid])
    written = kept[0][1:] if kept else (record.author.name, record.author.email)  # by the mailmap
    said = _relations(index, "oid", oid)
    heard = _relations(index, "target", oid)

    def pick(relations: list[Relation], *kinds: LinkKind) -> tuple[Relation, ...]:
        return tuple(relation for relation in relations if relation.kind in kinds)

    return Story(
        oid=oid,
        subject=record.subject,
        author="{} <{}>".format(*written),
        author_time=record.author_time,
        commit_time=record.commit_time,
        merge=len(index.graph.parents_of(number)) > 1,
        in_scope=bool(kept),
        lineage=index.lineage_of(number),
        landed=index.oids[landed] if landed >= 0 else None,
        subsystem=kept[0][0] if kept else None,
        release=index.release_of(number),
        trees=trees_with(index, number),
        files=files,
        files_outside=tuple(path for path in changed if path not in files),
        fixes=pick(said, LinkKind.FIXES),
        mentions=pick(said, *_PROSE),
        reverts=pick(said, LinkKind.REVERTS, LinkKind.REAPPLIES),
        upstream=pick(said, LinkKind.UPSTREAM),
        fixed_by=pick(heard, LinkKind.FIXES, LinkKind.BLAMES),
        reverted_by=pick(heard, LinkKind.REVERTS),
        backports=pick(heard, LinkKind.UPSTREAM),
        stable=tuple(link.text for link in links(record.message) if link.kind is LinkKind.STABLE),
        mails=tuple(mails(trailers(record.message))),
    )


def _relations(index: Index, side: str, oid: str) -> list[Relation]:
    other = "target" if side == "oid" else "oid"
    rows = index.rows(
        f"SELECT l.kind, l.{other}, coalesce(c.subject, l.subject), l.how, l.text"
        f" FROM links l LEFT JOIN rows c ON c.oid = l.{other} WHERE l.{side} = ?"
        # What nobody called a commit, and none is, was an address in an oops or a chip's number.
        " AND (l.target IS NOT NULL OR l.form <> 'prose'"
        "      OR contains(lower(l.text), 'commit ' || l.given))"
        " ORDER BY c.number",
        [oid],
    )
    found = []
    for kind, target, subject, how, text in rows:
        number = index.oids.number(target) if target else None
        release = index.release_of(number) if number is not None else None
        found.append(Relation(LinkKind(kind), target, subject, release, how, text))
    return found
