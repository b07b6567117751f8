# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a commit still counts: what was reverted since doesn't, unless the revert was too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kbisect.git.repository import subject_of
from kbisect.history import messages
from kbisect.history.messages import Link, LinkKind

_BACK = {LinkKind.REVERTS, LinkKind.REAPPLIES}


class Standing:
    """Who takes back whom among some commits of one history.

    (`identity.removals` tells what a branch has of upstream; here reverts themselves are asked for
    too, since a patch may be one.)

    Parameters
    ----------
    texts : oid → message, oldest first
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._reverts: dict[str, list[str]] = {}
        taking: set[str] = set()
        subjects: dict[str, str] = {}
        before: list[str] = []
        for oid, text in texts.items():
            for link in messages.links(text):
                target = _target(link, before, subjects) if link.kind in _BACK else None
                if target is None:
                    continue
                if link.kind is LinkKind.REAPPLIES and target not in taking:
                    # It names what is applied again; what took that is taken back.
                    for revert in self._reverts.get(target, ()):
                        self._reverts.setdefault(revert, []).append(oid)
                    continue
                self._reverts.setdefault(target, []).append(oid)
                taking.add(oid)
            before.append(oid)
            subjects[messages.plain_subject(subject_of(text))] = oid

    def stands(self, oid: str) -> bool:
        """Whether nothing that stands itself takes the commit back."""
        return not any(map(self.stands, self._reverts.get(oid, ())))


def _target(link: Link, before: Sequence[str], subjects: Mapping[str, str]) -> str | None:
    """Return the commit that is meant: by its id, by its subject where the id is another tree's."""
    if link.oid:
        for oid in before:
            if oid.startswith(link.oid):
                return oid
    return subjects.get(link.subject) if link.subject else None
