# SPDX-License-Identifier: GPL-2.0-or-later
"""Two declarations beside each other, with the words that changed marked, for a page."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from markupsafe import Markup, escape

from kbisect.report.terminal import printable

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_ALIKE = 0.35
"""Below this likeness all is new, and marks would only hide it."""


def beside(old: str, new: str) -> tuple[Markup, Markup]:
    """Return both texts, what is only in the first as `<del>`, only in the second as `<ins>`."""
    was, now = _WORDS.findall(printable(old)), _WORDS.findall(printable(new))
    matcher = SequenceMatcher(None, was, now, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return escape(printable(old)), escape(printable(new))
    left, right = [], []
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            left.append(escape("".join(was[a:b])))
            right.append(escape("".join(now[c:d])))
            continue
        if a < b:
            left.append(Markup("<del>{}</del>").format("".join(was[a:b])))
        if c < d:
            right.append(Markup("<ins>{}</ins>").format("".join(now[c:d])))
    return Markup("").join(left), Markup("").join(right)
