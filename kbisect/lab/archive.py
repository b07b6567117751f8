# SPDX-License-Identifier: GPL-2.0-or-later
"""What builds of a campaign left that its tests need, so that no commit is built twice.

A build folder holds the last build only, and the confirmation wants two or three that were made
long before. Of each, the files that the recipe's `keep` names are copied beside the digest of what
was built; the next test of that build finds them in a folder of their own, and the build folder
stays as it is, for the next build to begin from.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_DIGEST = ".digest"


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive of a store."""

    folder: Path

    @classmethod
    def of(cls, store: Path) -> Archive:
        """Return a store's."""
        return cls(store / "archive")

    def find(self, key: str) -> Path | None:
        """Return the folder of a build, None if it isn't kept."""
        path = self._path(key)
        return path if path.is_dir() else None

    def digest(self, key: str) -> str | None:
        """Return the digest of what a kept build made; None where the recipe names no image."""
        return (self._path(key) / _DIGEST).read_text("ascii") or None

    def add(
        self, key: str, build: Path, names: Sequence[str], digest: str | None, maker: str
    ) -> None:
        """Keep files of a finished build; not those of one that lacks some.

        Parameters
        ----------
        names : below `build`
        maker : who calls: names what two of them write at once apart
        """
        new = self.folder / f"{maker}.new"
        try:
            shutil.rmtree(new, ignore_errors=True)
            for name in names:
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(build / name, new / name)
            (new / _DIGEST).write_text(digest or "", "ascii")
            new.rename(self._path(key))
        except OSError:
            # No space, no such file, or another worker was first: it is built again if need be.
            shutil.rmtree(new, ignore_errors=True)

    def clear(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: str) -> Path:
        return self.folder / hashlib.sha256(key.encode()).hexdigest()[:24]
