# SPDX-License-Identifier: GPL-2.0-or-later
"""What is new since the last look, for a nightly job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from kbisect.errors import UsageError


class Watch:
    """The candidates seen so far of one branch, one upstream and some paths.

    Parameters
    ----------
    store : kbisect's folder
    key : what is watched: names, not oids, so that a branch may grow
    """

    def __init__(self, store: Path, key: Sequence[str]) -> None:
        name = hashlib.sha1("\0".join(key).encode(), usedforsecurity=False).hexdigest()[:16]
        self._path = store / "backport" / f"watch-{name}.json"

    def seen(self) -> frozenset[str] | None:
        """Return what the last look found, None when there was none.

        Raises
        ------
        UsageError
            The file is damaged.
        """
        try:
            return frozenset(json.loads(self._path.read_text("ascii")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise UsageError(
                f"{self._path} is damaged", hint=f"remove it, and look again: rm {self._path}"
            ) from None

    def remember(self, oids: Iterable[str]) -> None:
        """Keep what this look found, in one step."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(sorted(oids)), "ascii")
        new.replace(self._path)
