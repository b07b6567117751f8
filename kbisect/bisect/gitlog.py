# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of `git bisect log`, written and read. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kbisect.bisect.events import Outcome
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Verdict
from kbisect.errors import UsageError


@dataclass(frozen=True, slots=True)
class Log:
    """What a log says: (revision, verdict) in order, and how the search was started."""

    verdicts: tuple[tuple[str, Verdict], ...] = ()
    first_parent: bool = False
    checkout: bool = True
    paths: tuple[str, ...] = ()


def render(
    state: State, subjects: Mapping[str, str], verdicts: Sequence[tuple[str, Verdict]] | None = None
) -> str:
    """Return the campaign as `git bisect log` prints it; `git bisect replay` reads it.

    Parameters
    ----------
    verdicts : what is believed of each commit, where answers contradicted each other
    """
    options = []
    words = {verdict: str(verdict) for verdict in Verdict}
    if state.started.find_fix:
        # git won't have its own words for the other thing.
        options.append(" '--term-new=fixed' '--term-old=broken'")
        words |= {Verdict.GOOD: "fixed", Verdict.BAD: "broken"}
    if state.started.first_parent:
        options.append(" '--first-parent'")
    if not state.started.checkout:
        options.append(" '--no-checkout'")
    lines = [f"git bisect start{''.join(options)}"]
    for oid, verdict in dict.fromkeys(state.verdicts if verdicts is None else verdicts):
        lines.append(f"# {words[verdict]}: [{oid}] {subjects.get(oid, '')}".rstrip())
        lines.append(f"git bisect {words[verdict]} {oid}")
    end = state.finished
    if end is not None and end.outcome is Outcome.CULPRIT:
        first = "fixed" if state.started.find_fix else "bad"
        subject = subjects.get(end.culprit or "", "")
        lines.append(f"# first {first} commit: [{end.culprit}] {subject}".rstrip())
    elif end is not None and end.outcome is Outcome.RANGE:
        lines.append("# only skipped commits left to test")
        lines += [
            f"# possible first bad commit: [{oid}] {subjects.get(oid, '')}".rstrip()
            for oid in end.suspects
        ]
    return "\n".join(lines) + "\n"


def parse(text: str) -> Log:
    """Read a log that git or kbisect wrote.

    Raises
    ------
    UsageError
        A line is neither a comment nor a command of git bisect.
    """
    log = Log()
    words = {"bad": Verdict.BAD, "new": Verdict.BAD, "good": Verdict.GOOD, "old": Verdict.GOOD}
    words["skip"] = Verdict.SKIP
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            tokens = shlex.split(line.replace("git-bisect", "git bisect", 1))
        except ValueError:
            raise _not_understood(number, line) from None
        if tokens[:2] != ["git", "bisect"] or len(tokens) < 3:
            raise _not_understood(number, line)
        command, arguments = tokens[2], tokens[3:]
        if command == "start":
            log = _start(arguments, words)
        elif command == "terms":
            continue
        elif command in words:
            found = tuple((name, words[command]) for name in arguments or ["HEAD"])
            log = replace(log, verdicts=log.verdicts + found)
        else:
            raise _not_understood(number, line)
    return log


def _start(arguments: list[str], words: dict[str, Verdict]) -> Log:
    log = Log()
    revisions: list[str] = []
    rest = iter(arguments)
    for word in rest:
        name, _, value = word.partition("=")
        if word == "--":
            log = replace(log, paths=tuple(rest))
        elif word == "--first-parent":
            log = replace(log, first_parent=True)
        elif word == "--no-checkout":
            log = replace(log, checkout=False)
        elif name in {"--term-bad", "--term-new"}:
            words[value or next(rest, "")] = Verdict.BAD
        elif name in {"--term-good", "--term-old"}:
            words[value or next(rest, "")] = Verdict.GOOD
        else:
            revisions.append(word)
    found = [(name, Verdict.GOOD if i else Verdict.BAD) for i, name in enumerate(revisions)]
    return replace(log, verdicts=tuple(found))


def _not_understood(number: int, line: str) -> UsageError:
    return UsageError(
        f"line {number} is not of a bisect log: {line[:60]!r}",
        hint="give the output of `git bisect log` or `kbisect bisect log`",
    )
