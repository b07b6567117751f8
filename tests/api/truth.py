# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure API differences against a list of verified changes, and print the table.

Run it by hand: `KBISECT_NET_REPO=… KBISECT_TRUTH=… python -m tests.api.truth [-v]`. The list is
JSON (id, kernel, kind, old, new, header, commit); beside it stands net-releases.tsv (name, commit).
Each kernel of the list is compared with the release before it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from kbisect.api.comparison import compare
from kbisect.api.findings import Compatibility, Finding
from kbisect.git.repository import Repository

# The list's words, and ours: any of these kinds is right.
KINDS = {
    "func-sig": ("function-signature", "macro-signature"),
    "func-sig (return)": ("function-signature",),
    "func-removed": ("function-removed", "macro-removed"),
    "func-rename": ("function-renamed", "macro-renamed"),
    "func-moved": ("function-moved",),
    "func-split": ("function-removed",),
    "func->macro (compatible)": ("kind-changed",),
    "macro->func": ("macro-renamed", "kind-changed"),
    "macro-removed": ("macro-removed", "macro-renamed"),
    "macro-removed/split": ("macro-removed",),
    "field-removed": ("field-removed",),
    "field-retype": ("field-retyped",),
    "field-retype (const)": ("field-retyped",),
    "field-rename": ("field-renamed",),
    "field-rename+retype": ("field-renamed",),
    "field-rename (union -> scalar)": ("field-renamed",),
    "field-moved": ("field-moved",),
    "field-moved+rename": ("field-renamed", "field-moved"),
    "struct-rename": ("struct-renamed",),
    "struct-rename+header-rename": ("struct-renamed",),
    "struct-removed": ("struct-removed",),
    "op-sig": ("callback-signature",),
    "op-sig (return)": ("callback-signature",),
    "op-removed": ("field-removed",),
    "typedef-sig": ("typedef-retyped",),
    "header-removed": ("header-removed",),
    "header-renamed": ("header-renamed",),
    "header-merged": ("header-removed",),
}
HARMLESS = (Compatibility.COMPATIBLE, Compatibility.ANNOTATION_ONLY)


def names(kind: str, old: str) -> list[str]:
    """Return the names an entry is about, as findings give them."""
    if kind.startswith("header"):
        return [old.split(maxsplit=1)[0]]
    if kind.startswith("struct"):
        return [old.split("(", maxsplit=1)[0].strip()]
    if kind.startswith(("func", "macro", "typedef")):
        called = re.findall(r"(\w+)\s*\(", old)
        plain = [word.strip() for word in re.split(r"[,/]", old)]
        first = called[:1] if "," in old.split(")", maxsplit=1)[0] else called
        return (first or plain) if kind != "macro-removed" or called else plain
    old = old.replace("unsigned int/int", "")
    text = re.sub(r"\(.*", "", old) if ".*" in old else re.sub(r"\([^)]*\)", "", old)
    owner, found = "", []
    for part in re.split(r"[,/]", text):
        words = part.split()
        if not words:
            continue
        name = re.sub(r"\[.*", "", words[0])
        if "." in name:
            owner = name.rsplit(".", 1)[0]
            found.append(name)
        elif owner:
            found.append(f"{owner}.{name}")
    return found


def _matches(name: str, finding: Finding) -> bool:
    if name.endswith(".*"):
        return finding.name.startswith(name[:-1])
    owner, _, field = name.rpartition(".")
    if finding.name == name or not field:
        return finding.name == name
    # A field inside a union that went as a whole, or one whose path the list leaves out.
    inside = finding.kind.startswith("field-") and name.startswith(f"{finding.name}.")
    return inside or (finding.name.startswith(f"{owner}.") and finding.name.endswith(f".{field}"))


def _commits(text: str) -> set[str]:
    return set(re.findall(r"(?:^|; )([0-9a-f]{12})\b", text))


def judge(entry: dict[str, str], findings: Iterable[Finding]) -> tuple[bool, bool, bool, str]:
    """Return whether a change was found, with the right kind, by the right commit, and a remark."""
    wanted = names(entry["kind"], entry["old"])
    listed = list(findings)
    found, kinds, commits, seen = [], [], [], []
    for name in wanted:
        hits = [finding for finding in listed if _matches(name, finding)]
        right = [f for f in hits if set(f.kinds) & set(KINDS[entry["kind"]])]
        found.append(bool(hits))
        kinds.append(bool(right))
        best = right or hits
        commits.append(any((f.commit or "")[:12] in _commits(entry["commit"]) for f in best))
        seen += [
            f"{f.kind}{f.also or ''} {f.name} -> {f.new_name or f.replacements}"
            f" {f.compatibility.value} {(f.commit or 'none')[:12]}"
            for f in hits[:2]
        ]
    if not wanted:
        return False, False, False, "no name understood"
    return all(found), all(kinds), all(commits), "; ".join(seen) or f"nothing on {wanted}"


def main() -> None:
    """Print the table; with -v also what is wrong."""
    truth = Path(os.environ["KBISECT_TRUTH"])
    with tempfile.TemporaryDirectory() as store:  # nothing is kept, nothing known beforehand
        _measure(truth, Repository.open(os.environ["KBISECT_NET_REPO"], store))


def _measure(truth: Path, repository: Repository) -> None:
    rows = [
        line.split("\t")
        for line in (truth.parent / "net-releases.tsv").read_text().splitlines()
        if not line.startswith("#")
    ]
    oids = {row[0]: row[1] for row in rows}
    entries = json.loads(truth.read_text())
    counts = [0, 0, 0]
    harmless = [0, 0]
    slowest = 0.0
    for kernel in sorted({entry["kernel"] for entry in entries}):
        number = int(kernel.rsplit(".", 1)[1])
        old = f"v2.6.{number - 1}"
        if old not in oids:  # the history begins with its last release candidates
            old = min(
                (name for name in oids if name.startswith(f"{old}-rc")),
                key=lambda name: int(name.rsplit("-rc", 1)[1]),
            )
        begun = time.monotonic()
        result = compare(repository, oids[old], oids[f"v{kernel}"])
        slowest = max(slowest, time.monotonic() - begun)
        for entry in (entry for entry in entries if entry["kernel"] == kernel):
            verdict = judge(entry, result.findings)
            counts = [count + right for count, right in zip(counts, verdict[:3], strict=True)]
            if "NOT an API break" in entry["note"]:
                harmless[0] += 1
                wanted = names(entry["kind"], entry["old"])
                harmless[1] += any(
                    finding.compatibility not in HARMLESS
                    for finding in result.findings
                    if any(_matches(name, finding) for name in wanted)
                )
            if "-v" in sys.argv[1:] and not all(verdict[:3]):
                marks = "".join("+" if right else "-" for right in verdict[:3])
                print(f"{marks} {entry['id']} {kernel} {entry['kind']}: {entry['old']} ->")
                print(f"      {entry['new']} {entry['commit'][:12]}\n      {verdict[3]}")
    total = len(entries)
    for title, count in zip(("found", "right kind", "commit exact"), counts, strict=True):
        print(f"{title:<14}{count:>4} of {total}  {count / total:6.1%}")
    print(f"harmless changes called breaking: {harmless[1]} of {harmless[0]}")
    print(f"slowest pair: {slowest:.1f} s")


if __name__ == "__main__":
    main()
