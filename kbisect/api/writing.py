# SPDX-License-Identifier: GPL-2.0-or-later
"""The line to write instead of one that a change breaks.

In this order: as converted callers were written, as the declarations alone tell, left out as
callers left it out. An answer that names what the headers don't have is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kbisect.api import conversion, replacement
from kbisect.api.comparison import FOLDERS
from kbisect.api.conversion import Conversion, Stranger
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import CallerChange, Finding
from kbisect.api.lifetimes import Past
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
    """

    write: str = ""
    left_out: int = 0
    callers: tuple[CallerChange, ...] = ()
    example: Conversion | None = None


@dataclass(slots=True)
class Writer:
    """Writes lines anew; call sites that were read for one serve the next."""

    past: Past
    _sites: dict[tuple[str, str], list[Conversion]] = field(default_factory=dict)
    _words: Vocabulary | None = None

    def advice(self, finding: Finding, use: str, owner: str = "") -> Advice:
        """Return what to write instead of a line, for a change of what it uses.

        `owner` is the struct whose member is missing there, if the compiler said so.
        """
        return self._advice(finding, use, owner, _STEPS)

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
        found = None
        if use:
            fitting = [each for each in listed if not _keeps_argument(finding, each)]
            found = conversion.rewritten(use, word, fitting, self._is_there)
            # A name that callers were given then may have been given up since.
            found = found or conversion.rewritten(use, word, fitting, _is_shared)
        text, example = found or (replacement.substituted(finding, callers, use, word), example)
        text = "" if replacement.is_mistyped(finding, use, text) else text
        text = self._brought_up(finding, use, text, steps) if text else ""
        text = text or self._through_table(finding, use, word)
        text = text or self._nested(finding, use, word, owner)
        text = text or self._brought_up(finding, use, replacement.fitted(finding, use), steps)
        if text or not use:
            return Advice(text, callers=callers, example=example)
        alike = conversion.left_out(use, word, listed)
        is_lost = not (converted or finding.replacements or finding.new_name)
        if len({each.path for each in alike}) > (0 if is_lost else 1):
            return Advice("", len(alike), callers, alike[0])
        return Advice("", callers=callers, example=example)

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
        if text and self._pointer(finding, target):
            return text
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
            for oid in _commits(finding):
                asked.setdefault(oid, []).append(key)
        place = {oid: at for at, oid in enumerate(asked)}
        found: dict[tuple[str, str], list[tuple[int, Conversion]]] = {}
        for patch in patches.of_commits(self.past.repository, asked, FOLDERS):
            for key in asked[patch.oid]:
                rows = replacement.converted(patch, key[1], wanted[key])
                found.setdefault(key, []).extend((place[patch.oid], row) for row in rows)
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
            self._words = Vocabulary(self.past.repository, self.past.trees[-1].values())
        return self._words.has(name, variable=variable)

    def _is_there(self, stranger: Stranger) -> bool:
        return self._has(stranger.name, variable=stranger.is_variable)

    def _brought_up(self, finding: Finding, use: str, text: str, steps: int) -> str:
        """Follow names that were given up in their turn (`input_dev`, `iif`, `skb_iif`)."""
        gone = [
            each for each in conversion.strangers(text, use) if not self._is_lasting(finding, each)
        ]
        for each in gone:
            later = self._given_up(finding, each.name) if steps else None
            text = self._advice(later, text, "", steps - 1).write if later is not None else ""
            if not text:
                return ""
        return text

    def _is_lasting(self, finding: Finding, stranger: Stranger) -> bool:
        """Whether a name is there in the end; a new member of the same struct must be one still."""
        owner = _owner(finding.new)
        if finding.new_name == f"{owner}.{stranger.name}":
            lives = self.past.lives(owner)[owner].of(finding.new_name).lives
            return any(life.until is None for life in lives)
        return self._is_there(stranger)

    def _given_up(self, finding: Finding, name: str) -> Finding | None:
        """Return the change that took a name which an earlier one brought."""
        owner = _owner(finding.new)
        whole = f"{owner}.{name}" if owner else name
        lives = self.past.lives(owner or name)[owner or name].of(whole)
        ends = ("-renamed", "-removed", "-moved")
        listed = (e for e in lives.events[::-1] if e.name == whole and e.kind.endswith(ends))
        return next(listed, None)

    def _through_table(self, finding: Finding, use: str, word: str) -> str:
        """Call a function that moved to a table through the field that points to the table."""
        target = next((name for name in finding.replacements if "." in name), "")
        found = re.search(rf"((?:->|\.)\s*){re.escape(word)}\b(?=\s*[(;),])", use)
        if not target or found is None or finding.struct is None:
            return ""
        table, _, callback = target.partition(".")
        pointer = self._pointer(finding, table)
        if not pointer:
            return ""
        return use[: found.start()] + f"{found[1]}{pointer}->{callback}" + use[found.end() :]

    def _pointer(self, finding: Finding, table: str) -> str:
        """Return the field of the old one's struct that points to a table, empty if none does."""
        fields = self.past.fields(finding.struct or "")
        pointed = re.compile(rf"\bstruct {table} \*$")
        return next((each.name for each in fields if pointed.search(each.type)), "")

    def _nested(self, finding: Finding, use: str, word: str, owner: str) -> str:
        """Reach a member that lies deeper, or less deep, in the same struct now."""
        old = finding.old
        if old is None or finding.caution is not None:
            return ""
        if old.what is What.FIELD:
            owner, path, kind = old.owner, old.name, old.type
        elif old.what is What.MACRO and owner and "." in old.type:  # `fl4_dst` in a `flowi`
            path = old.type
            lives = self.past.lives(owner)[owner].of(f"{owner}.{path}").lives
            kind = lives[0].declaration.type if lives else ""
        else:
            return ""
        leaf = path.rsplit(".", 1)[-1]
        places = [
            name
            for name, declaration in self._members(owner, 2)
            if name.rsplit(".", 1)[-1] == leaf and declaration.type == kind and name != path
        ]
        if len(places) != 1:
            return ""
        return re.sub(rf"(->|\.)(\s*){re.escape(word)}\b", rf"\g<1>{places[0]}", use)

    def _members(self, owner: str, deep: int) -> Iterable[tuple[str, Declaration]]:
        """Return a struct's members, those of structs inside it too."""
        for one in self.past.fields(owner):
            yield one.name, one
            inside = re.fullmatch(r"(?:struct|union) (\w+)", one.type)
            if inside and deep:
                for name, declaration in self._members(inside[1], deep - 1):
                    yield f"{one.name}.{name}", declaration


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
