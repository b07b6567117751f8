# SPDX-License-Identifier: GPL-2.0-or-later
"""Drift of a configuration: what was asked for, and what `make olddefconfig` made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LOG = "config-drift.txt"
_SET = re.compile(r"(CONFIG_\w+)=(.*)")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")


@dataclass(frozen=True, slots=True)
class Drift:
    """One option that came out in another way; `n` stands for not set, or not known."""

    option: str
    wanted: str
    got: str


def parse(text: str) -> dict[str, str]:
    """Read a .config or a fragment of one: option → value."""
    found = {}
    for line in text.splitlines():
        if match := _SET.fullmatch(line.strip()):
            found[match[1]] = match[2]
        elif match := _UNSET.fullmatch(line.strip()):
            found[match[1]] = "n"
    return found


def drift(wanted: str, got: str) -> list[Drift]:
    """Return the options of a fragment that a .config doesn't have as asked."""
    held = parse(got)
    return [
        Drift(option, value, held.get(option, "n"))
        for option, value in parse(wanted).items()
        if held.get(option, "n") != value
    ]


def log_drift(wanted: str, build: Path, folder: Path) -> list[Drift]:
    """Write the drift of a build folder's .config beside a step's output, if there is any."""
    path = build / ".config"
    found = drift(wanted, path.read_text("utf-8", "replace") if path.is_file() else "")
    if found:
        lines = [f"{each.option}: wanted {each.wanted}, got {each.got}\n" for each in found]
        (folder / LOG).write_text("".join(lines), "utf-8")
    return found
