# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a driver outside the tree uses what changed, line by line. Pure.

There is no compiler: the type of a variable is read from its declaration in the same file. Where
none is found, a member counts if no other struct could have it, and is said to be unsure.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from kbisect.api import chunks
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.surface import include_name

# Each begins with a plain word, which is looked for three times as fast as a choice of two.
_POINTED, _FURTHER = (
    [re.compile(rf"{tag}\s+(\w+){rest}") for tag in ("struct", "union")]
    for rest in (
        r"\s*[*\s]\s*\*?\s*(?:const\s+)?(\w+)\s*(?=[;,)=\[])",
        r"\s*\*?\s*\w+((?:\s*,\s*\*?\s*\w+)+)\s*;",
    )
)
_INITIALISED = [
    re.compile(rf"{tag}\s+(\w+)\s+\w+(?:\s*\[[^\]]*\])?\s*=\s*\{{") for tag in ("struct", "union")
]
_MEMBER = re.compile(
    # In a chain the next use begins with the name that this one ends with.
    r"(?:\b(\w+)(?:\[[^\[\]]*\])?|\))\s*(?:->|\.)\s*(?=(\w+))|(?<=[\s,{])\.(\w+)\s*=[^=]"
)
_OLD_STYLE = re.compile(r"^\s+(\w+)\s*:\s*&?\w+\s*,", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+)", re.MULTILINE)
_DEFINED = re.compile(r"^(?:[\w*]+[\s*]+)+(\w+)\s*\([^;{}]*\)\s*\{", re.MULTILINE)
_OWN = re.compile(
    r"^[ \t]*#[ \t]*define[ \t]+(\w+)|^(?:struct|union|enum)\s+(\w+)\s*\{", re.MULTILINE
)
_NUMBER = re.compile(
    r"(?:const )?(?:unsigned |signed )?(?:__)?(?:char|short|int|long|bool|size_t|gfp_t"
    r"|[us](?:8|16|32|64)|u_?int\d*(?:_t)?)(?: int| long)*$"
)
_VARIABLE = (
    r"\b(?!(?:return|goto|case|else|sizeof)\b)[A-Za-z_]\w*(?:\s+\**|\*+\s*){name}\s*[;,)=\[]"
)
_VALUES = {What.MACRO, What.ENUMERATOR}
_SHORT = 3  # letters: many structs have such a member
Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """One use of something that changed; `sure` is False when the type of the object is a guess."""

    file: str
    line: int
    text: str
    finding: Finding
    sure: bool


def hits(sources: Mapping[str, bytes], findings: Iterable[Finding]) -> Iterator[Hit]:
    """Find the lines of some files that the changes break.

    Parameters
    ----------
    sources : file name to content
    findings : Finding, those that break nobody are ignored
    """
    findings = tuple(findings)
    breaking = [
        finding
        for finding in findings
        if finding.compatibility in (Compatibility.BREAKING, Compatibility.UNKNOWN)
        and not finding.kind.endswith("-added")
        and not _passes_alike(finding)
    ]
    members: dict[str, list[Finding]] = {}
    names: dict[str, list[Finding]] = {}
    headers: dict[str, Finding] = {}
    for finding in breaking:
        if finding.old is None:
            headers[include_name(finding.header)] = finding
        elif finding.old.what is What.FIELD:
            members.setdefault(finding.old.name.rsplit(".", 1)[-1], []).append(finding)
        else:
            names.setdefault(finding.old.name, []).append(finding)
    fields = {
        finding.new.name.rsplit(".", 1)[-1]
        for finding in findings
        if finding.new is not None and finding.new.what is What.FIELD
    }
    texts = {name: chunks.clean(content) for name, content in sources.items()}
    own = {
        name
        for text in texts.values()
        for pattern in (_DEFINED, _OWN)
        for found in pattern.finditer(text)
        for name in found.groups()
        if name
    }
    types = variables(texts.values())
    for file, text in sorted(texts.items()):
        shown = sources[file].decode("utf-8", "replace").splitlines()
        found = [
            *_included(sources[file].decode("latin-1"), headers),
            *_members(text, members, types),
            *_named(text, {name: each for name, each in names.items() if name not in own}, fields),
        ]
        yield from _told(file, text, shown, sorted(found, key=lambda each: each[0]))


def _told(
    file: str, text: str, shown: Sequence[str], found: Sequence[tuple[int, Finding, bool]]
) -> Iterator[Hit]:
    """Tell each change once a line; a guess not beside what is sure and says the same."""
    by_line: dict[int, dict[str, tuple[Finding, bool]]] = {}
    for at, finding, sure in found:
        line = text.count("\n", 0, at) + 1
        if line <= len(shown):
            by_line.setdefault(line, {}).setdefault(finding.name, (finding, sure))
    for line, told in by_line.items():
        known = {finding.commit for finding, sure in told.values() if sure}
        for finding, sure in told.values():
            inside = finding.name.rpartition(".")[0]
            if (sure or finding.commit not in known) and inside not in told:
                yield Hit(file, line, shown[line - 1].strip(), finding, sure)


def _passes_alike(finding: Finding) -> bool:
    """Whether a function takes numbers of another width only: who calls it needn't care."""
    old, new = finding.old, finding.new
    if old is None or new is None or old.what is not What.FUNCTION or new.what is not What.FUNCTION:
        return False
    if old.name != new.name or old.parameters is None or new.parameters is None:
        return False
    if len(old.parameters) != len(new.parameters):
        return False
    mine, yours = (old.type, *old.parameters), (new.type, *new.parameters)
    return all(
        one == other or (_NUMBER.match(one) and _NUMBER.match(other))
        for one, other in zip(mine, yours, strict=True)
    )


def _is_harmless_guess(finding: Finding) -> bool:
    """Whether a member that changed its type is read and written as before, if it is that one."""
    old, new = finding.old, finding.new
    if not finding.kind.endswith("-retyped") or old is None or new is None:
        return False
    return old.parameters is None and ("*" in old.type) == ("*" in new.type)


def _reads_alike(finding: Finding, text: str, found: re.Match[str]) -> bool:
    """Whether an array became a pointer to the same (`dev_addr`), and only its content is used."""
    old, new = finding.old, finding.new
    if old is None or new is None or finding.kind != "field-retyped":
        return False
    element = re.match(r"(.*?)\s*\[[^\[\]]*\]$", old.type)
    if element is None or new.type.removesuffix("*").rstrip() != element[1]:
        return False
    line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
    return not re.search(r"(?:\bsizeof\s*\(?|&)\s*[\w>.\s-]*$", line)


def variables(texts: Iterable[str]) -> dict[str, set[str]]:
    """Return the structs and unions that variables of cleaned sources are of, or point to."""
    types: dict[str, set[str]] = {}
    for text in texts:
        for pattern in _POINTED:
            for found in pattern.finditer(text):
                types.setdefault(found[2], set()).add(found[1])
        for pattern in _FURTHER:
            for found in pattern.finditer(text):
                for variable in _WORD.findall(found[2]):
                    types.setdefault(variable, set()).add(found[1])
    return types


@dataclass(frozen=True, slots=True)
class MemberUse:
    """A use of a member: `p->name`, `.name =` or `name:`.

    Attributes
    ----------
    match : where in the text
    name : str
    owners : structs that the object may be of, None when nothing tells
    is_chained : whether the object is a member itself, which `owners` may not know
    """

    match: re.Match[str]
    name: str
    owners: Set[str] | None
    is_chained: bool = False

    @property
    def at(self) -> int:
        """Where the name begins."""
        return self.match.start(self.match.lastindex or 1)

    def of(self, owner: str) -> bool | None:
        """Whether it is a member of a struct; None when that may be."""
        if self.owners is not None and owner in self.owners:
            return True if len(self.owners) == 1 else None
        return None if self.owners is None or self.is_chained else False


class Tables:
    """Where a cleaned source sets up structs member by member, and which."""

    def __init__(self, text: str) -> None:
        found = [(each.start(), each[1]) for p in _INITIALISED for each in p.finditer(text)]
        found += [(each.start(), "") for each in re.finditer(r"\n\}", text)]
        self._begins = sorted(found)

    def at(self, place: int) -> str:
        """Return the struct that is set up at a place (an offset); empty if none is."""
        before = bisect.bisect_left(self._begins, (place,)) - 1
        return self._begins[before][1] if before >= 0 else ""


def member_uses(
    text: str,
    names: Container[str],
    types: Mapping[str, Set[str]],
    tables: Tables,
    spans: Iterable[Span] = (),
) -> Iterator[MemberUse]:
    """Find the uses of members of some names in a cleaned source, or in some spans of it.

    `types` is what `variables` returned, for this source or several.
    """
    for pattern in (_MEMBER, _OLD_STYLE):
        for start, end in spans or ((0, len(text)),):
            for found in pattern.finditer(text, start, end):
                name = found[found.lastindex or 1]
                if name not in names:
                    continue
                if pattern is _MEMBER and found[2]:
                    chained = text[max(found.start() - 8, 0) : found.start()].rstrip()
                    is_chained = chained.endswith(("->", "."))
                    yield MemberUse(found, name, types.get(found[1] or ""), is_chained)
                    continue
                table = tables.at(found.start())
                yield MemberUse(found, name, {table} if table else None)


def _included(text: str, headers: Mapping[str, Finding]) -> Iterator[tuple[int, Finding, bool]]:
    for found in _INCLUDE.finditer(text):
        if found[1] in headers:
            yield found.start(1), headers[found[1]], True


def _members(
    text: str, members: Mapping[str, list[Finding]], types: Mapping[str, Set[str]]
) -> Iterator[tuple[int, Finding, bool]]:
    declared = set(re.findall(r"\b(\w+)\s*(?:\[[^\]]*\])?\s*;", text))
    for use in member_uses(text, members, types, Tables(text)):
        for finding in members[use.name]:
            owner = finding.old.owner if finding.old is not None else ""
            is_of = use.of(owner)
            named = use.owners is not None and owner in use.owners
            if named and not _reads_alike(finding, text, use.match):
                yield use.at, finding, is_of is True
            elif is_of is None and not named:
                crowd = len(members[use.name]) > 1
                is_own = use.name in declared or crowd or len(use.name) <= _SHORT
                if not is_own and not _is_harmless_guess(finding):
                    yield use.at, finding, False


def _named(
    text: str, names: Mapping[str, list[Finding]], fields: Collection[str]
) -> Iterator[tuple[int, Finding, bool]]:
    if not names:
        return
    declared = {*re.findall(r"(?<![.>\w])(\w+)\s*(?:\[[^\]]*\])?\s*;", text), *fields}

    @cache
    def is_variable(name: str) -> bool:
        # `type *name` and `type name`, but not the product `one * name`.
        return re.search(_VARIABLE.format(name=name), text) is not None

    for found in _WORD.finditer(text):
        for finding in names.get(found.group(), ()):
            old = finding.old
            assert old is not None
            if old.parameters is None and old.what in _VALUES and is_variable(found.group()):
                continue
            before = text[max(0, found.start() - 12) : found.start()].rstrip()
            after = text[found.end() : found.end() + 4].lstrip()
            if before.endswith(("->", ".")):
                # `fl.fl4_dst`, where fl4_dst is a macro for the way to a member
                if _is_path(old) and found.group() not in declared:
                    yield found.start(), finding, False
                continue
            if old.key[0] == "tag":
                if re.search(r"\b(?:struct|union|enum)$", before):
                    yield found.start(), finding, True
            elif old.parameters is not None and finding.kind.endswith("-signature"):
                if after.startswith("("):
                    yield found.start(), finding, True
            elif not re.search(r"\b(?:struct|union|enum)$", before) or _is_alias(old):
                yield found.start(), finding, old.parameters is None or after.startswith("(")


def _is_alias(old: Declaration) -> bool:
    """Whether a macro is another name, perhaps of a struct: `#define dev_mc_list dev_addr_list`."""
    return (
        old.what is What.MACRO and old.parameters is None and _WORD.fullmatch(old.type) is not None
    )


def _is_path(old: Declaration) -> bool:
    return old.what is What.MACRO and old.parameters is None and old.name.islower()
