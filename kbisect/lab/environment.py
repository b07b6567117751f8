# SPDX-License-Identifier: GPL-2.0-or-later
"""What a script sees of the user's environment: little, and nothing that the tree could name."""

from __future__ import annotations

import os

PASSED_ON = ("HOME", "LANG", "USER")
"""What a script sees of the user's environment, beside PATH and everything named KBISECT_*."""
_OURS = {
    f"KBISECT_{name}"
    for name in (
        *("COMMIT", "TREE", "BUILD", "OUT", "CONSOLE", "WORKER", "ATTEMPT", "SCRIPT"),
        *("CLONE", "STORE"),
    )
}


def passed_on() -> dict[str, str]:
    """Return the part of the user's environment that a script may see."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    kept |= {
        name: value
        for name, value in os.environ.items()
        if name.startswith("KBISECT_") and name not in _OURS
    }
    # A relative folder would let the tree under test name commands.
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    kept["PATH"] = os.pathsep.join(folder for folder in folders if folder.startswith("/"))
    kept["TERM"] = "dumb"
    return kept
