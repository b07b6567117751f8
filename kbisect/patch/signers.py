# SPDX-License-Identifier: GPL-2.0-or-later
"""Who worked on a file: those who signed its commits in the year before a revision.

get_maintainer.pl's fallback where no maintained section names a file, with its figures: at most
five people for each role, none with less than 5 % of the commits. The year ends with the revision,
not today; renames are not followed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kbisect.git import process
from kbisect.git.repository import Repository
from kbisect.patch.addresses import Mailmap

_YEAR = 365 * 86400
_MOST = 5
_LEAST_PERCENT = 5.0
_SIGNED = re.compile(r"^[ \t]*(?:Signed-off-by|Reviewed-by|Acked-by):[ \t]*(.*@.*)$", re.MULTILINE)
_CHIEF = re.compile(r"Linus Torvalds", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Work:
    """One commit: who wrote it, who signed it, which of the files asked about it changes."""

    author: str
    signers: tuple[str, ...]
    paths: frozenset[str]


class Signers:
    """The people of a revision's recent history.

    Parameters
    ----------
    repository, oid : where, and the revision's commit
    mailmap : Mailmap
    ignored : addresses that want no such mail (`.get_maintainer.ignore`)
    """

    def __init__(
        self, repository: Repository, oid: str, mailmap: Mailmap, ignored: Iterable[str]
    ) -> None:
        self._repository = repository
        self._oid = oid
        self._mailmap = mailmap
        self._ignored = {line.partition("#")[0].strip() for line in ignored} - {""}

    def of_paths(self, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield (address, role) for each file: `commit_signer:3/4=75%`, then `authored:1/4=25%`."""
        if not paths:
            return
        work = list(self._recent(paths))
        for path in paths:
            here = [
                each
                for each in work
                if path in each.paths
                or (path.endswith("/") and any(p.startswith(path) for p in each.paths))
            ]
            if any(each.signers for each in here):
                signed = [who for each in here for who in each.signers]
                yield from self._share("commit_signer", signed, len(here))
                yield from self._share("authored", [each.author for each in here], len(here))

    def of_commits(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield (address, role) of those who signed the commits that a patch fixes."""
        for name in names:
            oid = self._repository.find(name)
            if oid is not None:
                yield from self._share(
                    "blamed_fixes", _signed(self._repository.commit(oid).message), 1
                )

    def _share(self, role: str, people: Sequence[str], commits: int) -> Iterator[tuple[str, str]]:
        counted = Counter(sorted(self._mailmap.mapped(person) for person in people))
        taken = 0
        for person, count in counted.most_common():
            if person in self._ignored:
                continue
            percent = min(100.0, count * 100 / commits)
            taken += 1
            if taken > _MOST or percent < _LEAST_PERCENT:
                return
            yield person, f"{role}:{count}/{commits}={percent:.0f}%"

    def _recent(self, paths: Sequence[str]) -> Iterator[_Work]:
        """Read the year's commits that touch any of the paths, in one walk."""
        since = self._repository.commit(self._oid).commit_time - _YEAR
        done = process.run(
            self._repository.gitdir,
            *("log", "-z", "--no-merges", f"--since={since}", "--format=%x01%an <%ae>%n%B%x02"),
            *("--name-only", "--no-renames", self._oid, "--"),
            *(f":(top,literal){path.rstrip('/')}" for path in paths),
        )
        for entry in done.stdout.decode("utf-8", "surrogateescape").split("\1")[1:]:
            said, _, names = entry.partition("\2")
            author, _, message = said.partition("\n")
            touched = frozenset(name.lstrip("\n") for name in names.split("\0") if name.strip())
            yield _Work(author, tuple(_signed(message)), touched)


def _signed(message: str) -> list[str]:
    return [found for found in _SIGNED.findall(message) if not _CHIEF.search(found)]
