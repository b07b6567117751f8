# SPDX-License-Identifier: GPL-2.0-or-later
"""The grammar of commit messages: trailers, and what a message says about other commits. Pure.

What is written is kept as written; what it resolves to is the index's business. The forms are
those found in the kernel, its stable branches and vendors' trees (Documentation/process/
submitting-patches.rst, stable-kernel-rules.rst), odd ones included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Trailer:
    """One `Key: value` line of the last paragraph, unfolded."""

    key: str
    value: str


class LinkKind(StrEnum):
    """What one commit says of another (or of a tracker, a mail, a stable branch)."""

    FIXES = "fixes"
    REVERTS = "reverts"
    REAPPLIES = "reapplies"
    UPSTREAM = "upstream"
    STABLE = "stable"
    PREREQUISITE = "prerequisite"
    BLAMES = "blames"
    MENTIONS = "mentions"
    CLOSES = "closes"
    MAIL = "link"


@dataclass(frozen=True, slots=True)
class Link:
    """One statement about another commit.

    Attributes
    ----------
    kind : LinkKind
    text : the line or sentence as written, on one line
    oid : the hex digits it gives, lower case, or None
    subject : the subject it quotes, or None
    form : which marker or wording, for evidence (`commit H upstream`, `Fixes:`, …)
    """

    kind: LinkKind
    text: str
    oid: str | None = None
    subject: str | None = None
    form: str = ""


# --- trailers, as git's trailer.c reads them ------------------------------------------------------

_SEPARATOR = re.compile(r"[A-Za-z0-9-]+[ \t]*:")
_GENERATED = ("Signed-off-by: ", "(cherry picked from commit ")
_SCISSORS = "# ------------------------ >8 ------------------------"
_SPACE = " \t\r\n"


def trailers(message: str) -> list[Trailer]:
    """Return the trailers in order, repeats kept: git's `%(trailers:only,unfold)`.

    Follows git's trailer.c (v2.39): the last paragraph counts if it is all trailers, or holds one
    that git itself writes and is at least a quarter trailers; the title never does.
    """
    lines = _without_tail(message.lstrip("\n").split("\n"))
    start = _trailer_start(lines)
    found: list[list[str]] = []
    open_value = False
    for line in lines[start:]:
        if open_value and line[:1] and line[0] in _SPACE:
            found[-1][1] += "\n" + line
            continue
        matched = _SEPARATOR.match(line)
        open_value = matched is not None
        if matched:
            found.append([matched.group()[:-1].strip(_SPACE), line[matched.end() :]])
    return [Trailer(key, re.sub(r"\n[ \t\r]*", " ", value).strip(_SPACE)) for key, value in found]


def _without_tail(lines: list[str]) -> list[str]:
    """Drop what git drops behind the trailers: comments, blanks, an old "Conflicts:" block."""
    if _SCISSORS in lines:
        lines = lines[: lines.index(_SCISSORS)]
    end: int | None = None
    in_conflicts = False
    for number, line in enumerate(lines):
        if line == "" or line.startswith("#"):
            end = number if end is None else end
        elif line == "Conflicts:":
            in_conflicts = True
            end = number if end is None else end
        elif in_conflicts and line.startswith("\t"):
            continue
        else:
            end = None
            in_conflicts = False
    return lines if end is None else lines[:end]


def _trailer_start(lines: list[str]) -> int:
    title = 0
    while title < len(lines) and (lines[title].startswith("#") or lines[title].strip(_SPACE)):
        title += 1
    recognised = False
    good = other = continuations = 0
    seen = False
    for number in range(len(lines) - 1, title - 1, -1):
        line = lines[number]
        if line.startswith("#"):
            other += continuations
            continuations = 0
        elif not line.strip(_SPACE):
            if not seen:
                continue
            other += continuations
            if (recognised and good * 3 >= other) or (good and not other):
                return number + 1
            return len(lines)
        else:
            seen = True
            if line.startswith(_GENERATED):
                good += 1
                continuations = 0
                recognised = True
            elif line[0] not in _SPACE and _SEPARATOR.match(line):
                good += 1
                continuations = 0
            elif line[0] in _SPACE:
                continuations += 1
            else:
                other += 1 + continuations
                continuations = 0
    return len(lines)


# --- links ----------------------------------------------------------------------------------------

_HEX = r"[0-9a-fA-F]{7,40}"
_ROOT = "1da177e4c3f41524e886b7f1b8a0c1fc7321cac2"
_QUOTED = r"""\(\s*["“”](?P<subject>.+?)["“”]\s*\)?"""
_FIXES = re.compile(r"(?im)^fixes:[ \t]*(?P<rest>\S.*(?:\n[ \t]+\S.*)*)")
_FIXES_ID = re.compile(
    rf"(?i)(?:commit\s*)?[<\[]?(?P<oid>{_HEX})\b[>\]]?\s*(?:{_QUOTED})?", re.DOTALL
)
_UPSTREAM = (
    ("commit H upstream", re.compile(rf"(?i)^\s*commit\s+({_HEX})\s+upstream\.?\s*$")),
    ("[ Upstream commit H ]", re.compile(rf"(?i)^\s*\[\s*upstream\s+commit\s+({_HEX})\s*\]\s*$")),
    ("[ commit H upstream ]", re.compile(rf"(?i)^\s*\[\s*commit\s+({_HEX})\s+upstream\s*\]\s*$")),
    (
        "[ backported from upstream commit H ]",
        re.compile(rf"(?i)^\s*\[\s*backported from (?:upstream )?commit\s+({_HEX})[^\]]*\]\s*$"),
    ),
    ("Upstream commit: H", re.compile(rf"(?i)^\s*upstream[ -]commit:?\s+({_HEX})\b.*$")),
    ("commit H", re.compile(r"(?i)^\s*commit\s+([0-9a-f]{40})\s*$")),
)
_PICKED = re.compile(
    rf"(?im)^\s*\((?P<form>cherry[ -]picked|backported) from (?:linux |upstream )?commit\s+"
    rf"(?P<oid>{_HEX})\b[^\n]*$"
)
_VENDOR = re.compile(rf"(?im)^(?P<form>Git-commit|Alt-commit|Upstream-commit):\s*(?P<oid>{_HEX})\b")
_DEPENDENCY = re.compile(rf"(?im)^stable-dep-of:\s*(?P<oid>{_HEX})\b\s*(?:{_QUOTED})?")
_REVERTED = re.compile(rf"(?is)\bThis\s+reverts\s+commit\s+(?P<oid>{_HEX})\b")
_REVERTED_UPSTREAM = re.compile(
    rf"(?i)\bThis\s+reverts\s+commit\s+{_HEX}\s+which\s+is\s+(?:upstream\s+)?commit\s+{_HEX}"
    r"(?:\s+upstream)?"
)
_REVERT_SUBJECT = re.compile(
    r"""(?i)^(?P<verb>revert|reapply)(?:ed)?:?\s*["“](?P<subject>.+)["”]\.?\s*$"""
)
_STABLE = re.compile(
    r"(?im)^cc:[ \t]*(?P<who>.*?<?(?:linux-)?(?P<box>stable(?:\+noautosel)?)@(?:vger\.)?[\w.-]+>?)"
    r"[ \t,]*(?P<note>.*)$"
)
_LINES = (
    ("closes:", re.compile(r"(?im)^closes:[ \t]*\S+"), LinkKind.CLOSES, "Closes:"),
    ("buglink:", re.compile(r"(?im)^buglink:[ \t]*\S+"), LinkKind.CLOSES, "BugLink:"),
    ("link:", re.compile(r"(?im)^link:[ \t]*\S+"), LinkKind.MAIL, "Link:"),
)
# At least one digit and one letter tell an id from a word or a number.
_SOME_ID = re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{7,40}\b")
_PREFIX = re.compile(r"^(?:UPSTREAM|BACKPORT|FROMGIT|FROMLIST|ANDROID|CHROMIUM):\s*", re.IGNORECASE)
# Between "fixes a regression from" and the id there may be words, never the end of a sentence.
_NAMED = re.compile(
    rf"(?i)\b(?P<word>commit(?:\s+id)?\s+|in\s+|by\s+|since\s+|from\s+|of\s+|like\s+|after\s+|and\s+|with\s+|did\s+in\s+|to\s+)"
    rf"[\"'(<\[]?(?P<oid>(?=[0-9a-f]*[0-9])[0-9a-f]{{7,40}})\b[\"'>\]]?(?:\s*{_QUOTED})?",
    re.DOTALL,
)
_BLAME = re.compile(
    r"(?i)\b(regress\w*|bisect\w*|introduc\w+|broke\w*|breaks?|breakage|caus\w+|since|added\s+a\s+(?:bug|race|leak)"
    r"|fall-?out|forgot\w*|missed|culprit|coming\s+from|bug\s+(?:in|from)|was\s+wrong|incorrect\w*|wrong\w*"
    r"|fix(?:es|ed)?(?:\s+up)?\s+(?:commit|for)|due\s+to|after)\b"
)
_LIKE = re.compile(
    r"(?i)\b(like|similar\w*|same\s+(?:as|way)|as\s+(?:was\s+)?(?:done|did|in)"
    r"|follow(?:s|ing)?[- ]?up"
    r"|based\s+on|see\s+(?:also\s+)?(?:commit)?|analogous|inspired)\b[^.;]*$"
)


def plain_subject(subject: str) -> str:
    """Return a subject without what a branch put before it, for comparison."""
    return " ".join(_PREFIX.sub("", subject).split())


def links(message: str) -> list[Link]:
    """Return what a message says about other commits, in the order of their kinds.

    A commit that a trailer names is not reported again as a mention, since a trailer is the
    stronger word. Quoted lines (`> `) say nothing.
    """
    subject, _, body = message.lstrip("\n").partition("\n")
    body = body.replace("\r\n", "\n")
    if "\n>" in body:
        body = "\n".join(line for line in body.split("\n") if line[:1] != ">")
    lower = body.lower()
    found: list[Link] = []
    # Most messages name nothing: a plain search for a word is a tenth of the pattern's price.
    if "fixes:" in lower:
        found.extend(_fixes(body))
    if "revert" in lower or subject.lower().startswith(("revert", "reapply")):
        found.extend(_reverts(subject, body))
    if "commit" in lower or "stable-dep-of" in lower:
        found.extend(_upstream(body))
    if "stable" in lower:
        found.extend(_stable(body))
    for word, pattern, kind, form in _LINES:
        if word in lower:
            found.extend(
                Link(kind, _one_line(m.group()), None, None, form) for m in pattern.finditer(body)
            )
    if not _SOME_ID.search(lower):
        return found
    named = {link.oid for link in found if link.oid}
    found.extend(
        link
        for link in _mentions(subject, body)
        if not any(_same_id(link.oid or "", other) for other in named)
    )
    return found


def _fixes(body: str) -> Iterator[Link]:
    for line in _FIXES.finditer(body):
        rest = line["rest"]
        ids = list(_FIXES_ID.finditer(rest))
        text = _one_line(line.group())
        if re.match(r"(?i)https?://|#\d", rest) or not ids:
            quoted = re.match(r"""["“(]+(?P<subject>[^"”]+)""", rest)
            form = "Fixes: without an id"
            yield Link(LinkKind.FIXES, text, None, quoted and _one_line(quoted["subject"]), form)
            continue
        for found in ids if re.match(r"(?i)(commit\s*)?[<\[]?[0-9a-f]{7}", rest) else ids[:1]:
            oid = found["oid"].lower()
            if oid.startswith(_ROOT[:12]):
                oid = _ROOT
            yield Link(
                LinkKind.FIXES,
                text,
                oid,
                found["subject"] and _one_line(found["subject"]),
                "Fixes:",
            )


def _reverts(subject: str, body: str) -> Iterator[Link]:
    named = _REVERT_SUBJECT.match(plain_subject(subject))
    by_id = [found["oid"].lower() for found in _REVERTED.finditer(body)]
    if named and named["verb"].lower() == "reapply":
        for oid in by_id or [None]:
            yield Link(LinkKind.REAPPLIES, _one_line(subject), oid, named["subject"], "Reapply")
        return
    for oid in by_id:
        quoted = named["subject"] if named and len(by_id) == 1 else None
        yield Link(
            LinkKind.REVERTS, f"This reverts commit {oid}", oid, quoted, "This reverts commit"
        )
    if named and not by_id:
        yield Link(LinkKind.REVERTS, _one_line(subject), None, named["subject"], 'Revert "…"')


def _upstream(body: str) -> Iterator[Link]:
    # "This reverts commit A which is commit B upstream." is a revert, however it is wrapped.
    body = _REVERTED_UPSTREAM.sub("", body)
    # The header stands in the first three lines that say something; a wrapped one is rejoined.
    head = [line for line in body.split("\n") if line.strip()][:3]
    joined = [*head, *(f"{one} {two}" for one, two in pairwise(head))]
    for form, pattern in _UPSTREAM:
        found = next((m for line in joined if (m := pattern.match(line))), None)
        if found:
            yield Link(LinkKind.UPSTREAM, _one_line(found.group()), found[1].lower(), None, form)
            break
    for picked in _PICKED.finditer(body):
        form = f"({picked['form'].lower()} from commit H)"
        yield Link(LinkKind.UPSTREAM, _one_line(picked.group()), picked["oid"].lower(), None, form)
    for vendor in _VENDOR.finditer(body):
        form = f"{vendor['form']}:"
        yield Link(LinkKind.UPSTREAM, _one_line(vendor.group()), vendor["oid"].lower(), None, form)
    for needed in _DEPENDENCY.finditer(body):
        yield Link(
            LinkKind.PREREQUISITE,
            _one_line(needed.group()),
            needed["oid"].lower(),
            needed["subject"],
            "Stable-dep-of:",
        )


def _stable(body: str) -> Iterator[Link]:
    for notice in _STABLE.finditer(body):
        note = notice["note"].strip().removeprefix("#").strip()
        text = _one_line(notice.group())
        if "noautosel" in notice["box"]:
            yield Link(LinkKind.STABLE, text, None, note or None, "opt-out")
            continue
        wanted = re.search(rf"(?i)(?:^|\s)(?P<oid>{_HEX}):\s*(?P<subject>\S.*)$", note)
        if wanted:
            yield Link(
                LinkKind.PREREQUISITE, text, wanted["oid"].lower(), wanted["subject"], "Cc: stable"
            )
        else:
            yield Link(LinkKind.STABLE, text, None, note or None, "Cc: stable")


def _mentions(subject: str, body: str) -> Iterator[Link]:
    seen: set[str] = set()
    for sentence in _sentences(body):
        for found in _NAMED.finditer(sentence):
            oid = found["oid"].lower()
            if oid in seen:
                continue
            seen.add(oid)
            before = sentence[: found.start()] + found["word"]
            nearest = re.split(r",\s+|;\s+|\s+but\s+", before)[-1]
            blames = _BLAME.search(sentence) and not _LIKE.search(nearest)
            kind = LinkKind.BLAMES if blames else LinkKind.MENTIONS
            yield Link(kind, _one_line(sentence), oid, found["subject"], "prose")


def _sentences(body: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", body):
        flat = _one_line(paragraph)
        if re.search(r"[0-9a-f]{7}", flat):
            yield from re.split(r"(?<=[.!?])\s+(?=[A-Z])", flat)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _same_id(left: str, right: str) -> bool:
    size = min(len(left), len(right))
    return size > 0 and left[:size] == right[:size]
