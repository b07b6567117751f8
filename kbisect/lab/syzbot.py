# SPDX-License-Identifier: GPL-2.0-or-later
"""The title of a syzbot report as the fingerprint of a crash."""

from __future__ import annotations

import re

from kbisect.errors import UsageError

# What syzbot calls it, and what the console's reader does. UBSAN and "kernel BUG" are missing:
# their titles name a function, and what the kernel prints is a file.
_UNABLE = r"BUG: unable to handle (?:kernel )?"
_TITLES = [
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"KASAN: [\w -]+ in (\w[\w.]*)", "KASAN"),
        (r"KMSAN: [\w -]+ in (\w[\w.]*)", "KMSAN"),
        (r"KCSAN: [\w -]+ in (\w[\w.]*)(?: / \w+)?", "KCSAN"),
        (r"KFENCE: [\w -]+ in (\w[\w.]*)", "KFENCE"),
        (_UNABLE + r"NULL pointer dereference in (\w[\w.]*)", "NULL dereference"),
        (_UNABLE + r"(?:paging request|page fault) in (\w[\w.]*)", "paging request"),
        (r"general protection fault in (\w[\w.]*)", "general protection fault"),
        (r"divide error in (\w[\w.]*)", "divide error"),
        (r"WARNING in (\w[\w.]*)", "WARNING"),
        (r"INFO: task hung in (\w[\w.]*)", "hung task"),
        (r"INFO: rcu detected stall in (\w[\w.]*)", "RCU stall"),
    )
]


def fingerprint(title: str) -> str:
    """Return the fingerprint that a console shows where such a report happens.

    Parameters
    ----------
    title : as syzbot writes it, `KASAN: use-after-free Read in foo`; a number at its end, `(2)`,
        tells reports apart and no crashes

    Raises
    ------
    UsageError
        Titles of this kind say less, or something else, than a console does.
    """
    plain = re.sub(r"^\[syzbot\]\s*(?:\[\w+\??\]\s*)*|\s*\(\d+\)$", "", title.strip())
    for pattern, kind in _TITLES:
        if found := pattern.fullmatch(plain):
            return f"{kind} in {found[1]}"
    raise UsageError(
        f"no fingerprint is known for the title {plain!r}",
        hint='run `kbisect lab step` at the bad end, and take what it prints: crash = "..."',
    )
