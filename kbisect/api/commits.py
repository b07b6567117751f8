# SPDX-License-Identifier: GPL-2.0-or-later
"""The commits of a range, read once for all that the comparison asks of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kbisect.api import attribution, evidence, symbols
from kbisect.api.attribution import Timeline
from kbisect.api.declarations import Declaration
from kbisect.api.evidence import Callers, Change, Interest, Touch
from kbisect.api.findings import Finding
from kbisect.api.headers import Headers
from kbisect.api.proof import Key
from kbisect.api.surface import PUBLIC, Surface
from kbisect.api.symbols import Export
from kbisect.git import patches
from kbisect.git.patches import CommitPatch


class Commits:
    """The commits between two versions, read once."""

    def __init__(
        self, headers: Headers, commits: Iterator[CommitPatch], surface: Surface = PUBLIC
    ) -> None:
        self.headers, self.commits, self.surface = headers, commits, surface
        self.exports: list[Export] = []

    def read(
        self,
        findings: Sequence[Finding],
        removed: Sequence[Declaration],
        added: Sequence[Declaration],
    ) -> tuple[Timeline, Callers]:
        """Return the versions of the headers in question, and what callers became."""
        paths = {path for f in findings for path in (f.header, f.new_header) if path}
        paths |= {d.header for f in findings for d in (f.old, f.new) if d is not None}
        interest = Interest(removed)
        words = interest.words | {d.name.rsplit(".", 1)[-1].encode() for d in added}
        words |= {d.name.encode() for f in findings for d in (f.old, f.new) if d is not None}
        callers = Callers()
        narrowed = [f.old for f in findings if f.old and "condition-changed" in f.kinds]
        assignments = evidence.Assignments([*removed, *narrowed])
        touches: list[Touch] = []
        for commit in self.commits:
            oid = commit.oid

            def tell(key: Key, use: evidence.Use, alike: bool, oid: str = oid) -> None:
                callers.add(key, use, alike, oid)

            for file in commit.files:
                private = file.path.endswith(".h") and not self.surface.holds(file.path)
                for hunk in file.hunks:
                    if hunk.removed and hunk.added:
                        evidence.read_hunk(interest, hunk.removed, hunk.added, tell)
                    if hunk.added and private:
                        evidence.hidden_in(interest, file.path, hunk.added, oid, callers)
                    if file.path.endswith(".c"):
                        self.exports += symbols.exports(oid, hunk.removed, hunk.added)
                if self.surface.holds(file.path) and (file.path in paths or _mentions(file, words)):
                    changes = tuple(
                        Change(hunk.old_start, hunk.new_start, hunk.removed, hunk.added)
                        for hunk in file.hunks
                    )
                    touches.append(
                        Touch(oid, commit.subject, file.path, file.old_blob, file.new_blob, changes)
                    )
            assignments.read(
                [(hunk.removed, hunk.added) for file in commit.files for hunk in file.hunks],
                callers,
            )
        self.headers.load(
            oid
            for touch in touches
            for oid in (touch.old_blob, touch.new_blob)
            if oid != patches.NO_BLOB
        )
        return attribution.timeline(touches, self.headers.differing), callers


def _mentions(file: patches.FilePatch, words: set[bytes]) -> bool:
    return any(
        words & set(re.findall(rb"[A-Za-z_]\w*", b"\n".join((*hunk.removed, *hunk.added))))
        for hunk in file.hunks
    )
