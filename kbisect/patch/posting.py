# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules on a series as a whole: its form, its tree, its time, who gets it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from kbisect.git.repository import Repository
from kbisect.history import trees
from kbisect.history.releases import State, Window
from kbisect.patch import rules
from kbisect.patch.addresses import emails
from kbisect.patch.maintainers import Desk, Kind, Recipient
from kbisect.patch.rules import Level, Result
from kbisect.patch.series import Patch, Series
from kbisect.patch.target import Target, named, spelled

_MOST = 15
_COVER_FROM = 3
_NO_CODE = ("Documentation/", "MAINTAINERS")
# nipa doesn't ask for these, whoever names them.
_EXCUSED = {"linux-kernel@vger.kernel.org", "davem@davemloft.net"}


def check(
    repository: Repository,
    series: Series,
    desk: Desk,
    target: Target,
    window: Window | None,
) -> Iterator[Result]:
    """Check a series.

    Parameters
    ----------
    desk : MAINTAINERS of the revision that counts
    window : at the time it is sent; None where no release is known
    """
    is_mailed = series.source == "mail"
    yield _format(series, target, is_mailed=is_mailed)
    yield _tree(series, target, is_mailed=is_mailed)
    yield _open(series, target, window)
    yield _fixes_present(series, target)
    yield _one_kind(repository, series, target)
    for patch in series.patches:
        yield _copied(patch, desk, is_mailed=is_mailed)


def tree_of(series: Series, target: Target) -> str | None:
    """Return the tree it names, or the one it should; in a prefix's spelling."""
    return series.first.tree or target.tree


def _format(series: Series, target: Target, *, is_mailed: bool) -> Result:
    faults = []
    level = Level.PASS
    if not series.is_complete:
        missing = ", ".join(map(str, series.missing))
        faults.append(f"incomplete: {missing} of {series.total} missing")
        level = Level.FAIL
    if series.total >= _COVER_FROM and series.cover is None and is_mailed:
        faults.append("no cover letter")
        level = Level.WARN if level is Level.PASS else level
    if series.is_unfinished:
        faults.append("the cover letter still has git's placeholders")
        level = Level.FAIL
    if series.total > _MOST:
        faults.append(f"{series.total} patches, 15 are the most")
        level = Level.FAIL
    if is_mailed and series.first.tree is None and not target.foreign:
        faults.append("no tree in the subject")
        level = Level.WARN if level is Level.PASS else level
    text = "; ".join(faults) or "of the right form"
    return Result(rules.SERIES_FORMAT, level, text)


def _tree(series: Series, target: Target, *, is_mailed: bool) -> Result:
    why = target.why
    if target.foreign:
        text = f"belongs in {target.foreign}, whose list has rules of its own"
        return Result(rules.TARGET_TREE, Level.ADVICE, text, detail=why)
    if target.tree is None:
        family = spelled(target.family)
        text = f"{family} or {family}-next: not clear"
        return Result(rules.TARGET_TREE, Level.ADVICE, text, detail=why)
    said = series.first.tree
    if said is None:
        level = Level.ADVICE if is_mailed else Level.PASS
        return Result(rules.TARGET_TREE, level, f"belongs in {target.tree}", detail=why)
    if trees.canonical(said) == trees.canonical(target.tree):
        return Result(rules.TARGET_TREE, Level.PASS, f"{said} is right", detail=why)
    text = f"names {said}, but belongs in {target.tree}"
    return Result(rules.TARGET_TREE, Level.WARN, text, detail=why)


def _day(seconds: int | None) -> str:
    return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%d")


def closed(window: Window | None) -> str | None:
    """Say since when net-next is closed, and until when; None while it is open or unknown."""
    if window is None or window.net_next is not State.CLOSED:
        return None
    return (
        f"net-next is closed since {_day(window.since)} ({window.release});"
        f" expect it to open about {_day(window.predicted)}"
    )


def _open(series: Series, target: Target, window: Window | None) -> Result:
    rule = rules.NET_NEXT_OPEN
    tree = tree_of(series, target)
    if tree is None and target.foreign:
        return Result(rule, Level.SKIPPED, f"when {target.family} takes what is not known here")
    if tree is None or not tree.endswith("-next"):
        return Result(rule, Level.PASS, f"{tree or 'a fix'} is always open")
    if window is None or window.net_next is State.UNKNOWN:
        text = "unknown: no release of the last weeks is known here (kbisect sync)"
        return Result(rule, Level.SKIPPED, text)
    shut = closed(window)
    if shut is None:
        return Result(rule, Level.PASS, f"{tree} is open")
    if series.first.is_rfc:
        return Result(rule, Level.PASS, f"{shut}; RFC is welcome")
    return Result(rule, Level.FAIL, shut)


def _fixes_present(series: Series, target: Target) -> Result:
    rule = rules.FIXES_PRESENT
    tree = tree_of(series, target)
    if any(patch.fixes for patch in series.patches):
        return Result(rule, Level.PASS, "a Fixes: tag is there")
    if all(path.startswith(_NO_CODE) for path in series.paths):
        return Result(rule, Level.PASS, "no Fixes: tag, but it touches no code")
    if tree is not None and tree.endswith("-next"):
        if target.looks_like_fix:
            text = "its title says fix: name what it fixes (the documentation asks, nipa doesn't)"
            return Result(rule, Level.ADVICE, text)
        return Result(rule, Level.PASS, f"{tree} needs none")
    if tree is None:
        return Result(rule, Level.ADVICE, "if it is a fix, name what it fixes")
    return Result(rule, Level.FAIL, f"for {tree}, but no Fixes: tag in it")


def _one_kind(repository: Repository, series: Series, target: Target) -> Result:
    fixing = [patch for patch in series.patches if named(repository, patch)]
    others = [
        patch
        for patch in series.patches
        if not patch.fixes and any(not path.startswith("tools/testing/") for path in patch.paths)
    ]
    in_net = {each.number for each in target.fixed if {"net", "mainline"} & set(each.trees)}
    stray = [patch for patch in fixing if patch.subject.number in in_net]
    if not stray or not others:
        return Result(rules.ONE_KIND, Level.PASS, "of one kind")
    text = f"fixes of what net has: {len(stray)}; patches that name nothing they fix: {len(others)}"
    detail = tuple(f"fix: {patch.title}" for patch in stray[:5])
    return Result(rules.ONE_KIND, Level.ADVICE, text, detail=detail)


def _copied(patch: Patch, desk: Desk, *, is_mailed: bool) -> Result:
    rule = rules.CC_MAINTAINERS
    number = patch.subject.number
    answer = desk.of_patch(patch.mail.text, history=False)
    wanted = [each for each in answer.recipients if each.email not in _EXCUSED]
    if not is_mailed or not (patch.mail.to or patch.mail.cc):
        text = f"not addressed yet: {len(wanted)} to be named (kbisect patch maintainers)"
        return Result(rule, Level.SKIPPED, text, number)
    got = emails((*patch.mail.to, *patch.mail.cc, patch.mail.sender, patch.mail.author))
    # Who has changed address gets it at either.
    got |= emails(desk.mailmap.mapped(address) for address in got)
    missing = [
        each
        for each in wanted
        if not got & {each.email, *emails([desk.mailmap.mapped(each.email)])}
    ]
    if not missing:
        return Result(rule, Level.PASS, f"all {len(wanted)} get it", number)
    detail = tuple(f"{each.address} ({','.join(each.roles)})" for each in missing)
    text = f"{len(missing)} of {len(wanted)} don't get it"
    blamed = any(_is_blamed(each) for each in missing)
    few = len(wanted) - len(missing) <= 1
    return Result(rule, Level.FAIL if blamed or few else Level.WARN, text, number, detail)


def _is_blamed(recipient: Recipient) -> bool:
    return recipient.kind is Kind.BLAMED or any("blamed" in role for role in recipient.roles)
