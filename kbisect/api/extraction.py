# SPDX-License-Identifier: GPL-2.0-or-later
"""What a header declares, read from its text.

The parser sees one declaration at a time, known annotations replaced by spaces. A struct it can't
read is given to it member by member; what it still can't read becomes a `Gap`, never silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from kbisect.api import annotations as words
from kbisect.api import chunks
from kbisect.api.chunks import Chunk, blank
from kbisect.api.conditions import Condition
from kbisect.api.declarations import Declaration, Gap, Header, What

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

VERSION = 2
"""Counts up whenever the same header would give other declarations: names the cache."""

# Macros called at the top of a header that declare a variable, or nothing.
_CALL = re.compile(
    r"(?:DECLARE_|DEFINE_|EXPORT_|MODULE_|BUILD_BUG|TRACE_|LIST_HEAD|static_assert|_Static_assert"
    r"|RB_DECLARE|\w+_CHECK_|DEFINE\b|NF_HOOK_|ASSERT_|__aligned_|LOCKDEP_|__MODULE|__NETDEV_)\w*\s*\("
)
_LEADING_CALL = re.compile(r"\s*([A-Z_][A-Z0-9_]{3,}\s*" + words.NESTED + r")\s*(?=[\n;])")
_WRAPPED = re.compile(r"\b(?:FASTCALL|INDIRECT_CALLABLE_DECLARE|__xdr)\s*\(")
_UNNAMED_BITS = re.compile(
    r",\s*:\s*\w+|\b(?:__)?[us](?:8|16|32|64)\s*:\s*\w+\s*;"
    r"|\bunsigned\s+(?:(?:int|char|short|long)\s*)?:\s*\w+\s*;"
    r"|(?<=[us]8\s):\s*\w+\s*,|(?<=[us](?:16|32|64)\s):\s*\w+\s*,"
)
_TOKEN = re.compile(r"\w+|\.\.\.|[^\s\w]")
_STORAGE = re.compile(r"\b(?:extern|static|inline|register|auto|typedef)\b")
_MAX_CHUNK = 1_000_000
_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class _Found:
    """What one chunk declares: lines count from its first; a condition of None is the chunk's."""

    declarations: tuple[tuple[Declaration, Condition | None], ...]
    gaps: tuple[tuple[int, str], ...]


def extract(path: str, source: bytes | chunks.Pieces) -> Header:
    """Return what a header declares. Any bytes will do.

    Parameters
    ----------
    path : str
        The header's path, for the declarations to carry.
    source : bytes or Pieces
        Its content, cut or not.
    """
    pieces = chunks.cut(source) if isinstance(source, bytes) else source
    declarations = [_macro(path, define) for define in pieces.defines]
    gaps = [Gap(path, line, _line(text)) for line, text in pieces.loose]
    for chunk in pieces.chunks:
        declarations += _expanded(path, chunk)
        found = _read(chunk.text, chunk.inner)
        gaps += [Gap(path, chunk.line + line, text) for line, text in found.gaps]
        if not chunk.whole:
            gaps.append(Gap(path, chunk.line, "#if inside: " + _line(chunk.text)))
    declarations.sort(key=lambda declaration: declaration.line)
    return Header(path, tuple(declarations), tuple(gaps), pieces.includes)


def differing(
    path: str, old: chunks.Pieces, new: chunks.Pieces
) -> tuple[list[Declaration], list[Declaration]]:
    """Return what two versions of a header declare, as far as they differ.

    What both have alike is left out, unless it is of a name that differs elsewhere. Two versions
    that follow each other share nearly all, so this takes a tenth of reading both.
    """
    common = {_content(piece) for piece in _pieces(old)} & {
        _content(piece) for piece in _pieces(new)
    }
    sides: list[list[Declaration]] = []
    names: set[str] = set()
    for pieces in (old, new):
        found = [
            declaration
            for piece in _pieces(pieces)
            if _content(piece) not in common
            for declaration in _declared(path, piece)
        ]
        names |= {declaration.name for declaration in found}
        names |= {declaration.owner for declaration in found}
        sides.append(found)
    for pieces, found in zip((old, new), sides, strict=True):
        for piece in _pieces(pieces):
            if _content(piece) in common and not names.isdisjoint(_words(piece)):
                found += [
                    declaration
                    for declaration in _declared(path, piece)
                    if declaration.name in names or declaration.owner in names
                ]
        found.sort(key=lambda declaration: declaration.line)
    return sides[0], sides[1]


def _pieces(pieces: chunks.Pieces) -> list[Chunk | chunks.Define]:
    return [*pieces.defines, *pieces.chunks]


def _content(piece: Chunk | chunks.Define) -> tuple[object, ...]:
    if isinstance(piece, Chunk):
        return (piece.text, piece.condition, piece.inner)
    return (piece.name, piece.parameters, piece.body, piece.condition)


def _words(piece: Chunk | chunks.Define) -> frozenset[str]:
    return _words_of(piece.text) if isinstance(piece, Chunk) else frozenset((piece.name,))


@lru_cache(maxsize=50_000)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _declared(path: str, piece: Chunk | chunks.Define) -> list[Declaration]:
    return _expanded(path, piece) if isinstance(piece, Chunk) else [_macro(path, piece)]


def _expanded(path: str, chunk: Chunk) -> list[Declaration]:
    return [
        Declaration(
            found.what,
            found.name,
            found.owner,
            path,
            chunk.line + found.line,
            found.text,
            found.type,
            found.parameters,
            found.sparse,
            chunk.condition if condition is None else condition,
        )
        for found, condition in _read(chunk.text, chunk.inner).declarations
    ]


def _macro(path: str, define: chunks.Define) -> Declaration:
    return Declaration(
        What.MACRO,
        define.name,
        "",
        path,
        define.line,
        _define_text(define),
        define.body,
        define.parameters,
        (),
        define.condition,
    )


def _define_text(define: chunks.Define) -> str:
    names = "" if define.parameters is None else f"({', '.join(define.parameters)})"
    return f"#define {define.name}{names} {define.body}".strip()[:400]


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


@lru_cache(maxsize=100_000)
def _read(text: str, inner: tuple[tuple[int, Condition], ...]) -> _Found:
    return _Reader(text, inner).read()


@cache
def _parser() -> Parser:
    import tree_sitter
    import tree_sitter_c

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))


class _Reader:
    """Reads one chunk."""

    def __init__(self, text: str, inner: tuple[tuple[int, Condition], ...]) -> None:
        self.inner = inner
        self.text = _rewrite(text)
        self.parsed = b""
        self.shift = 0  # lines before the part that is parsed
        self.raw = ""
        self.declarations: list[tuple[Declaration, Condition | None]] = []
        self.gaps: list[tuple[int, str]] = []

    def read(self) -> _Found:
        text = self.text
        while leading := _LEADING_CALL.match(text):
            if not _CALL.match(leading.group(1)):
                self.gaps.append((text.count("\n", 0, leading.start(1)), _line(leading.group())))
            text = blank(text[: leading.end()]) + text[leading.end() :]
        if text.strip(" \t\n;") and not _CALL.match(text.lstrip()):
            self._chunk(text)
        return _Found(tuple(self.declarations), tuple(self.gaps))

    def _chunk(self, text: str) -> None:
        if len(text) > _MAX_CHUNK or _depth(text) > _MAX_DEPTH:
            self.gaps.append((0, _line(text[:1000])))
            return
        root = self._parse(text, 0)
        if not root.has_error:
            for node in root.named_children:
                self._top(node)
            return
        opening = text.find("{")
        closing = text.rfind("}")
        if 0 < opening < closing and re.search(r"\b(?:struct|union)\b", text[:opening]):
            self._by_member(text, opening, closing)
        else:
            self.gaps.append((text.count("\n", 0, len(text) - len(text.lstrip())), _line(text)))

    def _parse(self, text: str, shift: int) -> Node:
        self.raw = text
        self.shift = shift
        clean = words.BLANKED.sub(lambda found: blank(found.group()), text)
        clean = _UNNAMED_BITS.sub(lambda found: blank(found.group()), clean)
        self.parsed = clean.encode("ascii")
        return _parser().parse(self.parsed).root_node

    def _by_member(self, text: str, opening: int, closing: int) -> None:
        """Read a struct that doesn't parse: the struct, then each member by itself."""
        root = self._parse(
            text[: opening + 1] + blank(text[opening + 1 : closing]) + text[closing:], 0
        )
        found = next((node for node in _walk(root) if node.type in _AGGREGATES), None)
        if root.has_error or found is None:
            self.gaps.append((0, _line(text)))
            return
        for node in root.named_children:
            self._top(node)
        names = [known for known, _ in self.declarations if known.what in _AGGREGATES.values()]
        if not names:
            self.gaps.append((0, _line(text)))
            return
        owner = names[-1].name
        start = opening + 1
        depth = 0
        for place in range(opening + 1, closing):
            char = text[place]
            depth += (char == "{") - (char == "}")
            if char == ";" and depth == 0:
                self._member(text, start, place + 1, owner)
                start = place + 1
        if text[start:closing].strip():
            self.gaps.append((text.count("\n", 0, start), _line(text[start:closing])))

    def _member(self, text: str, start: int, end: int, owner: str) -> None:
        member = text[start:end]
        lead = len(member) - len(member.lstrip())
        line = text.count("\n", 0, start + lead)
        if not words.BLANKED.sub("", member).strip(" \t\n;"):
            return
        root = self._parse("struct _{" + member.lstrip() + "};", line)
        body = next((node for node in _walk(root) if node.type == "field_declaration_list"), None)
        if root.has_error or body is None:
            self.gaps.append((line, _line(member)))
            return
        self._fields(body, owner, "")

    # --- nodes ---------------------------------------------------------------------------------

    def _top(self, node: Node) -> None:
        kind = node.type
        if kind in _AGGREGATES:
            self._aggregate(node, "")
        elif kind == "enum_specifier":
            self._enum(node, "")
        elif kind == "type_definition":
            self._typedef(node)
        elif kind == "declaration":
            self._specifier(node)
            for declarator in node.children_by_field_name("declarator"):
                self._declarator(node, declarator)
        elif kind in ("comment", ";") or self._text(node).strip(" ;") == "":
            return
        else:
            self.gaps.append((self._line(node), _line(self._text(node))))

    def _specifier(self, node: Node, hint: str = "") -> None:
        """Read the struct or enum that a declaration defines on the way."""
        inner = node.child_by_field_name("type")
        if inner is not None and inner.child_by_field_name("body") is not None:
            if inner.type in _AGGREGATES:
                self._aggregate(inner, hint)
            elif inner.type == "enum_specifier":
                self._enum(inner, hint)

    def _declarator(self, node: Node, declarator: Node) -> None:
        core, name = _named(declarator)
        if name is None or core is None or core.type != "function_declarator":
            return  # a variable is no part of the API that findings know
        inner = core.child_by_field_name("declarator")
        while inner is not None and inner.type == "parenthesized_declarator":
            inner = next(iter(inner.named_children), None)
        if inner != name:
            return  # a variable that points to a function
        self._add(
            What.FUNCTION,
            self._text(name),
            "",
            node,
            self._type(node, declarator, core),
            self._parameters(core),
        )

    def _typedef(self, node: Node) -> None:
        declarators = node.children_by_field_name("declarator")
        names = [self._text(name) for _, name in map(_named, declarators) if name is not None]
        plain = [
            text
            for text, found in zip(names, declarators, strict=False)
            if found.type == "type_identifier"
        ]
        inner = node.child_by_field_name("type")
        tag = inner.child_by_field_name("name") if inner is not None else None
        self._specifier(node, plain[0] if plain and tag is None else "")
        for declarator in declarators:
            core, name = _named(declarator)
            if name is None:
                continue
            called = core is not None and core.type == "function_declarator"
            cut = core if called and core is not None else name
            self._add(
                What.TYPEDEF,
                self._text(name),
                "",
                node,
                self._type(node, declarator, cut),
                self._parameters(core) if called and core is not None else None,
            )

    def _aggregate(self, node: Node, hint: str) -> None:
        body = node.child_by_field_name("body")
        if body is None:
            return
        tag = node.child_by_field_name("name")
        name = self._text(tag) if tag is not None else hint
        if name:
            self._add(_AGGREGATES[node.type], name, "", node, "", None, f"{node.type[:-10]} {name}")
            self._fields(body, name, "")

    def _enum(self, node: Node, hint: str) -> None:
        body = node.child_by_field_name("body")
        if body is None:
            return
        tag = node.child_by_field_name("name")
        name = self._text(tag) if tag is not None else hint
        if name:
            self._add(What.ENUM, name, "", node, "", None, f"enum {name}")
        for item in body.named_children:
            if item.type == "enumerator":
                found = item.child_by_field_name("name")
                if found is not None:
                    self._add(What.ENUMERATOR, self._text(found), name, item, "", None)
            elif item.type not in ("comment", ";"):
                self.gaps.append((self._line(item), _line(self._text(item))))

    def _fields(self, body: Node, owner: str, path: str) -> None:
        for node in body.named_children:
            if node.type != "field_declaration":
                if node.type not in ("comment", ";"):
                    self.gaps.append((self._line(node), _line(self._text(node))))
                continue
            inner = node.child_by_field_name("type")
            declarators = node.children_by_field_name("declarator")
            nested = None
            if inner is not None:
                nested = inner.child_by_field_name("body")
                if nested is not None and inner.type == "enum_specifier":
                    self._enum(inner, "")
                    nested = None
                elif nested is not None and inner.child_by_field_name("name") is not None:
                    if declarators:
                        self._aggregate(inner, "")
                        nested = None
                elif inner.type == "macro_type_specifier" and not declarators:
                    self.gaps.append((self._line(node), _line(self._text(node))))
                    continue
            if nested is not None and not declarators:
                self._fields(nested, owner, path)
            for declarator in declarators:
                core, name = _named(declarator)
                if name is None:
                    continue
                label = path + self._text(name)
                called = core is not None and core.type == "function_declarator"
                cut = core if called and core is not None else name
                self._add(
                    What.FIELD,
                    label,
                    owner,
                    node if nested is None else declarator,
                    self._type(node, declarator, cut),
                    self._parameters(core) if called and core is not None else None,
                    self._field_text(node, declarator, name, nested, len(declarators)),
                )
                if nested is not None:
                    self._fields(nested, owner, f"{label}.")

    def _field_text(
        self, node: Node, declarator: Node, name: Node, nested: Node | None, count: int
    ) -> str | None:
        """Return the text of a field whose line says more than that; None when it doesn't."""
        if nested is None and count == 1:
            return None
        type_text = self._type(node, declarator, name)
        label = self._text(name)
        if "(*)" in type_text:
            return type_text.replace("(*)", f"(*{label})", 1)
        base, _, rest = type_text.partition(":")
        base, _, size = base.partition("[")
        joined = f"{base}{label}" if base.endswith("*") else f"{base} {label}"
        return joined + (f"[{size}" if size else "") + (f":{rest}" if rest else "")

    # --- text ----------------------------------------------------------------------------------

    def _text(self, node: Node) -> str:
        return self.parsed[node.start_byte : node.end_byte].decode("ascii")

    def _line(self, node: Node) -> int:
        return self.shift + node.start_point[0]

    def _type(self, node: Node, declarator: Node, cut: Node) -> str:
        """Return the declared type: the specifiers, and the declarator without `cut`."""
        inner = node.child_by_field_name("type")
        body = inner.child_by_field_name("body") if inner is not None else None
        first = node.child_by_field_name("declarator")
        end = first.start_byte if first is not None else node.end_byte
        text = self.parsed[node.start_byte : end].decode("ascii")
        if body is not None:
            text = self.parsed[node.start_byte : body.start_byte].decode("ascii")
        around = (
            self.parsed[declarator.start_byte : cut.start_byte]
            + b" "
            + self.parsed[cut.end_byte : declarator.end_byte]
        ).decode("ascii")
        around = around.split("=", 1)[0]
        if cut.type == "function_declarator":
            around += self._array(cut)
        bits = declarator.next_named_sibling
        if bits is not None and bits.type == "bitfield_clause":
            around += self._text(bits)
        return normal(_STORAGE.sub(" ", text) + " " + around)

    def _array(self, core: Node) -> str:
        """Return the dimensions of an array of callbacks."""
        inner = core.child_by_field_name("declarator")
        found = [n for n in _walk(inner) if n.type == "array_declarator"] if inner else []
        return "".join(self._text(node)[self._text(node).find("[") :] for node in found)

    def _parameters(self, core: Node) -> tuple[str, ...]:
        listed = core.child_by_field_name("parameters")
        if listed is None:
            return ()
        found = []
        for node in listed.named_children:
            if node.type == "comment":
                continue
            declarator = node.child_by_field_name("declarator")
            _, name = _named(declarator) if declarator is not None else (None, None)
            if node.type == "parameter_declaration" and name is not None:
                before = self.parsed[node.start_byte : name.start_byte]
                after = self.parsed[name.end_byte : node.end_byte]
                text = normal((before + b" " + after).decode("ascii"))
                # An array parameter is a pointer, whatever its size.
                text = re.sub(r"\[[^\]]*\]$", "*", text) if "(" not in text else text
                found.append(normal(text.replace("]*", "*")))
            else:
                found.append(normal(self._text(node)))
        return () if found == ["void"] else tuple(found)

    def _add(
        self,
        what: What,
        name: str,
        owner: str,
        node: Node,
        type_text: str,
        parameters: tuple[str, ...] | None,
        text: str | None = None,
    ) -> None:
        raw = self.raw[node.start_byte : node.end_byte]
        line = self._line(node)
        condition = None
        for at, terms in self.inner:
            if at <= line:
                condition = terms
        own = raw if "{" not in raw else raw[: raw.find("{")] + raw[raw.rfind("}") :]
        sparse = tuple(sorted(set(words.SPARSE_WORD.findall(own))))
        if what in _AGGREGATES.values() or what is What.ENUM:
            sparse = ()
        self.declarations.append(
            (
                Declaration(
                    what,
                    name,
                    owner,
                    "",
                    line,
                    text or _line(raw).rstrip("; "),
                    type_text,
                    parameters,
                    sparse,
                ),
                condition,
            )
        )


_AGGREGATES = {"struct_specifier": What.STRUCT, "union_specifier": What.UNION}
_NAMES = ("identifier", "field_identifier", "type_identifier", "primitive_type")


def _walk(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        found = stack.pop()
        yield found
        stack.extend(reversed(found.named_children))


def _named(declarator: Node) -> tuple[Node | None, Node | None]:
    """Return the innermost function declarator around the name, if any, and the name."""
    core: Node | None = None
    node: Node | None = declarator
    while node is not None and node.type not in _NAMES:
        if node.type == "function_declarator":
            core = node
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (
                    n
                    for n in node.named_children
                    if n.type.endswith("declarator") or n.type in _NAMES
                ),
                None,
            )
        node = inner
    return core, node


def normal(text: str) -> str:
    """Return C text with white space only where it takes some, and a blank before `*`.

    >>> normal("unsigned   char*")
    'unsigned char *'
    """
    out = ""
    for part in _TOKEN.findall(text):
        word = part[0].isalnum() or part[0] == "_" or part == "..."
        if out:
            last = out[-1]
            named = last.isalnum() or last == "_"
            if (
                (word and (named or last == ","))
                or (part == "*" and last not in "*(")
                or (part == "(" and (named or last == "*"))
            ):
                out += " "
        out += part
    return out


def _rewrite(text: str) -> str:
    """Write out the members that macros declare; lines stay where they are."""
    text = text.replace("\\\n", " \n")
    if "(" not in text:
        return text
    while found := _WRAPPED.search(text):
        close = _closing(text, found.end())
        if close is None:
            break
        text = text[: found.start()] + " " + text[found.end() : close] + " " + text[close + 1 :]
    text = words.BITMAP.sub(r"unsigned long \1[\2]", text)
    text = words.MASK.sub(r"unsigned long \1[]", text)
    text = words.FLEXIBLE.sub(lambda m: f"{m.group(1)} {m.group(2)}[]", text)
    while found := words.GROUP.search(text):
        close = _closing(text, found.end())
        skip, named, tagged = words.GROUPS[found.group(1)]
        inside = text[found.end() : close].split(",", skip) if close is not None else []
        if close is None or len(inside) <= skip:
            break
        tag = inside[tagged].strip() if tagged is not None else ""
        arguments = "\n" * sum(part.count("\n") for part in inside[:skip])
        text = (
            f"{text[: found.start()]}struct {{{arguments}{inside[skip]}}}; "
            f"struct {tag or '_group'} {inside[named].strip()}{text[close + 1 :]}"
        )
    return text


def _depth(text: str) -> int:
    """Return how deep the braces are nested."""
    deepest = depth = 0
    for found in re.finditer(r"[{}]", text):
        depth += 1 if found.group() == "{" else -1
        deepest = max(deepest, depth)
    return deepest


def _closing(text: str, start: int) -> int | None:
    """Return where the parenthesis that is open at `start` closes."""
    depth = 1
    for found in re.compile(r"[()]").finditer(text, start):
        depth += 1 if found.group() == "(" else -1
        if depth == 0:
            return found.start()
    return None
