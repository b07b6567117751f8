# SPDX-License-Identifier: GPL-2.0-or-later
"""What a compiler's complaint about the API comes from, and what to write instead.

The name's life tells the release; the comparison of that release with the one before tells the
commit, what callers became and how one of them was converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kbisect.api import conversion, replacement, signatures
from kbisect.api.complaints import Complaint, Trouble
from kbisect.api.declarations import What
from kbisect.api.explained import Explanation, Verdict
from kbisect.api.findings import Finding
from kbisect.api.headers import Headers
from kbisect.api.lifetimes import Past
from kbisect.api.lives import Life, Lives
from kbisect.api.spans import Spans
from kbisect.api.surface import include_name
from kbisect.api.usage import Hit
from kbisect.api.writing import Advice, Writer
from kbisect.git import blobs

_STRANGERS = 20
"""Unknown names of a log that are compared with all known ones: behind that it is another API."""
_ENDS = ("removed", "renamed", "moved")
_SIGNATURE = {
    *(Trouble.FEW, Trouble.MANY, Trouble.ARGUMENT, Trouble.VALUE, Trouble.CALLBACK),
    Trouble.OBJECT,
}
_COUNTED = (Trouble.FEW, Trouble.MANY, Trouble.ARGUMENT)


@dataclass(slots=True)
class Explainer:
    """Explains complaints; what was read for one serves the next."""

    past: Past
    spans: Spans = field(init=False)
    writer: Writer = field(init=False)
    strangers: int = 0

    def __post_init__(self) -> None:
        self.spans = Spans(self.past)
        self.writer = Writer(self.past)

    def explain(self, complaints: Iterable[Complaint]) -> Iterator[Explanation]:
        """Explain each complaint; those about no name are left out."""
        listed = [each for each in complaints if each.trouble is not Trouble.OTHER]
        self.past.lives(*{each.owner or each.name for each in listed if self._is_name(each)})
        known: dict[tuple[str, int], str] = {}
        for complaint in listed:
            found = self._one(complaint)
            place = complaint.file, complaint.line
            if found.verdict is not Verdict.UNKNOWN:
                known[place] = found.name
            elif complaint.line and complaint.trouble is Trouble.NAME:
                # A macro that declared the name is gone (`DECLARE_MAC_BUF(mac)`).
                found = replace(found, follows=known.get(place, ""))
            yield found

    def advise(self, finding: Finding, use: str, owner: str = "") -> Advice:
        """Return what to write instead of a line, for a change of what it uses.

        A call is first written as it was last, where its arguments had changed before.

        Parameters
        ----------
        use : the line
        owner : the struct whose member is missing there, empty if nobody said so
        """
        old = finding.old
        if use and old is not None and old.what is What.FUNCTION:
            lives = self.past.lives(old.name)[old.name]
            last = next((e for e in lives.events[::-1] if e.commit == finding.commit), finding)
            use = self._caught_up(lives, last, use)
        return self.writer.advice(self.spans.with_table(finding), use, owner)

    def driver(self, hits: Sequence[Hit]) -> list[tuple[Hit, Advice]]:
        """Advise on the lines of a driver; a line that several changes hit is written once."""
        self._read(hit.finding for hit in hits)
        lines: dict[tuple[str, int], str] = {}
        tables: set[tuple[str, str]] = set()
        told = []
        for hit in hits:
            place = hit.file, hit.line
            so_far = lines.get(place, hit.text)
            advice = self.advise(hit.finding, so_far)
            if not hit.sure and self.writer.knows(replacement.word(hit.finding)):
                # Another struct has such a member still: whose it is, nobody knows here.
                advice = replace(advice, write="", left_out=0)
            elif advice.write:
                advice = replace(advice, write=_in_one_table(advice.write, hit.file, tables))
                lines[place] = advice.write
            elif so_far != hit.text:
                advice = self.advise(hit.finding, hit.text)
            told.append((hit, advice))
        return [
            (hit, replace(advice, write=lines.get((hit.file, hit.line), advice.write)))
            for hit, advice in told
        ]

    def _read(self, findings: Iterable[Finding]) -> None:
        """Read what is needed to advise on many changes, in one go."""
        listed = list(findings)
        olds = (finding.old for finding in listed)
        self.past.lives(*{old.name for old in olds if old and old.what is What.FUNCTION})
        self.writer.read(listed)

    @staticmethod
    def _is_name(complaint: Complaint) -> bool:
        if complaint.trouble is Trouble.HEADER:
            return False
        lacks_owner = complaint.trouble in (Trouble.MEMBER, Trouble.CALLBACK)
        return bool(complaint.name) and bool(complaint.owner or not lacks_owner)

    def _one(self, complaint: Complaint) -> Explanation:
        use = complaint.source or _statement(complaint)
        found: tuple[Finding, tuple[str, str]] | None = None
        alive: Life | None = None
        name = complaint.name
        if complaint.trouble is Trouble.HEADER:
            found = self.spans.header(complaint.name)
        elif complaint.trouble in (Trouble.MEMBER, Trouble.CALLBACK):
            for lives in self._structs(complaint):
                found = found or self._event(complaint, lives)
                name = lives.name
                alive = alive or next((x for x in lives.lives if x.name == lives.name), None)
            if found is None and alive is None and complaint.owner:
                # A member that was a macro for a longer path (`fl4_dst`, `nl_u.ip4_u.daddr`).
                lives = self.past.lives(complaint.name)[complaint.name]
                if any("." in life.declaration.type for life in lives.lives):
                    found = self._event(complaint, lives)
        elif complaint.name:
            lives = self.past.lives(complaint.name)[complaint.name]
            found = self._event(complaint, lives)
            alive = next(iter(lives.lives), None)
            if not lives.lives and complaint.trouble in _SIGNATURE:  # a callback is called
                for lives in self._structs(complaint):
                    found = found or self._event(complaint, lives)
        if found is None and complaint.trouble in (Trouble.ARGUMENT, Trouble.VALUE):
            found = self._retyped(complaint)
        if found is not None:
            return self._changed(complaint, *found, use)
        if alive is not None and alive.until is None:
            return self._alive(complaint, alive, use)
        return Explanation(
            complaint, Verdict.UNKNOWN, name or "", use=use, nearest=self._nearest(complaint)
        )

    # --- what happened -------------------------------------------------------------------------

    def _structs(self, complaint: Complaint) -> Iterator[Lives]:
        owners = [complaint.owner] if complaint.owner else self._owners(complaint.name)
        found = self.past.lives(*owners)
        for owner in owners:
            yield found[owner].of(f"{owner}.{complaint.name}")

    def _retyped(self, complaint: Complaint) -> tuple[Finding, tuple[str, str]] | None:
        """Return the member in the line that is a pointer no more, or has become one."""
        for name in dict.fromkeys(re.findall(r"(?:->|\.)\s*(\w+)", complaint.source)):
            for lives in self._structs(replace(complaint, name=name, owner="")):
                found = self._event(complaint, lives)
                event = found[0] if found is not None else None
                if event is None or event.old is None or event.new is None:
                    continue
                if ("*" in event.old.type) != ("*" in event.new.type):
                    return found
        return None

    def _owners(self, name: str) -> list[str]:
        """Return the structs that have, or had, a field of a name; those in use first."""
        if not name:
            return []
        pattern = re.compile(
            rf"(?:\(\s*\*\s*{re.escape(name)}\s*\)|\b{re.escape(name)}\b)".encode()
        )
        place: dict[str, str] = {}
        for tree in self.past.trees:
            place |= {blob: path for path, blob in tree.items()}
        latest: dict[str, tuple[str, bytes]] = {}
        order = {b: n for n, tree in enumerate(self.past.trees) for b in tree.values()}
        for oid, content in blobs.read(
            self.past.repository, sorted(place, key=lambda blob: order[blob])
        ):
            if pattern.search(content):
                latest[place[oid]] = (oid, content)
        owners = dict.fromkeys(
            one.owner
            for path, (_, content) in latest.items()
            for one in Headers(None, {"x": content})(path, "x").declarations
            if one.what is What.FIELD and one.name == name
        )
        return list(owners)[:8]

    def _event(self, complaint: Complaint, lives: Lives) -> tuple[Finding, tuple[str, str]] | None:
        """Return the latest change that the complaint can come from."""
        trouble = complaint.trouble
        listed = list(zip(lives.events, lives.spans, strict=True))[::-1]
        if trouble in _SIGNATURE:
            words = ("-signature", "kind-changed", "-retyped")
            signed = [
                (event, span)
                for event, span in listed
                if any(kind.endswith(words) for kind in event.kinds)
            ]
            if signed:
                return next((each for each in signed if _fits(complaint, each[0])), signed[0])
        last = max(lives.lives, key=lambda life: life.until is None, default=None)
        if last is not None and last.until is None:
            # It is there now: what moved must be looked for elsewhere.
            return next(
                (
                    each
                    for each in listed
                    if trouble is not Trouble.TWICE
                    and each[0].kind.endswith("-moved")
                    and each[0].new_header
                ),
                None,
            )
        return next((each for each in listed if each[0].kind.rsplit("-", 1)[-1] in _ENDS), None)

    def _caught_up(self, lives: Lives, event: Finding, use: str) -> str:
        """Rewrite a call as it was last written, where its arguments changed before it went."""
        listed = list(zip(lives.events, lives.spans, strict=True))
        for _ in listed:
            given = conversion.call(use, lives.name)
            old = event.old
            if given is None or old is None or len(given[2]) == len(old.parameters or ()):
                break
            earlier = (
                (each, span)
                for each, span in listed
                if each.kind == "function-signature"
                and each is not event
                and each.old is not None
                and len(each.old.parameters or ()) == len(given[2])
            )
            step = next(earlier, None)
            whole = self.spans.whole(*step) if step is not None else None
            text = self.writer.advice(whole, use).write if whole is not None else ""
            if not text or text == use:
                break
            use = text
        return use

    # --- what to say ---------------------------------------------------------------------------

    def _changed(
        self, complaint: Complaint, event: Finding, span: tuple[str, str], use: str
    ) -> Explanation:
        finding = self.spans.with_heir(self.spans.whole(event, span))
        verb = finding.kind.rsplit("-", 1)[-1]
        gone = verb in ("removed", "renamed") or (verb == "moved" and "." in finding.name)
        verdict = Verdict.GONE if gone else Verdict.MOVED if verb == "moved" else Verdict.CHANGED
        finding, advice = self._first_step(complaint, finding, use)
        advice = advice or self.advise(finding, use, complaint.owner)
        commit = finding.commit
        test = next((row.became for row in advice.callers), "") or finding.new_name or ""
        return Explanation(
            complaint,
            verdict,
            finding.name,
            finding,
            self.past.repository.commit(commit).subject if commit else "",
            use,
            advice,
            finding.new,
            finding.release or span[1],
            test,
        )

    def _first_step(
        self, complaint: Complaint, finding: Finding, use: str
    ) -> tuple[Finding, Advice | None]:
        """Name the commit since which a call lacks arguments, where later ones changed it again.

        Returns
        -------
        (the finding, the call written through all those changes), as it was and None for others
        """
        given = conversion.call(use, finding.name)
        if complaint.trouble not in _COUNTED or given is None:
            return finding, None
        life = signatures.current(self.past.lives(finding.name)[finding.name].lives)
        listed = signatures.steps(life, len(given[2])) if life is not None else []
        if life is None or len(listed) < 2 or listed[0].commit in (None, finding.commit):
            return finding, None
        first = replace(finding, commit=listed[0].commit, release=listed[0].release)
        return first, self.writer.stepped(life, use)

    def _alive(self, complaint: Complaint, life: Life, use: str) -> Explanation:
        """Explain a name that is there now: the kernel built against is older, or has it too."""
        commit = life.since_commit
        where = life.declaration
        misused = complaint.trouble in _SIGNATURE
        if misused or (complaint.trouble is Trouble.MEMBER and life.since is None):
            verdict, write = Verdict.SAME, ""
        elif life.since is not None or complaint.trouble is Trouble.TWICE:
            verdict, write = Verdict.NEW if life.since else Verdict.MOVED, ""
        else:
            verdict, write = Verdict.MOVED, f"#include <{include_name(where.header)}>"
        return Explanation(
            complaint,
            verdict,
            life.name,
            None,
            self.past.repository.commit(commit).subject if commit else "",
            use,
            Advice(write),
            declaration=where,
            release=life.since,
            known_until=self.past.releases[-1][0],
        )

    def _nearest(self, complaint: Complaint) -> tuple[str, ...]:
        if (
            not complaint.name
            or complaint.trouble is Trouble.HEADER
            or self.strangers >= _STRANGERS
        ):
            return ()
        self.strangers += 1
        owner = f"{complaint.owner}." if complaint.owner else ""
        return tuple(self.past.near(owner + complaint.name))


def _fits(complaint: Complaint, event: Finding) -> bool:
    """Whether a change of parameters explains the numbers of arguments, or which are more."""
    old, new = event.old, event.new
    if old is None or new is None or old.parameters is None or new.parameters is None:
        return complaint.trouble not in (Trouble.FEW, Trouble.MANY)
    before, after = len(old.parameters), len(new.parameters)
    want, have = complaint.counts
    if want is not None and have is not None:
        return (before, after) == (have, want)
    given = conversion.call(complaint.source, complaint.name) if complaint.source else None
    if given is not None and complaint.trouble in _COUNTED:
        return before == len(given[2])
    if complaint.trouble is Trouble.FEW:
        return after > before
    if complaint.trouble is Trouble.MANY:
        return after < before
    if complaint.trouble is Trouble.ARGUMENT:
        return before == after
    if complaint.trouble is Trouble.VALUE:
        return old.type != new.type
    return True


def _statement(complaint: Complaint) -> str:
    """Read the statement from the file that was compiled, if it is at hand."""
    if not complaint.file or not complaint.line:
        return ""
    try:
        with Path(complaint.file).open("rb") as file:
            lines = file.read(4_000_000).decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    text = ""
    for line in lines[complaint.line - 1 : complaint.line + 5]:
        text = f"{text} {line.strip()}".strip()
        if text.endswith((";", "{", "}", ",")) and text.count("(") <= text.count(")"):
            break
    return text


def _in_one_table(text: str, file: str, tables: set[tuple[str, str]]) -> str:
    """Return a callback as one line of the table that an earlier line of the file began."""
    begun = re.match(r"static const struct (\w+) my_\1 = \{ (\.\w+ = \w+) \};", text)
    if begun is None:
        return text
    known = (file, begun[1]) in tables
    tables.add((file, begun[1]))
    return f"{begun[2]},  /* in my_{begun[1]} */" if known else text
