# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets a patch: as text, as JSON, as what `git send-email` asks for."""

from __future__ import annotations

from kbisect.patch.maintainers import Answer, Kind
from kbisect.report.terminal import PLAIN, Style, printable


def text(answer: Answer, style: Style = PLAIN) -> str:
    """Render recipients as get_maintainer.pl does, then where it goes."""
    lines = [
        f"{printable(each.address)} {style('(' + printable(','.join(each.roles)) + ')', 'dim')}"
        for each in answer.recipients
    ]
    if not lines:
        lines.append("nobody: no section of MAINTAINERS takes it")
    named = [each for each in answer.subsystems if each.trees or each.status]
    if named:
        lines.append("")
    for section in named:
        status = f"   {printable(section.status)}" if section.status else ""
        lines.append(f"{style(printable(section.title), 'bold')}{status}")
        lines += [f"  tree {printable(tree)}" for tree in section.trees]
        lines += [f"  bugs {printable(bug)}" for bug in section.bugs]
    if answer.uncovered:
        shown = ", ".join(printable(path) for path in answer.uncovered[:3])
        more = len(answer.uncovered) - 3
        lines += ["", f"No section of its own: {shown}" + (f" and {more} more" if more > 0 else "")]
    return "\n".join(lines) + "\n"


def addresses(answer: Answer, only: str | None) -> list[str]:
    """Return the addresses alone: all, the maintainers (`to`), or the rest (`cc`)."""
    return [
        printable(each.address)
        for each in answer.recipients
        if only is None or (each.kind is Kind.MAINTAINER) == (only == "to")
    ]


def content(answer: Answer, at: str) -> dict[str, object]:
    """Return the content of kbisect.patch-maintainers/1.

    `at`; `recipients`: `address`, `email`, `kind` (maintainer, reviewer, list, signer, blamed,
    in-file), `roles`, `section`; `subsystems`: `title`, `status`, `trees`, `bugs`; `paths`;
    `uncovered`.
    """
    return {
        "at": at,
        "recipients": [
            {
                "address": each.address,
                "email": each.email,
                "kind": each.kind,
                "roles": each.roles,
                "section": each.section,
            }
            for each in answer.recipients
        ],
        "subsystems": answer.subsystems,
        "paths": answer.paths,
        "uncovered": answer.uncovered,
    }
