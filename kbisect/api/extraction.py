# SPDX-License-Identifier: GPL-2.0-or-later
"""What a header declares, read from its text: block by block, each block once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kbisect.api import chunks, parsing
from kbisect.api.blocks import Block, Reader
from kbisect.api.declarations import Declaration, Gap, Header, What

VERSION = 7
"""Counts up whenever the same header would give other declarations: names the cache."""


@dataclass(eq=False, slots=True)
class Part:
    """What one block declares: lines count from its first, headers are left empty.

    `names` are those of its declarations and of their owners; `placed` are the declarations as
    they were last asked for: in which header, behind how many lines.
    """

    declarations: tuple[Declaration, ...]
    gaps: tuple[tuple[int, str], ...]
    names: frozenset[str]
    placed: tuple[tuple[str, int], list[Declaration]] | None = None


Blocks = Sequence[tuple[int, Block[Part]]]


def extract(path: str, source: bytes | Blocks) -> Header:
    """Return what a header declares. Any bytes will do.

    Parameters
    ----------
    path : str
        The header's path, for the declarations to carry.
    source : bytes or Blocks
        Its content, divided or not.
    """
    blocks = divided(source) if isinstance(source, bytes) else source
    declarations: list[Declaration] = []
    gaps: list[Gap] = []
    includes: list[str] = []
    for line, block in blocks:
        part = _READER.meaning(block)
        declarations += _placed(path, line, part)
        gaps += [Gap(path, line + at, text) for at, text in part.gaps]
        includes += block.pieces.includes
    return Header(path, tuple(declarations), tuple(gaps), tuple(includes))


def divided(source: bytes) -> Blocks:
    """Divide a header into the blocks that it shares with its other versions."""
    return _READER.read(source)


def differing(path: str, old: Blocks, new: Blocks) -> tuple[list[Declaration], list[Declaration]]:
    """Return what two versions of a header declare, as far as they differ.

    Blocks that both have are left out, unless they declare a name that a differing one declares.
    """
    common = {id(block) for _, block in old} & {id(block) for _, block in new}
    names: set[str] = set()
    for _, block in (*old, *new):
        if id(block) not in common:
            names |= _READER.meaning(block).names
    sides: list[list[Declaration]] = []
    for blocks in (old, new):
        found: list[Declaration] = []
        for line, block in blocks:
            part = _READER.meaning(block)
            if id(block) not in common:
                found += _placed(path, line, part)
            elif not names.isdisjoint(part.names):
                found += [
                    declaration
                    for declaration in _placed(path, line, part)
                    if declaration.name in names or declaration.owner in names
                ]
        sides.append(found)
    return sides[0], sides[1]


def _placed(path: str, line: int, part: Part) -> list[Declaration]:
    """Return a block's declarations where they stand; what stood there before is the same."""
    at = (path, line)
    if part.placed is None or part.placed[0] != at:
        listed = [
            Declaration(
                one.what,
                one.name,
                one.owner,
                path,
                line + one.line,
                one.text,
                one.type,
                one.parameters,
                one.sparse,
                one.condition,
            )
            for one in part.declarations
        ]
        part.placed = (at, listed)
    return part.placed[1]


def _part(pieces: chunks.Pieces) -> Part:
    """Read the pieces of a block."""
    declarations = [_macro(define) for define in pieces.defines]
    gaps = [(line, parsing.one_line(text)) for line, text in pieces.loose]
    for chunk in pieces.chunks:
        found = parsing.read(chunk.text, chunk.inner)
        for one, condition in found.declarations:
            declarations.append(
                Declaration(
                    one.what,
                    one.name,
                    one.owner,
                    "",
                    chunk.line + one.line,
                    one.text,
                    one.type,
                    one.parameters,
                    one.sparse,
                    chunk.condition if condition is None else condition,
                )
            )
        gaps += [(chunk.line + line, text) for line, text in found.gaps]
        if not chunk.whole:
            gaps.append((chunk.line, "#if inside: " + parsing.one_line(chunk.text)))
    declarations.sort(key=lambda declaration: declaration.line)
    names = frozenset(name for one in declarations for name in (one.name, one.owner) if name)
    return Part(tuple(declarations), tuple(gaps), names)


def _macro(define: chunks.Define) -> Declaration:
    names = "" if define.parameters is None else f"({', '.join(define.parameters)})"
    return Declaration(
        What.MACRO,
        define.name,
        "",
        "",
        define.line,
        f"#define {define.name}{names} {define.body}".strip()[:400],
        define.body,
        define.parameters,
        (),
        define.condition,
    )


_READER = Reader(_part)
