# SPDX-License-Identifier: GPL-2.0-or-later
"""Would it apply? A forecast for each patch of a series, in memory, and why where it would not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from kbisect.errors import KbisectError
from kbisect.git.application import Applier, Attempt
from kbisect.git.repository import Repository
from kbisect.patch import breakage, lacking
from kbisect.patch.blocking import Blocker, blockers, in_the_way, lines
from kbisect.patch.breakage import Broken
from kbisect.patch.carriers import Carriers
from kbisect.patch.series import Patch, Series

_MOST_BROKEN = 200


class State(StrEnum):
    """How a patch applies."""

    CLEAN = "clean"
    MERGED = "merged"
    FUZZ = "fuzz"
    ALREADY = "already"
    CONFLICT = "conflict"
    REFUSED = "refused"

    @property
    def holds(self) -> bool:
        """Whether `git am --3way` takes it."""
        return self in {State.CLEAN, State.MERGED}

    @property
    def fails(self) -> bool:
        """Whether it stands against a branch; what is there already is only left out of it."""
        return not self.holds and self is not State.ALREADY


@dataclass(frozen=True, slots=True)
class Forecast:
    """What would come of one patch.

    Attributes
    ----------
    title : the patch's
    state : State
    tree : oid of the resulting tree object, None where it doesn't apply
    how : a few words: `2 hunks at other lines`, `with 1 line of context`
    conflicts : (path, line of the hunk)
    blockers : commits that are in the way
    same_as : the commit that carries it already, where one has its subject and wasn't reverted
    lacks : names that its new lines use and that aren't there, so it won't compile
    """

    title: str
    state: State
    tree: str | None
    how: str = ""
    conflicts: tuple[tuple[str, int], ...] = ()
    blockers: tuple[Blocker, ...] = ()
    same_as: str | None = None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would come of a series.

    Attributes
    ----------
    onto : oid of the commit it was tried on
    tree : oid of the tree object after the last patch that applies
    forecasts : one for each patch, in order
    broken : lines that would still use what the headers, after all of it, no longer declare so
    """

    onto: str
    tree: str
    forecasts: tuple[Forecast, ...]
    broken: tuple[Broken, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all of it would be taken."""
        return all(each.state.holds for each in self.forecasts)

    @property
    def fails(self) -> bool:
        """Whether a patch of it neither applies nor is there already."""
        return any(each.state.fails for each in self.forecasts)


def forecast(
    repository: Repository,
    series: Series,
    onto: str,
    applier: Applier | None = None,
    *,
    explain: bool = True,
) -> Outcome:
    """Try a series on a commit, patch by patch; a patch that fails is left out for the rest.

    Parameters
    ----------
    onto : full oid of a commit
    applier : of this repository, where the caller has one
    explain : look for the commits that are in the way, and for names that are missing
    """
    applier = applier or Applier(repository)
    begun = tree = repository.commit(onto).tree
    base = _found(repository, series.base) if explain else None
    made_of = {
        path: file.old_blob
        for patch in reversed(series.patches)
        for file in patch.files
        if file.old_blob and (path := file.old_path or file.path)
    }
    carriers = Carriers(repository, series, onto)
    found = []
    for patch in series.patches:
        # Patches that came together needn't have been made on the same.
        own = _found(repository, patch.mail.commit and f"{patch.mail.commit}^") if explain else None
        ends = (own or base, onto)
        one = _one(repository, applier, carriers, patch, tree, ends, made_of if explain else None)
        # What it was made on lacks nothing, and to ask that reads every header.
        is_home = own is not None and repository.commit(own).tree == tree
        if explain and not is_home and one.tree not in {None, tree}:
            made_on = _found(repository, patch.mail.commit) or base
            names = lacking.lacking(applier.gitdir, tree, patch.files, made_on)
            one = replace(one, lacks=names)
        tree = one.tree or tree
        found.append(one)
    left = _left_behind(applier, series, begun, tree) if explain else ()
    return Outcome(onto, tree, tuple(found), left)


def _left_behind(applier: Applier, series: Series, old: str, new: str) -> tuple[Broken, ...]:
    """Return who still uses what a series takes out of headers or changes there.

    A source's own declarations are left to the compiler: nobody else sees them.
    """
    files = (file for patch in series.patches for file in patch.files)
    if old == new or not any(file.removed for file in files if file.path.endswith(".h")):
        return ()
    return tuple(islice(breakage.broken(applier.gitdir, old, new, by_headers=True), _MOST_BROKEN))


def _found(repository: Repository, name: str | None) -> str | None:
    """Return the commit of a name, where there is one and it is here."""
    try:
        return repository.find(name) if name else None
    except KbisectError:  # of a tree that this clone doesn't have
        return None


def _one(
    repository: Repository,
    applier: Applier,
    carriers: Carriers,
    patch: Patch,
    tree: str,
    ends: tuple[str | None, str],
    made_of: Mapping[str, str] | None,
) -> Forecast:
    """Try one patch; `made_of` as of `in_the_way`, None where nobody wants to know who is."""
    base, onto = ends
    title = patch.title
    if how := next(filter(None, (file.refusal for file in patch.files)), None):
        return Forecast(title, State.REFUSED, None, how)
    diff = patch.mail.diff
    plain = applier.apply(tree, diff)
    if plain.tree is not None:
        said = [f"{_hunks(plain.offsets)} at other lines"] if plain.offsets else []
        said += [f"links {f.path} to {f.link_target}" for f in patch.files if f.link_target]
        return Forecast(title, State.CLEAN, plain.tree, "; ".join(said))
    if applier.apply(tree, diff, reverse=True).tree is not None:
        same = carriers.of(patch)
        return Forecast(title, State.ALREADY, tree, "its lines are there", same_as=same)
    if any(file.old_blob for file in patch.files):
        merged = applier.apply(tree, diff, "--3way").tree or applier.merge(tree, diff)
        if merged is not None:
            if merged == tree:
                same = carriers.of(patch)
                how = "merging it changes nothing"
                return Forecast(title, State.ALREADY, tree, how, same_as=same)
            return Forecast(title, State.MERGED, merged, "with the blobs it was made from")
    for options, how in (
        (("--ignore-whitespace",), "but for blanks"),
        (("-C2",), "with 2 lines of context"),
        (("-C1",), "with 1 line of context"),
    ):
        loose = applier.apply(tree, diff, *options)
        if loose.tree is not None:
            return Forecast(title, State.FUZZ, loose.tree, how)
    if not plain.rejected:
        return Forecast(title, State.REFUSED, None, plain.problem or "")
    if made_of is None:
        return Forecast(title, State.CONFLICT, None, plain.problem or "", plain.rejected)
    if same := carriers.of(patch):
        how = "its lines have changed since"
        return Forecast(title, State.ALREADY, tree, how, plain.rejected, same_as=same)
    expected = {path: _expected(patch, path, plain) for path, _ in plain.rejected}
    # What the patch was made on has all of its own history: none of that is in its way.
    found = blockers(in_the_way(repository, expected, onto, base, made_of))
    return Forecast(title, State.CONFLICT, None, plain.problem or "", plain.rejected, found)


def _hunks(count: int) -> str:
    return f"{count} hunk{'s' if count != 1 else ''}"


def _expected(patch: Patch, path: str, attempt: Attempt) -> set[bytes]:
    """Return the lines that the rejected hunks of a file look for, without trivial ones."""
    file = next((each for each in patch.files if path in {each.path, each.old_path}), None)
    starts = {line for name, line in attempt.rejected if name == path}
    return lines((h for h in (file.hunks if file else ()) if h.old_start in starts), b" -")
