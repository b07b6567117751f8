# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch's diff, as `git diff`, quilt or diff -u write it: files and hunks, lines as bytes.

Strict where `git apply` is: a hunk has as many lines as its head says, a path stays in the tree.
(unidiff reads text only, knows no git headers, and says of damage merely that there is some.)
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kbisect.errors import UsageError
from kbisect.git.quoting import unquoted


class DamagedPatch(UsageError):
    """A diff that no tool can apply; the message says which file and line."""


class Action(StrEnum):
    """What happens to a file."""

    MODIFIED = "modified"
    ADDED = "added"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"


@dataclass(frozen=True, slots=True)
class Hunk:
    """One `@@` part.

    Attributes
    ----------
    old_start, new_start : 1-based first lines
    section : what stands behind the second `@@`, usually the function
    lines : with their mark (blank, `+`, `-`), without line ends
    """

    old_start: int
    new_start: int
    section: str
    lines: tuple[bytes, ...]

    def side(self, mark: bytes) -> list[bytes]:
        """Return the lines of one mark, without it."""
        return [line[1:] for line in self.lines if line[:1] == mark]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a patch does to one file.

    Attributes
    ----------
    path : after the patch; before it, of a deleted file
    old_path : before the patch where it is another one
    old_blob, new_blob : as far as the index line gives them, which may be short
    mode : `120000` is a symbolic link; None where none is given
    is_binary : it has no hunks; `has_data` says whether the content is in the patch
    """

    path: str
    action: Action
    hunks: tuple[Hunk, ...] = ()
    old_path: str | None = None
    old_blob: str | None = None
    new_blob: str | None = None
    mode: str | None = None
    is_binary: bool = False
    has_data: bool = False

    @property
    def added(self) -> int:
        """Number of lines that come."""
        return sum(len(hunk.side(b"+")) for hunk in self.hunks)

    @property
    def link_target(self) -> str | None:
        """Where a symbolic link leads that the patch makes or turns; None for any other file."""
        if self.mode != _SYMLINK or self.action is Action.DELETED:
            return None
        came = [line for hunk in self.hunks for line in hunk.side(b"+")]
        return came[0].decode("utf-8", "replace") if came else None

    @property
    def refusal(self) -> str | None:
        """Why nobody should, or could, apply this to any tree; None where nothing stands so.

        A link that leads out of the tree is one: what is written through it lands elsewhere.
        """
        target = self.link_target
        if target is not None and _leaves(self.path, target):
            return f"{self.path} would link to {target}, outside the tree"
        if self.is_binary and not self.has_data:
            return f"{self.path} is binary, and not in the mail: ask for git format-patch's"
        if self.is_binary and len(self.old_blob or "") < _FULL:
            return f"{self.path} is binary, its index line cut: ask for git diff --full-index"
        return None

    @property
    def removed(self) -> int:
        """Number of lines that go."""
        return sum(len(hunk.side(b"-")) for hunk in self.hunks)


_SYMLINK = "120000"
_START = re.compile(rb"diff -|Index: |--- (?:\S|$)")
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_EMPTY_BLOB = "e69de29"
_FULL = 40
"""Digits of a name that git takes for a binary file's content."""
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{6}))?$")
_DEV_NULL = "/dev/null"


def start(lines: list[bytes]) -> int:
    """Return the number of the line where a diff begins; the number of lines if none does."""
    for number, line in enumerate(lines):
        if not _START.match(line):
            continue
        following = lines[number + 1] if number + 1 < len(lines) else b""
        if line[:4] != b"--- " or following.startswith(b"+++ "):
            return number
    return len(lines)


def parse(text: bytes) -> tuple[FileDiff, ...]:
    """Read a diff; what stands before, between and after its files is passed over.

    Raises
    ------
    DamagedPatch
        It ends early, its counts are wrong, or a path leaves the tree.
    """
    reader = _Reader(text.split(b"\n"))
    files = tuple(reader.files())
    for file in files:
        for path in filter(None, (file.path, file.old_path)):
            _check(path)
    return files


def _leaves(path: str, target: str) -> bool:
    """Whether a link at a path leads out of the tree."""
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return whole.startswith("/") or whole.split("/")[0] == ".."


def _check(path: str) -> None:
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or ".git" in (part.lower() for part in parts):
        raise DamagedPatch(
            f"the patch names {path}, which is outside the tree",
            hint="don't apply it; ask its author for paths below the top of the tree",
        )


class _Reader:
    """Goes through the lines once."""

    def __init__(self, lines: list[bytes]) -> None:
        self._lines = lines
        self._at = 0

    def _peek(self) -> bytes | None:
        return self._lines[self._at] if self._at < len(self._lines) else None

    def files(self) -> Iterator[FileDiff]:
        last = ""
        while (line := self._peek()) is not None:
            following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else b""
            if line.startswith(b"diff --git "):
                found = self._git()
                last = found.path
                yield found
            elif line.startswith(b"--- ") and following.startswith(b"+++ "):
                found = self._plain()
                last = found.path
                yield found
            elif _HUNK.match(line):
                raise self._damage(
                    f"{last}: more lines than the hunk's head before it says"
                    if last
                    else "a hunk without the file it belongs to"
                )
            else:
                self._at += 1

    def _git(self) -> FileDiff:
        head = self._lines[self._at]
        self._at += 1
        old, new = _both(head[len(b"diff --git ") :])
        action = Action.MODIFIED
        mode = old_blob = new_blob = None
        is_binary = has_data = False
        hunks: tuple[Hunk, ...] = ()
        while (line := self._peek()) is not None:
            word, _, rest = line.partition(b" ")
            if found := _INDEX.match(line):
                old_blob, new_blob = found[1].decode(), found[2].decode()
                mode = found[3].decode() if found[3] else mode
            elif line.startswith(b"new file mode "):
                action, mode = Action.ADDED, line.split()[-1].decode("ascii", "replace")
            elif line.startswith(b"deleted file mode "):
                action, mode = Action.DELETED, line.split()[-1].decode("ascii", "replace")
            elif line.startswith(b"new mode "):
                mode = line.split()[-1].decode("ascii", "replace")
            elif word in {b"rename", b"copy"} and rest.startswith((b"from ", b"to ")):
                action = Action.RENAMED if word == b"rename" else Action.COPIED
                side, _, name = rest.partition(b" ")
                if side == b"from":
                    old = _unquoted(name)
                else:
                    new = _unquoted(name)
            elif line.startswith((b"GIT binary patch", b"Binary files ")):
                is_binary, has_data = True, line.startswith(b"GIT")
            elif line.startswith(b"--- "):
                old = _name(line) or old
                self._at += 1
                new = self._new_name() or new
                hunks = tuple(self._hunks(new or old or "?"))
                break
            elif not line.startswith((b"old mode ", b"similarity ", b"dissimilarity ")):
                break
            self._at += 1
            if is_binary:
                break
        path = new if action is not Action.DELETED else old
        if not path:
            raise self._damage("a file without a name")
        has_content = hunks or is_binary or action is Action.DELETED
        if not has_content and (
            not (new_blob or _EMPTY_BLOB).startswith(_EMPTY_BLOB)
            or (
                new_blob is None
                and action in {Action.MODIFIED, Action.ADDED}
                and self._is_over(mode)
            )
        ):
            raise self._damage(f"{path}: the patch ends before the file's content")
        other = old if action in {Action.RENAMED, Action.COPIED} else None
        return FileDiff(path, action, hunks, other, old_blob, new_blob, mode, is_binary, has_data)

    def _is_over(self, mode: str | None) -> bool:
        """Whether the input ends in a file's head: a mode that changed needs nothing more."""
        rest = self._peek()
        is_new_mode = mode is not None and self._lines[self._at - 1].startswith(b"new mode ")
        return (rest is None or not any(self._lines[self._at + 1 :])) and not is_new_mode

    def _plain(self) -> FileDiff:
        old = _name(self._lines[self._at])
        self._at += 1
        new = self._new_name()
        path = new or old
        if path is None:
            raise self._damage("a file without a name")
        action = Action.MODIFIED if old and new else Action.ADDED if new else Action.DELETED
        return FileDiff(path, action, tuple(self._hunks(path)))

    def _new_name(self) -> str | None:
        line = self._peek()
        if line is None or not line.startswith(b"+++ "):
            raise self._damage("a `---` line without its `+++` line")
        self._at += 1
        return _name(line)

    def _hunks(self, path: str) -> Iterator[Hunk]:
        count = 0
        while (line := self._peek()) is not None:
            found = _HUNK.match(line)
            if found is None:
                if line[:3] == b"@@ ":
                    raise self._damage(f"{path}: a hunk's head that can't be read")
                if line[:1] in {b"+", b"-"} and line.rstrip() != b"--" and line[:4] != b"--- ":
                    raise self._damage(f"{path}: more lines than the hunk's head says")
                break
            count += 1
            self._at += 1
            yield self._hunk(found, path)
        if not count:
            raise self._damage(f"{path}: no hunk follows its name")

    def _hunk(self, head: re.Match[bytes], path: str) -> Hunk:
        first = self._at
        old, new = (1 if head[group] is None else int(head[group]) for group in (2, 4))
        while old > 0 or new > 0:
            line = self._peek()
            mark = line[:1] if line else b" "
            if line is None or (self._at == len(self._lines) - 1 and not line):
                raise self._damage(f"{path}: the patch ends in the middle of a hunk")
            if mark == b"\\":
                self._at += 1
                continue
            if mark not in {b" ", b"+", b"-", b"\t"} or (mark == b"-" and old == 0):
                raise self._damage(f"{path}: fewer lines than the hunk's head says")
            old -= mark != b"+"
            new -= mark != b"-"
            self._at += 1
            if old < 0 or new < 0:
                raise self._damage(f"{path}: the hunk's head counts its lines wrong")
        if self._at == len(self._lines):
            raise self._damage(f"{path}: the last line is cut off: it has no end")
        body = tuple(line or b" " for line in self._lines[first : self._at] if line[:1] != b"\\")
        if (following := self._peek()) is not None and following.startswith(b"\\ "):
            self._at += 1
        return Hunk(int(head[1]), int(head[3]), head[5].decode("utf-8", "replace"), body)

    def _damage(self, what: str) -> DamagedPatch:
        return DamagedPatch(
            f"damaged patch, line {self._at + 1} of its diff: {what}",
            hint="get the mail again, as raw text (b4 am, or the archive's /raw)",
        )


def _name(line: bytes) -> str | None:
    """Return the path of a `---` or `+++` line without its first part; None for /dev/null."""
    text = line[4:].rstrip(b"\r")
    # diff -u puts a date behind a tab.
    name = _unquoted(text if text[:1] == b'"' else text.partition(b"\t")[0].rstrip())
    if name == _DEV_NULL:
        return None
    if name[:1] == "/":
        return name  # which `_check` refuses
    return name.split("/", 1)[1] if name[:2] in {"a/", "b/"} or "/" in name[1:] else name


def _both(text: bytes) -> tuple[str | None, str | None]:
    """Part `a/x b/x`; where names have blanks it works only because both are the same."""
    text = text.rstrip(b"\r")
    if text[:1] == b'"' or text[-1:] == b'"':
        names = re.findall(rb'"(?:[^"\\]|\\.)*"|\S+', text)
        if len(names) == 2:
            return _unquoted(names[0])[2:], _unquoted(names[1])[2:]
        return None, None
    half = (len(text) - 1) // 2
    if text[half : half + 1] == b" " and text[2:half] == text[half + 3 :]:
        name = _unquoted(text[2:half])
        return name, name
    names = text.split(b" ")
    if len(names) == 2:
        return _unquoted(names[0])[2:], _unquoted(names[1])[2:]
    return None, None


def _unquoted(name: bytes) -> str:
    return unquoted(name).decode("utf-8", "surrogateescape")
