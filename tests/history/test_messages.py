# SPDX-License-Identifier: GPL-2.0-or-later
"""Message grammar. git's own `interpret-trailers` and `%(trailers)` are the oracle for trailers."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kbisect.history.messages import LinkKind, Trailer, links, trailers
from tests.conftest import History, git


def test_trailers_of_every_fixture_message_are_gits(nettrees: History) -> None:
    form = "--format=%x01%H%x00%B%x00%(trailers:only,unfold)"
    records = git(nettrees.path, "log", "--all", form).split("\x01")[1:]
    assert len(records) > 200
    for record in records:
        oid, message, theirs = record.split("\0")
        ours = [f"{each.key}: {each.value}" for each in trailers(message)]
        assert ours == theirs.strip("\n").splitlines(), oid


_LINE = st.sampled_from(
    [
        "",
        " ",
        "Signed-off-by: A <a@example.org>",
        "Acked-by: B",
        'Fixes: 0123456789ab ("x: y")',
        " continued",
        "\tcontinued",
        "some prose",
        "prose: with a colon",
        "not a token : but spaced",
        "(cherry picked from commit 0123456789abcdef)",
        "# a comment",
        "Conflicts:",
        "\tnet/core/dev.c",
        "Link:https://example.org/",
        ": no token",
        "Key:",
    ]
)


@given(st.lists(_LINE, min_size=1, max_size=12))
def test_trailers_are_what_git_interprets(lines: list[str]) -> None:
    message = "subject\n\n" + "\n".join(lines) + "\n"
    done = subprocess.run(
        ["git", "interpret-trailers", "--parse", "--no-divider"],
        input=message.encode(),
        capture_output=True,
        check=True,
    )
    ours = [f"{each.key}: {each.value}".rstrip() for each in trailers(message)]
    theirs = [line.rstrip() for line in done.stdout.decode().splitlines()]
    assert ours == theirs


def test_repeated_trailers_keep_their_order() -> None:
    message = "s\n\nbody\n\nTested-by: A\nSigned-off-by: B\nTested-by: C\n"
    assert trailers(message) == [
        Trailer("Tested-by", "A"),
        Trailer("Signed-off-by", "B"),
        Trailer("Tested-by", "C"),
    ]


A, B = "0123456789ab", "89abcdef0123"
A40 = "0123456789abcdef0123456789abcdef01234567"


def said(body: str, subject: str = "net: x") -> list[tuple[LinkKind, str | None, str | None]]:
    return [(link.kind, link.oid, link.subject) for link in links(f"{subject}\n\n{body}\n")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f'Fixes: {A} ("net: y")', [(A, "net: y")]),
        (f'fixes: {A} ("net: y")', [(A, "net: y")]),
        (f'Fixes: commit {A} ("net: y")', [(A, "net: y")]),
        (f'Fixes: {A}("net: y")', [(A, "net: y")]),
        (f"Fixes: {A} (“net: y”)", [(A, "net: y")]),
        (f"Fixes: <{A}>", [(A, None)]),
        (f"Fixes: [{A}]", [(A, None)]),
        (f"Fixes: {A}", [(A, None)]),
        (f'Fixes: {A} ("net: it\'s y")', [(A, "net: it's y")]),
        (f'Fixes: {A} ("net: a long\n subject")', [(A, "net: a long subject")]),
        (f'Fixes: {A} ("net: y"), {B} ("net: z")', [(A, "net: y"), (B, "net: z")]),
        ("Fixes: https://bugzilla.example.org/12345678", [(None, None)]),
        ("Fixes: #12345", [(None, None)]),
        ("Fixes: v5.4", [(None, None)]),
    ],
)
def test_fixes_as_people_write_it(line: str, expected: list[tuple[str | None, str | None]]) -> None:
    assert said(line) == [(LinkKind.FIXES, oid, subject) for oid, subject in expected]


def test_since_for_ever_means_the_first_commit() -> None:
    assert said("Fixes: 1da177e4c3f4")[0][1] == "1da177e4c3f41524e886b7f1b8a0c1fc7321cac2"


@pytest.mark.parametrize(
    "body",
    [
        f"commit {A40} upstream.",
        f"commit {A40} upstream",
        f"commit {A40}\nupstream.",
        f"[ Upstream commit {A40} ]",
        f"[ commit {A40} upstream ]",
        f"[ backported from upstream commit {A40} ]",
        f"Upstream commit: {A40}",
        f"Upstream commit:\n{A40}",
        f"commit {A40}",
        f"mainline inclusion\nfrom mainline-v5.10\ncommit {A40}",
        f"text\n\nGit-commit: {A40}",
        f"text\n\n(cherry picked from commit {A40})",
        f"text\n\n(cherry-picked from commit {A40})",
        f"text\n\n(cherry picked from linux commit {A40})",
        f"text\n\n(backported from commit {A40} net)",
    ],
)
def test_every_form_of_upstream_marker(body: str) -> None:
    assert said(body) == [(LinkKind.UPSTREAM, A40, None)]


def test_a_quoted_marker_says_nothing() -> None:
    assert said(f"> commit {A40} upstream.\n\nSeen in a mail.") == []


def test_a_revert_of_a_backport_is_no_backport() -> None:
    body = f"This reverts commit {A40} which is\ncommit {B}ffff upstream."
    kinds = [kind for kind, _, _ in said(body, 'Revert "net: y"')]
    assert LinkKind.REVERTS in kinds
    assert LinkKind.UPSTREAM not in kinds


def test_a_revert_without_an_id_names_the_subject() -> None:
    assert said("It hurt.", 'Revert "net: y"') == [(LinkKind.REVERTS, None, "net: y")]


def test_reapply_flips_a_revert() -> None:
    assert said(f"This reverts commit {A40}.", 'Reapply "net: y"') == [
        (LinkKind.REAPPLIES, A40, "net: y")
    ]


@pytest.mark.parametrize(
    ("line", "kind", "note"),
    [
        ("Cc: stable@vger.kernel.org", LinkKind.STABLE, None),
        ("Cc: <stable@vger.kernel.org> # v5.4+", LinkKind.STABLE, "v5.4+"),
        ("Cc: stable@kernel.org [2.6.32+]", LinkKind.STABLE, "[2.6.32+]"),
        ("CC: stable@dpdk.org", LinkKind.STABLE, None),
        ("Cc: stable@vger.kernel.org # after -rc3", LinkKind.STABLE, "after -rc3"),
    ],
)
def test_notices_to_stable(line: str, kind: LinkKind, note: str | None) -> None:
    assert said(line) == [(kind, None, note)]


def test_a_notice_may_name_a_prerequisite() -> None:
    found = said(f"Cc: stable@vger.kernel.org # 3.3.x: {A}: net: prepare")
    assert found == [(LinkKind.PREREQUISITE, A, "net: prepare")]


def test_an_opt_out_is_told_apart() -> None:
    found = links("s\n\nCc: stable+noautosel@kernel.org # needs new firmware\n")
    assert [link.form for link in found] == ["opt-out"]


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        (f"This is a regression from commit {A}.", LinkKind.BLAMES),
        (f"I bisected the regression to commit {A}.", LinkKind.BLAMES),
        (f"The bug was introduced in {A}.", LinkKind.BLAMES),
        (f"Commit {A} added a race in the poll loop.", LinkKind.BLAMES),
        (f'Broken since commit {A} ("net: y").', LinkKind.BLAMES),
        (f"Do it like commit {A}.", LinkKind.MENTIONS),
        (f"Take the lock as was done in {A}.", LinkKind.MENTIONS),
        (f"This is a follow-up to commit {A}.", LinkKind.MENTIONS),
    ],
)
def test_blame_in_prose(sentence: str, kind: LinkKind) -> None:
    assert [(k, oid) for k, oid, _ in said(sentence)] == [(kind, A)]


def test_a_trailer_is_stronger_than_prose() -> None:
    body = f'Since commit {A} ("net: y") it crashes.\n\nFixes: {A} ("net: y")'
    assert said(body) == [(LinkKind.FIXES, A, "net: y")]


@given(st.text(max_size=400))
def test_no_message_breaks_the_grammar(message: str) -> None:
    assert all(link.kind in LinkKind for link in links(message))
    assert all(each.key for each in trailers(message))
