# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of structs at a glance, for a shell that waits; `api` alone understands declarations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kbisect.git import process
from kbisect.git.repository import Repository


def structs(
    repository: Repository, commit: str, prefix: str, folders: Sequence[str]
) -> tuple[str, ...]:
    """Return the names of structs and unions defined in headers below `folders`, sorted."""
    if not re.fullmatch(r"\w*", prefix):
        return ()
    done = process.run(
        repository.gitdir,
        *("grep", "-h", "-o", "-E", "--no-color", "--no-column"),
        *("-e", rf"^(struct|union) {prefix}[A-Za-z0-9_]* *\{{", commit, "--"),
        *(f":(glob){folder.rstrip('/')}/**/*.h" for folder in folders),
        codes=(0, 1),
    )
    return tuple(
        sorted({line.split()[1].rstrip("{") for line in done.stdout.decode().splitlines()})
    )
