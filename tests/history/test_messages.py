# SPDX-License-Identifier: GPL-2.0-or-later
"""Message grammar. git's own `interpret-trailers` and `%(trailers)` are the oracle for trailers."""

from __future__ import annotations

import subprocess
import time

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
        (f"Fixes: {A} (net: y)", [(A, "net: y")]),
        ('Fixes: a1711f ("net: y")', [("a1711f", "net: y")]),
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
        f"Upstream commit:\n    commit {A40}",
        f"(upstream commit {A40})",
        f"Bugzilla: 1\nTested: yes\n\ncommit {A40}\nAuthor: A <a@b.c>\nDate: now\n\n    net: y",
        f"This is a backport of upstream commit {A40}.",
        f"text\n\nAlt-commit: {A40}",
        f"text\n\nNo-fix: {A40}",
        f"text\n\n(cherry picked from {A40} commit)",
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


@pytest.mark.parametrize(
    "body",
    [
        f"commit {A40}\nbroke the build.",
        f"commit {A40}\n(net: y)\nbroke the build.",
        f"commit {A40}\n  net: y\n\nbroke the build.",
        f"commit {A40}\nAuthor: A <a@b.c>\nDate: now\n\n    net: y\n\nbroke the build.",
    ],
)
def test_a_sentence_may_begin_as_a_marker_does(body: str) -> None:
    assert [(kind, oid) for kind, oid, _ in said(body)] == [(LinkKind.BLAMES, A40)]


def test_a_quoted_marker_says_nothing() -> None:
    assert said(f"> commit {A40} upstream.\n\nSeen in a mail.") == []


def test_a_revert_of_a_backport_is_no_backport() -> None:
    body = f"This reverts commit {A40} which is\ncommit {B}ffff upstream."
    kinds = [kind for kind, _, _ in said(body, 'Revert "net: y"')]
    assert LinkKind.REVERTS in kinds
    assert LinkKind.UPSTREAM not in kinds


@pytest.mark.parametrize(
    ("body", "oids"),
    [
        (f"This reverts {A}.", [A]),
        (f"Revert: {A}", [A]),
        (f'Revert commit {A} ("net: y").', [A]),
        (f"This patch reverts commit {A}.", [A]),
        (f"Reverting {A}:", [A]),
        (f"This backs out commit {A}.", [A]),
        (f"This reverts commits {A} and {B}.", [A, B]),
        (f'This reverts two changes:\n\n{A} ("net: y")\n{B}\n', [A, B]),
        (f'This reverts 2 commits:\n\n{A}\n("net: y")\n\n{B}\n("net: z")\n', [A, B]),
        (f"This does not revert commit {A}.", []),
        (f"{A} was reverted by {B}.", []),
        (f"Revert {A} (partly).", []),
    ],
)
def test_reverts_as_people_write_them(body: str, oids: list[str]) -> None:
    assert [oid for kind, oid, _ in said(body) if kind is LinkKind.REVERTS] == oids


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
        ("Cc: stable@vger.kernel.org # 5.4.x", LinkKind.STABLE, "5.4.x"),
        ("Cc: stable@vger.kernel.org # >= 5.4", LinkKind.STABLE, ">= 5.4"),
        ("Cc: stable@vger.kernel.org # v5.4..v5.10", LinkKind.STABLE, "v5.4..v5.10"),
        ("Cc: stable@kernel.org (2.6.36+)", LinkKind.STABLE, "(2.6.36+)"),
        ("Cc: Stable <stable@linux-rdma.org>", LinkKind.STABLE, None),
        ("Cc: stable@dpdk.org:", LinkKind.STABLE, None),
        ("Cc: stable@vger.kernel.org, a@example.org", LinkKind.STABLE, None),
    ],
)
def test_notices_to_stable(line: str, kind: LinkKind, note: str | None) -> None:
    assert said(line) == [(kind, None, note)]


def test_a_notice_may_name_a_prerequisite() -> None:
    found = said(f"Cc: stable@vger.kernel.org # 3.3.x: {A}: net: prepare")
    assert found == [(LinkKind.PREREQUISITE, A, "net: prepare")]


def test_an_explicit_dependency_is_a_prerequisite() -> None:
    assert said(f'Stable-dep-of: {A} ("net: y")') == [(LinkKind.PREREQUISITE, A, "net: y")]


def test_regzbot_blames() -> None:
    assert said(f"#regzbot introduced: {A}") == [(LinkKind.BLAMES, A, None)]


def test_an_opt_out_is_told_apart() -> None:
    found = links("s\n\nCc: stable+noautosel@kernel.org # needs new firmware\n")
    assert [link.form for link in found] == ["opt-out"]


BLOCK = f"""This commit:

    commit {A40}
    Author: A <a@example.org>
    Date:   Mon Jan 1 00:00:00 2007 +0000

        net: fix a leak

forgot the lock."""


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        (f"This is a regression from commit {A}.", LinkKind.BLAMES),
        (f"I bisected the regression to commit {A}.", LinkKind.BLAMES),
        (f"git bisect says {A} is the first bad commit.", LinkKind.BLAMES),
        (f"The bug was introduced in {A}.", LinkKind.BLAMES),
        (f"This was introduced in [{A}] and crashes.", LinkKind.BLAMES),
        (f"Commit {A} (net: like it) added a race in the poll loop.", LinkKind.BLAMES),
        (f"{A} (net: a\n  wrapped (odd) subject) broke it.", LinkKind.BLAMES),
        (f'Broken since commit {A} ("net: y").', LinkKind.BLAMES),
        (f"Broken by {A}.", LinkKind.BLAMES),
        (f"Since {A} the link never comes up.", LinkKind.BLAMES),
        (f"Before commit {A}, this worked.", LinkKind.BLAMES),
        (f"After commit {A} the driver oopses.", LinkKind.BLAMES),
        (f"The hang is caused by {A}.", LinkKind.BLAMES),
        (f"This is fallout from {A}.", LinkKind.BLAMES),
        (f"The crash was caused by\n\ncommit\n{A}\n\nso undo it.", LinkKind.BLAMES),
        (f"PHY wakeup was accidentally enabled[1].\n\n[1] commit {A}", LinkKind.BLAMES),
        (f'{A} ("net: y") fixed receive but missed send.', LinkKind.BLAMES),
        (f"Commit {A} fixed only half of it.", LinkKind.BLAMES),
        (f"The hang was not completely fixed in {A}.", LinkKind.BLAMES),
        (f"The two ids got mixed up in {A}.", LinkKind.BLAMES),
        (f"This reverts part of {A}, which hurts.", LinkKind.BLAMES),
        (f"This partially reverts commit {A}.", LinkKind.BLAMES),
        (f"The error came with the 'net: hide the dead code' patch ({A}).", LinkKind.BLAMES),
        (f"Setting the flag as done since commit {A} broke the old chips.", LinkKind.BLAMES),
        (f"Revert to the code before {A} and turn the test round.", LinkKind.BLAMES),
        (f"This is a follow-up to commit {A}.", LinkKind.BUILDS_ON),
        (f'Use the helper added in commit {A} ("net: fix y").', LinkKind.BUILDS_ON),
        (f"Now that {A} is in, drop the lock.", LinkKind.BUILDS_ON),
        (f"The macro is unused since {A}.", LinkKind.BUILDS_ON),
        (f"After commit {A} nobody calls it.", LinkKind.BUILDS_ON),
        (f"Do it like commit {A}.", LinkKind.LIKE),
        (f"Do it as {A} did.", LinkKind.LIKE),
        (f"Take the lock as was done in {A}.", LinkKind.LIKE),
        (f'Same fix as {A} ("net: fix a crash").', LinkKind.LIKE),
        (f"This is similar to {A}.", LinkKind.LIKE),
        (f"This is similar to the hang fixed a year ago in the old driver by {A}.", LinkKind.LIKE),
        (f"Ported from {A}.", LinkKind.LIKE),
        (f"As found in the past (commit {A}), a bad layout costs speed.", LinkKind.LIKE),
        (f"The helper was added in {A} to fix this, but not here.", LinkKind.LIKE),
        (f"See commit {A} for the details.", LinkKind.UNCLEAR),
        (f"The bug was fixed back in 2006 in {A}.", LinkKind.UNCLEAR),
        (f"{A} suggests it should be zero, which is missing.", LinkKind.UNCLEAR),
        (f"It was fixed in mainline by commit {A}.", LinkKind.UNCLEAR),
    ],
)
def test_what_prose_says_of_another_commit(sentence: str, kind: LinkKind) -> None:
    assert [(k, oid) for k, oid, _ in said(sentence)] == [(kind, A)]


def test_a_quoted_log_entry_is_one_word_of_the_sentence_around_it() -> None:
    assert said(BLOCK) == [(LinkKind.BLAMES, A40, "net: fix a leak")]


def test_one_message_may_blame_two_and_follow_a_third() -> None:
    body = f"""\
Like in commit {A} (provide cow_metrics() methods to blackhole
dst_ops), we must provide a cow_metrics for bridges.

This fixes a regression coming from commits {B} (net: Implement
read-only protection and COW'ing of metrics.) and 33eb9873a28 (bridge:
initialize fake_rtable metrics)"""
    assert [(kind, oid) for kind, oid, _ in said(body)] == [
        (LinkKind.LIKE, A),
        (LinkKind.BLAMES, B),
        (LinkKind.BLAMES, "33eb9873a28"),
    ]


def test_the_sentence_is_kept_as_evidence() -> None:
    body = f'Some talk.  Commit {A} ("net: y")\nbroke it. More talk.'
    assert [link.text for link in links(f"s\n\n{body}\n")] == [f'Commit {A} ("net: y") broke it.']


def test_the_subject_line_may_blame() -> None:
    assert said("Text.", f"net: fix build broken by {A}") == [(LinkKind.BLAMES, A, None)]


def test_to_remove_what_is_unused_mends_nothing() -> None:
    body = f"Since {A} nobody reads it, slow as it is."
    assert said(body, "net: kill the hang in y") == [(LinkKind.BLAMES, A, None)]
    assert said(body, "net: kill two unused macros") == [(LinkKind.BUILDS_ON, A, None)]


@pytest.mark.parametrize(
    "body",
    [
        "0xdeadbeef at 0x0123456789ab",
        "feedface and deadbeef are magic, 1234567 is a number",
        "id 01234567-89ab-4def-8123-456789abcdef",
        f"https://git.example.org/commit/?id={A40}",
        f"https://git.example.org/c/{A40}",
        " [<c0115606>] __do_softirq+0x35/0x7d",
        "EAX: f14a389c EBX: 000005d4 ECX: f80d32c0 EDX: f80d1da1",
        "Message-Id: <0123456789ab@example.org>",
        f"Change-Id: I{A40}",
        "Reported-by: syzbot+0123456789abcdef0123@syzkaller.appspotmail.com",
        "index 0123456..89abcde 100644",
    ],
)
def test_not_every_hex_word_is_an_id(body: str) -> None:
    assert said(body, "net: fix a crash") == []


def test_a_trailer_is_stronger_than_prose() -> None:
    body = f'Since commit {A} ("net: y") it crashes.\n\nFixes: {A} ("net: y")'
    assert said(body) == [(LinkKind.FIXES, A, "net: y")]


@given(st.text(max_size=400))
def test_no_message_breaks_the_grammar(message: str) -> None:
    assert all(link.kind in LinkKind for link in links(message))
    assert all(each.key for each in trailers(message))


@pytest.mark.parametrize(
    "body",
    [
        f"{A}, " * 8000,
        f'This reverts {A} ("a") ' * 3000,
        f"commit {A}\n" + "\n" * 50000,
        "change" * 60 + f" {A}",
        "Cc: stable@k.org " + "a.a@a.a " * 2000 + "[",
    ],
)
def test_a_long_message_takes_no_long_time(body: str) -> None:
    begun = time.process_time()
    links(f"s\n\n{body}\n")
    assert time.process_time() - begun < 2
