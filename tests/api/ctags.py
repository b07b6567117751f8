# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare what is read from headers with what Universal Ctags finds in them, on all releases.

Run it by hand, on an indexed repository: `KBISECT_NET_REPO=… KBISECT_STORE=… python -m
tests.api.ctags [-v]`. Each version of each public header is read once by either side; ctags is
given the list of annotations. Every name that only one of them has is explained, or printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kbisect.api import annotations as words
from kbisect.api import surface
from kbisect.api.declarations import Declaration, Header, What
from kbisect.api.extraction import extract
from kbisect.git import blobs
from kbisect.git.repository import Repository
from kbisect.history import releases as naming
from kbisect.history import store

# (sort, struct, name); of a field the last part of its name
Name = tuple[str, str, str]

_KINDS = {
    **dict.fromkeys(("prototype", "function"), "function"),
    **dict.fromkeys(("struct", "union", "enum"), "tag"),
    "macro": "macro",
    "enumerator": "enumerator",
    "typedef": "typedef",
    "member": "field",
}
# Declarations that ctags passes over, each seen to be there.
_CTAGS_MISSES = {
    **dict.fromkeys(
        ("fib6_rule_lookup", "fib6_new_table", "fib6_lookup", "fib6_locate", "fib6_get_table"),
        "behind a typedef of a function",
    ),
    **dict.fromkeys(
        ("fib6_clean_all", "flow_cache_lookup", "flow_cache_flush", "__napi_schedule"),
        "behind a typedef of a function",
    ),
    "dccps_role": "a bit field of an enum",
    "police": "in a branch of #elif",
    **dict.fromkeys(("bh_data_t", "skb"), "a typedef of two names"),
}
# Conditions that never hold for the kernel, or always: ctags reads either branch.
_DECIDED = re.compile(
    rb"\b(?:__KERNEL__|__GNUC__|__cplusplus|__ASSEMBLY__|__CHECKER__|__GENKSYMS__)\b"
)
_GUARD = re.compile(r"^\s*#\s*ifndef\s+(\w+)\s*\n\s*#\s*define\s+\1\b", re.MULTILINE)


def main() -> int:
    """Print how many names both have, and what the others are; return 1 if one is unexplained."""
    repository = Repository.open(os.environ["KBISECT_NET_REPO"], os.environ["KBISECT_STORE"])
    paths: dict[str, str] = {}
    for name, commit in store.load(Path(os.environ["KBISECT_STORE"])).meta.releases:
        if naming.is_mainline(name) and not naming.is_candidate(name):
            found = blobs.at_commit(repository, commit, surface.FOLDERS).blobs
            paths |= {oid: path for path, oid in found.items() if surface.is_public(path)}
    contents = dict(blobs.read(repository, sorted(paths)))
    theirs = _tags(contents)
    both, reasons = 0, Counter[str]()
    for oid, content in contents.items():
        header = extract(paths[oid], content)
        both += len({_name(one) for one in header.declarations} & theirs.get(oid, set()))
        for reason, shown in _differing(header, theirs.get(oid, set()), content):
            reasons[reason] += 1
            if reason == "unexplained" or "-v" in sys.argv[1:]:
                print(f"{paths[oid]} {oid[:12]}: {shown} {reason}")
    print(f"{len(contents)} headers: {both} names in both")
    for reason, count in reasons.most_common():
        print(f"{count:>8} {reason}")
    return 1 if reasons["unexplained"] else 0


def _name(one: Declaration) -> Name:
    sort = "tag" if one.key[0] == "tag" else one.what.value
    return sort, one.owner if one.what is What.FIELD else "", one.name.rsplit(".", 1)[-1]


def _tags(contents: dict[str, bytes]) -> dict[str, set[Name]]:
    """Return by oid what ctags finds."""
    macros = [*words.SPARSE, *words.KNOWN]
    with tempfile.TemporaryDirectory() as folder:
        for oid, content in contents.items():
            Path(folder, f"{oid}.h").write_bytes(content)
        command = ["ctags", "-R", "-f", "-", "--language-force=C", "--kinds-C=+pmdsuegtf-vx"]
        command += ["--fields=Ks", "--excmd=number", "--sort=no", *(f"-I{m}+" for m in macros)]
        done = subprocess.run([*command, folder], capture_output=True, check=True)
    result: dict[str, set[Name]] = {}
    for line in done.stdout.decode("latin-1").splitlines():
        name, file, _, kind, *scopes = line.split("\t")
        if kind not in _KINDS or name.startswith("__anon"):
            continue
        steps = [s for s in (scopes or [":"])[0].split(":")[1:] if s and "__anon" not in s]
        owner = steps[-1] if steps else ""
        if kind != "member" or owner:
            found = (_KINDS[kind], owner if kind == "member" else "", name)
            result.setdefault(Path(file).stem, set()).add(found)
    return result


def _differing(header: Header, theirs: set[Name], content: bytes) -> Iterator[tuple[str, str]]:
    """Yield (reason, what) for each name that only one side has."""
    mine = {_name(one): one for one in header.declarations}
    gaps = " ".join(gap.text for gap in header.gaps)
    text = content.decode("latin-1")
    lines = text.split("\n")
    typedefs = set(re.findall(r"\}[^;{}]*?\b(\w+)\s*(?:__attribute__[^;]*|[A-Z_]+)?;", text))
    for name in mine.keys() - theirs:
        line = lines[mine[name].line - 1]
        if name[1] in typedefs or (name[0] == "tag" and name[2] in typedefs):
            yield "here only: a struct without a tag, named by its typedef", str(name)
        elif re.search(rf"\b(?:{'|'.join(words.MEMBERS)}|tc_gen|FASTCALL)\b", line):
            yield "here only: a macro declares it", str(name)
        elif name[2] in _CTAGS_MISSES:
            yield f"here only: {_CTAGS_MISSES[name[2]]}", str(name)
        else:
            yield "unexplained", f"only here: {name}"
    guards = set(_GUARD.findall(text))
    all_branches = {
        _name(one) for one in extract("a.h", _DECIDED.sub(b"EITHER", content)).declarations
    }
    for name in theirs - mine.keys():
        if name[0] == "macro" and name[2] in guards:
            yield "ctags only: an include guard, or a default for who defines none", str(name)
        elif name in all_branches:
            yield "ctags only: not for the kernel (__KERNEL__, C++, sparse)", str(name)
        elif re.search(rf"\b{name[2]}\b", gaps):
            yield "ctags only: in a span reported as not understood", str(name)
        elif name[0] == "function" and name[2].isupper():
            yield "ctags only: a macro's call", str(name)
        elif name[0] == "macro" and name[2] == "FLAGS_TS_OR_DROPS":
            yield "ctags only: defined inside of a function", str(name)
        else:
            yield "unexplained", f"only ctags: {name}"


if __name__ == "__main__":
    sys.exit(main())
