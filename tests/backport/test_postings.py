# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits came in one posting: told by the mails' numbers, or by place, author and date."""

from __future__ import annotations

import pytest

from kbisect.backport.postings import Sent, posted_before, postings
from kbisect.history.store import Index

ME, OTHER = "me@example.org", "other@example.org"


def row(*mails: tuple[str, int, str | None]) -> list[Sent]:
    """Make a line of commits a, b, c, … of (author, author date, Message-Id)."""
    names = "abcdefgh"
    return [Sent(names[at], names[at - 1] if at else None, *mail) for at, mail in enumerate(mails)]


def test_dates_seconds_apart_by_one_author_are_one_posting() -> None:
    sent = row((ME, 100, None), (ME, 101, None), (ME, 102, None))
    assert postings(sent) == {"b": ("a",), "c": ("a", "b")}


@pytest.mark.parametrize(
    "second",
    [
        (OTHER, 101, None),
        (ME, 99, None),
        (ME, 100 + 3600, None),
        (ME, 101, "20230104112233.9-2-me@example.org"),
    ],
    ids=["another author", "an older mail", "another day", "one with a mail, one without"],
)
def test_what_is_not_one_posting(second: tuple[str, int, str | None]) -> None:
    assert postings(row((ME, 100, None), second)) == {}


@pytest.mark.parametrize(
    "form", ["20230104112233.4567-{}-me@example.org", "20230104-ring-v2-{}-0123456789ab@a-b.org"]
)
def test_numbered_mails_tell_the_posting_wherever_the_commits_stand(form: str) -> None:
    sent = row(
        (ME, 500, form.format(2)),
        (OTHER, 1, None),
        (OTHER, 9000, form.format(1)),
        (ME, 700, form.format(4)),
        (ME, 700, form.format(4).replace("2023", "2024")),
    )
    assert postings(sent) == {"d": ("a", "c")}


def test_a_merge_between_parts_them() -> None:
    sent = [Sent("a", None, ME, 100), Sent("b", "m", ME, 101)]
    assert postings(sent) == {}


def test_every_earlier_patch_is_older_in_upstreams_order(nettrees_index: Index) -> None:
    found = posted_before(nettrees_index)
    number = nettrees_index.number
    assert all(number(one) < number(oid) for oid, others in found.items() for one in others)
