# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of a name over all releases: when it came, what it became, when it went, by whom.

Only the headers that declare the name are read, of a struct only its own lines, and only the
commits that change those: the index says which.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from kbisect.api import cache, chunks, comparison, relocations
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Finding
from kbisect.api.garbage import uncollected
from kbisect.api.headers import Headers
from kbisect.api.lives import Life, Lives, Version, lives_of, row_of
from kbisect.api.scope import Scope
from kbisect.api.sides import Side
from kbisect.api.surface import Surface
from kbisect.git import blobs, patches
from kbisect.git.patches import CommitPatch
from kbisect.git.repository import Repository
from kbisect.history import releases as naming

if TYPE_CHECKING:
    from kbisect.history.store import Index

_WORD = re.compile(rb"\w+")
_FEW = 20
"""Names that are looked for one by one."""
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(?:if|el|end)(?:\\\n|[^\n])*", re.MULTILINE)


@dataclass(slots=True)
class Past:
    """The releases of a repository and the public headers of each; read when first needed.

    `until` is the last release that counts, None for the newest.
    """

    repository: Repository
    index: Index
    until: str | None = None
    _known: dict[str, Lives] = field(default_factory=dict)
    _trees: list[Mapping[str, str]] = field(default_factory=list)
    _newest: Side | None = None
    _names: set[str] = field(default_factory=set)

    @property
    def releases(self) -> list[tuple[str, str]]:
        """The releases looked at: the finished ones, and what lies before and behind them."""
        named = [(name, oid) for name, oid in self.index.meta.releases if naming.is_mainline(name)]
        last = next((at for at, (name, _) in enumerate(named) if name == self.until), len(named))
        named = named[: last + 1]
        return [
            (name, oid)
            for place, (name, oid) in enumerate(named)
            if place in (0, len(named) - 1) or not naming.is_candidate(name)
        ]

    def release_of(self, oid: str) -> str | None:
        """Return the first release that contains a commit."""
        number = self.index.oids.number(oid)
        return None if number is None else self.index.release_of(number)

    @property
    def surface(self) -> Surface:
        """The public headers: those of networking, and those below the folders that are indexed."""
        return Surface(tuple(self.index.meta.scope))

    @property
    def trees(self) -> list[Mapping[str, str]]:
        """The public headers of each release: path to blob."""
        if not self._trees:
            for _, oid in self.releases:
                found = blobs.at_commit(self.repository, oid, self.surface.folders).blobs
                self._trees.append({p: b for p, b in found.items() if self.surface.holds(p)})
        return self._trees

    def lives(self, *names: str) -> dict[str, Lives]:
        """Return the lives of structs, functions, macros, types or constants, by their name.

        A name that no release ever declared has no lives.
        """
        missing = []
        kept = {}
        for name in dict.fromkeys(names):
            if name in self._known:
                continue
            kept[name] = cache.Answers(
                self.repository.store, "lives", name, self.releases, self.surface.paths
            )
            row = kept[name].get()
            known = None if row is None else lives_of(name, row)
            if known is None:
                missing.append(name)
            else:
                self._known[name] = known
        if missing:
            with uncollected():
                for name, content in self._declaring(missing).items():
                    self._known[name] = _Search(self, name, content).lives()
                    if self._known[name].lives:  # a log may have thousands that are no names
                        kept[name].put(row_of(self._known[name]))
        return {name: self._known[name] for name in names}

    def fields(self, owner: str) -> list[Declaration]:
        """Return a struct's fields as the last release has them; lives would cost much more."""
        newest = self._last()
        found = newest.fields.get(owner, ())
        return [newest.first(key) for key in dict.fromkeys(each.key for each in found)]

    def named(self, name: str) -> Declaration | None:
        """Return a function, macro or constant as the last release has it; None if it has none."""
        newest, key = self._last(), ("name", name)
        return newest.first(key) if key in newest.by_key else None

    def lacks(self, header: str, other: str) -> bool:
        """Whether who includes a header doesn't get another one with it, in the last release."""
        return not relocations.reaches(self._last(), header, other)

    def _last(self) -> Side:
        if self._newest is None:
            headers = Headers(self.repository, {})
            headers.load(self.trees[-1].values())
            self._newest = Side.of(headers.versions(self.trees[-1]))
        return self._newest

    def near(self, name: str) -> list[str]:
        """Return names of the newest release that are like an unknown one; members of that name."""
        owner, _, member = name.partition(".")
        if member:
            names = {life.name for life in self.lives(owner)[owner].lives}
        else:
            members = [key[1] for key in self._last().by_key if key[1].endswith(f".{name}")]
            if members:
                return sorted(members)[:3]
            names = self._called()
        return difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.75)

    def _called(self) -> set[str]:
        """Return the names of the newest release that look like functions, macros and structs."""
        if not self._names:
            for _, content in blobs.read(self.repository, sorted(set(self.trees[-1].values()))):
                text = content.decode("latin-1")
                self._names |= set(re.findall(r"\b[A-Za-z_]\w{3,}\b(?=\s*[({])", text))
        return self._names

    def _declaring(self, names: Sequence[str]) -> dict[str, dict[str, bytes]]:
        """Return by name the blobs that seem to declare it, with their content."""
        words = {name.encode(): name for name in names}
        mentioned: dict[str, dict[str, bytes]] = {name: {} for name in names}
        wanted = {blob for tree in self.trees for blob in tree.values()}
        any_word = re.compile(rb"\b(?:" + b"|".join(map(re.escape, words)) + rb")\b")
        for oid, content in blobs.read(self.repository, sorted(wanted)):
            # Taking the words out costs the same for one name and for a thousand.
            there = any_word.findall(content) if len(words) < _FEW else _WORD.findall(content)
            for word in words.keys() & set(there):
                mentioned[words[word]][oid] = content
        for name, found in mentioned.items():
            tag = _tag(name)
            tagged = {oid: text for oid, text in found.items() if tag.search(text)}
            macro = _macro(name)
            alias = {oid: text for oid, text in found.items() if macro.search(text)}
            mentioned[name] = tagged | alias if tagged else found
        return mentioned


def _tag(name: str) -> re.Pattern[bytes]:
    return re.compile(
        rf"\b(?:struct|union|enum)\s+(?:\w+\s+)*{re.escape(name)}\b[^;(){{}},=*]*\{{".encode()
    )


def _macro(name: str) -> re.Pattern[bytes]:
    return re.compile(rf"^[ \t]*#[ \t]*define[ \t]+{re.escape(name)}\b".encode(), re.MULTILINE)


_Brought: TypeAlias = dict[str, list[Version]]


class _Search:
    """Follows one name from release to release."""

    def __init__(self, past: Past, name: str, content: Mapping[str, bytes]) -> None:
        self.past, self.name = past, name
        self.tag = _tag(name)
        # A struct that was renamed may live on as a macro of its name (`dev_mc_list`).
        self.macro = re.compile(_macro(name).pattern.decode() + ".*", re.MULTILINE)
        self.spelling = re.compile(
            _macro(name).pattern
            + rb"(?:\\\n|[^\n])*|\b"
            + re.escape(name).encode()
            + rb"\s*\([^;{]*",
            re.MULTILINE,
        )
        self.is_tag = any(self.tag.search(text) for text in content.values())
        self.headers = Headers(past.repository, {o: self._own(c) for o, c in content.items()})
        self.declaring = set(content)
        self.scope = Scope(structs=(name,)) if self.is_tag else Scope(names=(name,))

    def _own(self, content: bytes) -> bytes:
        """Leave out all of a header but the struct and the conditions around it."""
        if not self.is_tag:
            return content
        text = chunks.clean(content)
        kept = [found.span() for found in _DIRECTIVE.finditer(text)]
        kept += [found.span() for found in self.macro.finditer(text)]
        kept += [
            (found.start(), _end(text, found.end()))
            for found in self.tag.finditer(text.encode("ascii"))
        ]
        out = bytearray(chunks.blank(text).encode("ascii"))
        for start, end in kept:
            out[start:end] = text[start:end].encode("ascii")
        return bytes(out)

    @cached_property
    def paths(self) -> list[str]:
        """The headers that ever declared it."""
        return sorted(
            {p for tree in self.past.trees for p, blob in tree.items() if blob in self.declaring}
        )

    def lives(self) -> Lives:
        if not self.paths:
            return Lives(self.name, tuple(name for name, _ in self.past.releases), (), (), ())
        commits = self._commits()
        names = [name for name, _ in self.past.releases]
        sides = [self._side(tree) for tree in self.past.trees]
        made = _Lives()
        made.begin(self._declared(sides[0]))
        for place in range(1, len(names)):
            old, new = sides[place - 1], sides[place]
            if old is new or old.headers == new.headers:
                continue
            result = comparison.along(
                old, new, self.headers, commits.get(names[place], ()), self.scope
            )
            found = [
                replace(f, release=self.past.release_of(f.commit) if f.commit else names[place])
                for f in result.findings
            ]
            made.step(
                self._declared(new),
                found,
                (names[place - 1], names[place]),
                self._brought(commits.get(names[place], ())),
            )
        return Lives(
            self.name, tuple(names), tuple(made.ended()), tuple(made.events), tuple(made.spans)
        )

    def _brought(self, commits: Sequence[CommitPatch]) -> _Brought:
        """Return by name what it was made by some commits, one after another."""
        found: _Brought = {}
        for commit in commits:
            release = self.past.release_of(commit.oid)
            for file in commit.files:
                before, after = (
                    {} if blob == patches.NO_BLOB else self._texts(file.path, blob)
                    for blob in (file.old_blob, file.new_blob)
                )
                for name, declaration in after.items():
                    if name not in before or before[name].text != declaration.text:
                        made = Version(declaration, release, commit.oid)
                        found.setdefault(name, []).append(made)
        return found

    def _texts(self, path: str, blob: str) -> dict[str, Declaration]:
        return self._declared(Side.of([self.headers(path, blob)]))

    def _side(self, tree: Mapping[str, str]) -> Side:
        found = {p: tree[p] for p in self.paths if p in tree}
        wanted = {p: blob for p, blob in found.items() if blob in self.declaring}
        return Side.of([self.headers(path, blob) for path, blob in wanted.items()])

    def _declared(self, side: Side) -> dict[str, Declaration]:
        """Return the name, and a struct's fields, as the side has them."""
        found = {}
        for key in side.by_key:
            one = side.first(key)
            inside = one.what is What.FIELD and one.owner == self.name
            if inside or (one.what is not What.FIELD and one.name == self.name):
                found[one.shown] = one
        return found

    def _commits(self) -> dict[str, list[CommitPatch]]:
        """Return the commits that change the declaration, by the finished release they are in."""
        index = self.past.index
        marks = ", ".join("?" for _ in self.paths)
        rows = index.rows(
            f"SELECT DISTINCT r.number, c.oid FROM changes c JOIN rows r ON r.oid = c.oid"
            f" WHERE c.path IN ({marks}) ORDER BY r.number",
            self.paths,
        )
        listed = list(patches.of_commits(self.past.repository, (r[1] for r in rows), self.paths))
        wanted = {
            blob
            for commit in listed
            for file in commit.files
            for blob in (file.old_blob, file.new_blob)
            if blob not in self.declaring and blob != patches.NO_BLOB
        }
        loose = {
            oid: self._own(content)
            for oid, content in blobs.read(self.past.repository, sorted(wanted))
        }
        self.headers.give(loose)
        finished = self._finished()
        found: dict[str, list[CommitPatch]] = {}
        for commit in listed:
            files = tuple(file for file in commit.files if self._differs(file))
            release = finished.get(self.past.release_of(commit.oid) or "")
            if files and release:
                found.setdefault(release, []).append(replace(commit, files=files))
        return found

    def _finished(self) -> dict[str, str]:
        """Return by release the next one that is looked at."""
        looked = {name for name, _ in self.past.releases}
        found: dict[str, str] = {}
        after = ""
        for name, _ in reversed(self.past.index.meta.releases):
            if naming.is_mainline(name):
                after = name if name in looked else after
                found[name] = after
        return found

    def _differs(self, file: patches.FilePatch) -> bool:
        if self.is_tag:
            one, other = (
                b"" if blob == patches.NO_BLOB else self.headers.content(blob)
                for blob in (file.old_blob, file.new_blob)
            )
            return one != other
        word = self.name.encode()
        if any(word in line for h in file.hunks for line in (*h.removed, *h.added)):
            return True
        # The line that changed may be a later one of the declaration.
        before, after = (
            [] if blob == patches.NO_BLOB else self.spelling.findall(self.headers.content(blob))
            for blob in (file.old_blob, file.new_blob)
        )
        return before != after


class _Lives:
    """Collects lives from one release to the next."""

    def __init__(self) -> None:
        self.open: dict[str, Life] = {}
        self.closed: list[Life] = []
        self.events: list[Finding] = []
        self.spans: list[tuple[str, str]] = []

    def begin(self, declared: Mapping[str, Declaration]) -> None:
        self.open = {
            name: Life(name, found, None, None, versions=(Version(found, None, None),))
            for name, found in declared.items()
        }

    def step(
        self,
        declared: Mapping[str, Declaration],
        found: list[Finding],
        span: tuple[str, str],
        brought: _Brought,
    ) -> None:
        """Go one release on.

        Findings don't tell of a member that came into a new struct later, nor of texts that differ
        only in what breaks nobody; `brought` does.
        """
        self.events += found
        self.spans += [span] * len(found)
        went = {f.name: f for f in found if not f.kind.endswith("-added")}
        came = {f.new_name or f.name: f for f in found}
        for name in [name for name in self.open if name not in declared]:
            event = _around(name, went)
            became = None
            if event is not None and event.name == name:
                became = event.new_name or ", ".join(event.replacements) or None
            elif event is not None:  # the union went as a whole; callers of this member say more
                use = name.removeprefix(event.name.rpartition(".")[0] + ".")
                became = next((row.became for row in event.callers if row.use == use), None)
            self.closed.append(
                replace(
                    self.open.pop(name),
                    until=(event.release if event else None) or span[1],
                    until_commit=event.commit if event else None,
                    became=became,
                )
            )
        for name, declaration in declared.items():
            event = _around(name, came)
            made = Version(declaration, span[1], None)
            if event is not None and event.name == name:
                made = Version(declaration, event.release or span[1], event.commit)
            life = self.open.get(name)
            if life is None:
                if event is not None and event.name != name:
                    first = next(iter(brought.get(name, ())), None)
                    by = first if first is not None else event
                    made = Version(declaration, by.release or span[1], by.commit)
                versions = _versions(made, brought)
                life = Life(name, declaration, made.release, made.commit, versions=versions)
            elif life.declaration.text != declaration.text:
                life = replace(life, versions=(*life.versions, *_versions(made, brought)))
            self.open[name] = replace(life, declaration=declaration)

    def ended(self) -> Iterator[Life]:
        yield from sorted(
            [*self.closed, *self.open.values()],
            key=lambda life: ("." in life.name, life.declaration.line),
        )


def _versions(made: Version, brought: _Brought) -> tuple[Version, ...]:
    """Return what a name was made on the way to a version, and that, if the commits tell."""
    told = brought.get(made.declaration.shown, ())
    known = told and told[-1].declaration.text == made.declaration.text
    return tuple(told) if known else (made,)


def _around(name: str, events: Mapping[str, Finding]) -> Finding | None:
    """Return the event of a name, or of what it is inside of."""
    while True:
        if name in events:
            return events[name]
        if "." not in name:
            return next((f for n, f in events.items() if n.split()[-1] == name), None)
        name = name.rsplit(".", 1)[0]


def _end(text: str, at: int) -> int:
    """Return where the declaration ends whose brace was opened before `at`."""
    depth = 1
    for found in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if found.group() == "{" else -1
        if depth == 0:
            semicolon = text.find(";", found.end())
            return semicolon + 1 if semicolon >= 0 else len(text)
    return len(text)
