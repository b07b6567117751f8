# SPDX-License-Identifier: GPL-2.0-or-later
"""Resolve a name: git first, then the trees of networking, then the index's releases."""

from __future__ import annotations

import re
from collections.abc import Callable

from kbisect.errors import UsageError
from kbisect.git.repository import Repository


def resolve(repository: Repository, name: str, say: Callable[[str], None] = lambda _: None) -> str:
    """Return the oid of a commit-ish; a name git doesn't know may be a tree's or a release's.

    Parameters
    ----------
    repository : Repository
    name : any commit-ish; a tree, `net-next`, wherever its branch is; a release's name in a tree
        without tags
    say : told when something else than git had to answer

    Raises
    ------
    UsageError
        Nobody knows it; the hint offers the nearest names.
    """
    oid = repository.find(name)
    if oid is not None:
        return oid
    if (reason := repository.not_a_commit(name)) is not None:
        raise reason
    # Most names are git's, so what knows the others waits till here: it is heavy.
    import difflib

    from kbisect.history import store, trees

    base, suffix = _split(name)
    refs = repository.refs()
    ref = trees.recognise(repository, refs).get(trees.canonical(base))
    if ref is not None and (oid := repository.find(ref + suffix)) is not None:
        say(f"{name} is {oid[:12]}, by {ref}")
        return oid
    try:
        index = store.load(repository.store)
    except store.NoIndex:
        from kbisect.history.releases import version

        untagged = version(base) and not any(version(ref.name.split("/", 2)[2]) for ref in refs)
        raise UsageError(
            f"no index here, and no tag {base}" if untagged else f"unknown revision: {name}",
            hint="kbisect index (it learns the releases of a tree without tags)",
        ) from None
    releases = {str(row[0]): str(row[1]) for row in index.rows("SELECT name, oid FROM releases")}
    if base in releases:
        oid = repository.find(releases[base] + suffix)
        if oid is not None:
            say(f"{name} is {oid[:12]}, by the index's releases")
            return oid
    known = [ref.name.split("/", 2)[2] for ref in refs]
    near = [ref for ref in known if ref.endswith(f"/{name}")]  # a branch that only a remote has
    near = near or difflib.get_close_matches(name, [*releases, *known], n=3)
    raise UsageError(
        f"unknown revision: {name}",
        hint=f"did you mean {', '.join(near[:3])}?"
        if near
        else "kbisect releases lists those it knows",
    )


def _split(name: str) -> tuple[str, str]:
    """Part `v2.6.22~3` into the name and what follows it."""
    found = re.match(r"([^~^@{]+)(.*)\Z", name, re.DOTALL)
    return (found[1], found[2]) if found else (name, "")
