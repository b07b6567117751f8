# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the laws of differences on real releases, and print what breaks them.

Run it by hand, on an indexed repository: `KBISECT_NET_REPO=… KBISECT_STORE=… python -m
tests.api.laws [-v] [A B C]`. The releases must follow each other; the default is v2.6.21,
v2.6.22, v2.6.23.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from kbisect.api import comparison, difference, surface, symbols
from kbisect.api.comparison import compare
from kbisect.api.declarations import Declaration, What
from kbisect.api.extraction import extract
from kbisect.api.findings import Finding
from kbisect.api.proof import Key
from kbisect.api.sides import Side
from kbisect.git import blobs, patches
from kbisect.git.blobs import Files
from kbisect.git.repository import Repository
from kbisect.history import names

State = Mapping[tuple[str, str], frozenset[object]]


def main() -> int:
    """Print one line a law; return 1 if one is broken."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    listed = words or ["v2.6.21", "v2.6.22", "v2.6.23"]
    repository = Repository.open(os.environ["KBISECT_NET_REPO"], os.environ["KBISECT_STORE"])
    oids = [names.resolve(repository, name) for name in listed]
    broken = 0
    for law in (_itself, _complete, _mirror, _composition, _sum, _mutations):
        begun = time.monotonic()
        checked, wrong = law(repository, oids)
        broken += bool(wrong)
        title = (law.__doc__ or "").split(".", maxsplit=1)[0]
        seconds = time.monotonic() - begun
        print(f"{title:<58}{checked:>6} checked {len(wrong):>5} wrong {seconds:6.1f} s")
        shown = wrong if "-v" in sys.argv[1:] else wrong[:5]
        for each in shown:
            print(f"    {each}")
    return 1 if broken else 0


def _itself(repository: Repository, oids: list[str]) -> tuple[int, list[str]]:
    """A with A is empty."""
    found = compare(repository, oids[0], oids[0]).findings
    return 1, [finding.name for finding in found]


def _complete(repository: Repository, oids: list[str]) -> tuple[int, list[str]]:
    """What came and what went is what only one side has."""
    states = [_Names.at(repository, oid) for oid in oids]
    checked, wrong = 0, []
    for old, new in pairwise(range(len(oids))):
        net = _net(compare(repository, oids[old], oids[new]).findings, states[old], states[new])
        mine, yours = states[old].keys, states[new].keys
        facts = dict.fromkeys(yours - mine, 1) | dict.fromkeys(mine - yours, -1)
        checked += len(facts)
        wrong += [
            f"{key}: {net.get(key, 0):+d} told, {facts.get(key, 0):+d} in the headers"
            for key in net.keys() | facts.keys()
            if net.get(key, 0) != facts.get(key, 0)
        ]
    return checked, sorted(wrong)


def _mirror(repository: Repository, oids: list[str]) -> tuple[int, list[str]]:
    """B with A is the mirror of A with B, commits included."""
    old, new = (_Names.at(repository, oid) for oid in oids[:2])
    forth = compare(repository, oids[0], oids[1]).findings
    back = compare(repository, oids[1], oids[0]).findings
    one = {comparison.ends(finding): finding for finding in forth}
    other = {comparison.ends(finding)[::-1]: finding for finding in back}
    came, went = _net(forth, old, new), _net(back, new, old)
    wrong = [
        f"{key}: {came.get(key, 0):+d} forth, {went.get(key, 0):+d} back"
        for key in came.keys() | went.keys()
        if came.get(key, 0) != -went.get(key, 0)
    ]
    wrong += [
        f"{_told(one[key])} but back {other[key].kind} by {(other[key].commit or 'none')[:12]}"
        for key in one.keys() & other.keys()
        if one[key].commit != other[key].commit
    ]
    return len(one), sorted(wrong)


def _composition(repository: Repository, oids: list[str]) -> tuple[int, list[str]]:
    """A to C is A to B and then B to C."""
    states = [_Names.at(repository, oid) for oid in oids]
    first, second, net = (
        _net(compare(repository, oids[old], oids[new]).findings, states[old], states[new])
        for old, new in ((0, 1), (1, 2), (0, 2))
    )
    # Names that are there: what came and went in either half, against what came and went in all.
    steps = {key: first.get(key, 0) + second.get(key, 0) for key in first.keys() | second.keys()}
    wrong = [
        f"{key}: {steps.get(key, 0):+d} in steps, {net.get(key, 0):+d} in all"
        for key in steps.keys() | net.keys()
        if steps.get(key, 0) != net.get(key, 0)
    ]
    return len(net), sorted(wrong)


def _sum(repository: Repository, oids: list[str]) -> tuple[int, list[str]]:
    """The commits' differences add up to the release's."""
    folders = surface.FOLDERS
    states: dict[str, State] = {}
    trees = [_public(blobs.at_commit(repository, oid, folders)) for oid in oids[:2]]
    touched: dict[str, list[tuple[str, str]]] = {}
    for patch in patches.patches(repository, oids[0], oids[1], folders):
        for file in patch.files:
            if surface.is_public(file.path):
                touched.setdefault(file.path, []).append((file.old_blob, file.new_blob))
    wanted = {oid for pairs in touched.values() for pair in pairs for oid in pair}
    wanted |= {tree[path] for tree in trees for path in touched if path in tree}
    wanted -= {patches.NO_BLOB}
    for oid, content in blobs.read(repository, sorted(wanted)):
        states[oid] = _state(extract("x.h", content).declarations)
    states[patches.NO_BLOB] = {}
    wrong = []
    for path, pairs in touched.items():
        # A change that two branches made is there once: sets, not numbers.
        first, last = (_shapes(states[tree.get(path, patches.NO_BLOB)]) for tree in trees)
        state = set(first)
        for old, new in pairs:
            went, came = _shapes(states[old]), _shapes(states[new])
            state = (state - (went - came)) | (came - went)
        wrong += [f"{path}: {key} in commits only" for key, _ in state - last]
        wrong += [f"{path}: {key} in all only" for key, _ in last - state]
    return len(touched), sorted(wrong)


def _mutations(repository: Repository, oids: list[str]) -> tuple[int, list[str]]:
    """Every seeded mutation is found with its kind."""
    files = _public(blobs.at_commit(repository, oids[0], surface.FOLDERS))
    content = dict(blobs.read(repository, sorted(set(files.values()))))
    texts = {path: content[oid].decode("latin-1") for path, oid in files.items()}
    return mutated(texts, 300)


def mutated(texts: Mapping[str, str], count: int, seed: int = 1) -> tuple[int, list[str]]:
    """Mutate one declaration at a time and compare; return how many, and what was not found."""
    chance = random.Random(seed)
    headers = {path: extract(path, text.encode("latin-1")) for path, text in texts.items()}
    whole = Side.of(headers.values())
    fields = [
        declaration
        for listed in whole.fields.values()
        for declaration in listed
        if "." not in declaration.name
        and len(whole.by_key[declaration.key]) == 1
        and len(whole.by_key.get(("tag", declaration.owner), ())) == 1
        and declaration.parameters is None
    ]
    functions = [
        listed[0]
        for listed in whole.by_key.values()
        if len(listed) == 1 and listed[0].what is What.FUNCTION and listed[0].parameters
    ]
    fields = [one for one in fields if _field_line(texts, one)]
    functions = [one for one in functions if _prototype(texts, one)]
    wrong = []
    for number in range(count):
        one, kind, text = _mutation(texts, chance, fields, functions, number)
        changed = extract(one.header, text.encode("latin-1"))
        other = [h for path, h in headers.items() if path != one.header and _shares(h, one)]
        before = Side.of([headers[one.header], *other])
        after = Side.of([changed, *other])
        found = {f.name: f for f in difference.compare(before, after)}
        hit = found.get(one.shown)
        if hit is None or kind not in hit.kinds:
            seen = hit.kinds if hit is not None else "nothing"
            wrong.append(f"{kind} of {one.shown} ({one.header}:{one.line}): {seen}")
        elif len(found) > (2 if kind.endswith("-removed") else 1):
            wrong.append(f"{kind} of {one.shown}: also {sorted(set(found) - {one.shown})[:3]}")
    return count, wrong


def _mutation(
    texts: Mapping[str, str],
    chance: random.Random,
    fields: list[Declaration],
    functions: list[Declaration],
    number: int,
) -> tuple[Declaration, str, str]:
    sort = number % 6
    one = chance.choice(fields if sort < 4 else functions)
    lines = texts[one.header].split("\n")
    line = lines[one.line - 1]
    name = re.escape(one.name)
    if sort == 0:  # without a commit a rename is a removal and an addition
        lines[one.line - 1] = re.sub(rf"\b{name}\b", f"{one.name}_renamed", line, count=1)
        return one, "field-removed", "\n".join(lines)
    if sort == 1:
        lines[one.line - 1] = re.sub(rf"\b{name}\b", f"*{one.name}", line, count=1)
        return one, "field-retyped", "\n".join(lines)
    if sort == 2:
        lines[one.line - 1] = f"#ifdef CONFIG_MUTATION\n{line}\n#endif"
        return one, "condition-changed", "\n".join(lines)
    if sort == 3:
        lines[one.line - 1] = re.sub(rf"\b{name}\b", f"__rcu {one.name}", line, count=1)
        return one, "field-retyped", "\n".join(lines)
    if sort == 4:
        lines[one.line - 1] = re.sub(rf"\b{name}\s*\(", f"{one.name}(int mutation, ", line, count=1)
        return one, "function-signature", "\n".join(lines)
    lines[one.line - 1] = re.sub(rf"\b{name}\s*\(", f"{one.name}_renamed(", line, count=1)
    return one, "function-removed", "\n".join(lines)


def _field_line(texts: Mapping[str, str], one: Declaration) -> bool:
    line = texts[one.header].split("\n")[one.line - 1]
    plain = re.sub(r"/\*.*?\*/", "", line).strip()
    if len(re.findall(rf"\b{re.escape(one.name)}\b", line)) != 1:
        return False  # `ax25_dev *ax25_dev;`
    return (
        bool(
            re.fullmatch(
                r"(?:struct |union |const |unsigned )*\w+[\s*]+" + re.escape(one.name) + ";", plain
            )
        )
        and "/*" not in line.replace("/* ", "", 1).split("*/")[-1]
    )


def _prototype(texts: Mapping[str, str], one: Declaration) -> bool:
    line = texts[one.header].split("\n")[one.line - 1]
    return (
        len(re.findall(rf"\b{re.escape(one.name)}\s*\(", line)) == 1
        and one.name not in (one.parameters or ())
        and "#" not in line
    )


def _shares(header: object, one: Declaration) -> bool:
    declarations = getattr(header, "declarations", ())
    return any(each.key == one.key for each in declarations)


def _public(files: Files) -> dict[str, str]:
    return {path: oid for path, oid in files.blobs.items() if surface.is_public(path)}


def _state(declarations: Iterable[Declaration]) -> State:
    found: dict[tuple[str, str], set[object]] = {}
    for one in declarations:
        found.setdefault(one.key, set()).add((one.signature, one.condition))
    return {key: frozenset(shapes) for key, shapes in found.items()}


def _shapes(state: State) -> set[tuple[object, object]]:
    return {(key, shape) for key, shapes in state.items() for shape in shapes}


@dataclass(frozen=True, slots=True)
class _Names:
    """All names of one version: those of headers, and the symbols exported."""

    side: Side
    keys: frozenset[Key]

    @classmethod
    def at(cls, repository: Repository, oid: str) -> _Names:
        files = _public(blobs.at_commit(repository, oid, surface.FOLDERS))
        content = dict(blobs.read(repository, sorted(set(files.values()))))
        side = Side.of(extract(path, content[blob]) for path, blob in files.items())
        lines = blobs.lines_with(repository, oid, symbols.WORDS, symbols.FOLDERS)
        exported = {one.key for one in symbols.declared(lines).values()}
        return cls(side, frozenset({*side.by_key, *exported}))

    def with_inside(self, key: Key | None) -> set[Key]:
        """Return a key and what is inside of it: the fields of a struct that goes go with it."""
        sort, name = key or ("", "")
        if sort not in ("tag", "field"):
            return {key} if key else set()
        owner, _, path = (name if sort == "field" else f"{name}.").partition(".")
        below = f"{path}." if path else ""
        listed = self.side.fields.get(owner, ())
        return {(sort, name), *(one.key for one in listed if one.name.startswith(below))}


def _net(findings: Iterable[Finding], old: _Names, new: _Names) -> dict[Key, int]:
    """Return what came (1) and what went (-1), each once; what is in both was given anew."""
    went: set[Key] = set()
    came: set[Key] = set()
    for finding in findings:
        one, other = comparison.ends(finding)
        if finding.kind.startswith("header"):
            continue
        if one != other:
            went |= old.with_inside(one)
            came |= new.with_inside(other)
        if one and {"symbol-removed", "symbol-renamed"} & set(finding.also):
            went.add(("symbol", one[1]))
        if other and {"symbol-added", "symbol-renamed"} & set(finding.also):
            came.add(("symbol", other[1]))
    return {key: (key in came) - (key in went) for key in came ^ went}


def _told(finding: Finding) -> str:
    target = f" -> {finding.new_name}" if finding.new_name else ""
    return f"{finding.kind} {finding.name}{target} by {(finding.commit or 'none')[:12]}"


if __name__ == "__main__":
    sys.exit(main())
