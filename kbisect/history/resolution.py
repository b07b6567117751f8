# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the commit that a link means, and say how it was found. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kbisect.history.messages import LinkKind, plain_subject
from kbisect.history.oids import Oids

NO_COMMIT = {LinkKind.STABLE, LinkKind.CLOSES, LinkKind.MAIL}
"""Kinds that name no commit."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a link means.

    Attributes
    ----------
    oid : the commit, None when there is none or several
    how : `exact` (40 digits), `abbreviated`, `subject` (no id was given), `repaired` (the id is
        wrong, one commit has the subject), `release` (a version was named), `ambiguous`,
        `unknown` (an id of some other repository), `unresolved`; None for what names no commit
    """

    oid: str | None
    how: str | None


class News:
    """What came since links were resolved; few of those that found nothing could mean any of it.

    Parameters
    ----------
    oids : of the new commits
    subjects : of those in scope
    releases : their names
    """

    def __init__(self, oids: Oids, subjects: Iterable[str], releases: Iterable[str]) -> None:
        self._oids = oids
        self._subjects = {plain_subject(subject) for subject in subjects}
        self._releases = set(releases)

    def concern(self, given: str | None, subject: str | None, text: str) -> bool:
        """Whether a link, in the words of `Resolver.resolve`, may now be resolved otherwise."""
        if (given and self._oids.matching(given)) or _version(text) in self._releases:
            return True
        wanted = plain_subject(subject or "")
        cut = wanted.rstrip(".") if wanted.endswith("...") else None
        return wanted in self._subjects or (
            cut is not None and any(new.startswith(cut) for new in self._subjects)
        )


class Resolver:
    """Resolves links in one history.

    Parameters
    ----------
    oids : every commit
    times : int64[N], their commit times
    subjects : gives (number, subject) of those in scope; called when a subject is first looked up
    releases : release name → oid
    """

    def __init__(
        self,
        oids: Oids,
        times: NDArray[np.int64],
        subjects: Callable[[], Iterable[tuple[int, str]]],
        releases: Mapping[str, str],
    ) -> None:
        self._oids = oids
        self._times = times
        self._releases = releases
        self._subjects = subjects
        self._named: dict[str, list[int]] | None = None

    def resolve(
        self, source: int, kind: LinkKind, given: str | None, subject: str | None, text: str
    ) -> Target:
        """Resolve one link of the commit numbered `source`.

        Parameters
        ----------
        given : the id's digits as written
        subject : the subject as quoted
        text : the whole line
        """
        if kind in NO_COMMIT:
            return Target(None, None)
        matching = [n for n in self._oids.matching(given) if n != source] if given else []
        if len(matching) == 1:
            how = "exact" if len(given or "") == 40 else "abbreviated"
            return Target(self._oids[matching[0]], how)
        if subject:
            named = self._by_subject(plain_subject(subject), source)
            if matching:
                named = [n for n in named if n in matching]
            if kind is LinkKind.REVERTS and named:
                # A revert without an id takes back the newest of that subject.
                named = [max(named, key=lambda n: (self._times[n], n))]
            if len(named) == 1:
                return Target(self._oids[named[0]], "repaired" if given else "subject")
            if named:
                return Target(None, "ambiguous")
        if matching:
            return Target(None, "ambiguous")
        release = self._releases.get(_version(text))
        if release and kind is LinkKind.FIXES:
            return Target(release, "release")
        return Target(None, "unknown" if given else "unresolved")

    def _by_subject(self, wanted: str, source: int) -> list[int]:
        """Return earlier commits with a subject (or its beginning, where it ends in `...`)."""
        if self._named is None:
            self._named = {}
            for number, subject in self._subjects():
                self._named.setdefault(plain_subject(subject), []).append(number)
        named = self._named.get(wanted, [])
        if not named and wanted.endswith("..."):
            start = wanted.rstrip(".")
            named = [n for s, group in self._named.items() if s.startswith(start) for n in group]
        now = self._times[source]
        return [number for number in named if number != source and self._times[number] <= now]


def _version(text: str) -> str:
    """Return what a line names, where that may be a release: `Fixes: v3.12`."""
    return text.removeprefix("Fixes:").strip()
