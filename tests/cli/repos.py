# SPDX-License-Identifier: GPL-2.0-or-later
"""Repositories of numbered commits, scripts for them, and the documents that come of both."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Run = Callable[..., "subprocess.CompletedProcess[str]"]
KBISECT = [sys.executable, "-m", "kbisect"]


@dataclass(frozen=True)
class Repo:
    """A repository of numbered commits: `oids[i]` has the subject `commit i`."""

    path: Path
    oids: list[str]

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def script(self, text: str, name: str = "test.sh") -> Path:
        path = self.path.parent / name
        path.write_text(f"#!/bin/bash\n{text}\n")
        path.chmod(0o755)
        return path


def build(path: Path, parents: Sequence[Sequence[int]], *, own_files: bool = False) -> Repo:
    """Make a repository; commit i has these parents and the number i in the file `number`.

    With `own_files` it has the number in a new file `f<i>` instead, so that any can be reverted.
    """
    path.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "master", str(path)], check=True)
    stream = []
    for i, above in enumerate(parents):
        subject, content = f"commit {i}", f"{i}\n"
        stream.append(
            f"commit refs/heads/master\nmark :{i + 1}\n"
            f"committer A <a@example.org> {1_300_000_000 + i * 60} +0000\n"
            f"data {len(subject)}\n{subject}\n"
            + "".join(
                f"{'merge' if n else 'from'} :{parent + 1}\n" for n, parent in enumerate(above)
            )
            + f"M 644 inline {f'f{i}' if own_files else 'number'}\ndata {len(content)}\n{content}\n"
        )
        if not above and i:
            stream[-1] = f"reset refs/heads/master\n{stream[-1]}"
    marks = path / ".git" / "marks"
    subprocess.run(
        ["git", "-C", str(path), "fast-import", "--quiet", f"--export-marks={marks}"],
        input="".join(stream).encode(),
        check=True,
    )
    subprocess.run(["git", "-C", str(path), "reset", "-q", "--hard"], check=True)
    pairs = dict(line.split() for line in marks.read_text().splitlines())
    return Repo(path, [pairs[f":{i + 1}"] for i in range(len(parents))])


def line(size: int) -> list[list[int]]:
    return [[i - 1] if i else [] for i in range(size)]


def dag(size: int, seed: int) -> list[list[int]]:
    """Side branches and merges; the last commit contains everything, the first is in everything."""
    chance = random.Random(seed)
    parents: list[list[int]] = [[]]
    for i in range(1, size - 1):
        above = {i - 1 if chance.random() < 0.5 else chance.randrange(max(0, i - 8), i)}
        if chance.random() < 0.3:
            above.add(chance.randrange(max(0, i - 12), i))
        parents.append(sorted(above, reverse=True))
    tips = set(range(size - 1)) - {p for above in parents for p in above}
    return [*parents, sorted(tips, reverse=True)]


def numbered(repo: Repo, text: str = "") -> Path:
    """Fail with 1 from commit 17 on; `text` runs first and sees `$n`."""
    return repo.script(f"n=$(cat number)\n{text}\n[ $n -lt 17 ]")


def document(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, Any]:
    assert done.returncode == code, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def bisect(kbisect: Run, repo: Repo, script: Path, *options: str | Path) -> dict[str, Any]:
    """Run a bisection from the first commit to the last; return its document."""
    ends = ("--good", repo.oids[0], "--bad", repo.oids[-1])
    done = kbisect("-C", repo.path, "bisect", "run", "--json", *ends, *options, script)
    return document(done, 0 if '"outcome": "culprit"' in done.stdout else 1)


def refused(done: subprocess.CompletedProcess[str], words: str, code: int = 2) -> None:
    """Check a failure: its code, nothing on stdout, one line that says what, one what to try."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert words in done.stderr
    assert "\n  try: " in done.stderr
    assert "Traceback" not in done.stderr
