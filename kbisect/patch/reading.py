# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series intends and what it risks: facts, each from the diff, the index or the trees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kbisect.api.findings import Finding
from kbisect.errors import UsageError
from kbisect.git.application import Applier
from kbisect.git.repository import Repository
from kbisect.history import trees
from kbisect.history.maintainers import Maintainers
from kbisect.history.store import Index
from kbisect.patch import application, declarations, functions
from kbisect.patch.application import Forecast
from kbisect.patch.breakage import Broken
from kbisect.patch.functions import CallChange, Touched
from kbisect.patch.maintainers import Desk
from kbisect.patch.series import Patch, Series
from kbisect.patch.whereabouts import Base, Whereabouts, base_of

ITS_BASE = "its base"
"""Instead of a tree's name: the commit that the series was made on."""

_DAY = 86400


@dataclass(frozen=True, slots=True)
class Mended:
    """A commit that a patch says it fixes.

    Attributes
    ----------
    text : the tag as written
    oid, subject : of the commit, None where it isn't in this repository
    release : first release that contains it, by the index
    days : from its commit date to the patch's date; None where either is unknown
    lacking : that the base hasn't it, and where it is; None where all is well
    """

    text: str
    oid: str | None
    subject: str | None
    release: str | None
    days: int | None
    lacking: str | None


@dataclass(frozen=True, slots=True)
class PatchFacts:
    """One patch in few words."""

    number: int
    title: str
    author: str
    files: int
    added: int
    removed: int
    fixes: tuple[Mended, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileHistory:
    """How often a file was changed before, and how many of these commits say that they fix."""

    path: str
    commits: int
    fixes: int


@dataclass(frozen=True, slots=True)
class TreeForecast:
    """How the series applies to a tree's tip."""

    tree: str
    oid: str
    forecasts: tuple[Forecast, ...]
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """All that is told of a series.

    Attributes
    ----------
    series : Series
    patches : in order
    subsystem : the section of MAINTAINERS that most of its paths fall in
    subsystems : (section, number of the paths that are its own), most first
    functions : what it changes, by name
    calls : calls that take or drop locks and references, where their number changes
    exported, hidden : symbols that are exported now, and no longer
    api : changes of declarations in public headers
    api_base : the tree they were compared in, or `declarations.CARRIERS`; None where the series
        neither applies nor is there
    history : of its files
    trees : forecasts for net, net-next and the tree it names
    blind : what could not be looked at, and why
    """

    series: Series
    patches: tuple[PatchFacts, ...]
    subsystem: str | None
    subsystems: tuple[tuple[str, int], ...]
    functions: tuple[Touched, ...]
    calls: tuple[CallChange, ...]
    exported: tuple[str, ...]
    hidden: tuple[str, ...]
    api: tuple[Finding, ...]
    api_base: str | None
    history: tuple[FileHistory, ...]
    trees: tuple[TreeForecast, ...]
    blind: tuple[str, ...]


def read(
    repository: Repository,
    series: Series,
    index: Index | None,
    at: str,
    base: Base | None = None,
) -> Reading:
    """Gather the facts.

    Parameters
    ----------
    index : None where there is none; then some facts are missing, which is said
    at : oid of the commit whose MAINTAINERS counts, and which stands in for unknown trees
    base : what has to have the commits that are fixed; None takes what the series was made on
    """
    blind = [] if index else ["releases and the history of files: kbisect index"]
    files = [file for patch in series.patches for file in patch.files]
    if not series.is_complete:
        blind.append("the missing patches")
    try:
        sections = Desk(repository, at).maintainers
    except UsageError as error:
        sections = Maintainers([])
        blind.append(f"the subsystem: {error.message}")
    applier = Applier(repository)
    tips = _tips(repository, series, at)
    outcomes = {
        name: application.forecast(repository, series, oid, applier) for name, oid in tips.items()
    }
    changed = declarations.of_series(repository, applier, series, outcomes)
    if changed.where is None and declarations.public(series):
        blind.append("its API changes: it applies to none of the trees")
    came, gone = functions.exports(files)
    whereabouts = Whereabouts(repository, base or base_of(repository, series), index)
    return Reading(
        series=series,
        patches=tuple(
            _facts(patch, _mended(repository, series, patch, index, whereabouts))
            for patch in series.patches
        ),
        subsystem=sections.subsystem_of(series.paths),
        subsystems=_held(sections, series.paths),
        functions=functions.touched(files),
        calls=functions.calls(files),
        exported=came,
        hidden=gone,
        api=changed.findings,
        api_base=changed.where,
        history=_histories(index, series.paths, series.base and repository.find(series.base)),
        trees=tuple(
            TreeForecast(name, outcome.onto, outcome.forecasts, outcome.broken)
            for name, outcome in outcomes.items()
        ),
        blind=tuple(blind),
    )


def _held(known: Maintainers, paths: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Count the paths that each section takes as its own."""
    return tuple(Counter(filter(None, map(known.subsystem, paths))).most_common())


def _tips(repository: Repository, series: Series, at: str) -> dict[str, str]:
    """Return the trees to try: the one it names, net, net-next; its own base if it is a commit."""
    refs = repository.refs()
    oids = {ref.name: ref.oid for ref in refs}
    known = {tree: oids[ref] for tree, ref in trees.recognise(repository, refs).items()}
    named = trees.canonical(series.first.tree or "")
    wanted = {name: known[name] for name in (named, "net", "net-next") if name in known}
    base = repository.find(series.base) if series.base else None
    if base:
        wanted = {ITS_BASE: base} | wanted
    elif not wanted:
        wanted = {"HEAD": at}
    return wanted


def _facts(patch: Patch, mended: tuple[Mended, ...]) -> PatchFacts:
    return PatchFacts(
        patch.subject.number,
        patch.title,
        patch.mail.author,
        len(patch.files),
        sum(file.added for file in patch.files),
        sum(file.removed for file in patch.files),
        mended,
        (*patch.mail.remarks, *_oddities(patch)),
    )


def _oddities(patch: Patch) -> Iterator[str]:
    for file in patch.files:
        if file.refusal is not None:
            yield file.refusal
        elif file.link_target is not None:
            yield f"{file.path} becomes a symbolic link to {file.link_target}"
        elif file.is_binary:
            yield f"{file.path} is binary"


def _mended(
    repository: Repository,
    series: Series,
    patch: Patch,
    index: Index | None,
    whereabouts: Whereabouts,
) -> tuple[Mended, ...]:
    """Look up the commits that a patch says it fixes, and how long they were broken."""
    found = []
    for link in patch.fixes:
        oid = _resolved(repository, link.oid)
        if oid is None:
            found.append(Mended(link.text, None, link.subject, None, None, None))
            continue
        commit = repository.commit(oid)
        number = index.oids.number(oid) if index else None
        release = index.release_of(number) if index and number is not None else None
        days = (patch.sent - commit.commit_time) // _DAY if patch.sent else None
        lacking = whereabouts.lacking(oid, series)
        found.append(Mended(link.text, oid, commit.subject, release, days, lacking))
    return tuple(found)


def _resolved(repository: Repository, digits: str | None) -> str | None:
    try:
        return repository.find(digits) if digits else None
    except UsageError:
        return None  # several commits begin so


def _histories(
    index: Index | None, paths: Sequence[str], base: str | None
) -> tuple[FileHistory, ...]:
    """Count the commits of each file, and the fixes among them, up to the patch's base if known."""
    if index is None or not paths:
        return ()
    marks = ",".join("?" * len(paths))
    rows = index.rows(
        "SELECT c.path, m.number, bool_or(l.oid IS NOT NULL) FROM changes c"
        " JOIN commits m ON m.oid = c.oid"
        " LEFT JOIN links l ON l.oid = c.oid AND l.kind IN ('fixes', 'blames')"
        f" WHERE c.path IN ({marks}) GROUP BY c.path, m.number",
        list(paths),
    )
    number = index.oids.number(base) if base else None
    before = None if number is None else index.graph.ancestors([number])
    counts: dict[str, list[int]] = {}
    for path, commit, is_fix in rows:
        if before is None or before[commit]:
            count = counts.setdefault(path, [0, 0])
            count[0] += 1
            count[1] += is_fix
    found = [FileHistory(path, *count) for path, count in counts.items()]
    return tuple(sorted(found, key=lambda file: (-file.fixes, -file.commits)))
