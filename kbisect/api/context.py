# SPDX-License-Identifier: GPL-2.0-or-later
"""What the history of a range says about one finding: who made it, what callers became. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from kbisect.api import attribution, evidence
from kbisect.api.attribution import Timeline
from kbisect.api.declarations import Declaration, What
from kbisect.api.evidence import Callers
from kbisect.api.findings import CallerChange, Caution, Finding
from kbisect.api.sides import Side

_SURE = 10
"""Least number of functions that went elsewhere, for a field that is still there to have moved."""
_TWICE = 2
"""Least number of lines that were given another name."""
_NEIGHBOUR = 5
"""The same, for a member that was there all along: a call written anew may have it by chance."""


def with_history(
    finding: Finding,
    line: Timeline,
    callers: Callers,
    old: Side,
    new: Side,
    way: Sequence[Declaration] = (),
) -> Finding:
    """Add to a finding what the commits say.

    Parameters
    ----------
    finding : Finding
    line, callers : the commits between the two sides
    old, new : the sides that the finding leads from and to
    way : the names that a renamed declaration had in between
    """
    commit = attribution.commit_of(finding, line)
    finding = replace(finding, commit=commit, steps=attribution.steps_of(finding, line, way))
    if finding.old is not None:
        counts = callers.counts.get(finding.old.key, {})
        if counts and not finding.kind.endswith(("-added", "-retyped", "-signature")):
            finding = _with_callers(finding, counts, old, new)
    if finding.old is not None and finding.old.what is What.FIELD:
        finding = _with_assigned(finding, callers.assigned.get(finding.old.key, {}), new)
    if finding.old is not None:
        hidden = callers.hidden.get((finding.old.key, commit or ""))
        if hidden is not None and finding.kind.endswith("-removed"):
            finding = replace(
                finding,
                kind=finding.kind.replace("-removed", "-moved"),
                new_header=hidden,
                signals=("moved to a private header in the same commit",),
            )
    caution = _caution(finding, line, new)
    return replace(finding, caution=caution) if caution is not None else finding


def _with_callers(
    finding: Finding, counts: Mapping[evidence.Use, Mapping[str, int]], old: Side, new: Side
) -> Finding:
    rows = evidence.top({use: Counter(by) for use, by in counts.items()})
    total = sum(sum(by.values()) for by in counts.values())
    owner = finding.struct
    known = []
    for use, count, commit in rows:
        name = use.became.removesuffix("()")
        if use.became == use.use:  # reached another way: told by the move itself
            continue
        if ("name", name) in new.by_key or ("field", f"{owner}.{name}") in new.by_key:
            known.append(CallerChange(use.use, use.became, count, commit))
    listed = [
        row
        for row in known
        if row.count >= max(_TWICE, 0.02 * total)
        and (row.count >= _NEIGHBOUR or ("field", f"{owner}.{row.became}") not in old.by_key)
    ]
    own = finding.new_name.rsplit(".", 1)[-1] if finding.new_name else None
    names = dict.fromkeys(name for row in listed if (name := row.became.removesuffix("()")) != own)
    return replace(
        finding,
        call_sites=total,
        callers=tuple(listed),
        replacements=tuple(names) or finding.replacements,
    )


def _with_assigned(finding: Finding, counts: Mapping[str, int], new: Side) -> Finding:
    """Name the callback that functions are put into now, be it one that was there before."""
    count = max(counts.values(), default=0)
    narrowed = finding.kind == "condition-changed" and count >= _SURE
    if not narrowed and not (finding.kind == "field-removed" and count):
        return finding
    name = min(counts, key=lambda name: (-counts[name], name))
    homes = [
        owner
        for owner, fields in new.fields.items()
        for field in fields
        if field.name == name and field.parameters is not None
    ]
    named = finding.name.rsplit(".", 1)[-1] in name
    if len(homes) != 1 or count * 2 < sum(counts.values()) or (count < 2 and not named):
        return finding
    others = tuple(other for other in finding.replacements if other != name)
    return replace(
        finding,
        replacements=(f"{homes[0]}.{name}", *others),
        signals=(f"functions assigned: {count}", *finding.signals),
        also=(*finding.also, "field-moved") if narrowed else finding.also,
    )


def _caution(finding: Finding, line: Timeline, new: Side) -> Caution | None:
    """Say when a pointer became something that is one only in some configurations."""
    old, now = finding.old, finding.new
    if old is None or now is None or now.what is not What.FIELD or "*" in now.type:
        return None
    variants = new.by_key.get(("name", now.type), ())
    if not ("*" in old.type or old.type == "union") or not variants:
        return None
    for variant in variants:
        if variant.what is What.TYPEDEF and variant.parameters is None and "*" not in variant.type:
            commit = attribution.commit_of(
                Finding(
                    "typedef-added",
                    variant.name,
                    finding.compatibility,
                    variant.header,
                    new=variant,
                ),
                line,
            )
            where = " && ".join(variant.condition)
            words = f"{now.type} is {variant.type}" + (f" where {where}" if where else "")
            return Caution(f"not a drop-in: {words}", commit)
    return None
