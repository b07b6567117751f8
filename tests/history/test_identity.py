# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commit of a branch carries which of upstream's, and by what it is known."""

from __future__ import annotations

from collections.abc import Sequence

from kbisect.history.identity import Fact, Match, match, removals


def fact(oid: str, subject: str = "", mail: str = "", time: int = 0, *files: str) -> Fact:
    return Fact(oid, subject or f"subject of {oid}", mail or f"{oid}@example.org", time, files)


def pairs(found: dict[str, Match]) -> dict[str, str]:
    return {oid: each.on_branch for oid, each in found.items()}


def test_a_marker_decides_before_all_else() -> None:
    found = match(
        [fact("mine", "net: fix it", "a@b", 1)],
        [fact("named"), fact("alike", "net: other", "a@b", 2)],
        {"mine": [("named", "commit H upstream")]},
    )
    assert pairs(found) == {"named": "mine"}
    assert found["named"].evidence == "marker: commit H upstream"


def test_one_patch_may_be_upstream_under_two_ids() -> None:
    twins = [fact("net", "s", "a@b", 5), fact("next", "s", "a@b", 5)]
    found = match([fact("mine", "s", "a@b", 5)], twins, {"mine": [("net", "x")]})
    assert pairs(found) == {"net": "mine", "next": "mine"}


def test_one_subject_with_several_patches_is_kept_apart() -> None:
    own = [fact("mine", "ice: update", "a@b", 1)]
    upstream = [fact("one", "ice: update", "a@b", 2), fact("two", "ice: update", "a@b", 3)]
    assert match(own, upstream, {}) == {}


def test_a_reworded_subject_is_known_by_author_and_date() -> None:
    found = match([fact("mine", "x", "a@b", 7)], [fact("theirs", "y", "a@b", 7)], {})
    assert found["theirs"].evidence == "same author and author date"


def test_the_patch_decides_where_author_and_subject_differ() -> None:
    own = [fact("mine", "x", "a@b", 1, "f.c")]
    upstream = [fact("theirs", "y", "c@d", 2, "f.c")]
    lines = frozenset({1, 2})
    exact = {"mine": ("e", "b", lines), "theirs": ("e", "b", lines)}
    context = {"mine": ("e1", "b", lines), "theirs": ("e2", "b", lines)}
    other = {"mine": ("e1", "b1", lines), "theirs": ("e2", "b2", frozenset({8, 9}))}
    assert match(own, upstream, {}, lambda _: exact)["theirs"].evidence == "same patch"
    assert match(own, upstream, {}, lambda _: context)["theirs"].evidence == "same changed lines"
    assert match(own, upstream, {}, lambda _: other) == {}


def test_what_was_adapted_by_hand_needs_the_same_author_or_subject() -> None:
    prints = {
        "mine": ("1", "1", frozenset(range(10))),
        "theirs": ("2", "2", frozenset(range(2, 12))),
    }
    own = [fact("mine", "x", "a@b", 1, "f.c", "g.c")]
    same, other = (fact("theirs", "y", mail, 2, "f.c") for mail in ("a@b", "c@d"))
    assert pairs(match(own, [same], {}, lambda _: prints)) == {"theirs": "mine"}
    assert match(own, [other], {}, lambda _: prints) == {}


def test_patches_are_only_read_for_what_is_left_and_changes_the_same_files() -> None:
    asked: list[str] = []

    def read(oids: Sequence[str]) -> dict[str, tuple[str, str, frozenset[int]]]:
        asked.extend(oids)
        return {}

    match(
        [fact("done", "s", "a@b", 1, "f.c"), fact("left", "t", "a@b", 2, "f.c")],
        [
            fact("its", "s", "a@b", 1, "f.c"),
            fact("near", "u", "c@d", 3, "f.c"),
            fact("far", "v", "c@d", 4, "g.c"),
        ],
        {},
        read,
    )
    assert set(asked) == {"left", "near"}


def test_reverts_and_reapplications_are_followed() -> None:
    own = [fact(oid) for oid in ("take", "revert", "again", "over")]
    taken = {"up": Match("up", "take", "marker")}
    gone = removals(own, {"revert": [(False, "take")]}, taken)
    assert (gone["up"].on_branch, gone["up"].by) == ("take", "revert")
    # A revert of the revert brings it back, a re-application too, and a third revert takes it.
    reverts = {"revert": [(False, "take")], "again": [(False, "revert")]}
    assert removals(own, reverts, taken) == {}
    reverts = {"revert": [(False, "take")], "again": [(True, "take")]}
    assert removals(own, reverts, taken) == {}
    reverts["over"] = [(False, "take")]
    assert removals(own, reverts, taken)["up"].by == "over"


def test_a_revert_of_what_the_base_has_names_it() -> None:
    gone = removals([fact("revert")], {"revert": [(False, "base")]}, {})
    assert gone["base"].on_branch == "base"
