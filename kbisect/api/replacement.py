# SPDX-License-Identifier: GPL-2.0-or-later
"""What to write in a line instead: by converted callers, or by the declarations alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from kbisect.api import conversion, evidence
from kbisect.api.conversion import Conversion
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import CallerChange, Finding
from kbisect.git import patches

_EDIT = 60
"""Most lines of one edit that are looked at: past that a function was written anew."""
_STATEMENTS = 3
"""Most statements that take the place of one."""
_ALIAS = re.compile(r"(?:\w*DEPRECATED\(\w+\)\s*)?\(?([A-Za-z_]\w*)\)?")
"""A macro that only is another name for something, perhaps with a word that warns of it."""
_CALLED = (What.FUNCTION, What.MACRO)
_CAME = {"struct net *": "&init_net", "net": "&init_net", "gfp_t": "GFP_ATOMIC"}
"""What to pass for a parameter that came, by its type; of a macro by its name."""


def word(finding: Finding) -> str:
    """Return the one word by which the old declaration is used."""
    name = finding.old.name if finding.old is not None else finding.name
    return name.split()[-1].rsplit(".", 1)[-1]


def relevant(finding: Finding, use: str) -> tuple[CallerChange, ...]:
    """Return what callers of the use in a line became; of all uses when the line shows none."""
    squeezed = re.sub(r"\s*(->|\.)\s*", ".", use)
    uses = {row.use for row in finding.callers if re.search(rf"\b{re.escape(row.use)}\b", squeezed)}
    longest = max(uses, key=len, default="")
    rows = [row for row in finding.callers if row.use == longest] if longest else finding.callers
    return tuple(rows)


def converted(patch: patches.CommitPatch, word: str, finding: Finding) -> Iterator[Conversion]:
    """Find the lines of a patch that give a word up, each with what came in its place."""
    changed = finding.kind.endswith(("-signature", "-retyped", "-changed"))
    is_field = finding.old is not None and finding.old.what is What.FIELD
    # A variable may be called as the field is.
    before_it = r"(?:->|\.)\s*" if is_field and "." in finding.name else r"\b"
    raw = word.encode()
    pattern = re.compile(rf"{before_it}{re.escape(word)}\b".encode())
    gone = re.compile(rf"\b{re.escape(word)}\b(?!\s*\()".encode())
    for file in patch.files:
        if file.path.endswith(".h") and file.path == finding.header:
            continue
        for hunk in file.hunks:
            if len(hunk.removed) > _EDIT or not any(raw in line for line in hunk.removed):
                continue
            removed, added = _joined(hunk.removed), _joined(hunk.added)
            for place, before in enumerate(removed):
                if not before[:1].isspace() or not pattern.search(before):
                    continue
                if before.lstrip().startswith((b"*", b"/*", b"//", b"__acquires", b"__releases")):
                    continue
                after = evidence.partner(before, place, added, len(removed) == len(added))
                if after is None:
                    if len(removed) == 1 and 0 < len(added) <= _STATEMENTS:
                        after = b" ".join(line.strip() for line in added)
                    elif changed or _lives_on(before, raw, added):
                        continue
                if after is not None and not changed and gone.search(after):
                    continue
                if not _is_whole(before, after):
                    continue  # the rest of it is not in the patch
                old, new = (
                    line.decode("utf-8", "replace").strip() for line in (before, after or b"")
                )
                yield Conversion(file.path, old, new, patch.oid)


def _is_whole(before: bytes, after: bytes | None) -> bool:
    """Whether two lines are whole, or differ only in what is: `f(a)->b);` and `g(a)->b);`."""
    if after is not None and after.rstrip().endswith((b"|", b"&", b"+", b"=")):
        return before.rstrip().endswith(after.rstrip()[-1:])
    if all(line.count(b"(") == line.count(b")") for line in (before, after or b"")):
        return True
    if after is None:
        return False
    one, other = (re.findall(rb"\w+|[^\s\w]", line) for line in (before, after))
    parts = [
        tokens[first:last]
        for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
        for tokens, first, last in ((one, i1, i2), (other, j1, j2))
        if tag != "equal"
    ]
    return all(part.count(b"(") == part.count(b")") for part in parts)


def _lives_on(before: bytes, word: bytes, added: Sequence[bytes]) -> bool:
    """Whether something of a line that went is in those that came: then it was not left out."""
    text = b" ".join(added)
    tokens = re.findall(rb"\w+", before)
    base = tokens[: tokens.index(word)]  # the object is needed for other things too
    return any(
        re.search(rb"\b" + token + rb"\b", text)
        for token in {*tokens} - {*base, word, b"0", b"NULL", b"if", b"return"}
    )


def _joined(lines: Sequence[bytes]) -> list[bytes]:
    """Join calls that go over several lines."""
    found: list[bytes] = []
    for line in lines:
        if found and found[-1].count(b"(") > found[-1].count(b")") and len(found[-1]) < 400:
            found[-1] += b" " + line.strip()
        else:
            found.append(line)
    return found


def substituted(finding: Finding, callers: Sequence[CallerChange], use: str, word: str) -> str:
    """Put the new name in the old one's place, where nothing else is known."""
    if finding.caution is not None or not use:
        return ""
    new = finding.new
    if new is not None and finding.new_name and finding.kind.endswith(("-renamed", "-moved")):
        if not _is_drop_in(finding) or _is_passed_on(finding, use):
            return ""
        name = new.name if new.what is What.FIELD else new.name.split()[-1]
        text = re.sub(rf"\b{re.escape(word)}\b", name.rsplit(".", 1)[-1], use)
        return text if text != use else ""  # it moved to another struct: which one of those?
    old = finding.old
    if old is not None and (meant := _ALIAS.fullmatch(_stood_for(old))) is not None:
        return re.sub(rf"\b{re.escape(word)}\b", meant[1], use)
    if old is not None and old.what is What.FIELD and old.parameters is not None:
        same = callers and f"{finding.struct}.{callers[0].became}" in finding.replacements
        if not same and re.search(rf"->\s*{re.escape(word)}\b", use):
            return ""  # `open` became `netdev_ops`: a table is no function
    if callers and not callers[0].became.endswith("()"):
        return re.sub(rf"\b{re.escape(word)}\b", callers[0].became, use)
    return ""


def fitted(finding: Finding, use: str) -> str:
    """Write a call for the new parameters, where the declarations alone tell each argument.

    What stayed is passed on, what became a pointer to the same is passed by its address, what went
    is left out. Of what came only two are known: the one name space there was before there could
    be several, and how to allocate where nobody may sleep.
    """
    old, new = finding.old, finding.new
    if old is None or new is None or old.what not in _CALLED or new.what not in _CALLED:
        return ""
    given = conversion.call(use, word(finding))
    before, after = _parameters(old), _parameters(new)
    if given is None or before is None or after is None or len(given[2]) != len(before):
        return ""
    listed = list(_passed(given[2], before, after))
    if None in listed or (before == after and old.name == new.name):
        return ""
    head = use[: given[0]].rstrip().removesuffix(old.name)
    return f"{head}{new.name}({', '.join(filter(None, listed))}){use[given[1] :]}"


def _parameters(function: Declaration) -> tuple[str, ...] | None:
    """Return a call's parameters without what makes no difference; None if their number varies."""
    listed = tuple(
        re.sub(r"\b(?:const|__user)\b\s*", "", each) for each in function.parameters or ()
    )
    if function.parameters is None or any("..." in each for each in listed):
        return None
    return () if listed == ("void",) else listed


def _passed(
    given: Sequence[str], before: Sequence[str], after: Sequence[str]
) -> Iterator[str | None]:
    """Return the arguments for the new parameters, None for one that is unknown."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield from given[i1:i2]
        elif tag == "insert":
            yield from (_CAME.get(each) for each in after[j1:j2])
        elif tag == "replace" and i2 - i1 == j2 - j1:
            for one, other, argument in zip(before[i1:i2], after[j1:j2], given[i1:i2], strict=True):
                by_address = f"{one}*" == other and re.fullmatch(r"[\w.>-]+", argument)
                yield f"&{argument}" if by_address else None
        elif tag == "replace":
            yield None


def _stood_for(old: Declaration) -> str:
    """Return the body of a macro without arguments, empty for anything else."""
    return old.type if old.what is What.MACRO and old.parameters is None else ""


def _is_drop_in(finding: Finding) -> bool:
    """Whether the new name can stand where the old one stood, as far as declarations tell."""
    old, new = finding.old, finding.new
    if old is None or new is None:
        return False
    if old.what is What.FUNCTION and new.what is What.FUNCTION:
        return old.parameters == new.parameters
    if old.what is What.FIELD and new.what is What.FIELD:
        return old.type == "union" or ("*" in old.type) == ("*" in new.type)
    return True


def _is_passed_on(finding: Finding, use: str) -> bool:
    """Whether a line passes the address of a struct on that is another struct now."""
    old, new = finding.old, finding.new
    if old is None or new is None or old.type == new.type:
        return False
    if not all(re.fullmatch(r"(?:struct|union) \w+", each.type) for each in (old, new)):
        return False
    return re.search(rf"&[\w.>-]+(?:->|\.){re.escape(word(finding))}\b", use) is not None


def is_mistyped(finding: Finding, use: str, text: str) -> bool:
    """Whether a line only has the new name, where a value of the old type is wanted."""
    old, new = finding.old, finding.new
    if old is None or new is None or old.what is not What.FIELD or new.what is not What.FIELD:
        return False
    leaf = new.name.rsplit(".", 1)[-1]
    if text != re.sub(rf"\b{re.escape(word(finding))}\b", leaf, use):
        return False
    if re.search(rf"\b{re.escape(leaf)}\s*\[", text):
        return not re.search(r"[\[*]", new.type)
    if ("*" in old.type) == ("*" in new.type) or old.type == "union":
        return False
    path = rf"(?:->|\.)\s*{re.escape(leaf)}"
    return bool(re.search(rf"=\s*[\w.>-]+{path}\s*;|^\s*[\w.>-]+{path}\s*=[^=]", text))


def table(finding: Finding, use: str, word: str) -> tuple[str, str]:
    """Put the function into the table of callbacks that took the place of a field.

    Returns
    -------
    (the struct of the table, the line), both empty where there is none
    """
    listed = (finding.new_name or "", *finding.replacements)
    target = next((name for name in listed if "." in name), "")
    given = re.search(rf"(?:->|\.)\s*{re.escape(word)}\s*=\s*&?([A-Za-z_]\w*)\s*[;,]", use)
    if given is None or finding.old is None or finding.old.parameters is None:
        return "", ""
    owner, _, callback = target.partition(".")
    if owner in ("", finding.struct):
        return "", ""
    return owner, f"static const struct {owner} my_{owner} = {{ .{callback} = {given[1]} }};"


def prototype(finding: Finding, use: str) -> str:
    """Write the function that fits the new callback, by the name the line gives it."""
    new = finding.new
    given = re.search(r"[=:]\s*&?(\w+)", use)
    if new is None or new.parameters is None or (given and given[1] in ("0", "NULL")):
        return ""
    name = given[1] if given else f"my_{word(finding)}"
    shown = re.search(r"\(\s*\*\s*\w+\s*\)\s*(\(.*\))", new.text)
    parameters = shown[1] if shown else f"({', '.join(new.parameters)})"
    gap = "" if new.type.endswith("*") else " "
    return f"static {new.type}{gap}{name}{parameters}"
