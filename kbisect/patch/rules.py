# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of the network list: their names, where each is written, what came of it. Pure.

Rules that nipa (the bot behind the list's patchwork) checks have nipa's names, so that results can
be compared with patchwork's; they follow its tests as of August 2026. The rest are in the
documentation alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_NETDEV = "Documentation/process/maintainer-netdev.rst"
_SUBMITTING = "Documentation/process/submitting-patches.rst"


class Level(StrEnum):
    """How a rule came out. `skipped` is never a pass: something that it needs isn't there."""

    FAIL = "fail"
    WARN = "warn"
    ADVICE = "advice"
    PASS = "pass"  # noqa: S105
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    name : nipa's, where nipa has it
    says : the rule, in a few words
    source : where it is written
    nipa : path of nipa's test, None for what it doesn't check
    """

    name: str
    says: str
    source: str
    nipa: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule says of a series, or of one patch of it.

    Attributes
    ----------
    rule : Rule
    level : Level
    text : one line
    patch : number of the patch, None for the series
    detail : further lines: the tags, lines or addresses meant
    """

    rule: Rule
    level: Level
    text: str
    patch: int | None = None
    detail: tuple[str, ...] = ()


SERIES_FORMAT = Rule(
    "series_format",
    "a tree in the prefix, at most 15 patches, a cover letter from 3",
    f"{_NETDEV}: Indicating target tree; Dividing work into patches",
    "tests/series/series_format",
)
TARGET_TREE = Rule(
    "target_tree",
    "net for fixes of what mainline has, net-next for the rest, or the subsystem's own tree",
    f"{_NETDEV}: git trees and patch flow; MAINTAINERS, T:",
)
NET_NEXT_OPEN = Rule(
    "net_next_open",
    "nothing new while net-next is closed, but RFC",
    f"{_NETDEV}: git trees and patch flow",
)
FIXES_PRESENT = Rule(
    "fixes_present",
    "a fix says what it fixes",
    f"{_NETDEV}: tl;dr",
    "tests/series/fixes_present",
)
VERIFY_FIXES = Rule(
    "verify_fixes",
    'Fixes: 12 or more digits ("the subject"), of a commit that the tree to be fixed has',
    f"{_SUBMITTING}: Describe your changes",
    "tests/patch/verify_fixes",
)
VERIFY_SIGNEDOFF = Rule(
    "verify_signedoff",
    "signed off by the author, and last by who sends it",
    f"{_SUBMITTING}: Sign your work; When to use Acked-by:, Cc:, and Co-developed-by:",
    "tests/patch/verify_signedoff",
)
CC_MAINTAINERS = Rule(
    "cc_maintainers",
    "everybody whom get_maintainer.pl names gets it",
    f"{_SUBMITTING}: Select the recipients for your patch",
    "tests/patch/cc_maintainers",
)
LINKS = Rule(
    "links",
    "a report has its Closes: or Link:, which lead somewhere",
    f"{_SUBMITTING}: Using Reported-by:, Tested-by:, Reviewed-by:, Suggested-by: and Fixes:",
)
ONE_KIND = Rule(
    "one_kind",
    "no fix and feature in one series",
    f"{_SUBMITTING}: Separate your changes",
)
XMAS_TREE = Rule(
    "xmas_tree",
    "local variables from the longest line to the shortest",
    f"{_NETDEV}: Local variable ordering",
)
SOURCE_INLINE = Rule(
    "source_inline",
    "no inline in C files: the compiler knows",
    "Documentation/process/coding-style.rst: The inline disease",
    "tests/patch/source_inline",
)
HEADER_INLINE = Rule(
    "header_inline",
    "functions in headers are static inline",
    "Documentation/process/coding-style.rst: The inline disease",
    "tests/patch/header_inline",
)
DEPRECATED_API = Rule(
    "deprecated_api",
    "no new use of what is being replaced",
    f"{_NETDEV}: Using device-managed and cleanup.h constructs",
    "tests/patch/deprecated_api",
)
MAINTAINERS = Rule(
    "maintainers",
    "new files have an entry in MAINTAINERS that isn't a whole subsystem's",
    "Documentation/dev-tools/checkpatch.rst: FILE_PATH_CHANGES",
    "tests/series/maintainers",
)
CHECK_SELFTEST = Rule(
    "check_selftest",
    "a new selftest is in the Makefile, and its program in .gitignore",
    "Documentation/dev-tools/kselftest.rst: Contributing new tests (details)",
    "tests/patch/check_selftest",
)
CHECKPATCH = Rule(
    "checkpatch",
    "the tree's own scripts/checkpatch.pl, if asked",
    f"{_SUBMITTING}: Style-check your changes",
    "tests/patch/checkpatch",
)
ALL = (
    *(SERIES_FORMAT, TARGET_TREE, NET_NEXT_OPEN, FIXES_PRESENT, VERIFY_FIXES, VERIFY_SIGNEDOFF),
    *(CC_MAINTAINERS, LINKS, ONE_KIND, XMAS_TREE, SOURCE_INLINE, HEADER_INLINE, DEPRECATED_API),
    *(MAINTAINERS, CHECK_SELFTEST, CHECKPATCH),
)


def worst(results: Iterable[Result]) -> Level:
    """Return the most serious level."""
    order = list(Level)
    return min((result.level for result in results), key=order.index, default=Level.PASS)
