# SPDX-License-Identifier: GPL-2.0-or-later
"""What is to be taken, in a form others take: a shell script, or a mailbox for `git am`.

Only what applies goes into a mailbox; a patch that a merge changed says so, in its author's words.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.header import Header
from email.utils import format_datetime, formataddr

from kbisect.backport.candidates import Survey
from kbisect.backport.fixes import Candidate
from kbisect.backport.forecast import Forecast, State
from kbisect.backport.marking import Marker, message
from kbisect.errors import UsageError
from kbisect.git.commits import Person
from kbisect.git.picks import Picker
from kbisect.git.repository import Commit, Repository
from kbisect.history.store import Index

_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Patches as mail.

    Attributes
    ----------
    content : mbox, for `git am`
    left_out : those that conflict, in order
    pointless : those that mend nothing but what is left out, in order
    """

    content: bytes
    patches: int
    left_out: tuple[str, ...]
    pointless: tuple[str, ...] = ()


def chosen(surveyed: Survey, named: Iterable[str]) -> list[Candidate]:
    """Return the candidates that somebody names, in upstream's order.

    Raises
    ------
    UsageError
        One that is named is no candidate.
    """
    wanted = set(named)
    for oid in wanted - {each.oid for each in surveyed.candidates}:
        raise UsageError(
            f"{oid[:12]} is no candidate here",
            hint=f"kbisect backport explain {oid[:12]} says why",
        )
    return [each for each in surveyed.candidates if each.oid in wanted]


def script(tried: Sequence[Forecast], branch: str, subject: Callable[[str], str]) -> str:
    """Return a shell script that picks them in order and stops where one conflicts."""
    lines = [
        "#!/bin/sh",
        f"# Fixes for {_comment(branch)}, in upstream's order.",
        "# Stops at a conflict: resolve it, git cherry-pick --continue, go on below it.",
        "set -e",
    ]
    for each in tried:
        lines.append("")
        if each.conflicts and each.state is not State.CLEAN_AFTER:
            lines.append(f"# conflict expected: {_comment(', '.join(each.conflicts))}")
        if each.prerequisites and each.state is not State.CLEAN_AFTER:
            lines += [f"# needs {oid[:12]} {_comment(subject(oid))}" for oid in each.prerequisites]
        lines.append(f"# {_comment(each.candidate.subject)}")
        lines.append(f"git cherry-pick -x {shlex.quote(each.candidate.oid)}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    """Keep a subject inside its comment."""
    return "".join(char if char.isprintable() else "?" for char in text)


def mailbox(
    repository: Repository,
    surveyed: Survey,
    tried: Sequence[Forecast],
    marker: Marker,
    prefix: str,
    signer: str,
    notes: Mapping[str, str],
) -> Mailbox:
    """Return the patches as they are on the branch, each behind those before it.

    Parameters
    ----------
    prefix : `PATCH 6.1.y`
    notes : oid → what was changed, for patches that a merge changed

    Raises
    ------
    UsageError
        A changed patch has no note: nobody may say in another's name that it is the same.
    """
    picker = Picker(repository, passing=True)
    tree = picker.tree_of(surveyed.branch)
    letters: list[tuple[Commit, str, bytes]] = []
    left_out: list[str] = []
    pointless: list[str] = []
    silent: list[str] = []
    for each in tried:
        oid = each.candidate.oid
        if _mends_only(each.candidate, {*left_out, *pointless}):
            pointless.append(oid)
            continue
        pick = picker.pick(oid, tree)
        if pick.tree is None:
            left_out.append(oid)
            continue
        patch = picker.diff(tree, pick.tree)
        note = notes.get(oid, "").strip()
        changed = _changed_lines(patch) != _changed_lines(picker.patch(oid))
        if changed and not note:
            silent.append(oid)
        said = f"[ {signer.partition(' <')[0]}: {note} ]" if changed else None
        commit = repository.commit(oid)
        text = message(commit.message, oid, marker, signer, said)
        letters.append((commit, text, patch))
        tree = pick.tree
    if silent:
        named = ", ".join(oid[:12] for oid in silent)
        raise UsageError(
            f"the merge changed the patch of {named}: it must say what was changed",
            hint=f"look at it, then --note {silent[0][:12]}='TEXT'",
        )
    many = len(letters) > 1
    mails = [
        _mail(commit, text, f"{prefix} {at}/{len(letters)}" if many else prefix, patch)
        for at, (commit, text, patch) in enumerate(letters, 1)
    ]
    return Mailbox(b"".join(mails), len(mails), tuple(left_out), tuple(pointless))


def _mends_only(candidate: Candidate, absent: set[str]) -> bool:
    """Whether all that a candidate mends would have come with the series, and doesn't."""
    return bool(candidate.targets) and not candidate.wished and absent.issuperset(candidate.targets)


def _mail(commit: Commit, text: str, prefix: str, patch: bytes) -> bytes:
    subject, _, body = text.partition("\n\n")
    author = formataddr(
        (
            str(Header(commit.author_name, "utf-8"))
            if not commit.author_name.isascii()
            else commit.author_name,
            commit.author_email,
        )
    )
    title = f"[{prefix}] {subject}"
    # Broken clocks have zones days away.
    zone = commit.author_zone if abs(commit.author_zone) < _DAY else 0
    written = datetime.fromtimestamp(commit.author_time, timezone(timedelta(minutes=zone)))
    head = [
        f"From {commit.oid} Mon Sep 17 00:00:00 2001",
        f"From: {author}",
        f"Date: {format_datetime(written)}",
        f"Subject: {title if title.isascii() else Header(title, 'utf-8', 70).encode()}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    # A line of the message that begins like a mail would end this one.
    safe = "\n".join(f">{line}" if line.startswith("From ") else line for line in body.split("\n"))
    front = "\n".join(head) + f"\n\n{safe.rstrip()}\n---\n"
    return front.encode("utf-8", "replace") + patch + b"-- \nkbisect\n\n"


def _changed_lines(patch: bytes) -> list[bytes]:
    return [
        line
        for line in patch.split(b"\n")
        if line[:1] in {b"+", b"-"} and not line.startswith((b"+++ ", b"--- "))
    ]


def marker_for(index: Index, surveyed: Survey, wanted: str) -> Marker:
    """Return the marker asked for; for `auto` the one the branch's own commits use most."""
    if wanted != "auto":
        return Marker(wanted)
    here = index.graph.ancestors([index.number(surveyed.branch)])
    there = index.graph.ancestors([index.number(surveyed.upstream)])
    own = here & ~there
    rows = index.rows(
        "SELECT c.number, l.text FROM links l JOIN commits c ON c.oid = l.oid"
        " WHERE l.kind = 'upstream'"
    )
    return Marker.of(text for number, text in rows if own[number])


def person(repository: Repository) -> Person:
    """Return who git says the user is.

    Raises
    ------
    UsageError
        git doesn't know.
    """
    name = os.environ.get("GIT_COMMITTER_NAME") or repository.config("user.name")
    mail = os.environ.get("GIT_COMMITTER_EMAIL") or repository.config("user.email")
    if not name or not mail:
        raise UsageError(
            "git doesn't know who you are",
            hint="git config user.name 'Your Name'; git config user.email you@example.org",
        )
    return Person(name, mail)


def signer(repository: Repository) -> str:
    """Return who signs off, `Name <address>`."""
    who = person(repository)
    return f"{who.name} <{who.email}>"
