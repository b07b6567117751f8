# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree's own scripts/checkpatch.pl, on the patches of a series. It runs code of that tree."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from kbisect import temporary
from kbisect.errors import EnvironmentProblem, UsageError
from kbisect.git.repository import Repository
from kbisect.git.snapshot import Snapshot
from kbisect.patch.rules import CHECKPATCH, Level, Result
from kbisect.patch.series import Patch, Series

_SCRIPT = "scripts/checkpatch.pl"
_BESIDE = ("scripts/spelling.txt", "scripts/const_structs.checkpatch")
_SECONDS = 120
_IGNORED = (
    *("COMMIT_LOG_LONG_LINE", "MACRO_ARG_REUSE", "ALLOC_SIZEOF_STRUCT", "NO_AUTHOR_SIGN_OFF"),
    *("GIT_COMMIT_ID", "CAMELCASE", "FILE_PATH_CHANGES", "BAD_REPORTED_BY_LINK"),
)
_AS_NIPA = (
    ("--strict", "'strict!'"),
    ("--max-line-length=80", "'max-line-length=i'"),
    (f"--ignore={','.join(_IGNORED)}", "'ignore=s'"),
)
"""What nipa asks of it, and how a script that has learnt the option declares it."""
_FOUND = re.compile(r"(?P<level>ERROR|WARNING|CHECK):(?P<kind>[A-Z0-9_]+: )?(?P<text>.*)")


def run(repository: Repository, oid: str, series: Series) -> list[Result]:
    """Run it on each patch; one Result a patch.

    Parameters
    ----------
    oid : of the commit whose script is run

    Raises
    ------
    UsageError
        The commit has no such script.
    EnvironmentProblem
        There is no perl.
    """
    files = Snapshot(repository.gitdir, oid).read([_SCRIPT, *_BESIDE])
    if _SCRIPT not in files:
        raise UsageError(
            f"{oid[:12]} has no {_SCRIPT}", hint="name a revision of the kernel with --at REV"
        )
    with temporary.folder("checkpatch") as top:
        (top / "scripts").mkdir()
        for path, content in files.items():
            (top / path).write_bytes(content)
        return [_one(top, patch) for patch in series.patches]


def _one(top: Path, patch: Patch) -> Result:
    number = patch.subject.number
    mail = top / "patch.mail"
    mail.write_text(patch.mail.text, encoding="utf-8", errors="surrogateescape")
    script = (top / _SCRIPT).read_text("utf-8", "replace")
    options = (option for option, mark in _AS_NIPA if mark in script)
    asked = [
        "perl",
        str(top / _SCRIPT),
        "--no-tree",
        "--terse",
        "--no-summary",
        *options,
        str(mail),
    ]
    try:
        done = subprocess.run(
            asked,
            cwd=top,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise EnvironmentProblem(
            "the command `perl` is not installed", hint="install perl (Debian: apt install perl)"
        ) from None
    except subprocess.TimeoutExpired:
        return Result(CHECKPATCH, Level.SKIPPED, f"checkpatch took over {_SECONDS} s", number)
    said = done.stdout.decode("utf-8", "replace")
    found = [match for line in said.splitlines() if (match := _FOUND.search(line))]
    if not found and done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip().splitlines()
        text = f"checkpatch failed: {words[0] if words else f'status {done.returncode}'}"
        return Result(CHECKPATCH, Level.SKIPPED, text, number)
    errors = sum(match["level"] == "ERROR" for match in found)
    level = Level.FAIL if errors else Level.WARN if found else Level.PASS
    text = f"{errors} errors, {len(found) - errors} warnings"
    detail = tuple(f"{match['level'].lower()}: {match['text'].strip()}" for match in found)
    return Result(CHECKPATCH, level, text, number, detail)
