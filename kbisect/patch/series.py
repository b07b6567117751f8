# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch series: its cover letter, its patches in order, what was answered, what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import cached_property

from kbisect.errors import UsageError
from kbisect.history import messages
from kbisect.history.messages import Link, LinkKind, Trailer
from kbisect.patch import diffs, mails, subjects
from kbisect.patch.diffs import DamagedPatch, FileDiff
from kbisect.patch.mails import Mail
from kbisect.patch.subjects import Subject

NO_TITLE, NO_BLURB = "*** SUBJECT HERE ***", "*** BLURB HERE ***"
"""What `git format-patch` leaves in a cover letter to be written over."""
_BASE = re.compile(r"(?m)^base-commit: ([0-9a-f]{40})$")
_DIFFSTAT = re.compile(r"(?m)^ (\d+) files? changed\b")
_GIVEN = re.compile(r"(?m)^((?:Reviewed|Acked|Tested)-by: .+@.+)$")


class NoPatch(UsageError):
    """A mailbox without a patch: talk, or a cover letter alone."""


@dataclass(frozen=True)
class Patch:
    """One patch of a series. Not slotted: what is read out of it is kept.

    Attributes
    ----------
    mail : Mail
    subject : its subject, taken apart
    files : what it changes
    """

    mail: Mail
    subject: Subject
    files: tuple[FileDiff, ...]

    @property
    def title(self) -> str:
        """The commit's subject."""
        return self.subject.title or "(no subject)"

    @property
    def message(self) -> str:
        """The commit message as `git am` would write it."""
        body = self.mail.message
        return f"{self.title}\n\n{body}\n" if body else f"{self.title}\n"

    @cached_property
    def trailers(self) -> list[Trailer]:
        """The trailers of its message."""
        return messages.trailers(self.message)

    @cached_property
    def links(self) -> list[Link]:
        """What its message says of other commits."""
        return messages.links(self.message)

    @property
    def fixes(self) -> list[Link]:
        """Its Fixes: tags."""
        return [link for link in self.links if link.kind is LinkKind.FIXES]

    @property
    def sent(self) -> int | None:
        """The mail's date in Unix seconds; None where it has none that can be read."""
        try:
            return int(parsedate_to_datetime(self.mail.date).timestamp())
        except (ValueError, TypeError, OverflowError):
            return None

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths it touches, old names too, in order."""
        both = (path for file in self.files for path in (file.path, file.old_path) if path)
        return tuple(dict.fromkeys(both))


@dataclass(frozen=True)
class Series:
    """What was posted together.

    Attributes
    ----------
    cover : Mail | None
    patches : in order
    total : how many there should be
    missing : the numbers that aren't here
    tags : trailers that replies give, as written
    replies : number of answers in the mailbox
    others : what else the mailbox holds, in words
    source : `mail` or `repository`
    base : the commit it was made on, as far as it says (`base-commit:`, or the parent)
    """

    cover: Mail | None
    patches: tuple[Patch, ...]
    total: int
    missing: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    replies: int = 0
    others: tuple[str, ...] = ()
    source: str = "mail"
    base: str | None = None

    @property
    def first(self) -> Subject:
        """The subject that speaks for all."""
        return subjects.read(self.cover.subject) if self.cover else self.patches[0].subject

    @property
    def title(self) -> str:
        """What it is about: the cover letter's subject once it is written, or the first patch's."""
        return self.patches[0].title if self.first.title == NO_TITLE else self.first.title

    @property
    def is_unfinished(self) -> bool:
        """Whether the cover letter still has git's placeholders."""
        cover = self.cover
        return cover is not None and (NO_TITLE in cover.subject or NO_BLURB in cover.message)

    @property
    def is_complete(self) -> bool:
        """Whether every patch is here."""
        return not self.missing

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths it touches."""
        return tuple(dict.fromkeys(path for patch in self.patches for path in patch.paths))

    def require_whole(self) -> None:
        """Refuse a series with holes: its later patches stand on what is missing."""
        if self.missing:
            names = ", ".join(f"{number}/{self.total}" for number in self.missing)
            raise UsageError(
                f"the series is incomplete: {names} missing",
                hint="get the whole thread: b4 am -o- MSGID",
            )


@dataclass
class _Thread:
    cover: Mail | None = None
    patches: dict[int, list[Patch]] = field(default_factory=dict)


def read(raw: bytes, name: str = "the input", *, keep_cr: bool = False) -> Series:
    """Read a mailbox: the newest series in it, its patches sorted; see `mails.read`, `of_mails`."""
    return of_mails(mails.read(raw, name, keep_cr=keep_cr), name)


def of_mails(posted: Sequence[Mail], name: str) -> Series:
    """Put mails together: the newest series among them, its patches sorted.

    Parameters
    ----------
    name : where they are from, for errors

    Raises
    ------
    NoPatch
        None has a patch.
    UsageError
        A patch is damaged.
    """
    threads: dict[tuple[object, ...], _Thread] = {}
    answers: list[Mail] = []
    seen: set[str] = set()
    for mail in posted:
        if mail.message_id and mail.message_id in seen:
            continue
        seen.add(mail.message_id)
        subject = subjects.read(mail.subject)
        files = () if subject.is_reply else _files(mail, subject, is_alone=len(posted) == 1)
        is_cover = subject.is_numbered and subject.number == 0
        if subject.is_reply or (not files and not is_cover):
            answers.append(mail)
            continue
        alone = () if subject.is_numbered else (mail.message_id or mail.subject,)
        key = (subject.version, subject.total, subject.is_rfc, *alone)
        thread = threads.setdefault(key, _Thread())
        if is_cover:
            thread.cover = thread.cover or mail
        else:
            thread.patches.setdefault(subject.number, []).append(Patch(mail, subject, files))
    # A cover letter alone has nothing to apply.
    whole = {key: thread for key, thread in threads.items() if thread.patches}
    if not whole:
        raise _no_patch(name, answers)
    keys = list(whole)
    if all(len(key) > 3 for key in keys):
        return _loose(list(whole.values()), answers)
    best = max(
        (key for key in keys if len(key) == 3), key=lambda key: (key[0], len(whole[key].patches))
    )
    others = [
        f"v{key[0]} with {len(thread.patches)} patches"
        for key, thread in whole.items()
        if key != best
    ]
    return _series(whole[best], int(str(best[1])), answers, others)


def _files(mail: Mail, subject: Subject, *, is_alone: bool) -> tuple[FileDiff, ...]:
    try:
        found = diffs.parse(mail.diff)
        _require_end(mail, found)
        return found
    except DamagedPatch as damage:
        if is_alone:
            raise
        raise DamagedPatch(f"{subject.title}: {damage.message}", hint=damage.hint) from None


def _require_end(mail: Mail, found: Sequence[FileDiff]) -> None:
    """Refuse a mail cut off between two files: it has neither them nor git's last lines."""
    counts = _DIFFSTAT.findall(mail.notes)
    if found and counts and len(found) < int(counts[-1]) and b"\n-- \n" not in mail.diff:
        raise DamagedPatch(
            f"its diffstat counts {counts[-1]} files, but only {len(found)} of them follow",
            hint="it may be cut off: get the whole mail, as with b4 am -o- MSGID",
        )


def _no_patch(name: str, answers: Sequence[Mail]) -> NoPatch:
    """Say what a mailbox holds instead of patches."""
    talk = f"{len(answers)} mail{'s' if len(answers) > 1 else ''}"
    hint = "give the mails that carry the diffs"
    if any(mails.HTML in mail.remarks for mail in answers):
        hint = "a patch in HTML is no patch: ask for it as plain text"
    return NoPatch(
        f"{name} holds no patch" + (f", only {talk} of talk" if answers else ""), hint=hint
    )


def _loose(threads: Sequence[_Thread], answers: Sequence[Mail]) -> Series:
    """Put patches without numbers together, and number them in the order they came."""
    came = [patch for thread in threads for patch in thread.patches[1]]
    loose = tuple(numbered(patch, at, len(came)) for at, patch in enumerate(came, 1))
    return Series(
        None, loose, len(loose), (), _tags(answers), len(answers), base=_base(loose, None)
    )


def numbered(patch: Patch, number: int, total: int) -> Patch:
    """Return a patch in its place of a series."""
    return replace(patch, subject=replace(patch.subject, number=number, total=total))


def _series(thread: _Thread, total: int, answers: Sequence[Mail], others: Sequence[str]) -> Series:
    there = tuple(thread.patches[number][0] for number in sorted(thread.patches))
    twins = (
        f"another {number}/{total}: {twin.title}"
        for number, came in sorted(thread.patches.items())
        for twin in came[1:]
        if twin.title != came[0].title
    )
    return Series(
        thread.cover,
        there,
        total,
        tuple(number for number in range(1, total + 1) if number not in thread.patches),
        _tags(answers),
        len(answers),
        (*others, *twins),
        base=_base(there, thread.cover),
    )


def _base(found: Sequence[Patch], cover: Mail | None) -> str | None:
    """Return what `git format-patch --base` wrote at the end of the cover letter or a patch.

    Else the parent of the commit that the first patch was made of, where this clone has it.
    """
    for mail in filter(None, (cover, *(patch.mail for patch in found))):
        if said := _BASE.search(mail.text):
            return said[1]
    made_of = found[0].mail.commit if found else ""
    return f"{made_of}^" if made_of else None


def _tags(answers: Sequence[Mail]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag for mail in answers for tag in _GIVEN.findall(mail.message)))
