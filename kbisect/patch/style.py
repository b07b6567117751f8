# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules on the code that a patch adds, read from its diff. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kbisect.patch import rules
from kbisect.patch.diffs import FileDiff, Hunk
from kbisect.patch.rules import Level, Result

_INLINE = re.compile(r"(?:[^*/]*\W|)inline\W", re.IGNORECASE)
_STATIC = re.compile(r"static (?!(?:__always_)?inline).*\(.*[^\\]$")
_DEFINED = re.compile(
    r"(?:static )?(?!(?:__always_)?inline )(?:(?:unsigned|long|short) )*"
    r"(?:char|bool|void|int|u[0-9]*) [0-9A-Za-z_]*\(.*\) *\{.*[^\\]$"
)
# nipa's list: (pattern, level of a new use, where). At the margin stands a definition.
_DEPRECATED = (
    (re.compile(r"module_param", re.IGNORECASE), Level.FAIL, ""),
    *(
        (re.compile(rf"\W{name}\(", re.IGNORECASE), Level.WARN, "")
        for name in ("dev_hold", "dev_put", "put_net", "get_net", "init_dummy_netdev")
    ),
    (re.compile(r"\W__free\(", re.IGNORECASE), Level.WARN, "drivers/net/"),
)
_NAMES = (
    *("module_param", "dev_hold()", "dev_put()", "put_net()", "get_net()"),
    *("init_dummy_netdev()", "__free()"),
)
_DECLARATION = re.compile(
    r"\t+(?!return\b|goto\b|else\b|case\b|break\b|continue\b|typedef\b)"
    r"(?:(?:const|static|volatile|unsigned|signed|long|short|struct|union|enum)\s+)*"
    r"[A-Za-z_]\w*(?:\s+\*+\s*|\s+)[A-Za-z_]\w*(?:\[[^\]]*\])*"
    r"(?:\s*=\s*[^;]+|(?:,\s*\**[A-Za-z_]\w*(?:\[[^\]]*\])*(?:\s*=\s*[^,;]+)?)*);\s*(?:/\*.*\*/)?$"
)
_OPENS = re.compile(r"(?:\{|\t+(?:if|for|while|switch|else|do)\b.*\{|\t+\} else.*\{)\s*$")


def check(files: Iterable[FileDiff], number: int) -> Iterator[Result]:
    """Check one patch.

    Parameters
    ----------
    number : the patch's, for the results
    """
    known = list(files)
    yield _source_inline(known, number)
    yield _header_inline(known, number)
    yield _deprecated(known, number)
    yield _ordered(known, number)


def _lines(files: Iterable[FileDiff], ends: str, mark: bytes) -> Iterator[str]:
    for file in files:
        if file.path.endswith(ends):
            for hunk in file.hunks:
                for line in hunk.side(mark):
                    yield line.decode("utf-8", "replace")


def _source_inline(files: list[FileDiff], number: int) -> Result:
    came = [line.strip() for line in _lines(files, ".c", b"+") if _INLINE.match(line)]
    gone = sum(bool(_INLINE.match(line)) for line in _lines(files, ".c", b"-"))
    text = f"inline in C files: was {gone}, now {len(came)}"
    if not came:
        return Result(rules.SOURCE_INLINE, Level.PASS, text, number)
    level = Level.WARN if len(came) == gone else Level.FAIL
    return Result(rules.SOURCE_INLINE, level, text, number, tuple(came))


def _header_inline(files: list[FileDiff], number: int) -> Result:
    found = tuple(
        line.strip()
        for line in _lines(files, ".h", b"+")
        if _STATIC.match(line) or _DEFINED.match(line)
    )
    if not found:
        text = "no function without inline in a header"
        return Result(rules.HEADER_INLINE, Level.PASS, text, number)
    text = f"{len(found)} functions without inline in a header"
    return Result(rules.HEADER_INLINE, Level.FAIL, text, number, found)


def _deprecated(files: list[FileDiff], number: int) -> Result:
    worst = Level.PASS
    found = []
    for name, (pattern, level, below) in zip(_NAMES, _DEPRECATED, strict=True):
        here = [file for file in files if file.path.startswith(below)]
        came = sum(bool(pattern.search(line)) for line in _lines(here, "", b"+"))
        gone = sum(bool(pattern.search(line)) for line in _lines(here, "", b"-"))
        if not came:
            continue
        found.append(f"{name}: was {gone}, now {came}")
        if came > gone:
            worst = level if worst is not Level.FAIL else worst
        elif level is Level.FAIL and worst is Level.PASS:
            worst = Level.WARN
    text = "; ".join(found) or "none of what is being replaced"
    return Result(rules.DEPRECATED_API, worst, text, number)


def _ordered(files: list[FileDiff], number: int) -> Result:
    found = []
    for file in files:
        if file.path.endswith((".c", ".h")):
            for hunk in file.hunks:
                found += [f"{file.path}: {line}" for line in _disorder(hunk)]
    if not found:
        return Result(rules.XMAS_TREE, Level.PASS, "local variables are in order", number)
    text = f"{len(found)} longer after a shorter one"
    return Result(rules.XMAS_TREE, Level.ADVICE, text, number, tuple(found))


def _disorder(hunk: Hunk) -> Iterator[str]:
    """Yield the declarations that are longer than the one before, where the patch wrote one."""
    previous: tuple[str, bool] | None = None
    is_open = False
    for raw in hunk.lines:
        if raw[:1] == b"-":
            continue
        line, is_new = raw[1:].decode("utf-8", "replace").rstrip(), raw[:1] == b"+"
        if is_open and _DECLARATION.match(line):
            if previous and len(line) > len(previous[0]) and (is_new or previous[1]):
                yield line.strip()
            previous = (line, is_new)
            continue
        is_open = bool(_OPENS.match(line))
        previous = None
