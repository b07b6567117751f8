# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports on the miniature of the network trees: is it fixed already, and who must know?"""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from kbisect.history import index as indexing
from tests.cli.repos import document, refused
from tests.conftest import History, Run, git

DF, NO_DF = 147, 167  # ipv4: fragment despite DF when told to ignore it, and its revert
DF_WORDS = "if (!skb->ignore_df && skb->nh"
CORKED = 81  # udp: cork small datagrams: reverted too, and then done once more
SPREAD = 120  # net: spread flows evenly over the CPUs: nothing repairs it
COUNTED = 139  # in linux-3.12.y; its upstream is :62 of the drops of the backlog


@pytest.fixture
def trees(nettrees_copy: History) -> History:
    indexing.update(nettrees_copy.repository)
    return nettrees_copy


def breaks_on(trees: History, words: str, file: str) -> Path:
    """A script that fails where a file has these words."""
    script = trees.path.parent / "mcast-first.sh"
    script.write_text(f"#!/bin/sh\n! grep -qF '{words}' {file}\n")
    script.chmod(0o755)
    return script


def campaign(
    trees: History, kbisect: Run, script: Path, good: str, bad: str, *more: str
) -> dict[str, Any]:
    done = kbisect(
        *("-C", trees.path, "run", "--json", "--good", good, "--bad", bad, *more, script)
    )
    return document(done)


def test_already_fixed_is_the_first_line_and_no_mail_is_made(trees: History, kbisect: Run) -> None:
    script = breaks_on(trees, DF_WORDS, "net/ipv4/ip_output.c")
    found = campaign(trees, kbisect, script, "v3.13-rc3", "v3.13-rc4")
    assert found["culprit"] == trees.marks[DF]
    fixed = found["already_fixed"]
    assert [(each["oid"], each["kind"]) for each in fixed["links"]] == [
        (trees.marks[NO_DF], "reverts")
    ]
    assert fixed["passing"] == ["net", "mainline"]
    report = ["-C", trees.path, "report"]
    said = kbisect(*report).stdout
    subject = 'Revert "ipv4: fragment despite DF when told to ignore it"'
    fix = f'{trees.marks[NO_DF][:12]} ("{subject}")'
    first = said.splitlines()[0]
    assert first.startswith(f"already fixed: {fix}, net -> v3.13 (also ")
    assert first.endswith(f"; not in {trees.repository.resolve('v3.13-rc4')[:12]}")
    assert f"Next: kbisect backport explain {trees.marks[NO_DF][:12]}\n" in said
    refused(kbisect(*report, "--format", "mail"), "already fixed")


def test_a_tip_that_still_fails_outweighs_words(trees: History, kbisect: Run) -> None:
    """It was reverted, and then done once more."""
    script = breaks_on(trees, "udp_cork", "net/ipv4/udp.c")
    found = campaign(trees, kbisect, script, "v3.12", "v3.13-rc2")
    assert found["culprit"] == trees.marks[CORKED]
    assert found["already_fixed"] is None
    assert kbisect("-C", trees.path, "report", "--format", "mail").returncode == 0


def test_a_fix_out_of_the_index_scope_is_found_too(nettrees_copy: History, kbisect: Run) -> None:
    trees = nettrees_copy
    indexing.update(trees.repository, paths=["drivers/net"])
    script = breaks_on(trees, DF_WORDS, "net/ipv4/ip_output.c")
    found = campaign(trees, kbisect, script, "v3.13-rc3", "v3.13-rc4", "--no-tips")
    assert [(each["oid"], each["kind"]) for each in found["already_fixed"]["links"]] == [
        (trees.marks[NO_DF], "reverts")
    ]


def test_a_fix_that_the_bad_end_has_is_told_as_in_vain(trees: History, kbisect: Run) -> None:
    """The revert is in v3.13, and what the script asks fails there all the same."""
    script = trees.path.parent / "has.sh"
    script.write_text(
        f"#!/bin/sh\n! git merge-base --is-ancestor {trees.marks[DF]} $KBISECT_COMMIT\n"
    )
    script.chmod(0o755)
    found = campaign(trees, kbisect, script, "v3.12", "v3.13", "--no-tips", "--no-checkout")
    assert found["culprit"] == trees.marks[DF]
    assert trees.repository.is_ancestor(trees.marks[NO_DF], trees.repository.resolve("v3.13"))
    assert found["already_fixed"] is None
    told = "reverts it; the bad end has that and fails all the same\n"
    report = ["-C", trees.path, "report"]
    assert f"{trees.marks[NO_DF][:12]} (" in kbisect(*report).stdout.partition(told)[0]
    mail = kbisect(*report, "--format", "mail").stdout
    assert told in mail
    assert "no other later commit here says it repairs the culprit" in mail


def test_a_tip_that_passes_is_said_at_once(trees: History, kbisect: Run) -> None:
    """Before the search, which somebody may then not want; the command that is named works."""
    script = breaks_on(trees, DF_WORDS, "net/ipv4/ip_output.c")
    bad, good = trees.repository.resolve("v3.13-rc4"), trees.repository.resolve("v3.13-rc3")
    done = kbisect("-C", trees.path, "run", "--good", good, "--bad", bad, script)
    said = done.stderr.splitlines()
    told = next(row for row in said if row.startswith("the tip of net passes: already fixed"))
    assert said.index(told) < 6
    words = told.partition("kbisect ")[2].split()
    fix = document(kbisect("-C", trees.path, *words, "--first-parent", "--json", script))["culprit"]
    assert DF_WORDS not in git(trees.path, "show", f"{fix}:net/ipv4/ip_output.c")
    assert DF_WORDS in git(trees.path, "show", f"{fix}^:net/ipv4/ip_output.c")


def test_tips_are_tested_unless_told_not_to(trees: History, kbisect: Run) -> None:
    script = breaks_on(trees, DF_WORDS, "net/ipv4/ip_output.c")
    found = campaign(trees, kbisect, script, "v3.13-rc3", "v3.13-rc4", "--no-tips")
    assert found["tests_ends"] == 2
    assert found["already_fixed"]["passing"] == []
    again = document(kbisect("-C", trees.path, "bisect", "confirm", "--json"))
    assert again["schema"] == "kbisect.bisect-confirm/1"
    assert again["confirmed"]
    assert again["already_fixed"]["passing"] == ["net", "mainline"]


def test_the_mail_of_a_regression(trees: History, kbisect: Run) -> None:
    """Everyone in the sign-off chain and MAINTAINERS; no trailer; regzbot's line by itself."""
    script = breaks_on(trees, "reciprocal_scale(skb->hash", "net/core/dev.c")
    found = campaign(trees, kbisect, script, "v3.12", "v3.13")
    culprit = trees.marks[SPREAD]
    assert found["culprit"] == culprit
    assert found["already_fixed"] is None
    mail = kbisect("-C", trees.path, "report", "--format", "mail").stdout
    headers, _, body = mail.partition("\n\n")
    assert headers.startswith("To: ")
    for address in ("xiaoming@example.org", "davit@example.org"):
        assert headers.count(address) == 1
    assert "Cc: " in headers
    assert "netdev@vger.kernel.org" in headers
    assert "regressions@lists.linux.dev" in headers
    assert "stable@" not in headers
    subject = headers.rpartition("\n")[2]
    assert subject == "Subject: [REGRESSION] net: mcast-first.sh fails since v3.13-rc3"
    assert f'Commit {culprit[:12]} ("net: spread flows evenly over the CPUs")' in body
    assert "Last good v3.12, bad v3.13." in body
    assert "Came through net" in body
    assert "parent       good" in body
    assert "revert       good" in body
    assert "net tip      bad" in body
    assert f"Reproduce: kbisect lab step {culprit[:12]} ./mcast-first.sh" in body
    assert body.endswith(f"\n\n#regzbot introduced: {culprit[:12]}\n")
    assert f"\n\nFor the fix: Fixes: {culprit[:12]} (" in body
    assert not [row for row in mail.splitlines() if row.startswith("Fixes:")]


def test_the_mail_says_how_to_run_it_again(trees: History, kbisect: Run) -> None:
    """A command of the system by its name, with its arguments, to be pasted."""
    words = ("sh", "-c", "! grep -qF 'reciprocal_scale(skb->hash' net/core/dev.c")
    done = kbisect(
        *("-C", trees.path, "run", "--json", "--good", "v3.12", "--bad", "v3.13", "--no-tips"),
        *("--", *words),
    )
    culprit = document(done)["culprit"]
    mail = kbisect("-C", trees.path, "report", "--format", "mail").stdout
    line = next(row for row in mail.splitlines() if row.startswith("Reproduce: "))
    assert shlex.split(line) == ["Reproduce:", "kbisect", "lab", "step", culprit[:12], *words]


def test_a_regression_in_a_stable_series(trees: History, kbisect: Run) -> None:
    script = breaks_on(trees, "sd->dropped++", "net/core/dev.c")
    found = campaign(trees, kbisect, script, "v3.12.1", "v3.12.3")
    assert found["culprit"] == trees.marks[COUNTED]
    mail = kbisect("-C", trees.path, "report", "--format", "mail").stdout
    assert "stable@vger.kernel.org" in mail.partition("\n\n")[0]
    assert "in the stable series linux-3.12.y, a backport of fc8f68dd4e71." in mail


def test_unconfirmed_only_the_range_is_named(trees: History, kbisect: Run) -> None:
    """By hand nothing is tested again."""
    bad, good = trees.repository.resolve("v3.13"), trees.repository.resolve("v3.12")
    state = document(kbisect("-C", trees.path, "start", bad, good, "--json"))
    while state["outcome"] is None:
        has = trees.repository.is_ancestor(trees.marks[SPREAD], state["next"])
        state = document(kbisect("-C", trees.path, "bad" if has else "good", "--json"))
    assert state["culprit"] == trees.marks[SPREAD]
    mail = kbisect("-C", trees.path, "report", "--format", "mail").stdout
    assert f"#regzbot introduced: {good[:12]}..{bad[:12]}\n" in mail
    assert "which nothing confirms yet" in mail
    assert "Fixes:" not in mail


def test_a_stale_clone_makes_no_mail(trees: History, kbisect: Run) -> None:
    script = breaks_on(trees, "reciprocal_scale(skb->hash", "net/core/dev.c")
    campaign(trees, kbisect, script, "v3.12", "v3.13")
    trees.repository.remotes()
    config = trees.path / ".git" / "config"
    config.write_text(config.read_text() + '[remote "origin"]\n\turl = https://example.org/net\n')
    fetched = trees.path / ".git" / "FETCH_HEAD"
    fetched.touch()
    report = ["-C", trees.path, "report", "--format", "mail"]
    assert kbisect(*report).returncode == 0
    long_ago = time.time() - 6 * 86400
    os.utime(fetched, (long_ago, long_ago))
    refused(kbisect(*report), "last fetched 6 days ago")
