# SPDX-License-Identifier: GPL-2.0-or-later
"""`python -m tests.pictures`: the pictures of README.md, taken anew in docs/pictures/.

They show the project's own fixtures; the life of a struct is that of a real tree where
KBISECT_NET_REPO names one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser import Browser
from tests.conftest import FIXTURES, import_history

PICTURES = FIXTURES.parent / "docs" / "pictures"
_WIDTH = 1100
_BROKEN = "! grep -rq 'reciprocal_scale(skb->hash' net/core"


def main() -> None:
    """Make each report, open it, and write what is seen of it."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        place = Path(folder)
        trees = import_history(FIXTURES / "histories" / "nettrees.fi", place / "linux").path
        _run(trees, "index")
        _run(trees, "run", "--good=v3.11", "--bad=v3.13", "--no-tips", "sh", "-c", _BROKEN)
        real = os.environ.get("KBISECT_NET_REPO")
        told = Path(real) if real else trees
        store = ("--store", str(place / "store")) if real else ()
        for name, height, where, words in (
            ("bisection", 1500, trees, "bisect report"),
            ("api", 1000, told, "api diff v2.6.30 v2.6.31" if real else "api diff v3.11 v3.13"),
            ("sk_buff", 1000, told, "api history sk_buff"),
            ("backports", 900, trees, "backport list linux-3.12.y"),
            ("history", 760, told, "history net/ipv4"),
        ):
            before = store if where is told else ()
            if before:
                _run(where, *before, "index")
            page = place / f"{name}.html"
            page.write_text(_run(where, *before, *words.split(), "--format", "html"), "utf-8")
            browser.open(page)
            browser.look(_WIDTH)
            browser.picture(PICTURES / f"{name}.png", height)
            print(PICTURES / f"{name}.png")


def _run(where: Path, *words: str) -> str:
    command = [sys.executable, "-m", "kbisect", "-C", str(where), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
