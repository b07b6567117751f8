# SPDX-License-Identifier: GPL-2.0-or-later
"""The patch commands as a user runs them: documents, exit codes, bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_errors import complaint
from tests.conftest import FIXTURES, History, Run, git
from tests.patch.conftest import FILES, commit, make_office

THREAD = FIXTURES / "mails" / "thread.mbox"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Not to be changed by a test."""
    return make_office(tmp_path_factory.mktemp("office"))


def answer(done: subprocess.CompletedProcess[str], command: str) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == f"kbisect.{command}/1"
    return found


def test_read_from_stdin_as_b4_pipes_it(nettrees: History) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kbisect", "-C", str(nettrees.path), "patch", "read", "-", "--json"],
        input=THREAD.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "kbisect.patch-read/1"
    assert (found["title"], found["tree"], found["version"]) == (
        *("demo: count what happens", "net-next"),
        3,
    )
    assert (found["complete"], found["replies"], found["total"]) == (True, 2, 3)
    assert [each["tree"] for each in found["trees"]] == ["net-next", "net"]
    assert {state for each in found["trees"] for state in each["states"]} == {"clean"}


def test_read_fits_one_screen(nettrees: History, kbisect: Run) -> None:
    done = kbisect("-C", nettrees.path, "patch", "read", THREAD)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 40
    assert "Reviewed-by: Cy Test <cy@example.org>" in done.stdout
    assert f"Next: kbisect patch check {THREAD}" in done.stdout


def test_maintainers_for_people_and_for_git_send_email(office: History, kbisect: Run) -> None:
    here = ("-C", office.path, "patch", "maintainers", "drivers/net/ethernet/acme/acme.c")
    found = answer(kbisect(*here, "--json"), "patch-maintainers")
    assert found["at"] == office.marks[2]
    assert found["recipients"][0]["email"] == "ada@example.org"
    assert "Ada Test <ada@example.org> (supporter:ACME ETHERNET DRIVER)" in kbisect(*here).stdout
    to = kbisect(*here, "--git-send-email", "--only", "to").stdout.splitlines()
    cc = kbisect(*here, "--git-send-email", "--only", "cc").stdout.splitlines()
    assert to[:2] == ["Ada Test <ada@example.org>", '"Bo T. Test" <bo@example.org>']
    assert "netdev@vger.kernel.org" in cc
    assert not set(to) & set(cc)
    assert "--only needs" in complaint(kbisect(*here, "--only", "to"), 2)


def test_git_send_email_may_ask_for_the_cover_letter(
    office: History, kbisect: Run, tmp_path: Path
) -> None:
    cover = tmp_path / "0000-cover-letter.patch"
    cover.write_text("From: a@example.org\nSubject: [PATCH net 0/2] x\n\nAll.\n\n lib/a.c | 2 +-\n")
    here = ("-C", office.path, "patch", "maintainers", cover)
    done = kbisect(*here, "--git-send-email")
    assert (done.returncode, done.stdout) == (0, "")
    assert "holds no patch" in complaint(kbisect(*here), 2)


def test_maintainers_of_a_patch_file_a_commit_and_a_new_path(
    office: History, kbisect: Run, tmp_path: Path
) -> None:
    here = ("-C", office.path, "patch", "maintainers", "--no-history", "--json")
    place = tmp_path / "x.patch"
    place.write_text(git(office.path, "format-patch", "--stdout", "-1"))
    by_file = answer(kbisect(*here, place), "patch-maintainers")
    by_commit = answer(kbisect(*here, "HEAD"), "patch-maintainers")
    assert by_file["recipients"] == by_commit["recipients"]
    new = kbisect(*here, "drivers/net/ethernet/acme/new.c")
    emails = [each["email"] for each in answer(new, "patch-maintainers")["recipients"]]
    assert emails[0] == "ada@example.org"
    assert "not in the tree" in new.stderr
    assert "neither a path" in complaint(kbisect(*here, "nonsense"), 2)


def test_maintainers_of_an_absolute_path_and_from_a_folder_below(
    office: History, kbisect: Run
) -> None:
    here = ("patch", "maintainers", "--no-history")
    driver = "drivers/net/ethernet/acme/acme.c"
    from_top = kbisect(*here, driver, cwd=office.path).stdout
    assert "Ada Test" in from_top
    assert kbisect(*here, office.path / driver, cwd=office.path).stdout == from_top
    assert kbisect(*here, "acme/acme.c", cwd=(office.path / driver).parents[1]).stdout == from_top


def test_maintainers_with_faults_in_the_file(tmp_path: Path, kbisect: Run) -> None:
    git(tmp_path, "init", "--quiet")
    text = "A\nM:\tAda Test <ada@example.org>\nF:\tnet/(\nF\tnet/\nF:\tlib/\n"
    commit(tmp_path, {"MAINTAINERS": text, "lib/a.c": "int a;\n"}, "broken")
    done = kbisect("-C", tmp_path, "patch", "maintainers", "lib/a.c", "--no-history", "--json")
    assert answer(done, "patch-maintainers")["uncovered"] == []
    assert len([line for line in done.stderr.splitlines() if "MAINTAINERS line" in line]) == 2


def test_check_fails_with_one_only_when_asked(nettrees: History, kbisect: Run) -> None:
    here = ("-C", nettrees.path, "patch", "check", THREAD)
    found = answer(kbisect(*here, "--json"), "patch-check")
    assert found["level"] == "fail"
    rules = {each["rule"] for each in found["results"]}
    assert {"series_format", "verify_signedoff", "cc_maintainers", "source_inline"} <= rules
    assert kbisect(*here, "--exit-code").returncode == 1
    assert kbisect(*here).returncode == 0


def test_apply_says_and_makes(nettrees_copy: History, kbisect: Run) -> None:
    history = nettrees_copy
    here = ("-C", history.path, "patch", "apply", THREAD, "--onto", "master")
    before = git(history.path, "for-each-ref")
    found = answer(kbisect(*here, "--json"), "patch-apply")
    assert found["applies"]
    assert [each["state"] for each in found["patches"]] == ["clean"] * 3
    assert git(history.path, "for-each-ref") == before
    made = kbisect(*here, "--branch", "demo")
    assert made.returncode == 0, made.stderr
    assert git(history.path, "log", "-1", "--format=%an|%s", "demo~2").strip() == (
        "Dee Test|demo: add a counter"
    )
    assert git(history.path, "status", "--porcelain") == ""
    assert "exists" in complaint(kbisect(*here, "--branch", "demo"), 2)


def test_what_is_there_already_is_no_failure_to_apply(nettrees: History, kbisect: Run) -> None:
    here = ("-C", nettrees.path, "patch", "apply", "--exit-code")
    there = kbisect(*here, nettrees.marks[99], "--onto", "linux-3.12.y")
    assert "0 of 1 apply, 1 is there already; nothing was changed." in there.stdout
    assert there.returncode == 0
    changed = kbisect(*here, nettrees.marks[120], "--onto", f"{nettrees.marks[51]}^")
    assert "conflict" in changed.stdout
    assert changed.returncode == 1


def test_revert_and_rebase_answer(nettrees: History, kbisect: Run) -> None:
    here = ("-C", nettrees.path, "patch")
    taken = answer(
        kbisect(*here, "revert", nettrees.marks[65], "--onto", "master", "--json"), "patch-revert"
    )
    assert not taken["clean"]
    assert taken["conflicts"] == ["drivers/net/wireless/wlan9.c"]
    moved = answer(
        kbisect(*here, "rebase", "v3.12..linux-3.12.y", "--onto", "master", "--json"),
        "patch-rebase",
    )
    assert "upstream" in {each["fate"] for each in moved["steps"]}
    code = kbisect(*here, "rebase", "v3.12..linux-3.12.y", "--onto", "master", "--exit-code")
    assert code.returncode == 1
    assert "is no range" in complaint(kbisect(*here, "rebase", "v3.12", "--onto", "master"), 2)


def test_mail_writes_and_never_sends(nettrees: History, kbisect: Run, tmp_path: Path) -> None:
    here = ("-C", nettrees.path, "patch", "mail", nettrees.marks[42], "-o", tmp_path / "out")
    found = answer(kbisect(*here, "--json"), "patch-mail")
    [file] = found["files"]
    assert "Subject: [PATCH net] acme" in Path(file).read_text("utf-8")
    assert "exists" in complaint(kbisect(*here), 2)


def test_names_of_releases_work_in_a_tree_without_tags(
    nettrees_copy: History, kbisect: Run
) -> None:
    history = nettrees_copy
    kbisect("-C", history.path, "index")
    for tag in git(history.path, "tag").split():
        git(history.path, "tag", "--delete", tag)
    done = kbisect("-C", history.path, "patch", "apply", THREAD, "--onto", "v3.12", "--json")
    assert answer(done, "patch-apply")["applies"]


def test_a_release_in_a_tree_without_tags_wants_an_index_first(
    office: History, kbisect: Run
) -> None:
    done = kbisect("-C", office.path, "patch", "read", "HEAD", "--at", "v2.6.39~3")
    assert complaint(done, 2).startswith("kbisect: no index here, and no tag v2.6.39\n")
    assert "kbisect index" in done.stderr


# --- bad input: one line each, and nothing half done ----------------------------------------------

GOOD = (
    "From: Ada Test <ada@example.org>\nSubject: [PATCH net] x\n\nWhy.\n---\n"
    "--- a/lib/a.c\n+++ b/lib/a.c\n@@ -1,1 +1,2 @@\n int a;\n+int b;\n"
)
LINK = (
    "diff --git a/out b/out\nnew file mode 120000\n--- /dev/null\n+++ b/out\n"
    "@@ -0,0 +1 @@\n+..\n\\ No newline at end of file\n"
    "diff --git a/out/x b/out/x\nnew file mode 100644\n--- /dev/null\n+++ b/out/x\n"
    "@@ -0,0 +1 @@\n+x\n"
)
HEAD = "From: Ada Test <ada@example.org>\nSubject: [PATCH net] x\n\nWhy.\n---\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD[:-9], "ends in the middle of a hunk"),
        (GOOD[:-1], "last line is cut off"),
        (GOOD[:-3], "last line is cut off"),
        (GOOD.replace("+1,2", "+1,3"), "ends in the middle of a hunk"),
        (GOOD.replace("-1,1 +1,2", "-1,1 +1,1"), "more lines|counts its lines wrong"),
        (GOOD.replace("b/lib", "b/../lib"), "outside the tree"),
        (GOOD.replace("a/lib", "/etc").replace("b/lib", "/etc"), "outside the tree"),
        ("\x00\x01binary", "neither a mail nor a diff"),
        ("", "is empty"),
    ],
)
def test_damaged_patches(
    office: History, kbisect: Run, tmp_path: Path, text: str, words: str
) -> None:
    place = tmp_path / "bad.patch"
    place.write_text(text)
    onto = ("--onto", "HEAD", "--branch", "never")
    said = complaint(kbisect("-C", office.path, "patch", "apply", place, *onto), 2)
    assert any(each in said for each in words.split("|"))
    assert "never" not in git(office.path, "branch", "--list")


@pytest.mark.parametrize("command", ["read", "check", "maintainers"])
def test_a_damaged_patch_is_refused_by_every_command(
    office: History, kbisect: Run, tmp_path: Path, command: str
) -> None:
    place = tmp_path / "bad.patch"
    place.write_text(GOOD[:-9])
    said = complaint(kbisect("-C", office.path, "patch", command, place, "--json"), 2)
    assert "ends in the middle of a hunk" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + LINK, "refused"),
        (HEAD + "diff --git a/x b/x\nBinary files a/x and b/x differ\n", "refused"),
        (GOOD.replace("lib/a.c", "lib/none.c"), "refused"),
        (GOOD.replace(" int a;", " int z;"), "conflict"),
        (GOOD.partition("---\n")[2], "names no author"),
    ],
)
def test_what_does_not_apply_makes_no_branch(
    tmp_path: Path, kbisect: Run, text: str, words: str
) -> None:
    top = tmp_path / "tree"
    top.mkdir()
    git(top, "init", "--quiet")
    commit(top, FILES, "begin")
    place = tmp_path / "bad.patch"
    place.write_text(text)
    before = git(top, "for-each-ref") + git(top, "status", "--porcelain")
    done = kbisect("-C", top, "patch", "apply", place, "--onto", "HEAD", "--branch", "never")
    assert words in complaint(done, 2)
    assert git(top, "for-each-ref") + git(top, "status", "--porcelain") == before


def test_carriage_returns_of_the_mail_are_no_part_of_the_patch(
    office: History, kbisect: Run, tmp_path: Path
) -> None:
    text = GOOD.replace("-1,1 +1,2", "-4,1 +4,2").replace("int a;", "int a3;")
    place = tmp_path / "crlf.patch"
    place.write_bytes(text.replace("\n", "\r\n").encode())
    done = kbisect("-C", office.path, "patch", "apply", place, "--onto", "HEAD", "--json")
    assert answer(done, "patch-apply")["applies"]


def test_a_repository_that_is_read_only_is_enough_with_a_store(
    nettrees: History, kbisect: Run, tmp_path: Path
) -> None:
    copy = tmp_path / "bare.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(nettrees.path), str(copy))
    before = sorted(str(path) for path in copy.rglob("*"))
    store = ("-C", copy, "--store", tmp_path / "store")
    done = kbisect(*store, "patch", "apply", THREAD, "--onto", "master", "--json")
    assert answer(done, "patch-apply")["applies"]
    assert kbisect(*store, "patch", "read", THREAD).returncode == 0
    assert sorted(str(path) for path in copy.rglob("*")) == before


def test_the_mail_set_up_is_looked_at(nettrees_copy: History, kbisect: Run) -> None:
    git(nettrees_copy.path, "config", "user.name", "Ada Test")
    git(nettrees_copy.path, "config", "user.email", "ada@example.org")
    git(nettrees_copy.path, "config", "sendemail.from", "Ada <other@example.org>")
    git(nettrees_copy.path, "config", "core.abbrev", "12")
    done = kbisect("-C", nettrees_copy.path, "doctor", "--json")
    checks = {each["name"]: each for each in json.loads(done.stdout)["checks"]}
    assert checks["name"]["health"] == "ok"
    assert checks["From"]["health"] == "limited"
    assert "other@example.org" in checks["From"]["detail"]
    assert checks["digits"]["health"] == "ok"
    assert "useAutoBase" in checks["base"]["hint"]


def test_the_user_s_taste_in_mails_changes_nothing(nettrees_copy: History, kbisect: Run) -> None:
    path = nettrees_copy.path
    here = ("-C", path, "patch", "read", nettrees_copy.marks[42], "--json")
    plain = kbisect(*here, env=os.environ | {})
    for key, value in {
        "format.subjectPrefix": "MINE",
        "format.attach": "x",
        "format.coverLetter": "true",
        "format.numbered": "true",
        "format.signature": "me",
        "format.useAutoBase": "true",
        "format.notes": "true",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.renames": "false",
        "diff.context": "9",
        "color.ui": "always",
    }.items():
        git(path, "config", key, value)
    assert kbisect(*here).stdout == plain.stdout


def test_a_tree_of_networking_is_a_place_to_apply_to(nettrees_copy: History, kbisect: Run) -> None:
    """The branch is called otherwise than the tree: what config remembers of it counts."""
    path = nettrees_copy.path
    tip = git(path, "rev-parse", "net-next").strip()
    git(path, "update-ref", "refs/heads/elsewhere", tip)
    git(path, "branch", "--quiet", "-D", "net-next")
    git(path, "config", "kbisect.tree.net-next.ref", "refs/heads/elsewhere")
    done = kbisect("-C", path, "patch", "apply", THREAD, "--onto", "net-next", "--json")
    assert answer(done, "patch-apply")["onto"] == tip
    assert "by refs/heads/elsewhere" in done.stderr


def _link(target: str) -> str:
    return HEAD + (
        "diff --git a/lib/link b/lib/link\nnew file mode 120000\n--- /dev/null\n+++ b/lib/link\n"
        f"@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"
    )


def test_a_symbolic_link_is_named_where_it_applies_and_where_it_is_read(
    office: History, kbisect: Run, tmp_path: Path
) -> None:
    place = tmp_path / "link.patch"
    place.write_text(_link("../MAINTAINERS"))
    here = ("-C", office.path, "patch")
    applied = kbisect(*here, "apply", place, "--onto", "HEAD").stdout
    assert "links lib/link to ../MAINTAINERS" in applied
    assert "symbolic link to ../MAINTAINERS" in kbisect(*here, "read", place).stdout
    named = answer(kbisect(*here, "maintainers", place, "--json"), "patch-maintainers")
    assert named["paths"] == ["lib/link"]  # not dev/null


@pytest.mark.parametrize("target", ["/etc/passwd", "../../etc", "x/../../.."])
def test_a_symbolic_link_that_leaves_the_tree_is_refused(
    office: History, kbisect: Run, tmp_path: Path, target: str
) -> None:
    place = tmp_path / "link.patch"
    place.write_text(_link(target))
    said = f"lib/link would link to {target}, outside the tree"
    here = ("-C", office.path, "patch")
    done = kbisect(*here, "apply", place, "--onto", "HEAD", "--exit-code")
    assert (done.returncode, done.stdout.splitlines()[1]) == (1, f"refused  x   ({said})")
    assert said in kbisect(*here, "read", place).stdout
    branch = kbisect(*here, "apply", place, "--onto", "HEAD", "--branch", "never")
    assert "refused" in complaint(branch, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--no-binary"], " and not in the mail: ask for git format-patch's"),
        (["--binary", "--no-full-index"], None),
        (["--binary"], " its index line cut: ask for git diff --full-index"),
    ],
)
def test_a_binary_patch_says_what_it_lacks(
    tmp_path: Path, kbisect: Run, options: list[str], words: str | None
) -> None:
    git(tmp_path, "init", "--quiet")
    first = commit(tmp_path, {"logo": "\0one\n"}, "begin")
    commit(tmp_path, {"logo": "\0two\n"}, "logo: another")
    raw = git(tmp_path, "format-patch", "--stdout", "-1", *options).encode()
    if words and "--binary" in options:
        at = raw.index(b"index ") + len(b"index ")
        raw = raw[: at + 7] + b".." + raw[at + 42 : at + 49] + raw[at + 82 :]
    place = tmp_path / "logo.patch"
    place.write_bytes(raw)
    done = kbisect("-C", tmp_path, "patch", "apply", place, "--onto", first)
    line = done.stdout.splitlines()[1]
    assert line == (f"refused  logo: another   (logo is binary,{words})" if words else CLEAN)
    assert "note: logo is binary" in kbisect("-C", tmp_path, "patch", "read", place).stdout


CLEAN = "clean    logo: another"


def test_a_mail_with_carriage_returns_says_so_in_one_line(
    office: History, kbisect: Run, tmp_path: Path
) -> None:
    place = tmp_path / "crlf.patch"
    place.write_bytes(GOOD.replace("\n", "\r\n").encode())
    read = kbisect("-C", office.path, "patch", "read", place).stdout
    assert read.count("CRLF") == 1
    assert "note: its lines end in CRLF: taken off, as git am does" in read
    applied = kbisect("-C", office.path, "patch", "apply", place, "--onto", "HEAD")
    assert applied.stderr.count("note: its lines end in CRLF") == 1


def test_a_commit_of_a_file_with_carriage_returns_applies(tmp_path: Path, kbisect: Run) -> None:
    """They are the file's own; a mail of it loses them, here as in git am."""
    git(tmp_path, "init", "--quiet")
    first = commit(tmp_path, {"dos.txt": "one\r\ntwo\r\n"}, "begin")
    commit(tmp_path, {"dos.txt": "one\r\n2\r\n"}, "dos: two")
    here = ("-C", tmp_path, "patch", "apply")
    applied = answer(kbisect(*here, "HEAD", "--onto", first, "--json"), "patch-apply")
    assert applied["tree"] == git(tmp_path, "rev-parse", "HEAD^{tree}").strip()
    mail = tmp_path / "dos.patch"
    mail.write_bytes(
        subprocess.run(
            ["git", "-C", str(tmp_path), "format-patch", "--stdout", "-1"],
            capture_output=True,
            check=True,
        ).stdout
    )
    assert not answer(kbisect(*here, mail, "--onto", first, "--json"), "patch-apply")["applies"]


def test_a_patch_in_html_is_refused_for_what_it_is(
    office: History, kbisect: Run, tmp_path: Path
) -> None:
    place = tmp_path / "html.eml"
    place.write_text("From: a@example.org\nSubject: [PATCH] x\nContent-Type: text/html\n\n<pre>x\n")
    done = kbisect("-C", office.path, "patch", "read", place)
    assert "only 1 mail of talk" in complaint(done, 2)
    assert "plain text" in done.stderr


def test_a_folder_of_mails_is_given_as_its_files(
    nettrees: History, kbisect: Run, tmp_path: Path
) -> None:
    oid = nettrees.marks[51]
    asked = ("format-patch", "--cover-letter", "-2", oid, "-o", str(tmp_path))
    files = git(nettrees.path, *asked).split()
    here = ("-C", nettrees.path, "patch")
    read = answer(kbisect(*here, "read", *files, "--json"), "patch-read")
    assert (read["total"], read["complete"], read["cover_letter"]) == (2, True, True)
    assert {each["patch"] for each in _results(kbisect(*here, "check", *files, "--json"))} >= {
        None,
        1,
        2,
    }
    onto = kbisect(*here, "apply", *files, "--onto", f"{oid}~2", "--json")
    assert [each["state"] for each in answer(onto, "patch-apply")["patches"]] == ["clean"] * 2
    named = answer(kbisect(*here, "maintainers", *files, "--json"), "patch-maintainers")
    assert named["paths"] == read["paths"]


def _results(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.stdout)["results"]
    return found
