# SPDX-License-Identifier: GPL-2.0-or-later
"""The named queries, each against numbers that git and plain Python give.

Which commits are in scope, and what prose blames, is taken from the index: other tests answer for
that. Releases, trees, times, people, trailers and paths are asked of git.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kbisect.errors import UsageError
from kbisect.history import queries
from kbisect.history.store import Index
from tests.conftest import History, git

RELEASES = (
    *("v3.11-rc7", "v3.11", "v3.12-rc1", "v3.12-rc2", "v3.12-rc3", "v3.12-rc4", "v3.12"),
    *("v3.12.1", "v3.12.2", "v3.12.3", "v3.13-rc1", "v3.13-rc2", "v3.13-rc3", "v3.13-rc4", "v3.13"),
    *("v3.14-rc1", "v3.14-rc2"),
)
STABLE = {"v3.12.1", "v3.12.2", "v3.12.3"}
CYCLES = ("v3.11", "v3.12", "v3.13", "v3.14")


def cycle(release: str) -> str:
    return release.partition("-")[0]


@dataclass
class Facts:
    """What git says of the commits in scope."""

    path: Path
    release: dict[str, str | None] = field(default_factory=dict)
    time: dict[str, int] = field(default_factory=dict)
    subject: dict[str, str] = field(default_factory=dict)
    files: dict[str, list[str]] = field(default_factory=dict)
    trailers: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    upstream: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    """A fix and its culprit, both in scope and upstream."""

    def find(self, name: str) -> str | None:
        done = subprocess.run(
            ["git", "-C", self.path, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or None

    def landed(self) -> Iterable[tuple[str, str]]:
        """Commits of mainline with their release."""
        for oid in sorted(self.upstream):
            release = self.release[oid]
            if release is not None:
                yield oid, release

    def days(self, fix: str, culprit: str) -> float:
        return (self.time[fix] - self.time[culprit]) / 86400


@pytest.fixture(scope="module")
def facts(nettrees: History, nettrees_index: Index) -> Facts:
    path = nettrees.path
    found = Facts(path)
    inside = {row[0] for row in nettrees_index.rows("SELECT oid FROM commits")}
    for release in RELEASES:
        for oid in git(path, "rev-list", release).split():
            if oid in inside:
                found.release.setdefault(oid, release)
    form = "--format=%x01%H%x00%ct%x00%s%x00%(trailers:only,unfold)%x00"
    log = git(path, "log", "--all", "--no-merges", "--name-only", "-M", form)
    for record in log.split("\x01")[1:]:
        oid, seconds, subject, said, names = record.split("\0")
        if oid in inside:
            found.release.setdefault(oid, None)
            found.time[oid] = int(seconds)
            found.subject[oid] = subject
            found.files[oid] = names.split("\n")
            lines = (line.partition(": ")[::2] for line in said.splitlines() if line)
            found.trailers[oid] = [(key.lower(), value) for key, value in lines]
    found.upstream = inside - set(git(path, "rev-list", "linux-3.12.y", "^v3.12").split())
    for oid in found.upstream:
        for key, value in found.trailers[oid]:
            if key == "fixes" and (culprit := named_in(found, value)) in found.upstream:
                found.pairs.add((oid, str(culprit)))
    for oid, target in nettrees_index.rows("SELECT oid, target FROM links WHERE kind = 'blames'"):
        if {oid, target} <= found.upstream:
            found.pairs.add((oid, target))
    assert len(found.pairs) > 25
    return found


def named_in(facts: Facts, value: str) -> str | None:
    """Return the commit that a Fixes: trailer means."""
    digits = re.match(r"(?:commit )?([0-9a-f]{6,40})\b", value)
    if digits and (oid := facts.find(digits[1])):
        return oid
    quoted = re.search(r'\("(.*)"\)', value)
    if quoted:
        named = [oid for oid, subject in facts.subject.items() if subject == quoted[1]]
        return named[0] if len(named) == 1 else None
    return None


Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ask(nettrees_index: Index) -> Ask:
    def run(name: str, /, **parameters: str) -> list[tuple[Any, ...]]:
        query = queries.named()[name]
        answer = queries.ask(nettrees_index, query, parameters)
        assert answer.columns == tuple(column for column, _ in query.columns)
        assert answer.rows
        return list(answer.rows)

    return run


def test_every_query_says_what_it_is() -> None:
    known = queries.named()
    assert len(known) >= 12
    for query in known.values():
        assert query.title
        assert query.read
        assert all(meaning for _, meaning in query.columns)
        used = set(re.findall(r"\$(\w+)", query.sql))
        assert used == {parameter.name for parameter in query.parameters}
        assert all(parameter.meaning for parameter in query.parameters)


# --- the numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("v3.11", "v3.12"),
        ("v3.12-rc2", "v3.14-rc1"),
        ("v3.12", "v3.12.3"),
        ("v3.12.1", "v3.12.2"),
        ("v3.11", "v3.12.2"),
        ("v3.12.2", "v3.13"),
        ("v3.12", "v3.13-rc1"),
        ("v3.11-rc7", "v3.14-rc2"),
    ],
)
@pytest.mark.parametrize("path", ["net/ipv4", "drivers/net/wireless/wlan9.c", "net"])
def test_commits_to_a_file(facts: Facts, ask: Ask, old: str, new: str, path: str) -> None:
    log = ("log", "--full-history", "--no-merges", "--format=%H", f"{old}..{new}", "--", path)
    theirs = set(git(facts.path, *log).split()) & facts.release.keys()
    query = queries.named()["commits-to-a-file"]
    if not theirs:
        return
    rows = ask(query.name, path=path, old=old, new=new)
    assert {row[0] for row in rows} == theirs
    for oid, subject, _, release, day, status in rows:
        assert (subject, release) == (facts.subject[oid], facts.release[oid])
        assert day == datetime.fromtimestamp(facts.time[oid], UTC).strftime("%Y-%m-%d")
        assert set(status) <= set("AMDRT")


def test_files_often_fixed(facts: Facts, ask: Ask) -> None:
    fixing = {fix for fix, _ in facts.pairs}
    fixing |= {oid for oid in facts.upstream if facts.subject[oid].startswith('Revert "')}
    fixes: Counter[str] = Counter()
    commits: Counter[str] = Counter()
    for oid in facts.upstream:
        for name in facts.files[oid]:
            commits[name] += 1
            fixes[name] += oid in fixing
    rows = ask("files-often-fixed", top="1000")
    inside = {row[0] for row in rows}
    assert {row[0]: row[1:3] for row in rows} == {
        name: (count, commits[name]) for name, count in fixes.items() if count and name in inside
    }
    assert {name for name, count in fixes.items() if count and name.startswith("net/")} <= inside
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    assert ask("files-often-fixed", top="3") == rows[:3]


def test_fixes(facts: Facts, ask: Ask) -> None:
    rows = ask("fixes")
    assert {(row[0], row[3]) for row in rows} == facts.pairs
    assert len(rows) == len(facts.pairs)
    for fix, subject, fixed_in, culprit, broken_since, _, days in rows:
        assert subject == facts.subject[fix]
        assert (fixed_in, broken_since) == (facts.release[fix], facts.release[culprit])
        assert days == int(facts.days(fix, culprit) // 1)
    below = ask("fixes", path="net/ipv4")
    assert {row[0] for row in below} == {
        fix for fix, _ in facts.pairs if any(f.startswith("net/ipv4/") for f in facts.files[fix])
    }


def test_fixes_of_fixes(facts: Facts, ask: Ask, nettrees: History) -> None:
    chains = {
        (second, first, culprit)
        for second, first in facts.pairs
        for fix, culprit in facts.pairs
        if fix == first
    }
    rows = ask("fixes-of-fixes")
    assert {(row[0], row[3], row[5]) for row in rows} == chains
    marks = nettrees.marks
    assert (marks[143], marks[99]) in {(row[0], row[3]) for row in rows}
    assert (marks[168], marks[143]) in {(row[0], row[3]) for row in rows}


def test_fixes_without_stable(facts: Facts, ask: Ask, nettrees: History) -> None:
    final = {"v3.11", "v3.12", "v3.13"}
    expected = set()
    for fix, culprit in facts.pairs:
        noticed = any(
            key == "cc" and re.search(r"\bstable(\+\w+)?@", value)
            for key, value in facts.trailers[fix]
        )
        broken, fixed = facts.release[culprit], facts.release[fix]
        if noticed or broken is None or cycle(broken) not in final:
            continue
        if fixed is None or CYCLES.index(cycle(fixed)) > CYCLES.index(cycle(broken)):
            expected.add((fix, culprit))
    rows = ask("fixes-without-stable")
    assert {(row[0], row[3]) for row in rows} == expected
    assert nettrees.marks[130] in {row[0] for row in rows}
    later = ask("fixes-without-stable", since="v3.14-rc1")
    assert {row[0] for row in later} == {
        fix for fix, _ in expected if (facts.release[fix] or "v3.14") >= "v3.14"
    }


@pytest.mark.parametrize("after", [1, 2, 4])
def test_late_regressions(facts: Facts, ask: Ask, after: int) -> None:
    expected: dict[str, tuple[int, str | None, bool]] = {}
    for culprit in {culprit for _, culprit in facts.pairs}:
        release = facts.release[culprit]
        if release in {None, RELEASES[0]}:
            continue
        candidate = re.search(r"-rc(\d+)$", release or "")
        if candidate and int(candidate[1]) <= after:
            continue
        fixes = [fix for fix, other in facts.pairs if other == culprit]
        known = [found for fix in fixes if (found := facts.release[fix])]
        first = min(known, key=RELEASES.index, default=None)
        home = cycle(release or "")
        escaped = home in RELEASES and (first is None or cycle(first) != home)
        expected[culprit] = (len(fixes), first, escaped)
    rows = ask("late-regressions", after=str(after))
    assert {row[0]: tuple(row[4:]) for row in rows} == expected


def test_merge_windows(facts: Facts, ask: Ask) -> None:
    counted: dict[str, Counter[bool]] = defaultdict(Counter)
    for _, release in facts.landed():
        counted[cycle(release)][release.endswith("-rc1")] += 1
    rows = ask("merge-windows")
    assert [row[0] for row in rows] == list(CYCLES)
    for release, in_window, later, share, days in rows:
        assert (in_window, later) == (counted[release][True], counted[release][False])
        assert share == pytest.approx(in_window / (in_window + later), abs=0.006)
        before = CYCLES.index(release) - 1
        if before >= 0:
            ends = [tagged(facts.path, tag) for tag in (CYCLES[before], f"{release}-rc1")]
            assert days == pytest.approx((ends[1] - ends[0]) / 86400, abs=0.06)
    assert [row[0] for row in ask("merge-windows", since="v3.13-rc3")] == ["v3.13", "v3.14"]


def tagged(path: Path, tag: str) -> int:
    return int(git(path, "for-each-ref", "--format=%(taggerdate:unix)", f"refs/tags/{tag}"))


def brought(path: Path, tree: str) -> set[str]:
    """Return what mainline's merges of a tree brought."""
    found = set()
    form = "--format=%H %s"
    spine = git(path, "log", "--first-parent", "--merges", form, "master").splitlines()
    for line in spine:
        oid, _, subject = line.partition(" ")
        if re.search(rf"davem/{tree}(?:\.git)?$", subject):
            found |= set(git(path, "rev-list", oid, f"^{oid}^1").split())
    return found


def test_net_and_net_next(facts: Facts, ask: Ask) -> None:
    net, net_next = (brought(facts.path, tree) for tree in ("net", "net-next"))
    expected: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for oid, release in facts.landed():
        row = expected[cycle(release)]
        row[0 if oid in net else 1 if oid in net_next else 2] += 1
        row[3] += oid in net and release.endswith("-rc1")
    rows = ask("net-and-net-next")
    assert {row[0]: list(row[1:]) for row in rows} == expected


def test_trees(facts: Facts, ask: Ask) -> None:
    rows = ask("trees", since="v3.12-rc1")
    for tree in ("net", "net-next"):
        held = brought(facts.path, tree)
        ours = {row[0]: row[2] for row in rows if row[1] == tree}
        theirs = Counter(release for oid, release in facts.landed() if oid in held)
        assert ours == {name: count for name, count in theirs.items() if name != "v3.11"}
    stable = {row[0]: row[2] for row in rows if row[1] == "linux-3.12.y"}
    assert stable == Counter(r for r in facts.release.values() if r in STABLE)


def test_what_no_merge_brought_came_through_mainline(facts: Facts, ask: Ask) -> None:
    """That is mainline's own line; a merge that names no tree leaves what it brought unnamed."""
    line = set(git(facts.path, "rev-list", "--first-parent", "v3.13-rc1").split())
    own = Counter(release for oid, release in facts.landed() if oid in line)
    rows = ask("trees")
    assert {row[0]: row[2] for row in rows if row[1] == "mainline"} == own
    unnamed = sum(row[2] for row in rows if row[1] == "unnamed")
    landed = sum(release is not None for release in facts.release.values())
    assert sum(row[2] for row in rows) == landed
    assert unnamed < landed // 10


def test_reverts(facts: Facts, ask: Ask, nettrees: History) -> None:
    rows = ask("reverts")
    assert {row[0] for row in rows} == {
        oid for oid, subject in facts.subject.items() if subject.startswith('Revert "')
    }
    marks = nettrees.marks
    taken_back = {(row[0], row[3]) for row in rows}
    for revert, reverted in ((131, None), (167, 147), (142, 112)):
        if reverted:
            assert (marks[revert], marks[reverted]) in taken_back
    for revert, _, release, reverted, _, days in rows:
        assert release == facts.release[revert]
        if reverted:
            assert days == int(facts.days(revert, reverted) // 1)


def test_reviewers(facts: Facts, ask: Ask) -> None:
    tags = {"reviewed": "reviewed", "acked": "acked", "tested": "tested"}
    expected: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for oid, release in facts.landed():
        for key, value in facts.trailers[oid]:
            if not re.fullmatch(r"(reviewed|acked|tested|reported-and-tested)-by", key):
                continue
            person = value.partition("<")[2].partition(">")[0].lower() or value.lower()
            for column, word in tags.items():
                if word in key:
                    expected[cycle(release), person][column].add(oid)
                    expected[cycle(release), person]["commits"].add(oid)
    rows = ask("reviewers", top="100")
    assert {(row[0], row[1]): tuple(row[2:]) for row in rows} == {
        key: tuple(len(found[column]) for column in (*tags, "commits"))
        for key, found in expected.items()
    }
    assert max(Counter(row[0] for row in ask("reviewers", top="2")).values()) == 2


def test_stable_backlog(facts: Facts, ask: Ask) -> None:
    after = set(RELEASES[RELEASES.index("v3.12") + 1 :])
    asked = {
        oid
        for oid, release in facts.landed()
        if release in after
        and any(
            k == "cc" and re.search(r"\bstable@(?:vger\.)?kernel\.org", v)
            for k, v in facts.trailers[oid]
        )
    }
    branch = git(facts.path, "log", "--no-merges", "--format=%x01%B", "v3.12..linux-3.12.y")
    named: set[str] = set()
    for message in branch.split("\x01")[1:]:
        lines = re.sub(r"\n(?=[0-9a-f]{40})", " ", message).splitlines()
        for line in lines:
            marker = re.search(r"(?i)commit\b.*?\b([0-9a-f]{40})|Git-commit: ([0-9a-f]{40})", line)
            if marker and not line.startswith((">", " >", "This reverts", "Fixes:")):
                named.add(marker[1] or marker[2])
        reverted = re.search(r"which is\s+commit ([0-9a-f]{40}) upstream", message)
        if reverted:
            named.discard(reverted[1])
    base = set(git(facts.path, "rev-list", "v3.12").split())
    waiting = asked - named
    culprits = {fix for fix, culprit in facts.pairs if culprit in base}
    (row,) = ask("stable-backlog")
    assert row == (
        *("linux-3.12.y", "v3.12", len(asked), len(asked & named), len(waiting)),
        len(waiting & culprits),
    )
    assert ask("stable-backlog", branch="linux-3.12.y") == [row]


def test_subsystems(facts: Facts, ask: Ask, nettrees_index: Index) -> None:
    named = dict(nettrees_index.rows("SELECT oid, coalesce(subsystem, '') FROM commits"))
    rows = ask("subsystems")
    assert {row[:2]: row[2] for row in rows} == Counter(
        (cycle(release), named[oid]) for oid, release in facts.landed()
    )
    assert len({row[1] for row in rows}) > 3


def test_time_to_fix(facts: Facts, ask: Ask) -> None:
    days: dict[str, list[float]] = defaultdict(list)
    same: Counter[str] = Counter()
    for fix, culprit in facts.pairs:
        release, broken = facts.release[fix], facts.release[culprit]
        if release:
            days[cycle(release)].append(facts.days(fix, culprit))
            same[cycle(release)] += broken is not None and cycle(broken) == cycle(release)
    rows = ask("time-to-fix")
    assert {row[0] for row in rows} == set(days)
    for release, count, median, p90, in_cycle in rows:
        assert (count, in_cycle) == (len(days[release]), same[release])
        assert median == pytest.approx(np.quantile(days[release], 0.5), abs=0.06)
        assert p90 == pytest.approx(np.quantile(days[release], 0.9), abs=0.06)


# --- parameters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "words", "hint"),
    [
        ("merge-windows", {"since": "v3.21"}, "no such release", "v3.1"),
        ("merge-windows", {"since": "yesterday"}, "no such release", "kbisect releases"),
        ("commits-to-a-file", {}, "needs path", "-p path="),
        ("commits-to-a-file", {"path": "nett/ipv4"}, "no commit in the index touches it", "%"),
        (
            "commits-to-a-file",
            {"path": "net", "old": "v3.13", "new": "v3.12"},
            "v3.13 is not older than v3.12",
            "-p old=v3.12 -p new=v3.13",
        ),
        ("files-often-fixed", {"top": "many"}, "not a number", "top=20"),
        ("files-often-fixed", {"top": "-1"}, "not a number", "top=20"),
        ("stable-backlog", {"branch": "linux-9.9.y"}, "no stable branch", "linux-3.12.y"),
        ("reverts", {"nope": "1"}, "no parameter nope", "path"),
    ],
)
def test_a_parameter_that_means_nothing_here(
    nettrees_index: Index, name: str, given: dict[str, str], words: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        queries.ask(nettrees_index, queries.named()[name], given)
    assert hint in caught.value.hint
