# SPDX-License-Identifier: GPL-2.0-or-later
"""The subsystem of a commit: the section of MAINTAINERS, as of its time, that its paths fall in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from kbisect.git import blobs
from kbisect.git.commits import folder_ids
from kbisect.git.repository import Repository
from kbisect.history import maintainers
from kbisect.history.maintainers import Maintainers
from kbisect.history.releases import Release, is_candidate, is_mainline


class Subsystems:
    """MAINTAINERS at each final release of mainline, read when it is first needed.

    A commit is judged by the last final release before it (by commit time): a cycle is short in the
    life of a section, and a version takes a while to read. MAINTAINERS names files since v2.6.30
    only; what is older is judged by the first release that does.
    """

    def __init__(self, repository: Repository, releases: Sequence[Release]) -> None:
        self._repository = repository
        chosen = [each for each in releases if is_mainline(each.name)]
        finals = [each for each in chosen if not is_candidate(each.name)] or chosen
        finals.sort(key=lambda each: each.time)
        self._times = [each.time for each in finals]
        found = folder_ids(repository, [each.oid for each in finals], ["MAINTAINERS"])
        self._blobs = [ids[0] for ids in found]
        self._parsed: dict[str, Maintainers | None] = {}
        self._known: dict[tuple[int, tuple[str, ...]], str | None] = {}

    def of(self, paths: Iterable[str], moment: int) -> str | None:
        """Return the section that most of a commit's paths fall in; None if none does.

        Parameters
        ----------
        paths : what the commit changes
        moment : its commit time, Unix seconds
        """
        key = (max(0, bisect_right(self._times, moment) - 1), tuple(paths))
        # Series and fixes come to the same files again and again.
        if key not in self._known:
            self._known[key] = self._section(*key)
        return self._known[key]

    def _section(self, first: int, paths: tuple[str, ...]) -> str | None:
        for blob in self._blobs[first:]:
            known = self._maintainers(blob)
            if known is not None:
                return known.subsystem_of(paths)
        return None

    def _maintainers(self, blob: str) -> Maintainers | None:
        if blob not in self._parsed:
            text = ""
            if blob:
                for _, content in blobs.read(self._repository, [blob]):
                    text = content.decode("utf-8", "replace")
            # One stray "F:" stood in the file years before they had a meaning.
            named = text.count("\nF:") * 2 >= text.count("\nS:") > 0
            self._parsed[blob] = maintainers.parse(text) if named else None
        return self._parsed[blob]
