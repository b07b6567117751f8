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

from kbisect.history import prose
from kbisect.history.trailers import Trailer, trailers

__all__ = ["Link", "LinkKind", "Trailer", "links", "plain_subject", "trailers"]


class LinkKind(StrEnum):
    """What one commit says of another (or of a tracker, a mail, a stable branch)."""

    FIXES = "fixes"
    REVERTS = "reverts"
    REAPPLIES = "reapplies"
    UPSTREAM = "upstream"
    STABLE = "stable"
    PREREQUISITE = "prerequisite"
    BLAMES = "blames"
    BUILDS_ON = "builds-on"
    LIKE = "like"
    UNCLEAR = "unclear"
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


_HEX = r"[0-9a-fA-F]{7,40}"
_ROOT = "1da177e4c3f41524e886b7f1b8a0c1fc7321cac2"
_QUOTED = r"""\(\s*["“”](?P<subject>.+?)["“”]\s*\)?"""
_BARE = r"""\((?P<bare>[^\s()"“][^()]*(?:\([^()]*\)[^()]*)*)\)"""
_FIXES = re.compile(r"(?im)^[ ]{0,2}fixes:[ \t]*(?P<rest>\S.*(?:\n[ \t]+\S.*)*)")
_FIXES_ID = re.compile(
    # Shorter than git ever writes one, an id counts only with a subject behind it.
    rf"(?i)(?:commit:?\s*)?[<\[]?(?<![0-9a-z])"
    rf"(?P<oid>{_HEX}|[0-9a-f]{{5,6}}(?=\s*\(\s*[\"“]))\b[>\]]?[,:]?\s*(?:{_QUOTED}|{_BARE})?",
    re.DOTALL,
)
_UPSTREAM = (
    (
        "commit H upstream",
        re.compile(rf"(?i)^\s*commit:?\s+({_HEX})\s+upstream\s*(?:[.,;:(\[].*|in\s.*)?$"),
    ),
    (
        "[ Upstream commit H ]",
        re.compile(rf"(?i)^\s*[\[(]\s*upstream\s+commit:?\s+({_HEX})\s*[\])]\.?\s*$"),
    ),
    (
        "[ commit H upstream ]",
        re.compile(rf"(?i)^\s*[\[(]\s*commit:?\s+({_HEX})\s+upstream\.?\s*[\])]\s*$"),
    ),
    (
        "[ backported from upstream commit H ]",
        re.compile(rf"(?i)^\s*\[\s*backported from (?:upstream )?commit\s+({_HEX})[^\]]*\]\s*$"),
    ),
    (
        "backport of commit H",
        re.compile(
            r"(?i)^\s*[\[(]?(?:this is a )?backport of (?:upstream |mainline )?commit"
            rf"\s+({_HEX})\b.*$"
        ),
    ),
    (
        "Upstream commit: H",
        re.compile(rf"(?i)^\s*upstream[ -]commit(?:[ -]id)?:?\s+(?:commit\s+)?({_HEX})\b.*$"),
    ),
)
_HEADER = re.compile(r"(?i)^\s*commit\s+([0-9a-f]{40})\s*$")
_KEYED = re.compile(r"^[A-Za-z][\w -]{0,24}:\s+\S")
_INCLUSION = re.compile(r"(?i)^\s*(?:\w+ inclusion|from \w+-\S+)\s*$")
_NOTED = re.compile(r"(?i)(?:category|bugzilla|cve|references?|conflicts?|[a-z]+-by):")
_LOGGED = re.compile(r"\s*(?:Author|\w*Date|Commit(?:ter)?|Merge):")
_PICKED = re.compile(
    rf"(?im)^[ \t]*\((?P<form>cherry[ -]picked|backported) from (?:linux |upstream )?"
    rf"(?:commit:?\s+)?(?P<oid>{_HEX})\b[^\n]*$"
)
_VENDOR = re.compile(
    rf"(?im)^(?P<form>Git-commit|Alt-commit|Upstream-commit|No-fix):\s*(?P<oid>{_HEX})\b"
)
_DEPENDENCY = re.compile(rf"(?im)^stable-dep-of:\s*(?P<oid>{_HEX})\b\s*(?:{_QUOTED})?")
_REVERTED_UPSTREAM = re.compile(
    rf"(?i)\bThis\s+reverts\s+commit\s+{_HEX}\s+which\s+is\s+(?:upstream\s+)?commit\s+{_HEX}"
    r"(?:\s+upstream)?"
)
_REVERT_SUBJECT = re.compile(
    r"""(?i)^(?P<verb>revert|reapply)(?:ed)?:?\s*["“](?P<subject>.+)["”]\.?\s*$"""
)
# The grammatical subject is this commit, or none: "H should be reverted" takes nothing back. Few
# words fit between verb and id: "reverts part of H" leaves the rest of H where it is.
_REVERTING = re.compile(
    rf"""(?imx)
    (?: ^[ \t]*(?:\[?[\w./,\ -]{{1,40}}\]?:\s*|\[[\w./\ -]+\]\s*){{0,3}} | [.:;]\s+
      | \bthis\s+(?:(?!part|not\b)\w+\s+){{0,2}} | \b(?:so|just|therefore|simply)\s+ )
    (?:revert(?:s|ing)?|back(?:s|ing)?\s+out)\b:?\s*
    (?: (?: the|my|our|his|this|these|those|two|three|four|\d{{1,2}}|following|previous|prior
          | recent|earlier|git|upstream|linux|mainline|set|series|of|bad|broken|commits?
          | changesets?|csets?|patch(?:es)?|changes?|ids?|sha1?
          | \w+'?s(?=\s+(?:previous|commit|patch|change))
          | ["“][^"”\n]+["”] | \([^()0-9][^()]*\) ) (?:[\s,:(<]+|$) )*
    (?=[<(\["']*{_HEX}\b)"""
)
# In a list an id may follow a blank line; a new paragraph that begins with one may not.
_REVERTED = re.compile(
    rf"""(?ix) [ \t,;&*<(\["'-]*
    (?: \n? | \n[ \t]*\n (?=[ \t]*{_HEX}\s*(?:\(["“]|\n)) ) [ \t*<(\["'-]*
    (?:and\s+)? (?:the\s+[\w -]{{0,30}}?\s\(?)? (?:commits?:?\s+)?
    (?P<oid>{_HEX})\b [>)\]"']* (?:[,:]?\s*(?:{_QUOTED}|{_BARE}|["“][^"”]+["”]))? """,
    re.DOTALL,
)
_PARTLY = re.compile(r"(?i)\s*(?:in\s+)?part(?:ly|s|ially)?\b")
_STABLE = re.compile(
    r"(?im)^cc:[ \t]*(?P<who>.*?<?(?:linux-)?(?P<box>stable(?:\+noautosel)?)@(?:vger\.)?[\w.-]+>?)"
    r"[ \t,:]*(?P<note>.*)$"
)
_OTHERS = re.compile(r"""^(?:[^,#\[\]()]*<?[\w.+-]+@[\w.-]+>?[\s,]*)+""")
_NEEDED = re.compile(
    rf"""(?i)(?:^|\s)(?P<oid>{_HEX})"""
    r"""(?::\s*(?P<subject>\S.*)|\s*\(\s*["“](?P<quoted>.+?)["”]\s*\))?$"""
)
_LINES = (
    ("closes:", re.compile(r"(?im)^closes:[ \t]*\S+"), LinkKind.CLOSES, "Closes:"),
    ("buglink:", re.compile(r"(?im)^buglink:[ \t]*\S+"), LinkKind.CLOSES, "BugLink:"),
    ("link:", re.compile(r"(?im)^link:[ \t]*\S+"), LinkKind.MAIL, "Link:"),
)
_REGZBOT = re.compile(rf"(?im)^[ \t]*#regzbot[ \t]+introduced:?[ \t]*(?P<oid>{_HEX})\b(?!\.\.)")
_PREFIX = re.compile(r"^(?:UPSTREAM|BACKPORT|FROMGIT|FROMLIST|ANDROID|CHROMIUM):\s*", re.IGNORECASE)


def plain_subject(subject: str) -> str:
    """Return a subject without what a branch put before it, for comparison."""
    return " ".join(_PREFIX.sub("", subject).split())


def links(message: str) -> list[Link]:
    """Return what a message says about other commits, in the order of their kinds.

    A commit that a trailer names is not reported again as a mention, since a trailer is the
    stronger word. Quoted lines (`> `) say nothing.
    """
    lower = message.lower()
    subject, _, body = message.lstrip("\n").partition("\n")
    body = body.replace("\r\n", "\n")
    if "\n>" in body:
        body = "\n".join(line for line in body.split("\n") if line[:1] != ">")
    found: list[Link] = []
    # Most messages name nothing: a plain search for a word is a tenth of the pattern's price.
    if "fixes:" in lower:
        found.extend(_fixes(body))
    if "revert" in lower or "reapply" in lower or "out commit" in lower:
        found.extend(_reverts(subject, body))
    if "commit" in lower or "stable-dep-of" in lower or "no-fix" in lower:
        found.extend(_upstream(body))
    if "stable" in lower:
        found.extend(_stable(body))
    for word, pattern, kind, form in _LINES:
        if word in lower:
            found.extend(
                Link(kind, _one_line(m.group()), None, None, form) for m in pattern.finditer(body)
            )
    if "#regzbot" in lower:
        found.extend(
            Link(LinkKind.BLAMES, _one_line(m.group()), m["oid"].lower(), None, "regzbot")
            for m in _REGZBOT.finditer(body)
        )
    if not prose.may_name(lower):
        return found
    named = {link.oid for link in found if link.oid}
    found.extend(
        Link(LinkKind(one.kind), one.sentence, one.oid, one.subject, "prose")
        for one in prose.mentions(subject, body)
        if not any(_same_id(one.oid, other) for other in named)
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
        for found in ids if re.match(r"(?i)(commit:?\s*)?[<\[]?[0-9a-f]{7}", rest) else ids[:1]:
            oid = found["oid"].lower()
            if oid.startswith(_ROOT[:12]):
                oid = _ROOT
            subject = found["subject"] or found["bare"]
            yield Link(LinkKind.FIXES, text, oid, subject and _one_line(subject), "Fixes:")


def _reverts(subject: str, body: str) -> Iterator[Link]:
    named = _REVERT_SUBJECT.match(plain_subject(subject))
    by_id: dict[str, tuple[str, str | None]] = {}
    for head in _REVERTING.finditer(f"{subject}\n\n{body}"):
        at = head.end()
        while found := _REVERTED.match(head.string, at):
            if _PARTLY.match(found["bare"] or ""):
                break
            at = found.end()
            quoted = found["subject"] or found["bare"]
            by_id.setdefault(found["oid"].lower(), (head.group() + found.group(), quoted))
    if named and named["verb"].lower() == "reapply":
        for oid in by_id or [None]:
            yield Link(LinkKind.REAPPLIES, _one_line(subject), oid, named["subject"], "Reapply")
        return
    for oid, (text, quoted) in by_id.items():
        said = named["subject"] if named and len(by_id) == 1 else quoted and _one_line(quoted)
        yield Link(LinkKind.REVERTS, _one_line(text), oid, said, "This reverts commit")
    if named and not by_id:
        yield Link(LinkKind.REVERTS, _one_line(subject), None, named["subject"], 'Revert "…"')


def _upstream(body: str) -> Iterator[Link]:
    # "This reverts commit A which is commit B upstream." is a revert, however it is wrapped.
    body = _REVERTED_UPSTREAM.sub("", body)
    # The header stands in the first three lines that say something; a wrapped one is rejoined.
    # `Bugzilla: 1` and the like, which vendors put above it, don't count.
    lines = [line for line in body.split("\n") if line.strip()]
    head = [line for line in lines[:12] if not _KEYED.match(line) or "ommit" in line][:3]
    joined = [*head, *(f"{one} {two}" for one, two in pairwise(head))]
    for form, pattern in _UPSTREAM:
        found = next((m for line in joined if (m := pattern.match(line))), None)
        if found:
            yield Link(LinkKind.UPSTREAM, _one_line(found.group()), found[1].lower(), None, form)
            break
    else:
        yield from _header(lines, head)
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


def _header(lines: list[str], head: list[str]) -> Iterator[Link]:
    """Read a bare `commit H` on top, unless it is the beginning or the middle of a sentence."""
    if not head:
        return
    found = _HEADER.match(head[0])
    if not found and _INCLUSION.match(head[0]):
        found = next((m for line in head[1:] if (m := _HEADER.match(line))), None)
    if not found:
        return
    below = lines[lines.index(found.string) + 1 :]
    if below and below[0].lstrip().startswith("Author:"):
        # What follows a quoted commit in a backport is trailers, not talk about it.
        text = [x for x in below if not _KEYED.match(x) and not _LOGGED.match(x)]
        prose = not text or not text[0][0].isspace() or any(not x[0].isspace() for x in text)
    else:
        said = below[0] if below and not _NOTED.match(below[0]) else ""
        prose = said[:1].isspace() or said[:1].islower() or said[:1] in {"(", '"', "'"}
    if not prose:
        yield Link(LinkKind.UPSTREAM, _one_line(found.group()), found[1].lower(), None, "commit H")


def _stable(body: str) -> Iterator[Link]:
    for notice in _STABLE.finditer(body):
        note = _OTHERS.sub("", notice["note"]).strip().removeprefix("#").strip()
        text = _one_line(notice.group())
        if "noautosel" in notice["box"]:
            yield Link(LinkKind.STABLE, text, None, note or None, "opt-out")
            continue
        wanted = _NEEDED.search(note)
        if wanted and "revert" not in note[: wanted.start()].lower():
            quoted = wanted["subject"] or wanted["quoted"]
            yield Link(LinkKind.PREREQUISITE, text, wanted["oid"].lower(), quoted, "Cc: stable")
        else:
            yield Link(LinkKind.STABLE, text, None, note or None, "Cc: stable")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _same_id(left: str, right: str) -> bool:
    size = min(len(left), len(right))
    return size > 0 and left[:size] == right[:size]
