# SPDX-License-Identifier: GPL-2.0-or-later
"""An upstream fix beside a branch: a candidate with its reasons, or set aside and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Strength(StrEnum):
    """How sure it is that the branch wants it."""

    STRONG = "strong"
    MEDIUM = "medium"
    WEAK = "weak"


class Standing(StrEnum):
    """Why an upstream commit with a fix's marks is no candidate."""

    UNAFFECTED = "unaffected"
    EXCLUDED = "excluded by version"
    REVERTED = "reverted upstream"
    OPT_OUT = "opt-out"
    NOT_YET = "not in mainline yet"
    IGNORED = "ignored"
    FOREIGN = "foreign"
    NOT_BUILT = "not built here"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, with the trailer or sentence it rests on.

    Attributes
    ----------
    kind : fixes, blames, reverts, stable, named
    text : as written
    target : the commit it is about, None for a stable notice
    weak : prose, or an id that had to be repaired
    """

    kind: str
    text: str
    target: str | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """An upstream commit that the branch misses.

    Attributes
    ----------
    release : the first that contains it
    named : prerequisites that its message names and the branch lacks
    followups : candidates that mend it
    coming : of `targets`, those that the branch hasn't yet: they are candidates themselves
    posting : patches posted before it in one series, neither here nor candidates: it may need them
    elsewhere : whether another branch of the repository carries it
    doubt : why the branch may not want it after all: it took it back, or passed it over
    """

    oid: str
    subject: str
    release: str | None
    strength: Strength
    reasons: tuple[Reason, ...]
    named: tuple[str, ...]
    followups: tuple[str, ...]
    files: tuple[str, ...]
    elsewhere: bool = False
    doubt: str | None = None
    posting: tuple[str, ...] = ()
    coming: tuple[str, ...] = ()

    @property
    def tagged(self) -> bool:
        """Whether its author asked for stable."""
        return any(reason.kind == "stable" for reason in self.reasons)

    @property
    def targets(self) -> tuple[str, ...]:
        """The commits it mends that the branch has, or takes before it."""
        return tuple(reason.target for reason in self.reasons if reason.target)

    @property
    def here(self) -> tuple[str, ...]:
        """The commits it mends that the branch has already."""
        return tuple(target for target in self.targets if target not in self.coming)

    @property
    def wished(self) -> bool:
        """Whether the user named it."""
        return any(reason.kind == "named" for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Excluded:
    """An upstream commit that looks like a fix and is none for this branch."""

    oid: str
    subject: str
    standing: Standing
    why: str
