# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's script: found, checked and copied before anything is tested with it."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kbisect.errors import UsageError


@dataclass(frozen=True, slots=True)
class Script:
    """What runs at each step.

    Attributes
    ----------
    name : as the user gave it
    path : the file
    digest : SHA-256 of its content; of its path for a command of the system, which isn't copied
    copied : whether a campaign runs a copy of its own, so that the script can't change with the
        commit under test
    """

    name: str
    path: Path
    digest: str
    copied: bool


def find(name: str) -> Script:
    """Find a script, or a command of the system (`make`), and check that it can be run.

    Raises
    ------
    UsageError
        There is none, it is a directory, not executable, or its interpreter is missing.
    """
    path = Path(name)
    if "/" not in name and not path.is_file() and (command := shutil.which(name)):
        found = Path(command).absolute()
        return Script(name, found, hashlib.sha256(os.fsencode(found)).hexdigest(), copied=False)
    if path.is_dir():
        raise UsageError(f"the script {name} is a directory", hint="give the file to run in it")
    if not path.exists() and name.startswith("-"):
        raise UsageError(
            f"no such option: {name}", hint=f"see --help; a script of that name is ./{name}"
        )
    if not path.exists():
        raise UsageError(
            f"no such script: {name}", hint="give its path as seen from here, say ./test.sh"
        )
    if not os.access(path, os.X_OK) or not path.is_file():
        raise UsageError(f"the script {name} is not executable", hint=f"chmod +x {name}")
    try:
        content = path.read_bytes()
    except PermissionError:
        raise UsageError(f"the script {name} can't be read", hint=f"chmod +r {name}") from None
    _check_interpreter(name, content)
    return Script(name, path.absolute(), hashlib.sha256(content).hexdigest(), copied=True)


def copy(script: Script, to: Path) -> None:
    """Copy a script, executable for its owner."""
    content = script.path.read_bytes()
    if hashlib.sha256(content).hexdigest() != script.digest:
        raise UsageError(f"the script {script.name} is being changed", hint="run it again")
    to.write_bytes(content)
    to.chmod(0o700)


def _check_interpreter(name: str, content: bytes) -> None:
    if content.startswith(b"\x7fELF"):
        return
    first = content.split(b"\n", 1)[0]
    if not first.startswith(b"#!"):
        raise UsageError(
            f"the script {name} doesn't say how to run it",
            hint="begin it with a line like #!/bin/sh",
        )
    line = os.fsdecode(first[2:].strip(b" \t"))
    words = line.split()
    interpreter = line.split(" ")[0]
    if interpreter.endswith("\r"):
        raise UsageError(
            f"the script {name} has Windows line ends, so its interpreter isn't found",
            hint=f"sed -i 's/\\r$//' {name}",
        )
    if len(words) > 1 and Path(interpreter).name == "env" and not words[1].startswith("-"):
        missing = words[1] if shutil.which(words[1]) is None else None
    else:
        missing = interpreter if not os.access(interpreter, os.X_OK) else None
    if missing is not None:
        raise UsageError(
            f"the script {name} needs the interpreter {missing or 'its first line lacks'}, "
            "which isn't here",
            hint="install it, or correct the script's first line",
        )
