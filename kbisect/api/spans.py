# SPDX-License-Identifier: GPL-2.0-or-later
"""The differences of releases, and all that one of them says about a change of one name.

What the search for a name's life finds is brief; callers and replacements are told by comparing
the two releases as a whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from kbisect.api import comparison
from kbisect.api.declarations import What
from kbisect.api.findings import Finding
from kbisect.api.lifetimes import Past
from kbisect.api.scope import Scope


@dataclass(slots=True)
class Spans:
    """Compares releases that follow each other; what was compared for one name serves the next."""

    past: Past
    compared: dict[tuple[str, str], comparison.Result] = field(default_factory=dict)

    def compare(self, span: tuple[str, str]) -> comparison.Result:
        """Return the difference of two releases."""
        if span not in self.compared:
            oids = dict(self.past.releases)
            self.compared[span] = comparison.compare(
                self.past.repository,
                oids[span[0]],
                oids[span[1]],
                Scope(surface=self.past.surface),
                self.past.release_of,
            )
        return self.compared[span]

    def whole(self, event: Finding, span: tuple[str, str]) -> Finding:
        """Return a change with all that the comparison of its releases says of it."""
        listed = self.compare(span).findings
        return next(
            (f for f in listed if (f.kind, f.name) == (event.kind, event.name)),
            next((f for f in listed if f.name == event.name), event),
        )

    def with_heir(self, finding: Finding) -> Finding:
        """Add what came releases before a member went, where its end doesn't tell."""
        owner = finding.struct
        if finding.replacements or finding.new is not None or owner is None:
            return finding
        lives = self.past.lives(owner)[owner].of(finding.name)
        for event, span in zip(lives.events[::-1], lives.spans[::-1], strict=True):
            if event.name == finding.name and event.kind == "condition-changed":
                return replace(finding, replacements=self.whole(event, span).replacements)
        return finding

    def with_table(self, finding: Finding) -> Finding:
        """Name the callback of a table that a struct points to, for one of the struct that went.

        It has the same parameters and the old name behind a prefix: `ndo_neigh_setup`.
        """
        old = finding.old
        if old is None or old.what is not What.FIELD or old.parameters is None:
            return finding
        if finding.new is not None or finding.replacements:
            return finding
        for pointer in self.past.fields(old.owner):
            table = re.fullmatch(r"(?:const )?struct (\w+) \*", pointer.type)
            for one in self.past.fields(table[1]) if table is not None else ():
                alike = (one.type, one.parameters) == (old.type, old.parameters)
                if alike and one.name.endswith(f"_{old.name}"):
                    return replace(finding, replacements=(one.shown,))
        return finding

    def header(self, name: str) -> tuple[Finding, tuple[str, str]] | None:
        paths = [f"include/{name}", f"include/uapi/{name}"]
        trees, releases = self.past.trees, self.past.releases
        for place in range(len(trees) - 1, 0, -1):
            if any(path in trees[place - 1] for path in paths) and not any(
                path in trees[place] for path in paths
            ):
                span = releases[place - 1][0], releases[place][0]
                for finding in self.compare(span).findings:
                    if finding.name in paths:
                        return finding, span
        return None
