# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits named in prose, the only links there are before 2013. Pure.

Each id becomes a token, so that the subject quoted behind it can't mislead; `wordings` judges what
the words around it say. A fix that is said to be incomplete is blamed: whoever took it needs this
one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kbisect.history.wordings import Kind, judge, mends

# Not an id: 0x…, part of an address, a URL, a UUID, a path, a range or a mail address.
_MAYBE = re.compile(r"""[\s(<\["':,;|>#`][0-9a-f]{7,40}(?![\w@/=-])""")
_ID = re.compile(
    r"(?<![\w/=@+.%$&~-])(?<![0-9a-fA-F]:)(?P<oid>[0-9a-fA-F]{7,40})"
    r"(?![\w@/=-]|\.\w|\.\.\.?\w|:[0-9a-fA-F]{2})"
)
_CALLED = re.compile(
    r"""(?ix)\b(?:git[ -])?(?:commm?its?|changesets?|csets?|sha1)
    (?:\s*-?\s*(?:ids?|hash|number|sha1?|no\.?))? \s*:?\s+ ["'(<\[`]* \Z"""
)
_NAMES = re.compile(
    r"""(?i)(?:\b(?:in|by|since|from|of|after|with|and|or|patch|reverts?|reverting|to|see|commits|merge|
    than|like|as|the|fix(?:es)?|before|until|did)\s+|[(\[<"'`])\Z""",
    re.VERBOSE,
)
_BEHIND = re.compile(
    r"""(?xs) ["'>\]`]* (?:\.\.\.?(?=[\s,]))?
    (?P<title> [,:]?\s* (?:(?:[Ee]n)?titled\s*:?\s*|aka\s*|,\s*)?
       (?: \(\s*["“'](?P<quoted>.+?)["”']\s*(?:,[^()]*)?\) | ["“](?P<marked>[^"”]{4,120})["”]
         | \(\s*(?P<bare>[^\s()"“][^()]*(?:\([^()]*\)[^()]*)*)\) | '(?P<single>[^']{8,120})' ) )?
    \)?"""
)
# `git log` output in a message: the header and the quoted text shrink to `commit H ("subject")`.
_BLOCK = re.compile(
    r"""(?imx)
    ^(?P<lead>[ \t|:]*) commit:?[ \t]+(?P<oid>[0-9a-f]{7,40}) (?:
      \b.*\n (?: [ \t|:]*(?:Author|AuthorDate|Commit|CommitDate|Committer|Date|Merge):.*(?:\n|\Z) )+
    | [ \t:]*\n (?=(?:[ \t|:]*\n)*(?P=lead)[ \t]+[^\s("'“]) )
    (?: [ \t|:]*\n )*
    (?: [ \t|:]+(?P<subject>[^\s|:].*) (?:\n[ \t|:]+\S.*|\n[ \t|:]*(?=\n[ \t|:]+\S))* )?"""
)
_TAGGED = re.compile(
    r"(?im)^[ \t]*(?:(?:[a-z]+-)+(?:by|id|of|commit|fix)|cc|link|closes|fixes|buglink|url|"
    r"from|date|"
    r"references?|bugzilla(?: id)?|#regzbot.*?|reported-[\w-]+):.*$|^(?:tree|parent) [0-9a-f]{40}$"
)
_DUMP = re.compile(r"(?i)\[<[0-9a-f]{8}|\+0x|^\s*\[\s*\d+\.\d+\]|(?:\b[0-9a-f]{8,16}\b[\s:]+){3}")
_SEQUENCE = re.compile(
    r"\0\d+\0(?:[\s,;&]*(?:(?:and|or|through|to|plus)\b\s*)?(?:(?:the|also|then|git)\s+)*\0\d+\0)*"
)
_END = re.compile(r"""(?<=[.!?])["')\]]*\s+(?=[A-Z"'(\[\0<])""")
_REACH = 400
_NOTE = re.compile(r"^\W*(\[\d\])\W*$")


@dataclass(frozen=True, slots=True)
class Mention:
    """One commit that prose names.

    Attributes
    ----------
    kind : `blames`: it brought what this commit mends, or mended it only in part, or is undone in
        part. `builds-on`: this one continues, completes or cleans up after it, without saying that
        it was wrong. `like`: the same was done there. `unclear`: anything else.
    sentence : as written, on one line
    oid : as given, lower case
    subject : the title it is quoted with, or None
    """

    kind: Kind
    sentence: str
    oid: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class _Named:
    oid: str
    subject: str | None
    written: str


# Hex digits to x, all else to blanks.
_DIGITS = bytes(ord("x") if chr(byte) in "0123456789abcdef" else ord(" ") for byte in range(256))


def may_name(lower: str) -> bool:
    """Say quickly whether a lower-cased message can name a commit at all."""
    # Seven hex digits in a row are rare, and found without a pattern at a twentieth of its price.
    shape = lower.encode("utf-8", "replace").translate(_DIGITS)
    return b"xxxxxxx" in shape and _MAYBE.search(lower) is not None


def mentions(subject: str, body: str) -> list[Mention]:
    """Return the commits that a message names outside its trailers, each once."""
    named: list[_Named] = []
    text = _tokens(f"{subject}\n\n{body}", named)
    if not named:
        return []
    mending = mends(subject)
    title, _, text = text.partition("\n\n")
    sentences = [title, *(part for each in _paragraphs(text) for part in _END.split(each))]
    found: dict[str, Mention] = {}
    for number, sentence in enumerate(sentences):
        if "\0" not in sentence:
            continue
        groups = list(_SEQUENCE.finditer(sentence))
        after = " ".join(sentences[number + 1 : number + 3]).partition("\0")[0][:_REACH]
        before = sentences[number - 1].rpartition("\0")[2] if number else ""
        for place, group in enumerate(groups):
            left = sentence[groups[place - 1].end() if place else 0 : group.start()][-_REACH:]
            right = sentence[group.end() :][:_REACH]
            if place + 1 < len(groups):
                right = sentence[group.end() : groups[place + 1].start()][:_REACH]
            written = sentence
            if note := _NOTE.match(left):
                # A footnote means what the place says that refers to it.
                place_of = next((x for x in sentences if note[1] in x and x is not sentence), None)
                if place_of:
                    left, _, right = place_of.partition(note[1])
                    left += " in "
                    written = f"{place_of} {sentence}"
            kind = judge(mending, *(text.lower() for text in (before, left, right, after)))
            for token in re.findall(r"\0(\d+)\0", group.group()):
                one = named[int(token)]
                # Of several words on one commit the first that says something counts.
                if one.oid not in found or found[one.oid].kind == "unclear":
                    evidence = _written(written, named)
                    found[one.oid] = Mention(kind, evidence, one.oid, one.subject)
    return list(found.values())


def _tokens(body: str, named: list[_Named]) -> str:
    """Return the prose, a token in place of each commit it names, so that no subject misleads."""
    body = _TAGGED.sub("", body.replace("\0", ""))
    if "ommit" in body:
        body = _BLOCK.sub(
            lambda m: f" commit {m['oid']}" + (f' ("{m["subject"]}")\n' if m["subject"] else "\n"),
            body,
        )
    pieces: list[str] = []
    done = 0
    for found in _ID.finditer(body):
        begin, stop = found.span()
        if begin < done:
            continue
        oid = found["oid"].lower()
        near = body[max(done, begin - 40) : begin]
        worded = _CALLED.search(near)
        if not worded:
            # Logs and register dumps are full of numbers that look like ids.
            line = body[max(body.rfind("\n", 0, begin) + 1, begin - 200) : stop + 40]
            if oid.isalpha() or _DUMP.search(line):
                continue
        behind = _BEHIND.match(body, stop)
        assert behind is not None
        if not worded:
            known = behind["title"] or _NAMES.search(near) or body[stop : stop + 7] == " commit"
            if (oid.isdigit() and not behind["title"]) or (len(oid) in {8, 16} and not known):
                continue
        start = begin - len(near) + (worded.start() if worded else len(near.rstrip("\"'(<[`")))
        title = behind["quoted"] or behind["marked"] or behind["single"] or behind["bare"]
        end = behind.end()
        if behind["bare"] and not re.search(r"\w\S*\s+\S", behind["bare"]):
            title, end = None, behind.start("title")
        pieces.append(body[done:start])
        pieces.append(f"\0{len(named)}\0")
        written = _one_line(body[start:end])
        named.append(_Named(oid, _one_line(title) if title else None, written))
        done = end
    return "".join([*pieces, body[done:]])


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs on one line each, those that run on across a blank line joined."""
    found: list[str] = []
    for raw in re.split(r"\n\s*\n", text):
        flat = _one_line(raw)
        runs_on = found and (
            found[-1][-1:] in ":,\0"
            or flat[:1].islower()
            or (flat[:1] == "\0" and found[-1][-1:] not in ".!?")
        )
        if runs_on and flat:
            found[-1] += " " + flat
        elif flat:
            found.append(flat)
    return found


def _written(sentence: str, named: list[_Named]) -> str:
    return re.sub(r"\0(\d+)\0", lambda m: named[int(m[1])].written, sentence)


def _one_line(text: str) -> str:
    return " ".join(text.split())
