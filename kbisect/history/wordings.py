# SPDX-License-Identifier: GPL-2.0-or-later
"""What the words around a commit's name say of it: it is blamed, built on, likened. Pure.

No message is understood here; a few hundred words stand in for that. What stands before the name in
its sentence decides first ("introduced by", "like", "follow-up to"), then what is said of it
("forgot to"), then whether the commit that speaks mends something at all.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["blames", "builds-on", "like", "unclear"]

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
_FIXED_THERE = re.compile(
    r"\b(?:was|were|been|is|got)\W+(?:already\W+)?(?:fixed|solved|resolved|addressed)\b"
    r"(?:\W+[\w.-]+){0,5}?\W+(?:in|by|with)\W+(?:the\W+(?:patch|commit|change)\W+)?$"
)
_TO_FIX = re.compile(r"^\W*to\s+(?:fix|solve|avoid|address|cure)\s+(?:this|that|it|the\s+same)\b")
_BREAKS = re.compile(r"^\s+(?:broke|breaks)\b")
_ASIDE = re.compile(
    r"^\W*(?:suggests?|did(?:n'?t|\s+not)\s+get\s+merged?|was\s+(?:never|not)\s+merged)\b"
)
_AS_FOUND = re.compile(r"\bas\s+(?:we\s+)?(?:found|seen|shown|noted|explained|learned)\b" + _NEAR)
_RESTORES = re.compile(
    r"\b(?:restor\w+|revert\w*|go(?:es)?\s+back|return\w*)\b.*\b(?:before|prior\s+to)"
    r"\W+(?:\w+\W+){0,2}$"
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
_TITLE = re.compile(r"""["“][^"”]{3,150}["”]|(?<!\w)'[^'"]{8,150}'(?!\w)""")
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


def mends(subject: str) -> bool:
    """Say whether a commit of this subject mends something."""
    return _MENDS.search(subject) is not None


def judge(mending: bool, previous: str, left: str, right: str, following: str) -> Kind:
    """Judge what is said of a commit that a sentence names.

    Parameters
    ----------
    mending : whether the commit that speaks mends something
    previous : the sentence before, lower case as are all
    left, right : what stands before the name in its sentence, and behind it
    following : the next two sentences
    """
    if _AS_FOUND.search(left):
        return "like"
    left = _REPORTED.sub("", _TITLE.sub("", left))
    clause = left if left.strip()[-1:] in {":", ";"} else re.split(r"[;:]\s|\bbut\b", left)[-1]
    if _BREAKS.match(right) or _RESTORES.search(clause):
        return "blames"
    if _ASIDE.match(right):
        return "unclear"
    if (
        _LIKE.search(clause)
        or _TO_FIX.match(right)
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
    if _FIXED_THERE.search(clause) and not _BAD.search(right):
        return "unclear"
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
        plain = _INTRODUCED.search(left) and not (mending or trouble or _FIXING.search(left))
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
        if later or (mending and (agent or doubt or _ODD.search(following))):
            return "blames"
        return "builds-on" if agent else "unclear"
    return "blames" if mending and trouble else "unclear"
