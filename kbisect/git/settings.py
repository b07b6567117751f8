# SPDX-License-Identifier: GPL-2.0-or-later
"""What kbisect remembers in git config, below `kbisect.`."""

from __future__ import annotations

from kbisect.git import process
from kbisect.git.repository import Repository


def remember(repository: Repository, values: dict[str, str]) -> bool:
    """Write git config keys of `kbisect.*`; False where the repository can't be written."""
    for key, value in values.items():
        if not key.startswith("kbisect."):
            raise ValueError(f"{key} is not kbisect's to set")
        done = process.run(
            repository.common_dir, "config", "--replace-all", key, value, codes=(0, 4, 255)
        )
        if done.returncode:
            return False
    return True
