# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare what is read from headers with what the compiler saw: the BTF of a packaged kernel.

Run it by hand: `python -m tests.api.btf VMLINUX CONFIG INCLUDE [-v]`. VMLINUX is an unpacked kernel
or its `.BTF` section, CONFIG its configuration (auto.conf or .config), INCLUDE the headers it was
built of. Every struct of the public network headers that BTF knows is compared member by member:
name, place, type, bits. What the configuration leaves out is left out here as well.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbisect.api import surface
from kbisect.api.declarations import Declaration, Header
from kbisect.api.extraction import extract
from kbisect.api.sides import Side

# Kinds of the kernel's Documentation/bpf/btf.rst, and the bytes behind each record.
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FORWARD, _TYPEDEF = range(1, 9)
_VOLATILE, _CONST, _RESTRICT, _FUNCTION, _PROTO, _VARIABLE, _SECTION = range(9, 16)
_TYPE_TAG, _ENUM64 = 18, 19
_FIXED = {_INT: 4, _ARRAY: 12, _VARIABLE: 4, 17: 4}
_EACH = {_STRUCT: 12, _UNION: 12, _ENUM: 8, _PROTO: 8, _SECTION: 12, _ENUM64: 12}
_SKIPPED = (_VOLATILE, _CONST, _RESTRICT, _TYPE_TAG)

# What macros of the headers make of a name: the compiler never sees the one that is written.
_MACROS = {
    "callback_head": "rcu_head",
    "__kernel_sockaddr_storage": "sockaddr_storage",
}
_TYPE_MACROS = {"__aligned_u64": "__u64", "NETLBL_CATMAP_MAPTYPE": "u64"}
_EXPLAINED = {
    "cstate": "another struct of that name, in a file of its own (xz)",
    "mac_addr": "another struct of that name, in a file of its own",
    "flow_action_entry": "`exceed, notexceed` share an unnamed struct: its members come first here",
    "sctp_stream": "GENRADIX() is a macro for an unnamed struct",
}
_BYTE_ORDER = {"__LITTLE_ENDIAN_BITFIELD": True, "__BIG_ENDIAN_BITFIELD": False}

Member = tuple[str, str]


@dataclass(frozen=True)
class _Type:
    kind: int
    name: str
    count: int
    is_bits: bool
    target: int
    extra: bytes


class Btf:
    """The types of one kernel."""

    def __init__(self, data: bytes) -> None:
        magic, _, _, header, types, size, strings, _ = struct.unpack_from("<HBBIIIII", data)
        if magic != 0xEB9F:
            raise ValueError("no BTF")
        self.strings = data[header + strings :]
        self.types = [_Type(0, "void", 0, False, 0, b"")]
        at = header + types
        while at < header + types + size:
            name, info, target = struct.unpack_from("<III", data, at)
            kind, count = info >> 24 & 0x1F, info & 0xFFFF
            length = _FIXED.get(kind, 0) + _EACH.get(kind, 0) * count
            extra = data[at + 12 : at + 12 + length]
            self.types.append(_Type(kind, self._name(name), count, bool(info >> 31), target, extra))
            at += 12 + length

    def _name(self, offset: int) -> str:
        name = self.strings[offset : self.strings.index(b"\0", offset)].decode()
        return _MACROS.get(name, name)

    def structs(self) -> Iterator[tuple[str, list[Member]]]:
        """Yield each named struct or union with its members: (path, type)."""
        for found in self.types:
            if found.kind in (_STRUCT, _UNION) and found.name:
                yield found.name, list(self._members(found, ""))

    def _members(self, found: _Type, path: str) -> Iterator[Member]:
        for at in range(found.count):
            name, target, offset = struct.unpack_from("<III", found.extra, 12 * at)
            inner = self.types[target]
            while inner.kind == _ARRAY:
                inner = self.types[struct.unpack_from("<I", inner.extra)[0]]
            bits = offset >> 24 if found.is_bits else 0
            is_inline = inner.kind in (_STRUCT, _UNION) and not inner.name
            label = path + self._name(name)
            if is_inline:
                yield from self._members(inner, f"{label}." if self._name(name) else path)
            # `struct {} __empty_x` is how DECLARE_FLEX_ARRAY makes room for x.
            if self._name(name) and not self._name(name).startswith("__empty_"):
                yield label, self.spelt(target) + (f":{bits}" if bits else "")

    def spelt(self, number: int) -> str:
        """Write a type as `shape` does."""
        found = self.types[number]
        if found.kind in _SKIPPED:
            return self.spelt(found.target)
        if found.kind == _PTR:
            return self.spelt(found.target) + "*"
        if found.kind == _ARRAY:
            # Two dimensions are one to BTF.
            return self.spelt(struct.unpack_from("<I", found.extra)[0]).removesuffix("[]") + "[]"
        if found.kind == _PROTO:
            count = found.count
            return f"{self.spelt(found.target)}({count})"
        if found.kind == _FORWARD:
            return f"{'union' if found.is_bits else 'struct'} {found.name}"
        word = {_STRUCT: "struct ", _UNION: "union ", _ENUM: "enum ", _ENUM64: "enum "}
        text = f"{word.get(found.kind, '')}{found.name}".strip()
        return _integer(text) if found.kind == _INT else text


_INTEGERS = {"unsigned", "signed", "int", "long", "short", "char"}


def _integer(text: str) -> str:
    """Write an integer type with its words in one order, `int` and `signed` left out."""
    words = text.split()
    if not set(words) <= _INTEGERS:
        return text
    kept = sorted(word for word in words if word not in ("int", "signed"))
    return " ".join(kept) or "int"


def shape(one: Declaration) -> str:
    """Write a field's type: base, stars, dimensions, number of parameters, bits."""
    text, _, bits = one.type.partition(":")
    text = re.sub(r"\b(?:const|volatile)\b", " ", text)
    sizes = text.count("[")
    text = re.sub(r"\[[^\[\]]*(?:\[[^\]]*\][^\[\]]*)*\]", "", text)
    stars = text.count("*")
    base = _integer(" ".join(re.sub(r"[*()]", " ", text).split()))
    base = re.sub(r"\w+", lambda word: _MACROS.get(word[0], word[0]), _TYPE_MACROS.get(base, base))
    sizes = min(sizes, 1)
    if one.parameters is None:
        return base + "*" * stars + "[]" * sizes + (f":{bits.strip()}" if bits else "")
    return f"{base}{'*' * stars}({len(one.parameters)})*" + "[]" * sizes


class Configuration:
    """What a build was configured as."""

    def __init__(self, text: str) -> None:
        self.values = dict(re.findall(r"^(CONFIG_\w+)=(\S+)", text, re.MULTILINE))

    def holds(self, terms: Sequence[str]) -> bool | None:
        """Whether a condition held; None where modules or other macros make it uncertain."""
        result: bool | None = True
        for term in terms:
            value = self._term(term)
            if value is False:
                return False
            result = None if value is None else result
        return result

    def _term(self, term: str) -> bool | None:
        found = re.fullmatch(r"(!?)(CONFIG_\w+?)(_MODULE)?", term)
        if found is None:
            return _BYTE_ORDER.get(term)
        value = self.values.get(found[2], "n")
        if found[3]:
            return (value == "m") is not bool(found[1])
        return None if value == "m" else (value != "n") is not bool(found[1])


def compared(
    ours: Sequence[Declaration], theirs: Sequence[Member], built: Configuration
) -> Iterator[str]:
    """Tell what differs between the fields of a struct and the members the compiler saw."""
    shapes = dict(theirs)
    listed: dict[str, Declaration] = {}
    for one in ours:
        known = built.holds(one.condition)
        if known is False or (known is None and one.name not in shapes):
            continue
        if one.name not in listed or shape(one) == shapes.get(one.name):
            listed.setdefault(one.name, one)
            if shape(one) == shapes.get(one.name):
                listed[one.name] = one
    # A group is a copy of the fields before it.
    groups = {name for name, one in listed.items() if _is_group(one)}
    seen = {name: text for name, text in theirs if name.rpartition(".")[0] not in groups}
    for name in seen.keys() - listed.keys():
        yield f"{name}: {seen[name]} only for the compiler"
    for name in listed.keys() - seen.keys():
        yield f"{name}: {shape(listed[name])} only here {listed[name].condition or ''}"
    if not seen.keys() ^ listed.keys() and list(seen) != list(listed):
        yield "another order"
    for name in listed.keys() & seen.keys():
        mine, other = shape(listed[name]), seen[name]
        if mine != other and name not in groups and not _same(mine, other):
            yield f"{name}: {mine} here, {other} for the compiler"


def _is_group(one: Declaration) -> bool:
    return one.type == "struct _group" or "struct_group" in one.text


def _same(mine: str, other: str) -> bool:
    """Whether a type is only spelt otherwise: a macro for a number, an anonymous struct."""
    plain = re.sub(r":\w+$", ":n", mine) == re.sub(r":\w+$", ":n", other)
    if re.search(r":[A-Za-z_]\w*$", mine) and plain:
        return True
    return mine in ("struct", "union", "enum") and other in ("struct", "union", "enum", "struct[]")


def main() -> int:
    """Print what differs; return 1 if anything does."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    vmlinux, config, include = map(Path, words)
    known: dict[str, list[list[Member]]] = {}
    for name, members in Btf(_section(vmlinux.read_bytes())).structs():
        known.setdefault(name, []).append(members)
    built = Configuration(config.read_text())
    side = Side.of(_headers(include))
    structs = fields = 0
    wrong: Mapping[str, list[str]] = {}
    for owner, declared in side.fields.items():
        if owner not in known:
            continue
        told = [list(compared(declared, theirs, built)) for theirs in known[owner]]
        structs += 1
        fields += max(len(theirs) for theirs in known[owner])
        best = min(told, key=len)
        if best:
            wrong = {**wrong, owner: best}
    for owner, differences in wrong.items():
        for each in [_EXPLAINED[owner]] if owner in _EXPLAINED else differences:
            print(f"{owner}: {each}")
    unexplained = wrong.keys() - _EXPLAINED.keys()
    print(
        f"{structs} structs with {fields} members; {len(wrong)} structs differ,"
        f" {len(unexplained)} unexplained"
    )
    return 1 if unexplained else 0


def _headers(include: Path) -> Iterator[Header]:
    for path in sorted(include.rglob("*.h")):
        name = f"include/{path.relative_to(include)}"
        if surface.is_public(name):
            yield extract(name, path.read_bytes())


def _section(data: bytes) -> bytes:
    """Return the .BTF section of an ELF file, or what is one already."""
    if data[:4] != b"\x7fELF":
        return data
    (offset,) = struct.unpack_from("<Q", data, 40)
    count, names = struct.unpack_from("<HH", data, 60)
    sections = [struct.unpack_from("<IIQQQQ", data, offset + 64 * at) for at in range(count)]
    strings = sections[names][4]
    for name, _, _, _, start, size in sections:
        if data[strings + name : strings + name + 5] == b".BTF\0":
            return data[start : start + size]
    raise ValueError("no .BTF section")


if __name__ == "__main__":
    sys.exit(main())
