# SPDX-License-Identifier: GPL-2.0-or-later
"""Read headers from a repository and extract what they declare: the side of the bench that is ours.

Their oids and paths are in a file, a line each: arguments are the repository and that file.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kbisect.api import extraction
from kbisect.api.garbage import uncollected
from kbisect.git import blobs
from kbisect.git.repository import Repository


def main() -> None:
    """Extract all, and keep it as a comparison would."""
    repository = Repository.open(sys.argv[1])
    paths = dict(line.split(" ", 1) for line in Path(sys.argv[2]).read_text().splitlines())
    with uncollected():
        headers = [
            extraction.extract(paths[oid], text)
            for oid, text in blobs.read(repository, list(paths))
        ]
    assert len(headers) == len(paths)


if __name__ == "__main__":
    main()
