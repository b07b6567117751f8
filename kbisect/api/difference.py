# SPDX-License-Identifier: GPL-2.0-or-later
"""What changed between two sets of headers. Pure: declarations in, findings out.

Who changed it, and what a removed thing became, takes history: the pairs come from
`renames`, commits are added by `attribution`.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kbisect.api import conditions, effects, relocations
from kbisect.api.declarations import Declaration, Gap, What
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.proof import Key, Pair, last_name
from kbisect.api.sides import Side, unmatched
from kbisect.api.surface import include_name

_NOTHING: Mapping[Key, Pair] = {}
_NOWHERE: Mapping[str, str] = {}


def compare(
    old: Side,
    new: Side,
    pairs: Mapping[Key, Pair] = _NOTHING,
    moved_headers: Mapping[str, str] = _NOWHERE,
) -> Iterator[Finding]:
    """Compare two versions.

    Parameters
    ----------
    old, new : Side
    pairs : dict, optional
        What removed declarations became, by their key; those that are no fact become
        replacements that are only supposed.
    moved_headers : dict, optional
        Paths of headers that a commit moved, old to new.

    Yields
    ------
    Finding, one a change, without commit and callers
    """
    yield from _Comparison(old, new, pairs, moved_headers).findings()


def gaps(old: Side, new: Side) -> list[Gap]:
    """Return the spans not understood that one side has and the other has not."""
    found = []
    for here, there in ((old, new), (new, old)):
        known: dict[str, set[str]] = {}
        for path, header in there.headers.items():
            known.setdefault(include_name(path), set()).update(gap.text for gap in header.gaps)
        for path, header in here.headers.items():
            texts = known.get(include_name(path), set())
            found += [gap for gap in header.gaps if gap.text not in texts]
    return found


class _Comparison:
    def __init__(
        self, old: Side, new: Side, pairs: Mapping[Key, Pair], moved: Mapping[str, str]
    ) -> None:
        self.old, self.new = old, new
        self.facts = {key: pair for key, pair in pairs.items() if pair.is_fact}
        self.guesses = {key: pair for key, pair in pairs.items() if not pair.is_fact}
        self.headers = dict(relocations.destinations(old, new, moved))
        self.structs: dict[str, str] = {}
        self.aliases: dict[str, str] = {}

    def findings(self) -> Iterator[Finding]:
        yield from relocations.findings(self.old, self.new, self.headers)
        consumed = {pair.new.key for pair in self.facts.values()}
        removed, added = unmatched(self.old, self.new)
        for declaration in removed:
            if declaration.key[0] == "tag":
                yield from self._tag(declaration)
        for declaration in removed:
            if declaration.key[0] != "tag":
                yield self._removed(declaration)
        for old_name, new_name in self.structs.items():
            yield from self._members(old_name, new_name)
        members = {("tag", name) for name in self.structs.values()}
        for declaration in added:
            if declaration.key not in consumed and declaration.key not in members:
                yield _one("added", declaration, None, declaration, Compatibility.COMPATIBLE)
        for key, variants in self.old.by_key.items():
            if key not in self.new.by_key:
                continue
            if key in self.facts or key in consumed:
                yield from self._given_anew(key, consumed)
            else:
                yield from self._changed(variants, self.new.by_key[key])

    # --- what went -----------------------------------------------------------------------------

    def _tag(self, old: Declaration) -> Iterator[Finding]:
        alias = self._alias(old.name)
        pair = self.facts.get(old.key)
        if alias is not None and ("tag", alias) in self.new.by_key:
            new = self.new.first(("tag", alias))
            self.structs[old.name] = self.aliases[old.name] = alias
            yield _one(
                "renamed", old, old, new, Compatibility.COMPATIBLE, signals=("alias macro kept",)
            )
        elif pair is not None:
            self.structs[old.name] = pair.new.name
            yield self._renamed(old, pair)
        else:
            yield self._removed(old)

    def _removed(self, old: Declaration) -> Finding:
        pair = self.facts.get(old.key)
        if pair is not None:
            return self._renamed(old, pair)
        if old.what is What.FIELD and (behind := self._behind(old)) is not None:
            return _one(
                "moved", old, old, behind, Compatibility.COMPATIBLE, signals=("alias macro kept",)
            )
        alias = self._alias(old.name) if old.what is not What.FIELD else None
        if alias is not None and ("name", alias) in self.new.by_key:
            new = self.new.first(("name", alias))
            return _one(
                "renamed", old, old, new, Compatibility.COMPATIBLE, signals=("alias macro kept",)
            )
        finding = _one("removed", old, old, None, Compatibility.BREAKING)
        if re.search(rf"\b{last_name(old)}\b", self._not_understood(old)):
            return replace(
                finding,
                compatibility=Compatibility.UNKNOWN,
                signals=("named in a span not understood",),
            )
        guess = self.guesses.get(old.key)
        if guess is not None:
            words = (f"perhaps, {guess.confidence:.2f}", *guess.signals)
            return replace(finding, replacements=(_shown(guess.new),), signals=words)
        return finding

    def _not_understood(self, old: Declaration) -> str:
        """Return what the new side's header of that name has that could not be read."""
        again = self.new.headers.get(old.header)
        return " ".join(gap.text for gap in again.gaps) if again is not None else ""

    def _renamed(self, old: Declaration, pair: Pair) -> Finding:
        new = pair.new
        same_name = old.name.rsplit(".", 1)[-1] == new.name.rsplit(".", 1)[-1]
        also = []
        elsewhere = old.what is What.FIELD and new.owner != self.structs.get(old.owner, old.owner)
        moved = elsewhere or (
            old.what is not What.FIELD
            and include_name(old.header) != include_name(new.header)
            and self.headers.get(old.header, ("", False))[0] != new.header
        )
        what = "moved" if same_name else "renamed"
        if moved and not same_name:
            also.append(f"{old.what.value}-moved")
        if old.what is not new.what and {old.what, new.what} != {What.STRUCT, What.UNION}:
            also.append("kind-changed")
        also += [kind for kind, _ in effects.changes(old, new) if kind != "kind-changed"]
        return replace(
            _one(what, old, old, new, Compatibility.BREAKING, confidence=pair.confidence),
            also=tuple(dict.fromkeys(also)),
            signals=pair.signals,
        )

    def _alias(self, name: str) -> str | None:
        """Return what the new side's `#define name other` gives for a name."""
        for variant in self.new.by_key.get(("name", name), ()):
            if variant.what is What.MACRO and variant.parameters is None:
                body = variant.type.removeprefix("struct ").removeprefix("union ")
                if re.fullmatch(r"[A-Za-z_]\w*", body) and body != name:
                    return body
        return None

    def _behind(self, old: Declaration) -> Declaration | None:
        """Return the field that a macro of the old one's name leads to (`__sk_common.skc_prot`)."""
        for variant in self.new.by_key.get(("name", old.name), ()):
            if variant.what is not What.MACRO or variant.parameters is not None:
                continue
            owner = self.structs.get(old.owner, old.owner)
            steps = variant.type.split(".")
            for place, step in enumerate(steps):
                rest = ".".join(steps[place:])
                if ("field", f"{owner}.{rest}") in self.new.by_key:
                    return self.new.first(("field", f"{owner}.{rest}"))
                if ("field", f"{owner}.{step}") not in self.new.by_key:
                    break
                owner = re.sub(
                    r"^(?:struct|union) ", "", self.new.first(("field", f"{owner}.{step}")).type
                )
        return None

    def _members(self, old_name: str, new_name: str) -> Iterator[Finding]:
        """Compare the fields of a struct that was renamed, under its new name."""
        theirs = {
            declaration.name: declaration for declaration in self.new.fields.get(new_name, ())
        }
        mine = {declaration.name: declaration for declaration in self.old.fields.get(old_name, ())}
        for name, old in mine.items():
            if "." in name and name.rsplit(".", 1)[0] not in theirs:
                continue
            if name in theirs:
                yield from self._changed([replace(old, owner=new_name)], [theirs[name]], old)
            else:
                yield self._removed(old)
        for name, new in theirs.items():
            if (
                name not in mine
                and ("." not in name or name.rsplit(".", 1)[0] in mine)
                and not any(pair.new.key == new.key for pair in self.facts.values())
            ):
                yield _one("added", new, None, new, Compatibility.COMPATIBLE)

    def _given_anew(self, key: Key, consumed: Container[Key]) -> Iterator[Finding]:
        """Tell of a name that went, and was given to something else."""
        yield self._removed(self.old.first(key))
        if key not in consumed:
            new = self.new.first(key)
            yield _one("added", new, None, new, Compatibility.COMPATIBLE)

    # --- what stayed ---------------------------------------------------------------------------

    def _changed(
        self,
        olds: Sequence[Declaration],
        news: Sequence[Declaration],
        named: Declaration | None = None,
    ) -> Iterator[Finding]:
        old, new = _representatives(olds, news)
        kinds: list[str] = []
        compatibility = Compatibility.COMPATIBLE
        old_headers = {include_name(variant.header) for variant in olds}
        new_headers = {include_name(variant.header) for variant in news}
        if (
            old.what is not What.FIELD
            and not old_headers & new_headers
            and not any(
                self.headers.get(variant.header, ("",))[0] == new.header for variant in olds
            )
            and not (
                old.what is What.ENUMERATOR
                and new.what is What.ENUMERATOR
                and old.owner
                and self._moves_along(old, new)
            )
        ):
            kinds.append(f"{old.what.value}-moved")
            if not relocations.reaches(self.new, old.header, new.header):
                compatibility = Compatibility.BREAKING
        if old.signature != new.signature and not _covered(olds, news):
            # Where a macro keeps a struct's old name, its new one in a type breaks nobody.
            aliased = self._spelt_anew(old)
            harmless = aliased is not old and not list(effects.changes(aliased, new))
            for kind, effect in effects.changes(old, new):
                kinds.append(kind)
                if harmless:
                    continue
                compatibility = effects.worse(compatibility, effect)
        before = self._needs(olds if named is None else [named], self.old)
        after = self._needs(news, self.new)
        condition = old_condition = None
        if before != after and _configured(before ^ after):
            kinds.append("condition-changed")
            condition, old_condition = _spell(after), _spell(before)
            if not conditions.implies(before, after):
                compatibility = Compatibility.BREAKING
        if not kinds:
            return
        shown = named or old
        yield replace(
            _one("moved", shown, shown, new, compatibility),
            kind=kinds[0],
            also=tuple(kinds[1:]),
            new_name=None if named is None else _shown(new),
            condition=condition,
            old_condition=old_condition,
        )

    def _spelt_anew(self, old: Declaration) -> Declaration:
        """Return a declaration with the structs it names called as alias macros now call them."""
        if not self.aliases:
            return old

        def new(text: str) -> str:
            return re.sub(r"\w+", lambda word: self.aliases.get(word.group(), word.group()), text)

        parameters = None if old.parameters is None else tuple(map(new, old.parameters))
        if (new(old.type), parameters) == (old.type, old.parameters):
            return old
        return replace(old, type=new(old.type), parameters=parameters)

    def _moves_along(self, old: Declaration, new: Declaration) -> bool:
        """Whether an enumerator only went where its enum went."""
        return old.owner == new.owner

    def _needs(self, variants: Sequence[Declaration], side: Side) -> frozenset[frozenset[str]]:
        """Return the configuration a declaration needs beyond that of its struct."""
        listed = []
        for variant in variants:
            terms = variant.condition
            outer: set[str] = set()
            if variant.what is What.FIELD:
                for tag in side.by_key.get(("tag", variant.owner), ()):
                    if tag.header == variant.header and set(tag.condition) <= set(terms):
                        outer |= set(tag.condition)
            listed.append(tuple(term for term in terms if term not in outer))
        return conditions.union(listed)


def _representatives(
    olds: Sequence[Declaration], news: Sequence[Declaration]
) -> tuple[Declaration, Declaration]:
    """Choose the variants to compare: those that differ, under the likest condition."""
    new_signatures = {variant.signature for variant in news}
    old_signatures = {variant.signature for variant in olds}
    gone = [variant for variant in olds if variant.signature not in new_signatures] or list(olds)
    came = [variant for variant in news if variant.signature not in old_signatures] or list(news)
    old = min(gone, key=lambda variant: len(variant.condition))
    new = min(
        came,
        key=lambda variant: (
            variant.what is not old.what,
            variant.condition != old.condition,
            include_name(variant.header) != include_name(old.header),
            len(variant.condition),
        ),
    )
    return old, new


def _covered(olds: Sequence[Declaration], news: Sequence[Declaration]) -> bool:
    """Whether one side's variants are among the other's: a variant came or went, none changed."""
    one = {variant.signature for variant in olds}
    other = {variant.signature for variant in news}
    return one <= other or other <= one


def _configured(differing: Iterable[frozenset[str]]) -> bool:
    return any("CONFIG_" in term for terms in differing for term in terms)


def _spell(needs: frozenset[frozenset[str]]) -> str:
    """Write a need out; empty when there is none."""
    if frozenset() in needs:
        return ""
    return " || ".join(sorted(" && ".join(sorted(terms)) for terms in needs))


def _shown(declaration: Declaration) -> str:
    return declaration.shown


def _one(
    verb: str,
    named: Declaration,
    old: Declaration | None,
    new: Declaration | None,
    compatibility: Compatibility,
    *,
    signals: tuple[str, ...] = (),
    confidence: float = 1.0,
) -> Finding:
    """Make a finding about one declaration."""
    elsewhere = old is not None and new is not None and old.header != new.header
    condition = " && ".join((new or named).condition) or None
    renamed = old is not None and new is not None and old.key != new.key
    return Finding(
        f"{named.what.value}-{verb}",
        _shown(named),
        compatibility,
        named.header,
        old=old,
        new=new,
        new_name=_shown(new) if renamed and new is not None else None,
        new_header=new.header if elsewhere and new is not None else None,
        condition=condition,
        confidence=confidence,
        signals=signals,
    )
