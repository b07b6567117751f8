# SPDX-License-Identifier: GPL-2.0-or-later
"""The line to write instead of one that a change breaks.

In this order: as converted callers were written, as the declarations alone tell, left out as
callers left it out. An answer that names what the headers don't have is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kbisect.api import conversion, endings, replacement, signatures, soundness
from kbisect.api.comparison import FOLDERS
from kbisect.api.conversion import Conversion, Stranger
from kbisect.api.declarations import Declaration, What
from kbisect.api.endings import Ending, Trace
from kbisect.api.findings import CallerChange, Finding
from kbisect.api.lifetimes import Past
from kbisect.api.lives import Life
from kbisect.api.reach import Reach
from kbisect.api.surface import include_name
from kbisect.api.vocabulary import Vocabulary
from kbisect.git import patches

_COMMITS = 8
"""Commits whose callers are looked at, those that converted most of them first."""
_STEPS = 3
"""How often a name that an answer brings in may have been given up in its turn."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to write.

    Attributes
    ----------
    write : the line, empty when unknown
    left_out : number of callers that left such a line out; 0 unless that is the advice
    callers : what callers of this use became, most common first
    example : a call site that was converted
    includes : headers of new names that who includes the old one's doesn't get with it
    ending : why there is nothing to write: the line must do without; None unless that is sure
    home : the file that keeps it for itself, if that is the ending
    """

    write: str = ""
    left_out: int = 0
    callers: tuple[CallerChange, ...] = ()
    example: Conversion | None = None
    includes: tuple[str, ...] = ()
    ending: Ending | None = None
    home: str = ""


@dataclass(slots=True)
class Writer:
    """Writes lines anew; call sites that were read for one serve the next."""

    past: Past
    _sites: dict[tuple[str, str], list[Conversion]] = field(default_factory=dict)
    _traces: dict[tuple[str, str], Trace] = field(default_factory=dict)
    _words: Vocabulary | None = None
    reach: Reach = field(init=False)

    def __post_init__(self) -> None:
        self.reach = Reach(self.past)

    def advice(self, finding: Finding, use: str, owner: str = "") -> Advice:
        """Return what to write instead of a line, for a change of what it uses.

        `owner` is the struct whose member is missing there, if the compiler said so.
        """
        found = self._advice(finding, use, owner, _STEPS)
        if found.write and not self._is_sound(finding, use, found.write):
            found = replace(found, write="")
        if found.left_out and soundness.is_argument(use, replacement.word(finding)):
            found = replace(found, left_out=0, example=None)
        found = replace(found, includes=tuple(self._includes(finding, use, found.write)))
        if found.write or found.left_out or finding.old is None:
            return found
        self.read([finding])
        traced = self._traces[_key(finding)]
        home = finding.new_header or traced.home
        is_argument = soundness.is_argument(use, replacement.word(finding))
        ending = None if is_argument else endings.ending(finding, traced)
        return replace(found, ending=ending, home=home if ending is Ending.PRIVATE else "")

    def knows(self, name: str) -> bool:
        """Whether the last release still has a word."""
        return self._has(name)

    def _is_sound(self, finding: Finding, use: str, text: str) -> bool:
        old = finding.old
        if old is None or not use:
            return True
        if old.what is What.FIELD and not soundness.has_members(
            use, text, old, self._fields, self._is_way
        ):
            return False
        return soundness.keeps_assignments(use, text) and soundness.keeps_call(
            use, text, old, self.past.named
        )

    def _fields(self, struct: str) -> dict[str, Declaration]:
        return {each.name: each for each in self.past.fields(struct)}

    def _is_way(self, name: str) -> bool:
        """Whether a macro stands for a member: `inet_daddr`."""
        found = self.past.named(name)
        return found is not None and found.what is What.MACRO and found.parameters is None

    def _advice(self, finding: Finding, use: str, owner: str, steps: int) -> Advice:
        callers = replacement.relevant(finding, use)
        told = self._by_kind(finding, callers, use)
        if told is not None:
            return Advice(told, callers=callers)
        word = replacement.word(finding)
        listed = self._conversions(finding, callers)
        converted = [each for each in listed if each.after]
        example = next(filter(conversion.is_telling, converted), None)
        example = example or conversion.customary(converted)
        text, shown = self._as_callers(finding, use, callers, listed)
        example = shown or example
        text = "" if replacement.is_mistyped(finding, use, text) else text
        text = self._brought_up(finding, use, text, steps) if text else ""
        text = text or conversion.read_back(use, word, converted)
        text = text or self.reach.written(finding, use, word, owner, converted)
        text = text or self._brought_up(finding, use, replacement.fitted(finding, use), steps)
        if text or not use:
            return Advice(text, callers=callers, example=example)
        alike = conversion.left_out(use, word, listed)
        is_lost = not (converted or finding.replacements or finding.new_name)
        if len({each.path for each in alike}) > (0 if is_lost else 1):
            return Advice("", len(alike), callers, alike[0])
        return Advice("", callers=callers, example=example)

    def _as_callers(
        self,
        finding: Finding,
        use: str,
        callers: Sequence[CallerChange],
        sites: Sequence[Conversion],
    ) -> tuple[str, Conversion | None]:
        """Write a line as converted callers were, and say which one shows it."""
        word = replacement.word(finding)
        fitting = [each for each in sites if not _keeps_argument(finding, each)]
        # A name that callers were given then may have been given up since.
        for is_known in (self._is_there, _is_shared) if use else ():
            found = conversion.rewritten(use, word, fitting, is_known)
            if found is not None:
                return found
        if conversion.became_bit(word, [each for each in sites if each.after]):
            return "", None
        return replacement.substituted(finding, callers, use, word), None

    def _includes(self, finding: Finding, use: str, text: str) -> Iterator[str]:
        """Find the headers that a line with new names needs."""
        names = [each.name for each in conversion.strangers(text, use)]
        for one in filter(None, map(self.past.named, names if finding.old is not None else ())):
            if one.header.startswith("include/") and self.past.lacks(finding.header, one.header):
                yield include_name(one.header)

    def _by_kind(self, finding: Finding, callers: Sequence[CallerChange], use: str) -> str | None:
        """Return what the kind of the change alone tells; None when callers must be asked."""
        word = replacement.word(finding)
        if finding.kind.startswith("header"):
            target = finding.new_name or finding.new_header
            return _included(target) if target else ""
        if "callback-signature" in finding.kinds and finding.struct == _owner(finding.new):
            text = replacement.prototype(finding, use)
            return text or replacement.substituted(finding, callers, use, word)
        target, text = replacement.table(finding, use, word)
        if text and (pointer := self.reach.pointer(finding, target)):
            return f"{text} {_object(use, word)}{pointer} = &my_{target};"
        if finding.kind.endswith("-moved") and "." not in finding.name:
            return _included(finding.new_header or finding.header)
        return None

    # --- call sites ------------------------------------------------------------------------------

    def read(self, findings: Iterable[Finding]) -> None:
        """Read the call sites of many changes in one go."""
        wanted = {_key(finding): finding for finding in findings}
        wanted = {key: each for key, each in wanted.items() if key not in self._sites}
        if not wanted:
            return
        asked: dict[str, list[tuple[str, str]]] = {}
        for key, finding in wanted.items():
            self._sites[key] = []
            self._traces[key] = Trace()
            for oid in _commits(finding):
                asked.setdefault(oid, []).append(key)
        place = {oid: at for at, oid in enumerate(asked)}
        found: dict[tuple[str, str], list[tuple[int, Conversion]]] = {}
        for patch in patches.of_commits(self.past.repository, asked, FOLDERS):
            for key in asked[patch.oid]:
                rows = replacement.converted(patch, key[1], wanted[key])
                found.setdefault(key, []).extend((place[patch.oid], row) for row in rows)
                if patch.oid == key[0]:
                    self._traces[key] = endings.trace(patch, key[1], wanted[key])
        for key, listed in found.items():
            self._sites[key] = [row for _, row in sorted(listed, key=lambda each: each[0])]

    def _conversions(self, finding: Finding, callers: Sequence[CallerChange]) -> list[Conversion]:
        """Return call sites that commits of the range converted, the likeliest first."""
        self.read([finding])
        became = {row.became.removesuffix("()"): place for place, row in enumerate(callers)}

        def rank(each: Conversion) -> tuple[int, bool, int]:
            words = re.findall(r"\w+", each.after)
            at = min((became[name] for name in words if name in became), default=len(became))
            return at, not each.path.endswith(".c"), len(each.before)

        return sorted(self._sites[_key(finding)], key=rank)

    # --- what there is ---------------------------------------------------------------------------

    def _has(self, name: str, *, variable: bool = False) -> bool:
        if self._words is None:
            newest = self.past.releases[-1][1]
            self._words = Vocabulary(self.past.repository, self.past.trees[-1].values(), newest)
        return self._words.has(name, variable=variable)

    def _is_there(self, stranger: Stranger) -> bool:
        return self._has(stranger.name, variable=stranger.is_variable)

    def _brought_up(self, finding: Finding, use: str, text: str, steps: int) -> str:
        """Follow names that were given up in their turn (`input_dev`, `iif`, `skb_iif`).

        So must what else the line has: constants, members of a struct, parameters.
        """
        gone = [
            each for each in conversion.strangers(text, use) if not self._is_lasting(finding, each)
        ]
        for each in gone:
            later = self._given_up(finding, each.name) if steps else None
            text = self._advice(later, text, "", steps - 1).write if later is not None else ""
            if not text:
                return ""
        for name in conversion.constants(use):
            if steps and re.search(rf"\b{name}\b", text) and not self._has(name):
                later = self.past.lives(name)[name].end
                text = self._advice(later, text, "", steps - 1).write if later is not None else text
        if not all(map(self._has, re.findall(r"\b(?:struct|union) (\w+)", text))):
            return ""
        return self._with_members(use, self._as_called(use, text), steps)

    def _as_called(self, use: str, text: str) -> str:
        """Bring calls that an answer brings in to the parameters they have in the end."""
        for stranger in conversion.strangers(text, use):
            name = stranger.name
            last = self.past.named(name) if conversion.call(text, name) is not None else None
            if last is None or signatures.takes(last, text):
                continue
            life = signatures.current(self.past.lives(name)[name].lives)
            text = self.stepped(life, text).write if life is not None else ""
            if not text:
                return ""
        return text

    def stepped(self, life: Life, use: str) -> Advice:
        """Rewrite a call through each change of its parameters, empty unless it fits in the end."""
        given = conversion.call(use, life.name)
        listed = signatures.steps(life, len(given[2])) if given is not None else []
        text, example = use, None
        for step in listed:
            found = self._advice(step, text, "", 0)
            text, example = found.write or text, example or found.example
        fits = text != use and signatures.takes(life.declaration, text)
        return Advice(text if fits else "", example=example)

    def _with_members(self, use: str, text: str, steps: int) -> str:
        """Give the object of a struct that took another's place the members it has."""
        for struct, variable in re.findall(r"\bstruct (\w+) \*?\s*(\w+)\s*=", text):
            if re.search(rf"\bstruct {struct}\b", use):
                continue
            has = {one.name.split(".")[0] for one in self.past.fields(struct)}
            asked = re.compile(rf"\b{variable}(?:->|\.)(\w+)")
            for member in asked.findall(text):
                if member in has or not has:
                    continue
                later = self.past.lives(member)[member].end if steps else None
                text = self._advice(later, text, "", steps - 1).write if later is not None else ""
            if has and not has.issuperset(asked.findall(text)):
                return ""
        return text

    def _is_lasting(self, finding: Finding, stranger: Stranger) -> bool:
        """Whether a name is there in the end; a new member of the same struct must be one still."""
        owner = _owner(finding.new)
        if finding.new_name == f"{owner}.{stranger.name}":
            lives = self.past.lives(owner)[owner].of(finding.new_name).lives
            return any(life.until is None for life in lives) or self._is_way(stranger.name)
        return self._is_there(stranger)

    def _given_up(self, finding: Finding, name: str) -> Finding | None:
        """Return the change that took a name which an earlier one brought."""
        owner = _owner(finding.new)
        whole = f"{owner}.{name}" if owner else name
        lives = self.past.lives(owner or name)[owner or name].of(whole)
        ends = ("-renamed", "-removed", "-moved")
        listed = (e for e in lives.events[::-1] if e.name == whole and e.kind.endswith(ends))
        return next(listed, None)


def _object(use: str, word: str) -> str:
    """Return the object whose member a line has, with its arrow: `dev->`."""
    found = re.search(rf"([\w.>\[\]-]*?(?:->|\.))\s*{re.escape(word)}\b", use)
    return found[1] if found else ""


def _included(header: str) -> str:
    """Return the line that includes a header; a private one is for nobody else."""
    return f"#include <{include_name(header)}>" if header.startswith("include/") else ""


def _is_shared(stranger: Stranger) -> bool:
    """Whether a name could be everybody's: another caller's own variable is not."""
    return not stranger.is_variable


def _keeps_argument(finding: Finding, site: Conversion) -> bool:
    """Whether a caller passed on what is of another type now: its variable changed, too."""
    old, new = finding.old, finding.new
    if old is None or new is None or old.parameters is None or new.parameters is None:
        return False
    before = conversion.call(site.before, old.name)
    after = conversion.call(site.after, new.name)
    if before is None or after is None:
        return False
    olds = zip(before[2], old.parameters, strict=False)
    news = dict(zip(after[2], new.parameters, strict=False))
    return any(
        argument in news and _pointee(kind) != _pointee(news[argument]) for argument, kind in olds
    )


def _pointee(kind: str) -> str:
    """Return the struct that a type points to, empty for any other type."""
    found = re.search(r"\b(?:struct|union) (\w+) \*$", kind)
    return found[1] if found else ""


def _owner(declaration: Declaration | None) -> str:
    if declaration is None or declaration.what is not What.FIELD:
        return ""
    return declaration.owner


def _key(finding: Finding) -> tuple[str, str]:
    return finding.commit or "", replacement.word(finding)


def _commits(finding: Finding) -> list[str]:
    oids = list(dict.fromkeys(row.commit for row in finding.callers))[:_COMMITS]
    if finding.commit and finding.commit not in oids:
        oids.append(finding.commit)
    return oids
