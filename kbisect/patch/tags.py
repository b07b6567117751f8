# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules on what a commit message says: sign-offs, Fixes:, reports and their links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr

from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history.messages import Trailer
from kbisect.patch import rules
from kbisect.patch.rules import Level, Result
from kbisect.patch.series import Patch, Series
from kbisect.patch.whereabouts import Whereabouts

_FIXES_LINE = re.compile(r"(?im)^[ \t]*fixes:[ \t]*(?P<value>.*)$")
_SIGNED_LINE = re.compile(r"(?im)^[ \t]*signed-off-by:[ \t]*(?P<value>.*)$")
_FIXES = re.compile(r"(?i)(?P<word>commit\s+)?(?P<digits>[0-9a-f]{5,})(?P<gap>\s*)(?P<rest>.*)\Z")
_LEAST_DIGITS = 12
_QUOTES = {'"': ('"', "”"), "“": ('"', "”"), "'": ("'", "’"), "‘": ("'", "’")}
"""What may close a quote; an editor often bends one of two."""
_WEB = re.compile(r"https?://[^\s/]+/\S+\Z")


def check(
    repository: Repository, series: Series, patch: Patch, whereabouts: Whereabouts
) -> Iterator[Result]:
    """Check the message of one patch of a series."""
    number = patch.subject.number
    # A commit has a sender only when it is sent.
    yield _signed_off(patch, number, is_mailed=series.source == "mail")
    yield _fixes(_Target(repository, series, whereabouts), patch, number)
    yield _links(patch, number)


# --- sign-offs ------------------------------------------------------------------------------------


def _signed_off(patch: Patch, number: int, *, is_mailed: bool) -> Result:
    # Anywhere in the message, as nipa looks for them: notes behind them don't undo them.
    signers = [found["value"].strip() for found in _SIGNED_LINE.finditer(patch.mail.message)]
    faults = []
    if not _is_among(patch.mail.author, signers):
        faults.append(f"not signed off by the author, {patch.mail.author or 'who is not named'}")
    faults += _codevelopers(patch.trailers)
    if faults:
        return Result(rules.VERIFY_SIGNEDOFF, Level.FAIL, "; ".join(faults), number)
    if is_mailed and signers and not _is_among(patch.mail.sender, signers[-1:]):
        text = f"the last to sign off, {signers[-1]}, isn't who sends it"
        return Result(rules.VERIFY_SIGNEDOFF, Level.WARN, text, number)
    return Result(rules.VERIFY_SIGNEDOFF, Level.PASS, "signed off by the author", number)


def _is_among(person: str, signers: list[str]) -> bool:
    """Whether somebody signed, by the address or by the name, as nipa sees it."""
    name, email = (part.lower() for part in parseaddr(person))
    pairs = [tuple(part.lower() for part in parseaddr(signer)) for signer in signers]
    return any((email and email == e) or (name and name == n) for n, e in pairs)


def _codevelopers(trailers: list[Trailer]) -> Iterator[str]:
    for this, following in zip(trailers, [*trailers, None][1:], strict=True):
        if this.key.lower() == "co-developed-by" and (
            following is None
            or following.key.lower() != "signed-off-by"
            or not _is_among(this.value, [following.value])
        ):
            yield f"no sign-off right behind Co-developed-by: {this.value}"


# --- Fixes: ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Target:
    """What a Fixes: tag is held against."""

    repository: Repository
    series: Series
    whereabouts: Whereabouts


def _fixes(target: _Target, patch: Patch, number: int) -> Result:
    lines = [found["value"].strip() for found in _FIXES_LINE.finditer(patch.mail.message)]
    if not lines:
        return Result(rules.VERIFY_FIXES, Level.PASS, "no Fixes: tag", number)
    faults = [f"{value}: {fault}" for value in lines for fault in _fault(target, value)]
    if re.search(r"(?i)\n\n[ \t]*fixes:.*\n\n", patch.message + "\n"):
        faults.append("an empty line behind the Fixes: tag parts it from the other tags")
    if faults:
        text = f"{len(faults)} faults in Fixes: tags"
        return Result(rules.VERIFY_FIXES, Level.FAIL, text, number, tuple(faults))
    return Result(rules.VERIFY_FIXES, Level.PASS, "Fixes: tags are right", number)


def _fault(target: _Target, value: str) -> Iterator[str]:
    found = _FIXES.match(value)
    if found is None:
        yield "no commit id"
        return
    if found["word"]:
        yield "the word `commit` doesn't belong there"
    if not found["rest"]:
        yield "no subject"
    elif not found["gap"]:
        yield "no blank between id and subject"
    try:
        oid = target.repository.find(found["digits"].lower())
    except UsageError as error:
        yield error.message
        return
    if oid is None:
        yield "no such commit in this repository"
        return
    if len(found["digits"]) < _LEAST_DIGITS:
        yield f"{len(found['digits'])} digits; give 12: git config core.abbrev 12"
    if found["rest"]:
        yield from _misquoted(found["rest"], target.repository.commit(oid).subject)
    if lacking := target.whereabouts.lacking(oid, target.series):
        yield lacking


def _misquoted(rest: str, real: str) -> Iterator[str]:
    said = rest
    if said[:1] == "(":
        end = said.rfind(")")
        if end < 0:
            yield "the parenthesis isn't closed"
        said = said[1:end] if end > 0 else said[1:]
    if said[:1] in _QUOTES:
        closing = _QUOTES[said[0]]
        if not said[1:].endswith(closing):
            yield "the quote isn't closed"
        said = said[1:-1] if said[1:].endswith(closing) else said[1:]
    said = " ".join(said.split())
    if not _same(said, " ".join(real.split())):
        yield f'the subject is "{real}"'


def _same(said: str, real: str) -> bool:
    """Whether a quoted subject is the real one, or its beginning, or has `...` for a part of it."""
    if said.endswith("..."):
        return real.startswith(said.removesuffix("...").strip())
    if said.startswith("..."):
        return real.endswith(said.removeprefix("...").strip())
    head, dots, tail = said.partition(" ... ")
    if not dots:
        return real.startswith(said)
    return len(head) + len(tail) <= len(real) and real.startswith(head) and real.endswith(tail)


# --- reports --------------------------------------------------------------------------------------


def _links(patch: Patch, number: int) -> Result:
    faults = []
    keys = [trailer.key.lower() for trailer in patch.trailers]
    for at, trailer in enumerate(patch.trailers):
        if keys[at] in {"link", "closes"} and not _WEB.match(trailer.value.partition(" #")[0]):
            faults.append(f"{trailer.key}: {trailer.value}: not an address of the web")
        if keys[at] == "reported-by" and keys[at + 1 : at + 2] not in (["closes"], ["link"]):
            if "syzbot" in trailer.value and "syzbot+" in trailer.value:
                continue  # the address itself names the report
            faults.append(f"no Closes: or Link: behind {trailer.key}: {trailer.value}")
    if faults:
        return Result(rules.LINKS, Level.WARN, f"{len(faults)} faults", number, tuple(faults))
    return Result(rules.LINKS, Level.PASS, "reports have their links", number)
