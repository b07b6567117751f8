# SPDX-License-Identifier: GPL-2.0-or-later
"""A history of any length, shaped like the kernel's: one line of merges, most work beside it.

One commit in five touches networking, one in fourteen is a merge, a release comes every few
thousand. Written as a fast-import stream, deterministic for a size.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = (
    "net/ipv4",
    "drivers/net",
    "include/net",
    "fs",
    "mm",
    "drivers/usb",
    "arch/x86",
    "sound",
)
_WEIGHTS = (8, 10, 2, 25, 15, 15, 15, 10)
_FILES = 40
_SERIES = 13
_CYCLE = 6000


def write(directory: Path, commits: int) -> None:
    """Make a bare repository of so many commits."""
    directory.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--bare", str(directory)], check=True)
    process = subprocess.Popen(
        ["git", "-C", str(directory), "fast-import", "--quiet"], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    for chunk in stream(commits):
        process.stdin.write(chunk)
    process.stdin.close()
    if process.wait():
        raise RuntimeError("git fast-import failed")


def stream(commits: int) -> Iterator[bytes]:
    """Yield the stream, some commits at a time."""
    draw = random.Random(commits)
    mainline = mark = 0
    release = 1
    while mark < commits:
        # A series grows beside mainline, then mainline merges it.
        tip = mainline
        for _ in range(min(_SERIES, commits - mark)):
            mark += 1
            yield _commit(draw, mark, tip)
            tip = mark
        if mark < commits and mainline:
            mark += 1
            yield _merge(mark, mainline, tip)
            tip = mark
        mainline = tip
        if mark // _CYCLE >= release:
            yield _tag(release, mainline)
            release += 1
    yield b"reset refs/heads/master\nfrom :%d\n" % mainline


def _commit(draw: random.Random, mark: int, parent: int) -> bytes:
    folder = draw.choices(_FOLDERS, _WEIGHTS)[0]
    path = f"{folder}/file{draw.randrange(_FILES)}.c"
    message = f"{folder}: change {mark}\n\nBecause.\n\nSigned-off-by: A U Thor <a@example.org>\n"
    return (
        _head(mark, message, parent)
        + b"M 100644 inline %s\n" % path.encode()
        + _data(f"int x{mark};\n")
    )


def _merge(mark: int, parent: int, other: int) -> bytes:
    message = "Merge git://git.kernel.org/pub/scm/linux/kernel/git/davem/net-next\n"
    return _head(mark, message, parent) + b"merge :%d\n" % other


def _head(mark: int, message: str, parent: int) -> bytes:
    when = 1_120_000_000 + 300 * mark
    person = b"A U Thor <a%d@example.org> %d +0000\n" % (mark % 500, when)
    lines = b"commit refs/heads/work\nmark :%d\nauthor " % mark + person + b"committer " + person
    return lines + _data(message) + (b"from :%d\n" % parent if parent else b"")


def _tag(number: int, mark: int) -> bytes:
    when = 1_120_000_000 + 300 * mark
    head = b"tag v4.%d\nfrom :%d\ntagger A <a@example.org> %d +0000\n" % (number, mark, when)
    return head + _data(f"Linux 4.{number}\n")


def _data(text: str) -> bytes:
    content = text.encode()
    return b"data %d\n%s\n" % (len(content), content)
