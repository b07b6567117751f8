# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user says beside the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kbisect.backport.ignored import Ignored


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user says beside the history.

    Attributes
    ----------
    paths : upstream's paths that count; empty means the index's whole scope
    named : oid → why, commits that are candidates whatever their messages say
    ignored : oid → Ignored
    built : files that a finished build compiled, None where nobody says
    """

    paths: Sequence[str] = ()
    named: Mapping[str, str] = field(default_factory=dict)
    ignored: Mapping[str, Ignored] = field(default_factory=dict)
    built: frozenset[str] | None = None
