# SPDX-License-Identifier: GPL-2.0-or-later
"""What wouldn't compile after a change of declarations: lines that still use the old ones.

The declarations of the changed files are read before and after, sources as well as headers. A name
that is gone breaks its uses; a function with another number of parameters breaks the calls that
pass the old number, and one that returns nothing now the calls whose value is used. What changed a
type alone breaks nothing here: the compiler is asked for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbisect.api import chunks, conversion, extraction, usage
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.usage import Hit
from kbisect.git import patches
from kbisect.git.patches import NO_BLOB
from kbisect.git.snapshot import Snapshot

_SOURCES = (".c", ".h")
_EVERYWHERE = ["*.c", "*.h"]
_CALL_LINES = 12
_MOST_NAMES = 60
_MOST_FILES = 400
_STATEMENT = re.compile(r"(?:^|[{};:)]|\belse)\s*\Z")
"""What stands before a call whose value nobody takes."""
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that wouldn't compile.

    Attributes
    ----------
    name : the word in it that has changed
    path, line, text : where, and what it says
    why : in a few words
    """

    name: str
    path: str
    line: int
    text: str
    why: str


def broken(gitdir: Path, old: str, new: str, *, by_headers: bool = False) -> Iterator[Broken]:
    """Find the lines of a tree that a change of declarations breaks, file by file.

    Parameters
    ----------
    gitdir : object store that has both
    old, new : tree objects before and after the change; the lines are those of `new`
    by_headers : what headers declare is enough, and a private one is looked for in its folder and
        below alone: for a tree that somebody has compiled without the change
    """
    endings = (".h",) if by_headers else _SOURCES
    whole = patches.between(gitdir, old, new)
    changed = [file for file in whole.files if file.path.endswith(endings)]
    before = Snapshot(gitdir, old).read(f.path for f in changed if f.old_blob != NO_BLOB)
    after = Snapshot(gitdir, new).read(f.path for f in changed if f.new_blob != NO_BLOB)
    findings = list(_changes(_declared(before), _declared(after)))[:_MOST_NAMES]
    if not findings:
        return
    snapshot = Snapshot(gitdir, new)
    places = _places({each.header for each in findings}) if by_headers else _EVERYWHERE
    lines = snapshot.lines_with(dict.fromkeys(map(_word, findings)), places)
    named = {_word(finding) for finding in findings}
    by_path: dict[str, set[str]] = {}
    for path, _, text in lines:
        by_path.setdefault(path, set()).update(named & set(re.findall(r"\w+", text)))
    contents = snapshot.read(list(by_path)[:_MOST_FILES])
    elsewhere = _declared(
        {path: text for path, text in contents.items() if path.endswith(".h") and path not in after}
    )
    findings = [each for each in findings if each.new or _key(each) not in elsewhere]
    for path, content in sorted(contents.items()):
        own = [each for each in findings if _reaches(each, path) and _word(each) in by_path[path]]
        yield from _in_file(path, content, own)


def _places(headers: Iterable[str]) -> list[str]:
    """Return where users of some headers can be, as git's pathspecs."""
    if any("include" in path.split("/")[:-1] for path in headers):
        return _EVERYWHERE
    folders = sorted({path.rpartition("/")[0] for path in headers})
    return [f":(glob){folder}/**/*.[ch]".replace(":(glob)/", ":(glob)") for folder in folders]


def _in_file(path: str, content: bytes, findings: Sequence[Finding]) -> Iterator[Broken]:
    code = chunks.clean(content).split("\n") if findings else []
    for hit in usage.hits({path: content}, findings):
        new = hit.finding.new
        if hit.sure and new is None:
            yield Broken(_word(hit.finding), hit.file, hit.line, hit.text, "is gone")
        elif hit.sure and new is not None and (why := _misfit(code, hit, new)):
            yield Broken(new.name, hit.file, hit.line, hit.text, why)


def _declared(sources: Mapping[str, bytes]) -> dict[Key, Declaration]:
    found: dict[Key, Declaration] = {}
    for path, content in sources.items():
        for one in extraction.extract(path, content).declarations:
            # What a header says reaches further than what the source behind it says.
            if one.key not in found or path.endswith(".h"):
                found[one.key] = one
    return found


def _changes(
    before: Mapping[Key, Declaration], after: Mapping[Key, Declaration]
) -> Iterator[Finding]:
    for key, old in before.items():
        new = after.get(key)
        if new is None:
            # A struct that is gone says it for its members.
            if not (old.what is What.FIELD and ("tag", old.owner) not in after):
                yield _finding(f"{old.what.value}-removed", old, None)
        elif new.what is old.what is What.FUNCTION and (
            _count(new) != _count(old) or (new.type == "void") != (old.type == "void")
        ):
            yield _finding("function-signature", old, new)


def _finding(kind: str, old: Declaration, new: Declaration | None) -> Finding:
    return Finding(kind, old.shown, Compatibility.BREAKING, old.header, old, new)


def _key(finding: Finding) -> Key:
    assert finding.old is not None
    return finding.old.key


def _word(finding: Finding) -> str:
    """Return the word that a use of it has."""
    assert finding.old is not None
    return finding.old.name.rpartition(".")[2]


def _reaches(finding: Finding, path: str) -> bool:
    """Whether a file can see the declaration: what a source declares is its own."""
    return finding.header.endswith(".h") or finding.header == path


def _count(function: Declaration) -> int | None:
    """Return how many arguments a function takes; None for any number."""
    types = function.parameters or ()
    if any("..." in each for each in types):
        return None
    return 0 if types == ("void",) else len(types)


def _misfit(code: Sequence[str], hit: Hit, new: Declaration) -> str | None:
    """Say how a call differs from what is declared; None where it fits or can't be read."""
    first, *further = code[hit.line - 1 : hit.line - 1 + _CALL_LINES]
    begun = re.search(rf"\b{re.escape(new.name)}\s*\(", first)
    found = conversion.call(" ".join((first, *further)), new.name)
    if begun is None or found is None:
        return None
    wanted, given = _count(new), len(found[2])
    if wanted is not None and given != wanted:
        return f"gets {given} of {wanted} arguments"
    is_inside = first[:1] in {" ", "\t"}
    if new.type == "void" and is_inside and not _STATEMENT.search(first[: begun.start()]):
        return "returns nothing"
    return None
