# SPDX-License-Identifier: GPL-2.0-or-later
"""Branches that had it all along are left out, as far as they don't meet the good end's history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kbisect.bisect import events
from kbisect.bisect.branches import without_end
from kbisect.bisect.candidates import Candidates
from kbisect.bisect.events import Old, Started, Undone
from kbisect.bisect.simulation import name
from kbisect.bisect.state import fold
from kbisect.bisect.verdict import Cause, Role, Verdict

END, OLD = 100, 101


@given(st.data())
def test_what_descends_from_the_branch_and_not_from_the_end(data: st.DataObject) -> None:
    """On random graphs, each commit's ancestors collected one by one; the two are outside."""
    size = data.draw(st.integers(1, 12))
    ancestors: dict[int, set[int]] = {END: {END}, OLD: {OLD}}
    rows = []
    for number in range(size):
        above = data.draw(st.lists(st.sampled_from(sorted(ancestors)), min_size=1, unique=True))
        ancestors[number] = {number}.union(*(ancestors[parent] for parent in above))
        rows.append((name(number), number, [name(parent) for parent in above]))
    candidates = Candidates.build(reversed(rows))
    marked = candidates.named(without_end(candidates, {name(OLD)}, {name(END)}))
    expected = [n for n in range(size) if OLD in ancestors[n] and END not in ancestors[n]]
    assert set(marked) == {name(number) for number in expected}


def test_a_branch_is_left_out_as_long_as_its_run_holds() -> None:
    run = events.Tested(2, "old", Role.CONFIRM, Verdict.BAD, Cause.TEST, 1, False, None, 0.1)
    told: list[events.Event] = [Started(1, "b", ("a",), "t.sh"), run, Old(3, "old")]
    kept, undone = fold(told), fold([*told, Undone(4)])
    assert kept is not None
    assert undone is not None
    assert (kept.old, undone.old) == (("old",), ())
