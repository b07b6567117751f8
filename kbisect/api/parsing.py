# SPDX-License-Identifier: GPL-2.0-or-later
"""What one outermost declaration declares, by the C parser.

Known annotations are replaced by spaces. A struct that can't be read is read member by member;
what still can't be becomes a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from kbisect.api import annotations as words
from kbisect.api.chunks import blank
from kbisect.api.conditions import Condition
from kbisect.api.declarations import Declaration, What
from kbisect.api.spelling import depth, normal, rewrite

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

# Macros called at the top of a header that declare a variable, or nothing.
_CALL = re.compile(
    r"(?:DECLARE_|DEFINE_|EXPORT_|MODULE_|BUILD_BUG|TRACE_|LIST_HEAD|static_assert|_Static_assert"
    r"|RB_DECLARE|\w+_CHECK_|DEFINE\b|NF_HOOK_|ASSERT_|__aligned_|LOCKDEP_|__MODULE|__NETDEV_)\w*\s*\("
)
_LEADING_CALL = re.compile(r"\s*([A-Z_][A-Z0-9_]{3,}\s*" + words.NESTED + r")\s*(?=[\n;])")
_UNNAMED_BITS = re.compile(
    r",\s*:\s*\w+|\b(?:__)?[us](?:8|16|32|64)\s*:\s*\w+\s*;"
    r"|\bunsigned\s+(?:(?:int|char|short|long)\s*)?:\s*\w+\s*;"
    r"|(?<=[us]8\s)(?::\s*\w+\s*,\s*)+|(?<=[us](?:16|32|64)\s)(?::\s*\w+\s*,\s*)+"
)
_STORAGE = re.compile(r"\b(?:extern|static|inline|register|auto|typedef)\b")
_MAX_CHUNK = 1_000_000
_MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Found:
    """What one chunk declares: lines count from its first; a condition of None is the chunk's."""

    declarations: tuple[tuple[Declaration, Condition | None], ...]
    gaps: tuple[tuple[int, str], ...]


def one_line(text: str) -> str:
    """Return a text in one line, as gaps and declarations show it."""
    return " ".join(text.split())[:200]


@lru_cache(maxsize=50_000)
def read(text: str, inner: tuple[tuple[int, Condition], ...]) -> Found:
    """Return what one chunk declares: its text, and the conditions inside of it."""
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
        self.text = rewrite(text)
        self.parsed = b""
        self.shift = 0  # lines before the part that is parsed
        self.raw = ""
        self.declarations: list[tuple[Declaration, Condition | None]] = []
        self.gaps: list[tuple[int, str]] = []

    def read(self) -> Found:
        text = self.text
        while leading := _LEADING_CALL.match(text):
            if not _CALL.match(leading.group(1)):
                self.gaps.append((text.count("\n", 0, leading.start(1)), one_line(leading.group())))
            text = blank(text[: leading.end()]) + text[leading.end() :]
        if text.strip(" \t\n;") and not _CALL.match(text.lstrip()):
            self._chunk(text)
        return Found(tuple(self.declarations), tuple(self.gaps))

    def _chunk(self, text: str) -> None:
        if len(text) > _MAX_CHUNK or depth(text) > _MAX_DEPTH:
            self.gaps.append((0, one_line(text[:1000])))
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
            self.gaps.append((text.count("\n", 0, len(text) - len(text.lstrip())), one_line(text)))

    def _parse(self, text: str, shift: int) -> Node:
        self.raw = text
        self.shift = shift
        clean = words.without(text, lambda found: blank(found.group()))
        if ":" in clean:
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
            self.gaps.append((0, one_line(text)))
            return
        for node in root.named_children:
            self._top(node)
        names = [known for known, _ in self.declarations if known.what in _AGGREGATES.values()]
        if not names:
            self.gaps.append((0, one_line(text)))
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
            self.gaps.append((text.count("\n", 0, start), one_line(text[start:closing])))

    def _member(self, text: str, start: int, end: int, owner: str) -> None:
        member = text[start:end]
        lead = len(member) - len(member.lstrip())
        line = text.count("\n", 0, start + lead)
        if not words.without(member, lambda _: "").strip(" \t\n;"):
            return
        root = self._parse("struct _{" + member.lstrip() + "};", line)
        body = next((node for node in _walk(root) if node.type == "field_declaration_list"), None)
        if root.has_error or body is None:
            self.gaps.append((line, one_line(member)))
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
            self.gaps.append((self._line(node), one_line(self._text(node))))

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
                self.gaps.append((self._line(item), one_line(self._text(item))))

    def _fields(self, body: Node, owner: str, path: str) -> None:
        for node in body.named_children:
            if node.type != "field_declaration":
                if node.type not in ("comment", ";"):
                    self.gaps.append((self._line(node), one_line(self._text(node))))
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
                elif nested is None and not declarators and inner.type != "enum_specifier":
                    self.gaps.append((self._line(node), one_line(self._text(node))))
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
        sparse: tuple[str, ...] = ()
        if "__" in raw and what not in _TAGS:
            own = raw if "{" not in raw else raw[: raw.find("{")] + raw[raw.rfind("}") :]
            sparse = tuple(sorted(set(words.SPARSE_WORD.findall(own))))
        self.declarations.append(
            (
                Declaration(
                    what,
                    name,
                    owner,
                    "",
                    line,
                    text or one_line(raw).rstrip("; "),
                    type_text,
                    parameters,
                    sparse,
                ),
                condition,
            )
        )


_AGGREGATES = {"struct_specifier": What.STRUCT, "union_specifier": What.UNION}
_TAGS = (What.STRUCT, What.UNION, What.ENUM)
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
