# SPDX-License-Identifier: GPL-2.0-or-later
"""Read every message of some repositories: none may break the grammar.

    python -m tests.backport.every_message REPOSITORY…

Prints messages, statements about other commits, errors and processor seconds of each; exits with 1
after any error.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from kbisect.history.messages import links, trailers

_CHUNK = 1 << 20


def messages(repository: str) -> Iterator[tuple[str, str]]:
    """Read the messages of all that a repository's references reach: (oid, message)."""
    command = ["git", "-C", repository, "log", "--all", "-z", "--format=%H%n%B"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        rest = b""
        while chunk := process.stdout.read(_CHUNK):
            *whole, rest = (rest + chunk).split(b"\0")
            for record in whole:
                oid, _, message = record.decode("utf-8", "replace").partition("\n")
                yield oid, message
        oid, _, message = rest.decode("utf-8", "replace").partition("\n")
        if oid:
            yield oid, message
    if process.returncode:
        raise SystemExit(f"{repository}: git log failed")


def read(repository: str) -> int:
    """Read one repository; return how many of its messages broke the grammar."""
    begun = time.process_time()
    seen = said = broken = 0
    for oid, message in messages(repository):
        seen += 1
        try:
            said += len(links(message))
            trailers(message)
        except Exception as error:  # whatever it is, it is what we look for
            broken += 1
            print(f"{oid}: {error!r}")
    seconds = time.process_time() - begun
    print(f"{repository}: {seen:,} messages, {said:,} links, {broken} errors, {seconds:.0f} s CPU")
    return broken


if __name__ == "__main__":
    sys.exit(sum(read(each) for each in sys.argv[1:]) > 0)
