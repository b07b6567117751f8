# SPDX-License-Identifier: GPL-2.0-or-later
"""The chronicle of a subsystem: what came in each cycle, through which tree, what it broke, who."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from kbisect.errors import UsageError
from kbisect.history import answers, queries
from kbisect.history.store import Index


@dataclass(frozen=True, slots=True)
class Cycle:
    """What came between two final releases of mainline.

    Attributes
    ----------
    release : the final release that the cycle leads to; empty for what is in no release yet
    commits : of them came `net` through net, `net_next` through net-next, `other` through neither
    in_window : of them were first in -rc1
    fixing : commits that fix or revert another one
    fixes : pairs of a fix and its culprit, whichever subsystem the culprit is of
    median_days, p90_days : from culprit to fix, of these pairs; None without any
    """

    release: str
    commits: int
    net: int
    net_next: int
    other: int
    in_window: int
    fixing: int
    fixes: int
    median_days: float | None
    p90_days: float | None


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote it: as the mailmap names them, and the first and the last cycle they are in."""

    name: str
    commits: int
    fixing: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class File:
    """A file, the commits to it, and those of them that fix or revert another commit."""

    path: str
    commits: int
    fixing: int


@dataclass(frozen=True, slots=True)
class Mended:
    """A fix with what it fixes; `how` tells how sure the link is, `blames` being prose."""

    oid: str
    subject: str
    release: str | None
    culprit: str
    culprit_subject: str
    broken_since: str | None
    days: int
    how: str


@dataclass(frozen=True, slots=True)
class Chronicle:
    """The history of a subsystem, or of a folder.

    Attributes
    ----------
    name : as MAINTAINERS has it, or a path
    is_path : whether it is a path
    cycles : oldest first
    authors, files : those with most commits, those most often fixed
    mended : every fix, newest first
    """

    name: str
    is_path: bool
    cycles: tuple[Cycle, ...]
    authors: tuple[Author, ...]
    files: tuple[File, ...]
    mended: tuple[Mended, ...]

    @property
    def commits(self) -> int:
        """Number of commits."""
        return sum(cycle.commits for cycle in self.cycles)

    @property
    def fixing(self) -> int:
        """Number of those that fix or revert another one."""
        return sum(cycle.fixing for cycle in self.cycles)


_CHOSEN = """
WITH chosen AS (
    SELECT u.*, split_part(u.lineage, ' > ', 1) AS tree,
           coalesce(r.cycle, '') AS cycle, coalesce(r.ordinal, 100000) AS ordinal, r.candidate,
           u.oid IN (SELECT fix FROM fixes)
           OR u.oid IN (SELECT oid FROM links WHERE kind = 'reverts' AND target IS NOT NULL)
               AS fixing
    FROM upstream u LEFT JOIN cycles r ON r.release = u.release
    WHERE {chosen}
), since AS (
    SELECT coalesce(max(ordinal), 1) AS ordinal FROM cycles
    WHERE start <= (SELECT position FROM releases WHERE name = $since)
), kept AS (
    SELECT * FROM chosen WHERE ordinal >= (SELECT ordinal FROM since)
), mended AS (
    SELECT k.*, f.culprit, f.how, c.subject AS culprit_subject, c.release AS broken_since,
           (k.commit_time - c.commit_time) / 86400 AS days
    FROM kept k JOIN fixes f ON f.fix = k.oid JOIN commits c ON c.oid = f.culprit
)
"""
_CYCLES = """
SELECT k.cycle, k.commits, k.net, k.net_next, k.commits - k.net - k.net_next, k.in_window,
       k.fixing, coalesce(m.fixes, 0), m.median, m.p90
FROM (SELECT cycle, ordinal, count(*) AS commits,
             count(*) FILTER (tree = 'net') AS net,
             count(*) FILTER (tree = 'net-next') AS net_next,
             count(*) FILTER (candidate = 1) AS in_window,
             count(*) FILTER (fixing) AS fixing
      FROM kept GROUP BY cycle, ordinal) k
LEFT JOIN (SELECT cycle, count(*) AS fixes, round(quantile_cont(days, 0.5), 1) AS median,
                  round(quantile_cont(days, 0.9), 1) AS p90
           FROM mended GROUP BY cycle) m ON m.cycle = k.cycle
ORDER BY k.ordinal
"""
_AUTHORS = """
SELECT author, count(*) AS commits, count(*) FILTER (fixing) AS fixing,
       arg_min(cycle, ordinal), arg_max(cycle, ordinal)
FROM kept GROUP BY author ORDER BY commits DESC, author LIMIT $top
"""
_FILES = """
SELECT x.path, count(DISTINCT k.oid) AS commits,
       count(DISTINCT k.oid) FILTER (k.fixing) AS fixing
FROM kept k JOIN changes x ON x.oid = k.oid
WHERE {inside}
GROUP BY x.path HAVING fixing > 0 ORDER BY fixing DESC, commits, x.path LIMIT $top
"""
_MENDED = """
SELECT oid, subject, release, culprit, culprit_subject, broken_since, CAST(floor(days) AS BIGINT),
       how
FROM mended ORDER BY number DESC, culprit
"""


def write(index: Index, name: str, since: str = "oldest", top: int = 40) -> Chronicle:
    """Put the chronicle of a subsystem together. Stable branches aren't counted.

    Parameters
    ----------
    name : str
        A section of MAINTAINERS, in any case, or a part that only one has; or a path.
    since : str
        From the cycle of this release on.
    top : int
        How many authors and files.

    Raises
    ------
    UsageError
        No such subsystem, path or release; or several that are meant.
    """
    found, is_path = _named(index, name)
    chosen = "u.subsystem = $name"
    inside = "true"
    if is_path:
        chosen = "u.oid IN (SELECT oid FROM changes WHERE path LIKE $name OR old_path LIKE $name)"
        inside = "x.path LIKE $name"
    with_chosen = _CHOSEN.format(chosen=chosen)
    bound = queries.bind(index, _SINCE, {"since": since})

    def ask(sql: str, **more: object) -> Sequence[tuple[object, ...]]:
        return answers.run(index, with_chosen + sql, {"name": found, **bound, **more}).rows

    return Chronicle(
        name=found.removesuffix("/%"),
        is_path=is_path,
        cycles=tuple(Cycle(*row) for row in ask(_CYCLES)),  # type: ignore[arg-type]
        authors=tuple(Author(*row) for row in ask(_AUTHORS, top=top)),  # type: ignore[arg-type]
        files=tuple(
            File(*row)  # type: ignore[arg-type]
            for row in ask(_FILES.format(inside=inside), top=top)
        ),
        mended=tuple(Mended(*row) for row in ask(_MENDED)),  # type: ignore[arg-type]
    )


_SINCE = queries.Query(
    "history", "", "", (queries.Parameter("since", "release", "oldest", ""),), (), ""
)


def _named(index: Index, name: str) -> tuple[str, bool]:
    """Return a subsystem's name as it is written, or a pattern for a path, and which it is."""
    known = [row[0] for row in index.rows("SELECT DISTINCT subsystem FROM commits") if row[0]]
    wanted = name.casefold()
    same = [each for each in known if each.casefold() == wanted]
    words = re.compile(rf"\b{re.escape(wanted)}\b")
    near = same or [each for each in known if words.search(each.casefold())]
    if len(near) == 1:
        return near[0], False
    path = name.rstrip("/")
    for pattern in (path, f"{path}/%"):
        if index.rows("SELECT 1 FROM changes WHERE path LIKE ? LIMIT 1", [pattern]):
            return pattern, True
    if near:
        listed = ", ".join(sorted(near)[:6]) + (", ..." if len(near) > 6 else "")
        raise UsageError(f"{name} can mean {len(near)} subsystems", hint=f"one of: {listed}")
    like = get_close_matches(name.upper(), known, n=3, cutoff=0.5)
    raise UsageError(
        f"no subsystem or path of the index is named {name}",
        hint=f"did you mean {', '.join(like)}?" if like else "kbisect query subsystems",
    )
