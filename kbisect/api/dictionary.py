# SPDX-License-Identifier: GPL-2.0-or-later
"""The dictionary entry of one name at one version: declaration, kernel-doc, fields, accessors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kbisect.api import extraction
from kbisect.api.declarations import Declaration, What
from kbisect.git import blobs
from kbisect.git.blobs import Files
from kbisect.git.repository import Repository

_DOC = re.compile(r"/\*\*[ \t]*\n(.*?)\*/", re.DOTALL)
_STARS = re.compile(r"^[ \t]*\*[ \t]?", re.MULTILINE)
_MEMBER_DOC = re.compile(
    r"^@([\w.]+):[ \t]*(.*?)(?=^@|^\w[\w ]*:|^\s*$|\Z)", re.DOTALL | re.MULTILINE
)
_INLINE = re.compile(
    r"^static\s+(?:__always_)?inline\s[^;{}#]*?\b(\w+)\s*\(([^{};]*)\)\s*\{(.*?)^\}",
    re.DOTALL | re.MULTILINE,
)
_ACCESSOR = 2  # statements, at most: what does more is no accessor
_DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)\(([^)]*)\)((?:\\\n|[^\n])*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One name as a version has it.

    Attributes
    ----------
    name : as findings give it
    declarations : its variants, one a condition
    doc : kernel-doc of it, empty if there is none
    fields : a struct's or an enum's members in their order
    docs : kernel-doc of the members, by name
    accessors : inline functions and macros of its headers that read or write the field
    """

    name: str
    declarations: tuple[Declaration, ...]
    doc: str
    fields: tuple[Declaration, ...]
    docs: Mapping[str, str]
    accessors: tuple[str, ...]


def entry(repository: Repository, files: Files, name: str) -> Entry | None:
    """Look a name up: `sk_buff`, `sk_buff.len`, `skb_pad`; None when no header declares it.

    Parameters
    ----------
    repository : Repository
    files : the public headers of the version
    name : str
    """
    wanted = re.sub(r"^(?:struct|union|enum)\s+", "", name.strip())
    owner, _, member = wanted.partition(".")
    found: list[Declaration] = []
    inside: list[Declaration] = []
    texts: dict[str, str] = {}
    word = re.compile(rf"\b{re.escape(owner)}\b".encode())
    for path, content in _read(repository, files):
        if not word.search(content):
            continue
        for one in extraction.extract(path, content).declarations:
            is_field = one.what is What.FIELD
            if (is_field, one.owner if member else "", one.name) == (
                bool(member),
                owner if member else "",
                member or owner,
            ):
                found.append(one)
            elif one.owner == owner and (not member or one.name.startswith(f"{member}.")):
                inside.append(one)
            else:
                continue
            texts[path] = content.decode("utf-8", "replace")
    if not found:
        return None
    docs: dict[str, str] = {}
    doc = ""
    for path, text in texts.items():
        lines = {one.line for one in found if one.header == path}
        for shown, members in _docs(text, owner):
            docs |= members
            doc = doc or (docs.get(member, "") if member else shown)
        if not doc and not member:
            doc = next((above for line in lines if (above := _above(text, line))), "")
    last = member.rsplit(".", 1)[-1]
    accessors = dict.fromkeys(
        each for text in texts.values() for each in _accessors(text, owner, last) if member
    )
    return Entry(found[0].shown, tuple(found), doc, tuple(inside), docs, tuple(accessors))


def _read(repository: Repository, files: Files) -> Iterator[tuple[str, bytes]]:
    paths: dict[str, list[str]] = {}
    for path, oid in files.blobs.items():
        paths.setdefault(oid, []).append(path)
    for oid, content in files.loaded.items():
        for path in paths.pop(oid, ()):
            yield path, content
    for oid, content in blobs.read(repository, sorted(paths)):
        for path in paths[oid]:
            yield path, content


def _docs(text: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Find the kernel-doc comment of a name, and what it says of members."""
    for found in _DOC.finditer(text):
        body = _STARS.sub("", found[1]).strip()
        if re.match(rf"(?:(?:struct|union|enum)\s+)?{re.escape(name)}\b\s*(?:\(\))?\s*[-:]", body):
            members = {m[1]: " ".join(m[2].split()) for m in _MEMBER_DOC.finditer(body)}
            yield body, members


def _above(text: str, line: int) -> str:
    """Return a plain comment that ends right above a line."""
    lines = text.splitlines()[: line - 1]
    if not lines or not lines[-1].rstrip().endswith("*/"):
        return ""
    block: list[str] = []
    while lines and len(block) < 60:
        block.insert(0, lines.pop())
        if "/*" in block[0]:
            body = "\n".join(block).strip().removeprefix("/**").removeprefix("/*")
            return _STARS.sub("", body.removesuffix("*/")).strip()
    return ""


def _accessors(text: str, owner: str, field: str) -> Iterator[str]:
    use = re.compile(rf"(?:->|\.)\s*{re.escape(field)}\b")
    for found in _INLINE.finditer(text):
        short = found[3].count(";") <= _ACCESSOR
        if (
            short
            and re.search(rf"\bstruct\s+{re.escape(owner)}\b", found[2])
            and use.search(found[3])
        ):
            yield f"{found[1]}()"
    for found in _DEFINE.finditer(text):
        if use.search(found[3]):
            yield f"{found[1]}()"
