# SPDX-License-Identifier: GPL-2.0-or-later
"""Since when something holds for the API: `method M of S matches RE`, `function F`, `header H`.

For those who write compatibility headers: each probe names a thing, and perhaps what its
declaration must look like.
"""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from kbisect.api.declarations import Declaration, What
from kbisect.api.lifetimes import Past
from kbisect.api.lives import Lives
from kbisect.errors import UsageError
from kbisect.git import blobs, patches
from kbisect.history import releases as naming

_PROBE = re.compile(
    r"\s*(?P<sort>method|callback|field|member|function|macro|struct|union|enum|enumerator|constant|type"
    r"|typedef|header|name)\s+<?(?P<name>[\w./-]+)>?"
    r"(?:\s+(?:of|in)\s+(?:struct\s+|union\s+)?(?P<owner>\w+))?"
    r"(?:\s+(?:exists|(?P<how>matches|lacks)\s+(?P<pattern>.+?)))?\s*$",
    re.DOTALL,
)
_SORTS = {
    "function": {What.FUNCTION},
    "macro": {What.MACRO},
    "struct": {What.STRUCT},
    "union": {What.UNION},
    "enum": {What.ENUM},
    "enumerator": {What.ENUMERATOR},
    "constant": {What.MACRO, What.ENUMERATOR},
    "type": {What.TYPEDEF, What.STRUCT, What.UNION, What.ENUM},
    "typedef": {What.TYPEDEF},
}


_PATIENCE = 5.0
"""Seconds for one search: a usual one takes less than a thousandth."""


class _Pattern:
    """A user's regular expression, which gives up where it would try for ever."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._compiled = re.compile(text, re.DOTALL)

    def search(self, text: str) -> bool:
        """Whether a text has it.

        Raises
        ------
        UsageError
            That isn't known after some seconds.
        """
        if threading.current_thread() is not threading.main_thread():
            return self._compiled.search(text) is not None
        before = signal.signal(signal.SIGALRM, self._give_up)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
        try:
            return self._compiled.search(text) is not None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def _give_up(self, number: int, frame: object) -> None:
        raise UsageError(
            f"the pattern takes too long: {self.text}",
            hint="no repeat within a repeat: (a+)+ is tried in every way it can be divided",
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment from which a probe holds, or no longer does; release None: since the beginning."""

    holds: bool
    release: str | None
    commit: str | None
    text: str


def probe(past: Past, expression: str) -> list[Turn]:
    """Return when a probe began and ended to hold, oldest first; empty when it never did.

    Raises
    ------
    UsageError
        The expression is none, or its pattern is no regular expression.
    """
    parts = _PROBE.match(expression)
    if parts is None:
        raise UsageError(
            f"not a probe: {expression}",
            hint="'method ndo_tx_timeout of net_device_ops matches txqueue', 'function skb_pad',"
            " 'field mac of sk_buff', 'header net/tcp.h matches RE'",
        )
    try:
        pattern = _Pattern(parts["pattern"] or "")
    except re.error as error:
        raise UsageError(
            f"not a regular expression: {parts['pattern']} ({error})",
            hint="quote it for Python's re",
        ) from None
    wanted = parts["how"] != "lacks"
    sort, name, owner = parts["sort"], parts["name"], parts["owner"]
    if sort == "header":
        states = _header_states(past, name, pattern, wanted)
    else:
        if sort in ("method", "callback", "field", "member"):
            if owner is None:
                raise UsageError(f"{sort} {name} of which struct?", hint=f"{sort} {name} of STRUCT")
            lives = past.lives(owner)[owner].of(f"{owner}.{name}")
        else:
            lives = past.lives(name)[name]
        states = (
            (release, commit, declaration.text if declaration else "", holds)
            for release, commit, declaration in _states(lives, past)
            for holds in (
                declaration is not None
                and (sort not in _SORTS or declaration.what in _SORTS[sort])
                and pattern.search(declaration.text) is wanted,
            )
        )
    turns: list[Turn] = []
    for release, commit, text, holds in states:
        if holds is not (turns[-1].holds if turns else False):
            turns.append(Turn(holds, release, commit, text))
    return turns


def otherwise(past: Past, expression: str) -> str | None:
    """Return a probe for what a name is, if it is something else: `macro netdev_mc_count`."""
    parts = _PROBE.match(expression)
    if parts is None or parts["sort"] not in _SORTS:
        return None
    lives = past.lives(parts["name"])[parts["name"]].lives
    kinds = [life.declaration.what for life in lives if life.name.split()[-1] == parts["name"]]
    other = next((kind for kind in kinds if kind not in _SORTS[parts["sort"]]), None)
    return f"{other.value} {parts['name']}" if other is not None else None


def _states(
    lives: Lives, past: Past
) -> Iterator[tuple[str | None, str | None, Declaration | None]]:
    """Follow a name through its declarations; where a release ends one, others begin after."""
    order: dict[str | None, int] = {None: -1}
    order |= {name: place for place, (name, _) in enumerate(past.index.meta.releases)}
    steps: list[tuple[int, bool, str | None, str | None, Declaration | None]] = []
    for life in lives.lives:
        if life.name.split()[-1] != lives.name:
            continue
        steps += [
            (order.get(one.release, 0), True, one.release, one.commit, one.declaration)
            for one in life.versions
        ]
        if life.until is not None:
            steps.append((order.get(life.until, 0), False, life.until, life.until_commit, None))
    for _, _, release, commit, declaration in sorted(steps, key=lambda step: step[:2]):
        yield release, commit, declaration


def _header_states(
    past: Past, name: str, pattern: _Pattern, wanted: bool
) -> Iterator[tuple[str | None, str | None, str, bool]]:
    short = name.removeprefix("include/")
    paths = (f"include/{short}", f"include/uapi/{short}")
    found = [next((tree[p] for p in paths if p in tree), None) for tree in past.trees]
    texts = dict(blobs.read(past.repository, sorted({oid for oid in found if oid})))

    def state(oid: str | None) -> bool:
        text = texts.get(oid or "", b"").decode("utf-8", "replace")
        return oid is not None and pattern.search(text) is wanted

    before: bool | None = None
    for oid, (release, _) in zip(found, past.releases, strict=True):
        holds = state(oid)
        commit = None
        if before is not None and holds is not before:
            for maker, blob in _touching(past, paths, release):
                texts |= dict(blobs.read(past.repository, [blob] if blob else []))
                if state(blob) is holds:
                    commit = maker
                    break
        since = (past.release_of(commit) if commit else None) or release
        yield (since if before is not None else None), commit, short, holds
        before = holds


def _touching(past: Past, paths: tuple[str, ...], release: str) -> Iterator[tuple[str, str | None]]:
    """Return the commits that are new in a finished release and change a header, its blob there."""
    marks = ", ".join("?" for _ in paths)
    rows = past.index.rows(
        "SELECT DISTINCT r.number, c.oid FROM changes c JOIN rows r ON r.oid = c.oid"
        f" WHERE c.path IN ({marks}) ORDER BY r.number",
        paths,
    )
    numbered = naming.version(release)
    oids = [
        oid
        for _, oid in rows
        if naming.version((past.release_of(oid) or "").split("-rc")[0]) == numbered
    ]
    for commit in patches.of_commits(past.repository, oids, paths):
        for file in commit.files:
            yield commit.oid, None if file.new_blob == patches.NO_BLOB else file.new_blob
