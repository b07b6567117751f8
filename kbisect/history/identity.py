# SPDX-License-Identifier: GPL-2.0-or-later
"""Is this commit on that branch, in whatever form? Pure.

A marker decides first, since a person wrote it. Then what a person rarely changes: subject, author
and author date; author and date; subject and author. Then the patch itself: with its context, and
without. Each of them pairs only what it tells apart: a key that two commits of one side share
decides nothing, so one subject with several patches, or a series with one date, stays apart. Last
comes what was adapted by hand: most of the same lines by the same author or under the same subject,
or some of them by the same author under all but the same subject.
(Of known pairs in DPDK's 22.11 and the kernel's 2.6.32 branches, subject and author find 99.4 and
95.5 %, author and date 97 %, patch-id 70 and 74 %, patch-id without context 83 and 86 %.)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Fact:
    """What tells one commit from another.

    Attributes
    ----------
    subject : without what a branch put before it (`messages.plain_subject`)
    author_time : author date in Unix seconds
    files : names of the changed files without folders, sorted: a file may have been moved
    """

    oid: str
    subject: str
    author_email: str
    author_time: int
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """An upstream commit and the branch's commit that carries it."""

    oid: str
    on_branch: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A commit that the branch took and took back.

    Attributes
    ----------
    oid : upstream's
    on_branch : the branch's that carried it; `oid` itself where the branch grew from it
    by : the branch's revert
    """

    oid: str
    on_branch: str
    by: str


Prints = Callable[[Sequence[str]], Mapping[str, tuple[str, str, frozenset[int]]]]
"""Reads fingerprints of patches (`git.patchprints`): oid → (of hunks with their context, of the
lines that go and come, of each of these lines)."""

_NOTHING: tuple[None, None, frozenset[int]] = (None, None, frozenset())
_ADAPTED = "most of the same lines, same author or subject"
_RENAMED = "some of the same lines, same author, almost the same subject"
_MOST = 0.5
_SOME = 0.1
"""Shares of lines in common."""
_REWORDED = 0.9
"""How like two subjects are (difflib's ratio) when one is the other but for a word."""


def match(
    own: Sequence[Fact],
    upstream: Sequence[Fact],
    markers: Mapping[str, Sequence[tuple[str, str]]],
    prints: Prints = lambda _: {},
) -> dict[str, Match]:
    """Pair upstream's commits with those of a branch.

    Parameters
    ----------
    own : commits that only the branch has
    upstream : commits that only upstream has
    markers : own oid → (upstream oid, form of the marker) as its message says
    prints : reads the patches of some commits, asked only for what else leaves open

    Returns
    -------
    dict
        upstream oid → Match. One patch with several ids upstream has an entry for each.
    """
    found: dict[str, Match] = {}
    spoken: set[str] = set()
    for oid, said in markers.items():
        for target, form in said:
            found.setdefault(target, Match(target, oid, f"marker: {form}"))
            spoken.add(oid)
    left = _Left(found, spoken, own, upstream)
    # Also those that a marker spoke for: a commit may be upstream twice, in net and in net-next.
    left.pair(
        "same subject, author and author date",
        lambda fact: (fact.subject, fact.author_email, fact.author_time),
        spoken_too=True,
    )
    left.pair("same author and author date", lambda fact: (fact.author_email, fact.author_time))
    left.pair("same subject and author", lambda fact: (fact.subject, fact.author_email))
    patches = prints(left.comparable())
    left.pair("same patch", lambda fact: patches.get(fact.oid, _NOTHING)[0])
    left.pair("same changed lines", lambda fact: patches.get(fact.oid, _NOTHING)[1])
    left.pair_alike({oid: print_[2] for oid, print_ in patches.items()})
    return found


class _Left:
    """What isn't paired yet, on both sides."""

    def __init__(
        self,
        found: dict[str, Match],
        spoken: set[str],
        own: Sequence[Fact],
        upstream: Sequence[Fact],
    ) -> None:
        self._found = found
        self._spoken = spoken
        self._own = own
        self._upstream = upstream

    @property
    def _free(self) -> list[Fact]:
        return [fact for fact in self._own if fact.oid not in self._spoken]

    @property
    def _open(self) -> list[Fact]:
        return [fact for fact in self._upstream if fact.oid not in self._found]

    def pair(
        self,
        evidence: str,
        key: Callable[[Fact], Hashable],
        *,
        spoken_too: bool = False,
    ) -> None:
        """Pair by a key (None: has none) that one commit of each side has."""
        here = _grouped(self._own if spoken_too else self._free, key)
        there = _grouped(self._open, key)
        for value, wanted in there.items():
            twins = here.get(value, ())
            if not twins or (not spoken_too and (len(twins), len(wanted)) != (1, 1)):
                continue
            for fact in wanted:
                self._found[fact.oid] = Match(fact.oid, twins[0].oid, evidence)
                self._spoken.add(twins[0].oid)

    def comparable(self) -> list[str]:
        """Return those of both sides whose patches could be the same."""
        pairs = self._neighbours()
        return list(dict.fromkeys(fact.oid for pair in pairs for fact in pair))

    def pair_alike(self, lines: Mapping[str, frozenset[int]]) -> None:
        """Pair patches that share most of their lines, each the other's likest."""
        scored = []
        for mine, theirs in self._neighbours():
            left, right = (lines.get(fact.oid, frozenset()) for fact in (mine, theirs))
            share = len(left & right) / (len(left | right) or 1)
            author = mine.author_email == theirs.author_email
            if share >= _MOST and (author or mine.subject == theirs.subject):
                scored.append((share, mine.oid, theirs.oid, _ADAPTED))
            elif share >= _SOME and author and _like(mine.subject, theirs.subject) >= _REWORDED:
                scored.append((share, mine.oid, theirs.oid, _RENAMED))
        for _, mine_oid, their_oid, evidence in sorted(scored, reverse=True):
            if mine_oid not in self._spoken and their_oid not in self._found:
                self._found[their_oid] = Match(their_oid, mine_oid, evidence)
                self._spoken.add(mine_oid)

    def _neighbours(self) -> list[tuple[Fact, Fact]]:
        """Return pairs that change the same files, or share one and author or subject."""
        there = _grouped(self._open, lambda fact: fact.files or None)
        akin: dict[str, list[Fact]] = {}
        for fact in self._open:
            akin.setdefault(fact.author_email, []).append(fact)
            akin.setdefault(fact.subject, []).append(fact)
        pairs = []
        for mine in self._free:
            others = [*akin.get(mine.author_email, ()), *akin.get(mine.subject, ())]
            pairs += [(mine, fact) for fact in there.get(mine.files, ())]
            pairs += [(mine, fact) for fact in others if set(mine.files) & set(fact.files)]
        return pairs


def _grouped(facts: Iterable[Fact], key: Callable[[Fact], Hashable]) -> dict[Hashable, list[Fact]]:
    groups: dict[Hashable, list[Fact]] = {}
    for fact in facts:
        value = key(fact)
        if value is not None:
            groups.setdefault(value, []).append(fact)
    return groups


def _like(left: str, right: str) -> float:
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def removals(
    own: Iterable[Fact],
    reverts: Mapping[str, Sequence[tuple[bool, str]]],
    matches: Mapping[str, Match],
) -> dict[str, Removal]:
    """Follow what a branch took back, and took again.

    Parameters
    ----------
    own : the branch's commits, oldest first
    reverts : own oid → (whether it re-applies, the commit it names), in the order it says so
    matches : what the branch carries

    Returns
    -------
    dict
        upstream oid → Removal, for what is out as the branch stands now. A revert of a revert
        brings back what that one took.
    """
    carried: dict[str, list[str]] = {}
    for oid, found in matches.items():
        carried.setdefault(found.on_branch, []).append(oid)
    gone: dict[str, Removal] = {}
    taken_by: dict[str, list[str]] = {}
    for fact in own:
        for oid in carried.get(fact.oid, ()):
            # Taken again, under its own name.
            gone.pop(oid, None)
        for again, target in reverts.get(fact.oid, ()):
            if target in taken_by:
                for oid in taken_by.pop(target):
                    gone.pop(oid, None)
                continue
            for oid in carried.get(target, [target]):
                if again:
                    gone.pop(oid, None)
                else:
                    gone[oid] = Removal(oid, target, fact.oid)
                    taken_by.setdefault(fact.oid, []).append(oid)
    return gone
