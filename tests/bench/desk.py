# SPDX-License-Identifier: GPL-2.0-or-later
"""The patch desk against the scripts it stands in for.

KBISECT_GET_MAINTAINER names a get_maintainer.pl that today's perl can run, where the tree's own is
too old for it. Agreement is measured by `python -m tests.patch.agreement`.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measure import KBISECT, header, in_turn, seconds

_FILES = 500


def run(repository: Path) -> None:
    """Measure."""
    header("patch desk")
    with tempfile.TemporaryDirectory() as store, tempfile.TemporaryDirectory() as place:
        ours = (*KBISECT, "-C", str(repository), "--store", store, "patch")
        checkout = Path(place)
        archive = subprocess.Popen(
            ["git", "-C", str(repository), "archive", "HEAD"], stdout=subprocess.PIPE
        )
        subprocess.run(["tar", "x", "-C", place], stdin=archive.stdout, check=True)
        archive.wait()
        files = _files(checkout)
        script = os.environ.get("KBISECT_GET_MAINTAINER") or str(
            checkout / "scripts" / "get_maintainer.pl"
        )
        asked = ["perl", script, "--nogit", "--nogit-fallback", "-f", *files]
        in_turn(
            f"maintainers of {_FILES} files: ours, get_maintainer.pl",
            "0.02",
            lambda: seconds([*ours, "maintainers", "--no-history", *files]),
            lambda: _in(checkout, asked),
            runs=2,
        )
    with tempfile.TemporaryDirectory() as store:
        ours = (*KBISECT, "-C", str(repository), "--store", store, "patch")
        oids = _commits(repository)

        def ask(*arguments: str) -> float:
            return seconds([*ours, *arguments])

        in_turn("read a commit", "", lambda: ask("read", oids[0]))
        in_turn("check a commit", "", lambda: ask("check", oids[0]))
        older = f"{oids[1]}~1"
        in_turn(
            "apply a commit to an older tree", "", lambda: ask("apply", oids[0], "--onto", older)
        )
        in_turn("revert a commit", "", lambda: ask("revert", oids[1], "--onto", "HEAD"))


def _files(checkout: Path) -> list[str]:
    folders = ("net", "drivers/net", "include/net")
    found = sorted(
        str(path.relative_to(checkout))
        for folder in folders
        for path in (checkout / folder).rglob("*")
        if path.is_file()
    )
    return random.Random(1).sample(found, _FILES)


def _commits(repository: Path) -> list[str]:
    done = subprocess.run(
        ["git", "-C", str(repository), "rev-list", "--no-merges", "-2000", "HEAD", "--", "net"],
        capture_output=True,
        text=True,
        check=True,
    )
    oids = done.stdout.split()
    return [oids[100], oids[-1]]


def _in(directory: Path, command: list[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PERL_HASH_SEED": "0"},
        check=False,
        text=True,
    )
    if done.returncode:
        sys.exit(
            f"{command[1]} left with {done.returncode}: {done.stderr.splitlines()[-1]}\n"
            "try: KBISECT_GET_MAINTAINER=FILE, a newer scripts/get_maintainer.pl"
        )
    return time.perf_counter() - begun
