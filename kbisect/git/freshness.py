# SPDX-License-Identifier: GPL-2.0-or-later
"""When a repository last heard of its remotes."""

from __future__ import annotations

from kbisect.git.repository import Repository


def fetched_at(repository: Repository) -> float | None:
    """Return the Unix time of the last fetch, None where nothing was ever fetched.

    git rewrites FETCH_HEAD at each fetch; a clone that never fetched again has what came with it.
    """
    if not repository.remotes():
        return None
    common = repository.common_dir
    for name in ("FETCH_HEAD", "packed-refs", "HEAD"):
        try:
            return (common / name).stat().st_mtime
        except OSError:
            continue
    return None
