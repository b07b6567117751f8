# SPDX-License-Identifier: GPL-2.0-or-later
"""Files are as alike as git says: the percentage that it names with a rename."""

from __future__ import annotations

import random
from pathlib import Path

from kbisect.git.similarity import likeness, pieces
from tests.conftest import git

WORDS = ["skb", "device", "return 0;", "\t", "if (err)", "x" * 70, "\0", "ü", "\r"]


def content(dice: random.Random, pool: list[bytes]) -> bytes:
    return b"".join(dice.choice(pool) for _ in range(dice.randrange(1, 60)))


def said_by_git(path: Path, old: bytes, new: bytes) -> int:
    """Return the percentage git gives a renamed file, 0 where it sees no rename."""
    git(path, "read-tree", "--empty")
    trees = []
    for name, whole in (("old", old), ("new", new)):
        blob = git(path, "hash-object", "-w", "--stdin", stdin=whole).strip()
        trees.append(git(path, "mktree", stdin=f"100644 blob {blob}\t{name}\n".encode()).strip())
    said = git(path, "diff-tree", "-M1%", "-r", *trees)
    return int(said.split()[4][1:]) if "\told\tnew" in said else 0


def test_the_likeness_is_the_percentage_that_git_names(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare")
    dice = random.Random(3)
    pool = [
        " ".join(dice.choices(WORDS, k=dice.randrange(1, 9))).encode()
        + dice.choice([b"\n", b"\r\n"])
        for _ in range(40)
    ]
    pool += [b"\n", b"}\n", b"y" * 200, b"z" * 64 + b"\n"]
    pairs = [(content(dice, pool), content(dice, pool)) for _ in range(60)]
    one = pieces([old for old, _ in pairs])
    other = pieces([new for _, new in pairs])
    for (old, new), left, right in zip(pairs, one, other, strict=True):
        (found,) = likeness(left, [right])
        assert said_by_git(tmp_path, old, new) == int(found * 60000) * 100 // 60000, (old, new)


def test_what_is_taken_apart_beside_others_is_taken_apart_the_same() -> None:
    contents = [b"", b"a\nb\n", b"", b"a" * 130, b"a\nb\n", b""]
    together = pieces(contents)
    for content, found in zip(contents, together, strict=True):
        (alone,) = pieces([content])
        assert found.size == alone.size == len(content)
        assert found.hashes.tolist() == alone.hashes.tolist()
        assert found.lengths.tolist() == alone.lengths.tolist()
    assert likeness(together[1], [together[4], together[3], together[0]]) == [1.0, 0.0, 0.0]
