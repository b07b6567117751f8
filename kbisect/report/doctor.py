# SPDX-License-Identifier: GPL-2.0-or-later
"""What this machine can do, a line each, and what to install."""

from __future__ import annotations

from collections.abc import Sequence

from kbisect.lab.doctor import Check, Health
from kbisect.report.terminal import PLAIN, Style, printable

_COLOURS = {Health.OK: "green", Health.LIMITED: "yellow", Health.MISSING: "red"}


def text(checks: Sequence[Check], style: Style = PLAIN) -> str:
    """Render the checks, each that fails with what to do about it."""
    lines = []
    for check in checks:
        state = style(f"{check.health:<8}", _COLOURS[check.health])
        lines.append(f"{state} {check.name:<9} {printable(check.detail)}")
        if check.hint:
            lines.append(f"{'':18} try: {printable(check.hint)}")
    return "\n".join(lines) + "\n"
