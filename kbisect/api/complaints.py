# SPDX-License-Identifier: GPL-2.0-or-later
"""What compilers say about a name that isn't what it was: gcc's, clang's and modpost's forms. Pure.

One line or a whole log; colours and the compilers' many quotes don't matter. A line that has the
frame of an error but none of these forms is counted, so that a foreign language is no silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum


class Trouble(Enum):
    """What is wrong with the name."""

    MEMBER = "no member"
    FUNCTION = "unknown function"
    NAME = "unknown name"
    TYPE = "unknown type"
    FEW = "too few arguments"
    MANY = "too many arguments"
    CALLBACK = "another callback"
    ARGUMENT = "another argument"
    VALUE = "another value"
    OBJECT = "another object"
    HEADER = "no header"
    TWICE = "defined twice"
    SYMBOL = "undefined symbol"
    OTHER = "another error"


@dataclass(frozen=True, slots=True)
class Complaint:
    """One error of a log.

    Attributes
    ----------
    file, line, column : where; empty and 0 when the message doesn't say
    message : as the compiler wrote it, without colours
    name : the function, type, constant, header or member; empty when only the code shows it
    owner : the struct of a member, without the word; empty when unknown
    source : the line of code shown below the message, empty if none was
    counts : how many arguments were (expected, given), None when unknown
    """

    trouble: Trouble
    message: str
    name: str = ""
    owner: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    source: str = ""
    counts: tuple[int | None, int | None] = (None, None)


_COLOUR = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)|\r")
_QUOTES = str.maketrans(dict.fromkeys("`´‘’‚‛“”„«»‹›", "'"))
_FRAME = re.compile(
    r"^(?P<file>[^\s:][^:\n]*?):(?P<line>\d+):(?:(?P<column>\d+):)?\s*"
    r"(?:(?P<level>fatal error|error|warning|note|[^\s:']{3,20}):\s*)?(?P<text>.*)$"
)
_SHOWN = re.compile(r"^\s*\d+\s*\|(?P<code>.*)$")
_CARET = re.compile(r"^\s*[|~^ ]*\^[~^ |]*$")
_TAG = (
    r"(?:(?:const|volatile) )*(?:(?P<sort>struct|union|enum) )?"
    r"(?P<owner>\w+|<[^>]*>|\(anonymous[^']*)"
)
_COUNTS = r"(?:[,;]? ?(?:single argument \S+|expected (?P<want>\d+), have (?P<have>\d+)))?"
_CALL = r"(?:function|method)(?: call)?,?(?: '(?P<name>[^']+)')?" + _COUNTS
_MACRO = r"macro [\"'](?P<name>\w+)[\"'] "
_AKA = r"(?: ?\{?\(?aka '?(?:const )?(?:(?:struct|union) )?(?P<aka>\w+)'?\)?\}?)?"
_FORMS: tuple[tuple[Trouble, str], ...] = (
    (Trouble.MEMBER, rf"'{_TAG}(?: \*)*'?{_AKA}'? has no member named '(?P<name>\w+)'"),
    (Trouble.MEMBER, rf"no member named '(?P<name>\w+)' in '{_TAG}(?: \*)*'"),
    (
        Trouble.MEMBER,
        rf"field designator '(?P<name>\w+)' does not refer to any field in type '{_TAG}'",
    ),
    (Trouble.MEMBER, r"unknown field '(?P<name>\w+)' specified in initializer"),
    (Trouble.FUNCTION, r"implicit declaration of function '(?P<name>\w+)'"),
    (Trouble.FUNCTION, r"call to undeclared (?:library )?function '(?P<name>\w+)'"),
    (Trouble.NAME, r"'(?P<name>\w+)' undeclared"),
    (Trouble.NAME, r"use of undeclared identifier '(?P<name>\w+)'"),
    (Trouble.TYPE, r"unknown type name '(?P<name>\w+)'"),
    (
        Trouble.TYPE,
        r"(?:incomplete (?:definition of )?type|undefined type|incomplete type)"
        r" '(?:const )?(?:struct|union|enum) (?P<name>\w+)",
    ),
    (Trouble.TYPE, r"'(?:struct|union|enum) (?P<name>\w+)' declared inside parameter list"),
    (Trouble.TYPE, r"declaration of '(?:struct|union|enum) (?P<name>\w+)' will not be visible"),
    (Trouble.TYPE, r"storage size of '\w+' isn't known"),
    (Trouble.TYPE, r"variable '\w+' has initializer but incomplete type"),
    (Trouble.TYPE, r"field '\w+' has incomplete type"),
    (Trouble.FEW, _MACRO + r"requires (?P<want>\d+) arguments?, but only (?P<have>\d+)"),
    (Trouble.MANY, _MACRO + r"passed (?P<have>\d+) arguments, but takes just (?P<want>\d+)"),
    (Trouble.FEW, r"too few arguments provided to function-like macro"),
    (Trouble.MANY, r"too many arguments provided to function-like macro"),
    (Trouble.FEW, r"too few arguments to " + _CALL),
    (Trouble.MANY, r"too many arguments to " + _CALL),
    (
        Trouble.CALLBACK,
        r"initialization (?:of '[^']*' )?(?:\{aka [^}]*\} )?from incompatible pointer type",
    ),
    (
        Trouble.CALLBACK,
        r"assignment (?:to '[^']*' )?(?:\{aka [^}]*\} )?from incompatible pointer type",
    ),
    (
        Trouble.CALLBACK,
        r"incompatible (?:function )?pointer types? (?:initializing|assigning)",
    ),
    (
        Trouble.ARGUMENT,
        r"passing argument \d+ of '(?P<name>[^']+)' "
        r"(?:from incompatible|makes|discards|with different)",
    ),
    (Trouble.ARGUMENT, r"incompatible type for argument \d+ of '(?P<name>[^']+)'"),
    (
        Trouble.ARGUMENT,
        r"(?:incompatible (?:function )?(?:pointer(?: to integer)?|integer to pointer)|passing)"
        r" (?:types?|conversion)? ?(?:passing|'[^']*' to parameter)",
    ),
    (Trouble.VALUE, r"void value not ignored as it ought to be"),
    (Trouble.VALUE, r"invalid use of void expression"),
    (Trouble.VALUE, r"(?:assigning to|initializing) '[^']*' (?:\([^)]*\) )?"
     r"(?:from|with an expression of) incompatible type"),
    (Trouble.VALUE, r"incompatible types when (?:assigning|initializing)"),
    (Trouble.VALUE, r"invalid initializer"),
    (Trouble.VALUE, r"(?:assignment|initialization|return)(?: [^:]*)? (?:makes|discards)"),
    (
        Trouble.VALUE,
        r"incompatible (?:pointer to integer|integer to pointer) conversion"
        r" (?:assigning|initializing|returning)",
    ),
    (Trouble.VALUE, r"used type '(?:struct|union) (?P<name>\w+)' where"),
    (Trouble.OBJECT, r"request for member '\w+' in something not a structure or union"),
    (Trouble.OBJECT, r"member reference base type '[^']*'.* is not a structure or union"),
    (Trouble.OBJECT, r"invalid type argument of '->'"),
    (Trouble.OBJECT, r"member reference type '[^']*'.* is (?:not )?a pointer"),
    (Trouble.HEADER, r"'?(?P<name>[\w./+-]+\.h)'?(?::| file) (?:No such file|not found)"),
    (Trouble.TWICE, r"redefinition of (?:enumerator )?'(?:(?:struct|union|enum) )?(?P<name>\w+)'"),
    (Trouble.TWICE, r"conflicting types for '(?P<name>\w+)'"),
    (Trouble.TWICE, r"redeclaration of (?:enumerator )?'(?P<name>\w+)'"),
    (Trouble.TWICE, r"static declaration of '(?P<name>\w+)' follows"),
    (Trouble.TWICE, r"(?:\"(?P<name>\w+)\"|'(?P<other>\w+)' macro) redefined"),
)  # fmt: skip
_PATTERNS = tuple((trouble, re.compile(form)) for trouble, form in _FORMS)
_SYMBOL = re.compile(
    r"(?:(?:ERROR|WARNING|\*\*\* Warning): )?(?:modpost: )?\"(?P<name>\w+)\" \[(?P<file>[^\]]*)\]"
    r" (?:is )?undefined"
)
_NEAR = re.compile(r"near initialization for '(?P<path>[^']+)'")
_DECLARED = re.compile(r"(?:'(?P<name>\w+)' declared|macro '(?P<macro>\w+)' defined) here")
_LOSSY = re.compile(r"\bmakes\b|conversion")  # a warning that breaks the driver all the same
_LAST = re.compile(r"(\w+)\W*$")
_MAX_LINE = 4000


def read(log: str | Iterable[str]) -> list[Complaint]:
    """Find the errors in a log, in its order, each place once.

    Parameters
    ----------
    log : str or iterable of str
        A message, or lines of a build's output, in any encoding's wreckage.
    """
    lines = log.splitlines() if isinstance(log, str) else list(log)
    plain = [_COLOUR.sub("", line)[:_MAX_LINE].rstrip("\n") for line in lines]
    seen = set()
    found = []
    for complaint in _complaints(plain):
        at = (complaint.file, complaint.line, complaint.trouble, complaint.name, complaint.owner)
        if at not in seen:
            seen.add(at)
            found.append(complaint)
    return found


def _complaints(lines: Sequence[str]) -> Iterator[Complaint]:
    for place, line in enumerate(lines):
        quoted = line.translate(_QUOTES)
        symbol = _SYMBOL.search(quoted)
        if symbol:
            yield Complaint(Trouble.SYMBOL, quoted.strip(), symbol["name"], file=symbol["file"])
            continue
        frame = _FRAME.match(quoted)
        if frame is None:
            if ": " not in quoted.split("'")[0] or len(lines) == 1:
                known = _known(quoted, quoted.strip())
                # Bare messages are for a person who pastes one; a log has frames.
                if known is not None and len(lines) <= 5:
                    yield _with_code(known, lines[place + 1 : place + 8])
            continue
        if frame["level"] == "note" or _NEAR.search(frame["text"]):
            continue
        known = _known(frame["text"], frame["text"].strip())
        if known is None:
            if frame["level"] in (None, "warning") or not frame["column"]:
                continue
            known = Complaint(Trouble.OTHER, frame["text"].strip())
        elif frame["level"] == "warning" and _is_harmless(known):
            continue
        known = replace(
            known,
            file=frame["file"],
            line=int(frame["line"]),
            column=int(frame["column"] or 0),
        )
        yield _with_code(known, lines[place + 1 : place + 14])


def _known(text: str, message: str) -> Complaint | None:
    for trouble, pattern in _PATTERNS:
        found = pattern.search(text)
        if found is None:
            continue
        parts = found.groupdict()
        name = parts.get("name") or parts.get("other") or ""
        owner = parts.get("owner") or ""
        if parts.get("aka") and not parts.get("sort"):
            owner = parts["aka"]
        if not re.fullmatch(r"\w+", owner) or owner == "anonymous":
            owner = ""
        want, have = parts.get("want"), parts.get("have")
        counts = (int(want) if want else None, int(have) if have else None)
        if trouble is not Trouble.HEADER and not re.fullmatch(r"\w*", name):
            last = _LAST.search(name)  # `dev->netdev_ops->ndo_open`
            name = last[1] if last else ""
        return Complaint(trouble, message, name, owner, counts=counts)
    return None


def _with_code(complaint: Complaint, after: Sequence[str]) -> Complaint:
    """Read the code and the notes that follow a message."""
    source = ""
    owner, name = complaint.owner, complaint.name
    for line, below in zip(after, [*after, ""][1:], strict=True):
        quoted = line.translate(_QUOTES)
        frame = _FRAME.match(quoted)
        near = _NEAR.search(quoted)
        declared = _DECLARED.search(quoted)
        if near is not None:
            if complaint.trouble is Trouble.CALLBACK and not name:
                last = _LAST.search(near["path"])
                name = last[1] if last else ""
        elif declared is not None:
            name = name or declared["name"] or declared["macro"] or ""
        elif frame is not None:
            if frame["level"] != "note":
                break
        elif not source:
            shown = _SHOWN.match(line)
            if shown:
                source = shown["code"]
            elif _CARET.match(below) and not _CARET.match(line):
                source = line  # clang shows it as it is; what else a build says has no caret
    if not name and complaint.trouble is Trouble.CALLBACK:
        name = _assigned(source, complaint.column)
    if not owner and complaint.trouble is Trouble.CALLBACK:
        table = re.search(r"\bstruct (\w+) \w+\s*(?:\[\w*\])?\s*=\s*\{", source)
        owner = table[1] if table else ""
    if not name and complaint.trouble is Trouble.OBJECT:
        name = _object(source, complaint.column)
    source = source.strip()
    if not name and complaint.trouble in (Trouble.FEW, Trouble.MANY, Trouble.ARGUMENT):
        name = _called(source)
    if not name and complaint.trouble is Trouble.VALUE:
        found = re.search(r"=\s*(\w+)\s*\(", source) or re.search(r"(\w+)\s*\(", source)
        name = found[1] if found else ""
    if not name and complaint.trouble is Trouble.TYPE:
        found = re.search(r"\b(?:struct|union|enum)\s+(\w+)", source)
        name = found[1] if found else ""
    return replace(complaint, name=name, owner=owner, source=source)


def _is_harmless(warning: Complaint) -> bool:
    """Whether a driver works with it: a macro of its own for one that came later is meant so."""
    if warning.trouble is Trouble.TWICE:
        return warning.message.endswith("redefined") or "-Wmacro-redefined" in warning.message
    return warning.trouble is Trouble.VALUE and not _LOSSY.search(warning.message)


def _object(source: str, column: int) -> str:
    """Return what a member is asked of before a column (1-based): a member or a function."""
    found = list(re.finditer(r"(\w+)\s*(?:\([^()]*\)|\[[^\[\]]*\])?\s*(?:->|\.)", source))
    before = [each for each in found if each.start() < column] or found
    return before[-1][1] if before else ""


def _assigned(source: str, column: int) -> str:
    """Return the member that is set at a column (1-based, 0 if unknown), the last one before it."""
    found = list(re.finditer(r"(?:\.|->)(\w+)\s*=(?!=)|^\s*(\w+)\s*:", source))
    before = [each for each in found if each.end() < column] or found[:1]
    return (before[-1][1] or before[-1][2]) if before else ""


def _called(source: str) -> str:
    """Return the function whose call the caret is in."""
    calls = [found[1] for found in re.finditer(r"(\w+)\s*\(", source)]
    calls = [name for name in calls if name not in ("if", "while", "return", "sizeof", "switch")]
    return calls[0] if calls else ""
