# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits named in prose, the only links there are before 2013: who is blamed, who is not. Pure.

No message is understood here; a few hundred words stand in for that. Each id becomes a token, so
that the subject quoted behind it can't mislead; what stands before it in its sentence decides
first ("introduced by", "like", "follow-up to"), then what is said of it ("forgot to"), then whether
this commit mends something at all. A fix that is said to be incomplete is blamed: whoever took it
needs this one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

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
_NEAR = r"""\W+(?:[\w'"/-]+\W+){0,4}$"""

# Wording, strongest first: what stands before the id decides, then what is said of it.
_LIKE = re.compile(
    r"\b(?:(?<!looks )(?<!seems )like(?:wise)?|similar(?:ly)?|same|"
    r"analog\w*|inspired|mirror(?:s|ing)?|equivalent|"
    r"as\s+(?:was\s+|is\s+|has\s+been\s+)?(?:done|did|fixed|in|per|with|for)|based\s+(?:up)?on|"
    r"(?:back|forward)?-?port(?:ed|s|ing)?|cop(?:y|ied|ies)|taken|borrow\w*|variant|version|"
    r"counterpart|model+ed|cherry-?pick\w*|identical|corresponds?|"
    r"(?<!the )(?<!these )(?<!by )(?<!in )following|"
    r"clone|mimic\w*|"
    r"derived\s+from|"
    r"add(?:s|ing)?\s+(?:\w+\s+){0,3}below)\b" + _NEAR
)
_ALIKE = re.compile(r"^\W*(?:similar\w*|same|like|likewise|analog\w*|do\s+(?:the\s+same|as))\b")
_LIKE_FIXED = re.compile(
    r"\b(?:similar|same|analogous)\W+(?:[\w-]+\W+){0,4}?(?:to|as)\W.*"
    r"\b(?:fixed|solved|done|made|addressed|handled|added)\b\W+(?:[\w'\"/-]+\W+){0,8}$"
)
_HALF_FIXED = re.compile(
    r"\bnot\s+(?:\w+ly|quite|all)\s+(?:fixed|solved|resolved|addressed|handled|cured)\b" + _NEAR
)
_FROM = re.compile(r"\b(?:based\s+on|ported\s+from|taken\s+from|copied\s+from)\b[^.;]*$")
_LIKE_DID = re.compile(
    r"^\W*(?:(?:which|that|already|also|has|have|had)\s+)*(?:did|does|do|done|made|makes|"
    r"fix(?:ed|es)|solved|handled|is|was)\s+(?:\w+\s+){0,2}?(?:the\s+(?:very\s+)?same|"
    r"similar\w*|likewise|analogous)\b"
)
_AS_DID = re.compile(r"\b(?:just\s+)?(?:as|like)\W+(?:\w+\W+){0,2}$")
_DID = re.compile(r"^\W*(?:did|does|do|has|have|already\s+did)\b")
_BUILDS = re.compile(
    r"\b(?:follow(?:s|ed|ing)?[- ]?(?:up|on)|supplement\w*|complement\w*|complet(?:es?|ing|ion)|"
    r"continu\w+|adds?\s+(?:up)?on|adds\s+to|addition(?:al)?\s+to|extend(?:s|ing)?|extension|"
    r"(?:builds?|built|on\s+top)\s+(?:up)?o[nf]|depend(?:s|ing|ent|ency)|requires?|needs|"
    r"prerequisite|prepar\w+|thanks\s+to|now\s+that|possible\s+(?:by|with|since|after)|"
    r"(?:obsolete\w*|un(?:used|needed|necessary)|not\s+(?:needed|used|necessary)|redundant|useless|"
    r"superfluous|dead|(?:no\s+longer|not|anymore)\s+\w+|(?:last|only|remaining)\s+(?:use|"
    r"user|reference|caller)s?\b.*?)"
    r"(?:\W+[\w>-]+){0,4}?\W+(?:since|after|by|in|with|as\s+of)|"
    r"(?:references?|users?|callers?|usages?|uses)\b(?:\W+\w+){0,3}?\W+(?:removed|dropped|"
    r"killed)\W+(?:by|in|with)|"
    r"part\s+of\s+the|"
    r"(?:disabled|deprecated|replaced|superseded|converted|renamed)\s+(?:by|in|with))\b" + _NEAR
)
_SERVES = re.compile(
    r"\b(?:us(?:e|es|ing)|worker|helper|function|facility|infrastructure|framework|api|interface|"
    r"macro|support|field|feature|option|mechanism|method)s?\W+(?:[\w-]+\W+){0,6}"
    r"(?:introduced|intoduced|added|provided)\s+(?:\w+\s+)?(?:by|in|with)\b" + _NEAR
)
_FIXING = re.compile(r"(?i)\bfix|\b(?:bug|problem|leak|regression|oops|crash|warning|error)s?\b")
_REACH = 400
_NOTE = re.compile(r"^\W*(\[\d\])\W*$")
_TITLE = re.compile(r"""["“][^"”]{3,150}["”]""")
_TROUBLE = (
    r"regress\w*|bugs?|buggy|problem\w*|issues?|races?|racy|leak\w*|dead-?lock\w*|oops\w*|crash\w*|"
    r"panic\w*|hangs?|hung|warning\w*|errors?|fail\w*|break\w*|broke\w*|corrupt\w*|"
    r"overflow\w*|typos?|"
    r"time-?outs?|mistak\w*|inadver\w*|inadert\w*|accident\w*|unintention\w*|incorrect\w*|"
    r"improper\w*|"
    r"wrong\w*|erroneous\w*|bogus|forg[eo]t\w*|miss(?:ed|es|ing)|mis(?!s)\w{4,}|overlook\w*|"
    r"omit\w*|"
    r"neglect\w*|incomplete\w*|partial\w*|insufficient\w*|cause[sd]?|causing|culprit|"
    r"bisect\w*|fall-?out|"
    r"not\s+(?:quite|enough|complete\w*|fully|entirely|correct\w*|right|sufficient|proper\w*|appropriate\w*|"
    r"initiali[sz]ed)|"
    r"unfortunate\w*|sadly|harmful|lost|loses?|losing|messed|mixed\s+up|screwed|stop(?:s|ped)\s+working|"
    r"stupid|"
    r"splat\w*|lockups?|stall\w*|garbage|use-after-free|dangling|uninitiali[sz]ed|undefined|"
    r"unbalanced|"
    r"imbalance|mismatch\w*|conflict\w*|bad(?:ly)?|turn(?:s|ed)?\s+out|unreliable|"
    r"incompatib\w*|vulnerab\w*|"
    r"exploit\w*|rendered|complain\w*|reversed|swapped|degrad\w*|off[- ]by|disappear\w*|"
    r"left\s+out|overw(?:rote|rites|ritten)|dead|uncover\w*|expos(?:ed|es)|"
    r"trigger(?:s|ed)|change\s+in\s+behaviou?r|behaviou?r\s+change|only\s+(?:half|part|some|"
    r"partly)|partly|spurious|defect\w*|attempt(?:s|ed)\s+to|"
    r"(?:tries|tried|supposed|meant)\s+to|no\s+longer\s+(?:works?|gets?|sees?|possible)|"
    r"bails?\s+out|undid|"
    r"should\s+(?:not\s+have|have|be\s+reverted)|shouldn'?t\s+have|too\s+(?:\w+\s+)?(?:early|"
    r"late|many|much|small|big|large|strict|long|short)"
)
_REFERS = re.compile(
    r"\b(?:see|cf|refer|compare|according|describ\w+|document\w+|explain\w*|discuss\w*|"
    r"mention\w*|details|"
    r"(?:was|were|been|is|got|already)\s+(?:fixed|solved|resolved|addressed|reverted))\b" + _NEAR
)
_REPORTED = re.compile(
    r"^\W*(?:\S+\s+){0,8}?(?:noticed|report(?:s|ed)|says|said|found|finds|spotted|"
    r"pointed\s+out|discovered|"
    r"noted|thinks?|suspects?|believes?|seems|appears|looks)(?:[\s,]+(?:that|like|"
    r"as\s+if))?(?:\s+the\s+patch)?\s+"
)
_ABRUPT = re.compile(
    r"^\W*(?:(?:this|that|it|which|the\s+(?:change|code|problem|"
    r"behaviou?r)[\w\s]*)\s+)?(?:(?:was|is|were|has\s+been|got)\s+)?"
    r"(?:first\s+)?(?:introduced|added|dropped|removed|lost|changed)\s+(?:in|by|with)\b" + _NEAR
)
_UNDOES = re.compile(
    r"\brevert(?:s|ing)?\b.*\b(?:introduced|added|made|done)\W+(?:by|in|with)\b" + _NEAR
)
_REMOVABLE = re.compile(
    r"\b(?:can|could|may|should)\s+(?:now\s+)?be\s+(?:removed|dropped|deleted|killed)\b"
)
_UNDONE = re.compile(r"^\W*(?:was|were|has\s+been|got|is)\s+(?:\w+\s+)?(?:reverted|backed\s+out)\b")
_DENIES = re.compile(
    r"\b(?:never|doesn'?t|does\s+not|didn'?t|did\s+not|can'?t|cannot|couldn'?t|won'?t|unable|"
    r"nothing)\b"
    r"(?!\s+(?:be\s+)?(?:need|use|require|matter|change))"
)
_WORKED = re.compile(r"\b(?:before|prior\s+to|until)\W+(?:\w+\W+){0,2}$")
_DOUBT = (
    r"null|dereferenc\w*|never|doesn'?t|does\s+not|didn'?t|did\s+not|isn'?t|is\s+not|wasn'?t|"
    r"was\s+not|"
    r"aren'?t|are\s+not|can'?t|cannot|couldn'?t|won'?t|unable|no\s+longer|without|however|but|"
    r"should|"
    r"unconditional\w*|too|restor\w+|re-?enabl\w*|still|instead\s+of|needs?|needed|have\s+to|"
    r"has\s+to|must|"
    r"unexpected\w*|slow\w*|poor\w*|useless|remov\w+|dropped"
)
_BLAMED = re.compile(
    r"\b(?:(?:introduced|broken?|caused|created|triggered|exposed|uncovered|brought|reintroduced|"
    r"induced|provoked|originated|started|appeared|began|happen\w*|occur\w*|comes?|coming|"
    r"came|seen|left|lost|dropped|removed)\b"
    r"(?:\W+\w+){0,6}?\W+(?:by|in|with|since|from|after|during|through)|"
    r"(?:regression\w*|bugs?|typo\w*|mistake\w*|problem\w*|issue\w*|leak\w*|race|break(?:age|"
    r"s)?|breakages|fail\w*|error\w*|"
    r"warnings?|oops|crash\w*|panic|fall-?out|foobar|deadlock\w*|missing\b.*|missed\b.*|"
    r"overlooked\b.*|forgotten\b.*)"
    r"(?:\W+\w+){0,6}?\W+(?:by|in|with|since|from|after|of|to|due\s+to)|"
    r"bisect\w*\b.*|due\s+to|because\s+of|results?\s+of|consequence\s+of|side[- ]?effect\s+of|"
    r"(?:culprit|origin|cause|offend\w+|guilty|blame\w*)\b.*|"
    r"fix(?:es|ed|up|ing)?(?:\s+\w+)?(?:\s+(?:for|to|of|up|in|from))?|partly\s+reverts?|"
    r"revert\w*\s+(?:a\s+|the\s+|some\s+)?(?:part|bit|piece|portion|hunk|chunk|"
    r"change)s?\s+(?:\w+\s+){0,3}?(?:of|in|from|by)|"
    r"(?:part(?:ly|ial(?:ly)?))\s+revert\w*)" + _NEAR
)
_INTRODUCED = re.compile(r"\b(?:introduced|added|created)\W+(?:\w+\W+){0,2}(?:in|by|with)" + _NEAR)
_BAD = re.compile(rf"\b(?:{_TROUBLE})\b")
_ODD = re.compile(rf"\b(?:{_DOUBT})\b")
_ALSO = re.compile(
    r"\b(?:we|it)\s+(?:can|should|must|need|want|have)?\s*(?:to\s+)?also\b|\b(?:bit|"
    r"even)\s+(?:more|further|better)\b"
)
_ADJUNCT = re.compile(
    r"(?:\b(?:by|in|with|since|from|after|of|to|see|between|during)\W+(?:\w+\W+){0,3}|[(\[]\W*)$"
)
_AGENT = re.compile(
    r"^\W*(?:(?:ever|even|and|so|but|it\s+seems|apparently|however|unfortunately)\W+)*"
    r"(?:in|since|after|with|as\s+of|as|by|before|until|from|due\s+to|when|while|although|though|"
    r"my|the|this|that|our|a|patch|previous|earlier|recent|following|\w+'s|change\w*|fix|"
    r"conversion|"
    r"[\s,:])*(?:[^\s;()]+\s+){0,3}$"
)
_GOOD = re.compile(
    r"^\W*(?:[\w.,-]+\s+){0,9}?(?:(?:can|could)\s+(?:now\s+)?be|allow(?:s|ed)|enabl(?:es|ed)|"
    r"makes?\s+it\s+(?:possible|easy)|made\s+it\s+possible|is\s+now|are\s+now|now\s+(?:has|"
    r"have|supports?))\b"
)
_MENDS = re.compile(
    r"(?i)\b(?:fix\w*|revert\w*|repair\w*|correct\w*|restor\w*|re-?enable|regression\w*|brok\w+|"
    r"break\w*|crash\w*|oops\w*|"
    r"leak\w*|dead-?lock\w*|race\w*|bugs?|avoid\w*|prevent\w*|missing|missed|wrong\w*|bogus|"
    r"warnings?|errors?|"
    r"build|compil\w+|again|properly|do(?:es)?n'?t|do\s+not|null|panic|splats?|must|"
    r"kill(?!\s+(?:\w+\s+){0,2}(?:un\w+|dead|useless|obsolete|redundant)\b)|"
    r"work-?around|undo|back)\b"
)


Kind = Literal["blames", "builds-on", "like", "unclear"]


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
    mends = _MENDS.search(subject) is not None
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
            kind = _judge(mends, *(text.lower() for text in (before, left, right, after)))
            for token in re.findall(r"\0(\d+)\0", group.group()):
                one = named[int(token)]
                # Of several words on one commit the first that says something counts.
                if one.oid not in found or found[one.oid].kind == "unclear":
                    evidence = _written(written, named)
                    found[one.oid] = Mention(kind, evidence, one.oid, one.subject)
    return list(found.values())


def _judge(mends: bool, previous: str, left: str, right: str, following: str) -> Kind:
    left = _REPORTED.sub("", _TITLE.sub("", left))
    clause = left if left.strip()[-1:] in {":", ";"} else re.split(r"[;:]\s|\bbut\b", left)[-1]
    if (
        _LIKE.search(clause)
        or _LIKE_FIXED.search(clause)
        or _FROM.search(clause)
        or _ALIKE.match(clause)
        or _LIKE_DID.match(right)
    ):
        return "like"
    if _AS_DID.search(clause) and _DID.match(right):
        return "like"
    if _HALF_FIXED.search(clause):
        return "blames"
    if _BUILDS.search(clause) or (_SERVES.search(clause) and not _FIXING.search(clause)):
        return "builds-on"
    if _UNDOES.search(left) or (_ABRUPT.match(left) and not _LIKE.search(left)):
        return "blames"
    if _WORKED.search(left) and re.search(r"\bwork(?:s|ed)\b|\bfine\b|\bused\s+to\b", right):
        return "blames"
    trouble = any(_BAD.search(text) for text in (left, right))
    if not trouble and (_REFERS.search(clause) or _UNDONE.match(right)):
        return "unclear"
    doubt = trouble or any(_ODD.search(text) for text in (left, right))
    if _BLAMED.search(left):
        plain = _INTRODUCED.search(left) and not (mends or trouble or _FIXING.search(left))
        return "builds-on" if plain and not _BAD.search(previous) else "blames"
    agent = _AGENT.match(re.split(r":(?:\s|$)", left)[-1]) is not None
    if agent or _ADJUNCT.search(left):
        later = _BAD.search(following) is not None
        if trouble or (agent and _DENIES.search(right[:100])):
            return "blames"
        if agent and _REMOVABLE.search(right):
            return "builds-on"
        if agent and (_ALSO.search(right) or _GOOD.match(right)) and not later:
            return "builds-on"
        if later or (mends and (agent or doubt or _ODD.search(following))):
            return "blames"
        return "builds-on" if agent else "unclear"
    return "blames" if mends and trouble else "unclear"


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
