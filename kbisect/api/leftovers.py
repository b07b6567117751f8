# SPDX-License-Identifier: GPL-2.0-or-later
"""How many lines of a tree still use the names that a difference took away.

A function, macro or type is known by its name: a line that has it in code uses it, unless files of
the same folder define the name for themselves. A member's name may be another struct's: a line
counts for certain where the file declares the object to be of the struct, it isn't counted where
it declares the object to be of another or the file never names the struct, and is possible else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from kbisect.api import cache, references, replacement, usage
from kbisect.api.declarations import What
from kbisect.api.findings import Finding, UsesLeft
from kbisect.api.references import Code, Place
from kbisect.git import blobs
from kbisect.git.repository import Repository

FOLDERS = ("net", "drivers/net", "include")
_ENDS = ("-removed", "-renamed", "-moved")
_WORD = re.compile(r"\w+")
_SHARED = "include/"
_SOURCES = (".c", ".h", ".S")


def counted(
    repository: Repository,
    commit: str | None,
    findings: Sequence[Finding],
    folders: Sequence[str] = FOLDERS,
) -> tuple[Finding, ...]:
    """Return the findings, those of names that went with the uses they have left.

    Parameters
    ----------
    repository : Repository
    commit : oid of the commit whose tree is looked at; None for the worktree
    findings : Finding
    folders : where to look
    """
    gone = [finding for finding in findings if _is_gone(finding)]
    if not gone:
        return tuple(findings)
    shown = sorted({finding.name for finding in gone})
    kept = cache.Answers(repository.store, "left", commit, shown, folders)
    known = _known(kept.get()) if commit is not None else None
    if known is None:
        known = _count(repository, commit, gone, folders)
        if commit is not None:
            kept.put({name: (left.certain, left.possible) for name, left in known.items()})
    return tuple(
        replace(finding, uses_left=known.get(finding.name)) if _is_gone(finding) else finding
        for finding in findings
    )


def _is_gone(finding: Finding) -> bool:
    """Whether a name went; of a symbol that is exported no more the function may be there."""
    old, new = finding.old, finding.new
    return (
        old is not None
        and old.what is not What.SYMBOL
        and finding.kind.endswith(_ENDS)
        and (new is None or new.key != old.key)
    )


def _known(kept: object) -> dict[str, UsesLeft] | None:
    """Read what was counted before; None when it is none."""
    try:
        return {name: UsesLeft(*map(int, both)) for name, both in kept.items()}  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        return None


def _count(
    repository: Repository, commit: str | None, gone: Sequence[Finding], folders: Sequence[str]
) -> dict[str, UsesLeft]:
    by_word: dict[str, list[Finding]] = {}
    for finding in gone:
        by_word.setdefault(replacement.word(finding), []).append(finding)
    looks = {word: re.compile(_looks(word, found)) for word, found in by_word.items()}
    lines: dict[str, list[Place]] = {}
    for line in blobs.lines_with(repository, commit, sorted(by_word), folders):
        place = Place(*line)
        if not place.file.endswith(_SOURCES):
            continue
        for word in by_word.keys() & set(_WORD.findall(place.text)):
            if looks[word].search(place.text):
                lines.setdefault(word, []).append(place)
    paths = {place.file for listed in lines.values() for place in listed}
    contents = references.sources(repository, commit, paths, folders)
    objects = _Objects(Code(contents))
    found = {}
    for finding in gone:
        word = replacement.word(finding)
        if _is_member(finding):
            owner = finding.struct or ""
            near = [x for x in lines.get(word, ()) if owner.encode() in contents.get(x.file, b"")]
            found[finding.name] = objects.left(word, owner, near)
        else:
            found[finding.name] = _of_name(word, lines.get(word, ()), objects.code)
    return found


def _is_member(finding: Finding) -> bool:
    return finding.old is not None and finding.old.what is What.FIELD


def _looks(word: str, findings: Iterable[Finding]) -> str:
    """Return the pattern of lines that may use a word, comments among them."""
    fields = [_is_member(finding) for finding in findings]
    member = rf"^(?!\s*#\s*include\b).*?(?:->|\.)\s*{word}\b|^\s+{word}\s*:"
    name = rf"^(?!\s*#\s*include\b).*?(?<![\w.>]){word}\b"
    return member if all(fields) else f"{member}|{name}" if any(fields) else name


def _of_name(word: str, lines: Iterable[Place], code: Code) -> UsesLeft:
    """Count the uses of a function, macro, type or constant."""
    told = references.sort(word, references.in_code(word, lines, code))
    prototype = re.compile(rf"[A-Za-z_][\w\s*]*[\s*]{word}\s*\(")
    free = re.compile(rf"(?<!->)(?<!\.)\b{word}\b")
    own = {_folder(place.file) for place in told.definitions}
    uses = []
    for place in told.references:
        text = code.line(place)
        if prototype.match(text):
            own.add(_folder(place.file))
        elif free.search(text):
            uses.append(place)
    others = [use for use in uses if _folder(use.file) not in own]
    if any(folder.startswith(_SHARED) for folder in own):
        return UsesLeft(0, len(uses))
    return UsesLeft(len(others), len(others))


def _folder(path: str) -> str:
    return path.rpartition("/")[0] + "/"


class _Objects:
    """Whose members some sources use; a file is looked through when first asked about."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self.files: dict[str, tuple[Mapping[str, Set[str]], usage.Tables]] = {}

    def left(self, word: str, owner: str, lines: Iterable[Place]) -> UsesLeft:
        """Count the lines that use the member of a struct."""
        certain = unsure = 0
        for place in lines:
            text = self.code.text(place.file)
            if place.file not in self.files:
                self.files[place.file] = usage.variables([text]), usage.Tables(text)
            span = self.code.span(place)
            uses = usage.member_uses(text, {word}, *self.files[place.file], [span])
            told = {use.of(owner) for use in uses}
            certain += True in told
            unsure += True not in told and None in told
        return UsesLeft(certain, certain + unsure)
