# SPDX-License-Identifier: GPL-2.0-or-later
"""What a regression report must say, and to whom, as Documentation/admin-guide asks for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kbisect.bisect.events import Outcome
from kbisect.bisect.result import Result
from kbisect.bisect.state import State
from kbisect.errors import UsageError
from kbisect.git.repository import Commit, Repository
from kbisect.history import messages, store
from kbisect.history.containment import trees_with
from kbisect.history.messages import LinkKind
from kbisect.history.store import Index
from kbisect.lab.campaign import Campaign
from kbisect.lab.fixed import Fixed
from kbisect.patch.addresses import Address
from kbisect.patch.maintainers import Desk, Kind

REGRESSIONS = "regressions@lists.linux.dev"
STABLE = "stable@vger.kernel.org"
STALE = 3 * 86400
"""Seconds after the last fetch from which on a report would be stale."""
_SIGNED = {"signed-off-by", "co-developed-by"}
_STABLE_TREE = re.compile(r"linux-\d+(?:\.\d+)+\.y")
_AREA = re.compile(r"((?:[\w./+-]+: )+)|\[([^\]]+)\]")


@dataclass(frozen=True, slots=True)
class Regression:
    """One report, ready to be written.

    Attributes
    ----------
    culprit : the commit, None for the form that only names a range
    suspects : what is suspected if it isn't confirmed
    to, cc : addresses, each once
    area : `ipv4: ` as the culprit's subject has it, empty without one
    since : release or short oid since when it fails
    good, bad : names of the ends
    lineage : trees through which it came, outermost last; `landed` the merge into mainline
    stable : the stable series that both ends are in, None for mainline
    upstream : the commit that the culprit is a backport of, None if it is none
    what : what fails: the script's or recipe's name
    command : the script and its arguments, to be run again; empty for a recipe alone
    """

    culprit: Commit | None
    suspects: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    area: str
    since: str
    good: str
    bad: str
    ends: tuple[str, str]
    lineage: tuple[str, ...]
    landed: str | None
    stable: str | None
    upstream: str | None
    what: str
    recipe: str | None
    command: tuple[str, ...]
    result: Result
    fixed: Fixed


def gather(campaign: Campaign, result: Result, fixed: Fixed, now: float) -> Regression:
    """Put a report together.

    Parameters
    ----------
    now : Unix seconds

    Raises
    ------
    UsageError
        There is nothing to report, it is fixed already, or the clone is stale.
    """
    if result.find_fix:
        raise UsageError(
            "there is no regression to report: this campaign looked for a fix",
            hint="kbisect bisect report --format text",
        )
    if result.outcome not in {Outcome.CULPRIT, Outcome.RANGE}:
        raise UsageError(
            "there is no regression to report: this campaign named no first bad commit",
            hint="kbisect bisect report --format text",
        )
    if fixed:
        raise _already(fixed)
    if fixed.as_of is not None and now - fixed.as_of > STALE:
        days = int((now - fixed.as_of) / 86400)
        raise UsageError(
            f"this clone was last fetched {days} days ago: it may be fixed meanwhile",
            hint="kbisect sync, then: kbisect bisect confirm",
        )
    repository, state = campaign.repository, campaign.state
    index = _index(repository)
    bad, goods = state.ends
    assert bad is not None
    named = repository.commit(result.culprit) if result.culprit else None
    culprit = named if result.is_confirmed else None
    about = named or repository.commit(bad)
    to, cc = _recipients(repository, about)
    stable = _series(index, (bad, *goods))
    if stable:
        cc.append(STABLE)
    return Regression(
        culprit=culprit,
        suspects=result.suspects,
        to=tuple(dict.fromkeys(to)),
        cc=tuple(dict.fromkeys([*cc, REGRESSIONS])),
        area=_area(about.subject) if named else "",
        since=_since(index, culprit, bad),
        good=", ".join(_name(index, oid) for oid in goods),
        bad=_name(index, bad),
        ends=(goods[0], bad),
        lineage=_lineage(index, named),
        landed=_landed(index, named),
        stable=stable,
        upstream=_upstream(named),
        what=_what(state),
        recipe=state.started.recipe,
        command=_command(state),
        result=result,
        fixed=fixed,
    )


def _already(fixed: Fixed) -> UsageError:
    """Say that it is fixed, and what to do then."""
    if not fixed.links:
        return UsageError(
            f"it is already fixed: the tip of {', '.join(fixed.passing)} passes",
            hint="kbisect bisect report",
        )
    link = fixed.links[0]
    first = link.oid[:12]
    look = f"kbisect backport explain {first}" if link.trees else f"kbisect show {first}"
    if link.is_strong:
        return UsageError(f"it is already fixed by {first}", hint=look)
    return UsageError(
        f"it is already fixed by {first}, which only names it in prose",
        hint=f"{look}; if it doesn't help, search again with a bad end that has it",
    )


def _recipients(repository: Repository, commit: Commit) -> tuple[list[str], list[str]]:
    """Return those who answer for a commit: its chain of sign-offs, and its files' maintainers."""
    signed = [
        each.value for each in messages.trailers(commit.message) if each.key.lower() in _SIGNED
    ]
    chain = [f"{commit.author_name} <{commit.author_email}>", *signed]
    people = [str(Address.read(text)) for text in chain if "@" in text]
    lists: list[str] = []
    try:
        desk = Desk(repository, commit.oid)
    except UsageError:  # no MAINTAINERS file then
        return _each_once(people), lists
    people = [desk.mailmap.mapped(text) for text in people]
    for recipient in desk.of_paths(_paths(repository, commit), history=False).recipients:
        (lists if recipient.kind is Kind.LIST else people).append(recipient.address)
    return _each_once(people), lists


def _each_once(people: Sequence[str]) -> list[str]:
    found: dict[str, str] = {}
    for text in people:
        found.setdefault(Address.read(text).email.lower(), text)
    return list(found.values())


def _paths(repository: Repository, commit: Commit) -> list[str]:
    from kbisect.git import commits

    if not commit.parents:
        return []
    pair = (repository.commit(commit.parents[0]).tree, commit.tree)
    return commits.differing_paths(repository, [pair]).get(pair, [])


def _index(repository: Repository) -> Index | None:
    try:
        return store.load(repository.store)
    except (store.NoIndex, store.IndexDamaged):
        return None


def _series(index: Index | None, oids: Sequence[str]) -> str | None:
    """Return the stable series that holds all these commits, if mainline doesn't."""
    if index is None:
        return None
    common: set[str] | None = None
    for oid in oids:
        number = index.oids.number(oid)
        trees = set(trees_with(index, number)) if number is not None else set()
        common = trees if common is None else common & trees
    found = common or set()
    series = sorted(tree for tree in found if _STABLE_TREE.fullmatch(tree))
    return series[0] if series and "mainline" not in found else None


def _name(index: Index | None, oid: str) -> str:
    names = {held: name for name, held in index.meta.releases} if index is not None else {}
    return names.get(oid, oid[:12])


def _release(index: Index | None, oid: str) -> str | None:
    number = index.oids.number(oid) if index is not None else None
    return index.release_of(number) if index is not None and number is not None else None


def _lineage(index: Index | None, culprit: Commit | None) -> tuple[str, ...]:
    number = index.oids.number(culprit.oid) if index is not None and culprit is not None else None
    return index.lineage_of(number) if index is not None and number is not None else ()


def _landed(index: Index | None, culprit: Commit | None) -> str | None:
    number = index.oids.number(culprit.oid) if index is not None and culprit is not None else None
    if index is None or number is None:
        return None
    landed = int(index.lineage.landed[number])
    return index.oids[landed] if landed >= 0 else None


def _upstream(culprit: Commit | None) -> str | None:
    if culprit is None:
        return None
    for link in messages.links(culprit.message):
        if link.kind is LinkKind.UPSTREAM and link.oid:
            return link.oid
    return None


def _area(subject: str) -> str:
    found = _AREA.match(subject)
    if found is None:
        return ""
    return found[1] or f"{found[2].lower()}: "


def _since(index: Index | None, culprit: Commit | None, bad: str) -> str:
    """Name what it fails since: a release, else the culprit; of a range its bad end."""
    if culprit is None:
        return _name(index, bad)
    return _release(index, culprit.oid) or culprit.oid[:12]


def _command(state: State) -> tuple[str, ...]:
    name = state.started.script
    if name is None:
        return ()
    copied = "/" in name or Path(name).is_file()
    return (f"./{name.rpartition('/')[2]}" if copied else name, *state.started.arguments)


def _what(state: State) -> str:
    start = state.started
    name = start.script or start.recipe or "the test"
    return name.rpartition("/")[2]
