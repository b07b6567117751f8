# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of a name over all releases, and how it is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kbisect.api import cache
from kbisect.api.declarations import Declaration
from kbisect.api.findings import Finding

_ENDS = ("-removed", "-renamed", "-moved")


@dataclass(frozen=True, slots=True)
class Version:
    """How a name was declared from a release on, and the commit that made it so; None: unknown."""

    declaration: Declaration
    release: str | None
    commit: str | None


@dataclass(frozen=True, slots=True)
class Life:
    """One stay of a name in the API.

    Attributes
    ----------
    name : as findings give it
    declaration : as it was last seen
    since, until : release; since None: the history begins with it; until None: it is still there
    since_commit, until_commit : oid, None when unknown
    became : the name it was given, or what callers use instead; None when nothing is known
    versions : its declarations one after another, the last as in `declaration`
    """

    name: str
    declaration: Declaration
    since: str | None
    since_commit: str | None
    until: str | None = None
    until_commit: str | None = None
    became: str | None = None
    versions: tuple[Version, ...] = ()


@dataclass(frozen=True, slots=True)
class Lives:
    """All that is known of a name: its lives, its fields', and every change, oldest first.

    `spans` are the releases between which each change was found.
    """

    name: str
    releases: tuple[str, ...]
    lives: tuple[Life, ...]
    events: tuple[Finding, ...]
    spans: tuple[tuple[str, str], ...]

    def of(self, name: str) -> Lives:
        """Return the part that is about one field, what is in it, and what it is in."""
        former = {life.name for life in self.lives if life.became == name}
        chosen = [
            (event, span)
            for event, span in zip(self.events, self.spans, strict=True)
            if name in (event.name, event.new_name)
            or (event.name in former and event.kind.endswith(_ENDS))
            or event.name.startswith(f"{name}.")
            or ("." in event.name and name.startswith(f"{event.name}."))
        ]
        return Lives(
            name,
            self.releases,
            tuple(x for x in self.lives if x.name == name or x.name.startswith(f"{name}.")),
            tuple(event for event, _ in chosen),
            tuple(span for _, span in chosen),
        )

    @property
    def successions(self) -> tuple[Finding, ...]:
        """The changes by which the name took another's place."""
        own = (f"{self.name}.", f"struct {self.name}")
        return tuple(
            event
            for event in self.events
            if event.kind.endswith(_ENDS)
            and event.old is not None
            and event.name != self.name
            and not event.name.startswith(own)
            and not self.name.startswith(f"{event.name}.")
        )

    @property
    def end(self) -> Finding | None:
        """The change by which the name went at last; None while it is there."""
        if any(life.name == self.name and life.until is None for life in self.lives):
            return None
        listed = (e for e in self.events[::-1] if e.name == self.name and e.kind.endswith(_ENDS))
        return next(listed, None)


def row_of(lives: Lives) -> list[object]:
    """Return all that is known of a name as JSON can keep it."""
    return [
        lives.releases,
        [
            (
                life.name,
                cache.placed(life.declaration),
                life.since,
                life.since_commit,
                life.until,
                life.until_commit,
                life.became,
                [(cache.placed(x.declaration), x.release, x.commit) for x in life.versions],
            )
            for life in lives.lives
        ],
        [cache.finding_row(event) for event in lives.events],
        lives.spans,
    ]


def lives_of(name: str, kept: Any) -> Lives | None:
    """Read it back; None when it is none."""
    try:
        releases, lives, events, spans = kept
        found = []
        for shown, placed, *rest, listed in lives:
            versions = tuple(Version(_declared(one), *by) for one, *by in listed)
            found.append(replace(Life(shown, _declared(placed), *rest), versions=versions))
        return Lives(
            name,
            tuple(releases),
            tuple(found),
            tuple(map(cache.finding_of, events)),
            tuple((old, new) for old, new in spans),
        )
    except (ValueError, TypeError, KeyError):
        return None


def _declared(placed: Any) -> Declaration:
    declaration = cache.placed_of(placed)
    assert declaration is not None
    return declaration
