# SPDX-License-Identifier: GPL-2.0-or-later
"""What an upstream commit is to a branch, by what its message says of others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kbisect.backport.built import compiled
from kbisect.backport.carried import Carried, Said, Sayings
from kbisect.backport.fixes import Candidate, Excluded, Reason, Standing, Strength
from kbisect.backport.notices import wants
from kbisect.backport.wishes import Wishes
from kbisect.history.identity import Fact
from kbisect.history.messages import LinkKind
from kbisect.history.store import Index

_MENDS = {LinkKind.FIXES: "fixes", LinkKind.BLAMES: "blames", LinkKind.REVERTS: "reverts"}


class Judge:
    """Says what an upstream commit is to the branch."""

    def __init__(
        self,
        index: Index,
        said: Sayings,
        has: Carried,
        wishes: Wishes,
        base: str | None,
        tags: bool,
    ) -> None:
        self._index = index
        self._said = said
        self._has = has
        self._wishes = wishes
        self.base = base
        self.tags = tags
        self.elsewhere: set[str] = set()

    def verdict(self, fact: Fact, files: tuple[str, ...]) -> Candidate | Excluded | None:
        """Judge one commit; None if nothing marks it as a fix."""
        links = self._said.get(fact.oid, ())
        reasons: list[Reason] = []
        absent: list[str] = []
        unknown: list[str] = []
        notices = [link for link in links if link.kind is LinkKind.STABLE]
        reverted = {link.target for link in links if link.kind is LinkKind.REVERTS}
        for link in links:
            if link.kind not in _MENDS:
                continue
            if link.target is None:
                if link.kind is LinkKind.FIXES and link.how == "unknown":
                    unknown.append(link.text)
                continue
            weak = link.kind is LinkKind.BLAMES or link.how in {"repaired", "release"}
            # Who takes a commit back has nothing to do where that never was.
            deeper = link.target not in reverted
            mended = self._has.mended(link.target) if deeper or self._has.has(link.target) else None
            if mended:
                reasons.append(Reason(_MENDS[link.kind], link.text, mended, weak))
            elif link.kind is not LinkKind.BLAMES or notices:
                absent.append(link.target)
        named = self._wishes.named.get(fact.oid)
        if not (reasons or absent or unknown or notices or named):
            return None
        why_not = self._why_not(fact, files, notices, reasons, absent, unknown)
        if why_not and (not named or why_not.standing is Standing.IGNORED):
            return why_not
        reasons.extend(Reason("stable", link.text) for link in self._asking(notices))
        if named:
            reasons.append(Reason("named", named))
        number = self._index.number(fact.oid)
        doubt = None if named else self._taken_out(fact.oid)
        return Candidate(
            oid=fact.oid,
            subject=fact.subject,
            release=self._index.release_of(number),
            strength=Strength.WEAK if doubt else self._strength(reasons),
            reasons=tuple(reasons),
            named=tuple(
                link.target
                for link in links
                if link.kind is LinkKind.PREREQUISITE
                and link.target
                and not self._has.has(link.target)
            ),
            followups=(),
            files=files,
            elsewhere=fact.oid in self.elsewhere,
            doubt=doubt,
        )

    def _why_not(
        self,
        fact: Fact,
        files: Sequence[str],
        notices: Sequence[Said],
        reasons: Sequence[Reason],
        absent: Sequence[str],
        unknown: Sequence[str],
    ) -> Excluded | None:
        def because(standing: Standing, why: str) -> Excluded:
            return Excluded(fact.oid, fact.subject, standing, why)

        ignored = self._wishes.ignored.get(fact.oid)
        if ignored:
            until = f", until {ignored.until}" if ignored.until else ""
            return because(Standing.IGNORED, f"{ignored.reason}{until}")
        if any(link.form == "opt-out" for link in notices):
            return because(Standing.OPT_OUT, notices[0].text)
        by = self._has.undone.get(fact.oid)
        if by:
            here = self._taken_out(fact.oid)
            return because(Standing.REVERTED, f"by {by[:12]}" + (f"; {here}" if here else ""))
        if not reasons and absent:
            names = ", ".join(oid[:12] for oid in absent)
            return because(Standing.UNAFFECTED, f"{names} is not here")
        if not reasons and unknown and not notices:
            return because(Standing.FOREIGN, f"{unknown[0]}: no such commit in this repository")
        if notices and not self._asking(notices):
            return because(Standing.EXCLUDED, notices[0].text)
        if self._wishes.built is not None and not compiled(files, self._wishes.built):
            return because(Standing.NOT_BUILT, f"{files[0]} was not compiled")
        return None

    def _asking(self, notices: Iterable[Said]) -> list[Said]:
        return [link for link in notices if self.base is None or wants(link.note, self.base)]

    def _taken_out(self, oid: str) -> str | None:
        gone = self._has.removals.get(oid)
        return f"taken as {gone.on_branch[:12]}, reverted here by {gone.by[:12]}" if gone else None

    def _strength(self, reasons: Sequence[Reason]) -> Strength:
        firm = [reason for reason in reasons if not reason.weak]
        if any(reason.kind not in {"stable", "named"} for reason in firm):
            return Strength.STRONG
        if firm or not self.tags:
            # A notice alone names no culprit: the branch may never have had the bug.
            return Strength.MEDIUM
        return Strength.WEAK
