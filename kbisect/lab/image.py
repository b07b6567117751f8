# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether two builds made the same binary: a digest with times and paths left out.

Two builds of one source differ in the banner (`Linux version ... #7 SMP Tue Jan ...`: number, user,
host, time), in the names of the folders they were made in, in the build id, and, of a compressed
image, in everything; so a compressed kernel is best named by its `vmlinux`.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

# What varies, each replaced by as many zeros, so that nothing else moves.
_BANNER = re.compile(
    rb"#\d+(?: SMP| PREEMPT\w*| RT)* \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d [\w+-]+ \d{4}"
)
_RELEASE = re.compile(
    rb"(Linux version \S+?)(?:-\d+)?(?:-g[0-9a-f]{7,40})?(?:-dirty|\+)? \([^()\n]{1,80}\)"
)
_LOCAL = re.compile(rb"-\d{5}-g[0-9a-f]{7,40}(?:-dirty)?")
_BUILD_ID = re.compile(rb"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0.{20}", re.DOTALL)
_STAMP = re.compile(rb"\b\w{3} [ \d]\d \d{4}\0|\b\d\d:\d\d:\d\d\0")


def digest(path: Path, *folders: Path) -> str:
    """Return the SHA-256 of a built file without what differs from build to build.

    Parameters
    ----------
    folders : of the build: their names may stand in the file
    """
    return hashlib.sha256(normalised(path.read_bytes(), *folders)).hexdigest()


def normalised(content: bytes, *folders: Path) -> bytes:
    """Return a binary's content with its times, build numbers and paths blanked."""
    for pattern in (_RELEASE, _BANNER, _LOCAL, _BUILD_ID, _STAMP):
        content = pattern.sub(lambda found: b"\0" * len(found[0]), content)
    for folder in sorted(map(str, folders), key=len, reverse=True):
        # Another folder's name may have another length, and move what follows it.
        content = content.replace(folder.encode(), b"\0")
    return content
