# SPDX-License-Identifier: GPL-2.0-or-later
"""The mails that were written, and the line that sends them."""

from __future__ import annotations

import shlex

from kbisect.history.releases import State, Window
from kbisect.patch.letters import Letters
from kbisect.patch.posting import closed
from kbisect.report.terminal import PLAIN, Style, printable


def text(
    letters: Letters, window: Window | None, style: Style = PLAIN, *, is_rfc: bool = False
) -> str:
    """Render what was written, what is left to do, and the next command."""
    lines = [style(f"for {letters.tree}", "bold") + f"   {printable('; '.join(letters.why))}"]
    lines += [f"  To: {printable(address)}" for address in letters.to]
    lines += [f"  Cc: {printable(address)}" for address in letters.cc]
    lines += [f"  {printable(str(path))}" for path in letters.files]
    shut = closed(window)
    if letters.tree.endswith("-next") and shut and not is_rfc:
        lines.append(style(f"{shut}. Send it as RFC, or wait.", "yellow"))
    if letters.unfinished:
        left = " and ".join(letters.unfinished)
        lines.append(f"The cover letter wants its {left}: edit the first file.")
    lines.append("Applied again in memory: the same tree object. Nothing was sent.")
    names = shlex.join(str(path) for path in letters.files)
    lines.append(f"Next: kbisect patch check, then git send-email --dry-run {printable(names)}")
    return "\n".join(lines) + "\n"


def content(letters: Letters, window: Window | None) -> dict[str, object]:
    """Return the content of kbisect.patch-mail/1.

    `files`, `tree`, `why`, `to`, `cc`, `base`, `unfinished` (the cover letter has placeholders),
    `net_next`.
    """
    return {
        "files": letters.files,
        "tree": letters.tree,
        "why": letters.why,
        "to": letters.to,
        "cc": letters.cc,
        "base": letters.base,
        "unfinished": bool(letters.unfinished),
        "net_next": window.net_next if window else State.UNKNOWN,
    }
