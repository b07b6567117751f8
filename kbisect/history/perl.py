# SPDX-License-Identifier: GPL-2.0-or-later
"""Regular expressions of Perl's, as MAINTAINERS holds them, made Python's. Pure."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache

_PERL_ONLY = {r"\z": r"\Z", r"\Z": r"(?=\n?\Z)", r"\h": r"[ \t]", "(?<": "(?P<"}
_POSIX = {
    "[:alnum:]": "A-Za-z0-9",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:space:]": r"\s",
    "[:upper:]": "A-Z",
    "[:word:]": r"\w",
    "[:xdigit:]": "0-9A-Fa-f",
}
_PERL_TOKEN = re.compile(
    r"\\[\s\S]?|\[\^?\]?(?:\\[\s\S]|\[:\^?\w+:\]|[^\]\\])*\]|\(\?(?P<flags>\^?[a-z-]+)\)"
    r"|\(\?<(?![=!])|[\s\S]"
)


@lru_cache(maxsize=4096)
def compiled(perl: str, *, extended: bool) -> re.Pattern[str] | None:
    """Compile a Perl regular expression as Python's; None for what is none.

    Parameters
    ----------
    perl : as Perl takes it, from a file that nobody has checked
    extended : blanks and comments in it mean nothing (Perl's flag x)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(_python(perl), re.ASCII | (re.VERBOSE if extended else 0))
    except (re.error, OverflowError, RecursionError):
        return None


def _python(perl: str) -> str:
    """Rewrite what Python spells differently.

    Flags in the middle, as in `^Subject:.*(?i)trivial`, hold to the end of their group in Perl.
    """
    out: list[str] = []
    opened: list[list[str]] = [[]]  # by depth of groups, the flags set in the middle of each
    for found in _PERL_TOKEN.finditer(perl):
        token = found.group()
        if found["flags"]:
            token = f"(?{found['flags'].replace('^', '')}:"
            opened[-1].append(token)
        elif token[0] == "[" and len(token) > 1:
            token = "[" + re.sub(
                r"\\[\s\S]|\[:\w+:\]|\[",
                lambda part: (
                    _POSIX.get(part.group(), part.group().replace("[", r"\[", 1))
                    if part.group()[0] == "["
                    else part.group()
                ),
                token[1:],
            )
        elif found.group() == "|":
            token = ")" * len(opened[-1]) + "|" + "".join(opened[-1])
        elif found.group() == ")":
            token = ")" * (len(opened.pop()) + 1) if len(opened) > 1 else ")"
        elif token[0] == "(":
            opened.append([])
        out.append(_PERL_ONLY.get(token, token))
    return "".join(out) + ")" * len(opened[0])
