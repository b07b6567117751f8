# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad input gets one clear line, the next thing to try, and the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import History, Run, git


def complaint(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Check the form of a failure, and return its words."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line]
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("kbisect: ")
    assert lines[1].startswith("  try: ")
    return done.stderr


def test_not_a_repository(tmp_path: Path, kbisect: Run) -> None:
    assert "not a git repository" in complaint(kbisect("-C", tmp_path, "index"), 128)
    missing = kbisect("-C", tmp_path / "nowhere", "index", "--json")
    assert "no such directory" in complaint(missing, 128)


def test_a_repository_of_somebody_else(nettrees_copy: History, kbisect: Run) -> None:
    if os.geteuid():
        pytest.fail("run as root: only root can give a repository away")
    subprocess.run(["chown", "-R", "12345:12345", str(nettrees_copy.path)], check=True)
    words = complaint(kbisect("-C", nettrees_copy.path, "index"), 128)
    assert "owned by someone else" in words
    assert "safe.directory" in words


def test_a_shallow_clone(nettrees: History, tmp_path: Path, kbisect: Run) -> None:
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=5", f"file://{nettrees.path}", str(clone))
    words = complaint(kbisect("-C", clone, "index"), 128)
    assert "shallow" in words
    assert "git fetch --unshallow" in words


@pytest.fixture
def partial(nettrees: History, tmp_path: Path) -> Path:
    git(nettrees.path, "config", "uploadpack.allowFilter", "true")
    git(nettrees.path, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = tmp_path / "partial"
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--bare",
        "--filter=tree:0",
        f"file://{nettrees.path}",
        str(clone),
    )
    return clone


def test_a_partial_clone_names_what_is_absent_and_fetches_nothing(
    partial: Path, kbisect: Run
) -> None:
    before = git(partial, "count-objects", "-v")
    words = complaint(kbisect("-C", partial, "index"), 128)
    assert "absent from this partial clone" in words
    assert git(partial, "count-objects", "-v") == before


def test_a_whole_copy_with_a_promisor_file_is_no_partial_clone(
    nettrees_copy: History, kbisect: Run
) -> None:
    git(nettrees_copy.path, "repack", "-adq")
    pack = next((nettrees_copy.path / ".git" / "objects" / "pack").glob("*.pack"))
    pack.with_suffix(".promisor").touch()
    done = kbisect("-C", nettrees_copy.path, "index", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["commits"] == 213


def test_a_lender_of_objects_that_is_gone(nettrees: History, tmp_path: Path, kbisect: Run) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(nettrees.path), "borrower")
    alternates = tmp_path / "borrower" / "objects" / "info" / "alternates"
    alternates.write_text(f"{tmp_path}/gone/objects\n")
    words = complaint(kbisect("-C", tmp_path / "borrower", "api", "xref", "sk_buff"), 128)
    assert f"borrows objects from {tmp_path}/gone/objects, which is not there" in words


@pytest.mark.parametrize(
    "arguments", [["api", "show", "sk_buff"], ["api", "diff", "v3.11", "v3.12"]]
)
def test_a_damaged_object(nettrees_copy: History, kbisect: Run, arguments: list[str]) -> None:
    where = nettrees_copy.path
    blob = git(where, "rev-parse", "HEAD:include/linux/skbuff.h").strip()
    if arguments[1] == "diff":
        blob = git(where, "rev-parse", "v3.12").strip()
    (pack,) = (where / ".git" / "objects" / "pack").glob("*.pack")
    content = pack.read_bytes()
    pack.with_suffix(".idx").unlink()
    pack.unlink()
    git(where, "unpack-objects", "-q", stdin=content)
    damaged = where / ".git" / "objects" / blob[:2] / blob[2:]
    damaged.chmod(0o644)
    damaged.write_text("garbage")
    words = complaint(kbisect("-C", where, *arguments), 128)
    assert f"{blob} is missing here, or damaged" in words


def test_sha256_names(tmp_path: Path, kbisect: Run) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", ".")
    assert "sha256" in complaint(kbisect("-C", tmp_path, "index"), 128)


@pytest.mark.parametrize(
    ("name", "then"),
    [
        (b"new\nline", ["backport", "list", "linux-3.12.y"]),
        (b"l\xe4tin", ["bisect", "run", "--good=v3.11", "--bad=v3.12", "test", "-e", "README"]),
    ],
)
def test_a_path_that_no_table_can_hold(
    indexed_copy: History, tmp_path: Path, kbisect: Run, name: bytes, then: list[str]
) -> None:
    where = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    indexed_copy.path.rename(where)
    assert "--store DIR" in complaint(kbisect("-C", where, "index"), 2)
    (where / ".git" / "kbisect").rename(tmp_path / "store")
    done = kbisect("-C", where, "--store", tmp_path / "store", *then)
    assert done.returncode in (0, 1), done.stderr


def test_git_s_own_variables_say_which_repository(
    nettrees: History, tmp_path: Path, kbisect: Run
) -> None:
    named = {"GIT_DIR": str(nettrees.path / ".git"), "GIT_DEFAULT_HASH": "sha256"}
    there = kbisect("show", "v3.12", "--json", env=named, cwd=tmp_path)
    assert json.loads(there.stdout)["oid"] == git(nettrees.path, "rev-parse", "v3.12^{}").strip()
    complaint(kbisect("-C", tmp_path, "show", "v3.12", env=named), 128)


def test_an_unknown_revision(nettrees: History, kbisect: Run) -> None:
    words = complaint(kbisect("-C", nettrees.path, "show", "v3.99"), 2)
    assert "unknown revision: v3.99" in words


def test_what_looks_like_an_option_is_no_revision(nettrees: History, kbisect: Run) -> None:
    complaint(kbisect("-C", nettrees.path, "show", "--", "--output=/tmp/x"), 2)


def test_no_index_yet(nettrees_copy: History, kbisect: Run) -> None:
    words = complaint(kbisect("-C", nettrees_copy.path, "query", "reverts"), 2)
    assert "no index" in words
    assert "kbisect index" in words


def test_an_unborn_branch(tmp_path: Path, kbisect: Run) -> None:
    git(tmp_path, "init", "--quiet", ".")
    words = complaint(kbisect("-C", tmp_path, "index"), 2)
    assert "no commits" in words


@pytest.fixture
def read_only(nettrees_copy: History, tmp_path: Path) -> Iterator[Path]:
    """A repository on a read-only mount: mode bits don't bind root."""
    mount = tmp_path / "read-only"
    mount.mkdir()
    subprocess.run(["mount", "--bind", str(nettrees_copy.path), str(mount)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(mount)], check=True)
    yield mount
    subprocess.run(["umount", str(mount)], check=True)


def test_a_read_only_repository_works_with_a_store_elsewhere(
    read_only: Path, tmp_path: Path, kbisect: Run
) -> None:
    words = complaint(kbisect("-C", read_only, "index"), 4)
    assert "--store" in words
    elsewhere = ("-C", read_only, "--store", tmp_path / "store")
    assert kbisect(*elsewhere, "index").returncode == 0
    assert kbisect(*elsewhere, "backport", "list", "linux-3.12.y").returncode == 0


def test_a_full_disk(nettrees_copy: History, tmp_path: Path, kbisect: Run) -> None:
    tiny = tmp_path / "tiny"
    tiny.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(tiny)], check=True)
    try:
        words = complaint(kbisect("-C", nettrees_copy.path, "--store", tiny, "index"), 4)
        assert "No space left" in words
        assert not list(tiny.glob("index/0*"))
    finally:
        subprocess.run(["umount", str(tiny)], check=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["query"],
        ["query", "no-such-query"],
        ["query", "--list", "no-such-query"],
        ["query", "fixes", "-p", "nope=1"],
        ["query", "fixes", "-p", "nope"],
        ["query", "--sql", "SELEC 1"],
        ["query", "--sql", "DROP VIEW commits"],
        ["index", "--tree", "net"],
        ["graph", "v3.11...v3.12"],
        ["window", "--at", "yesterday"],
        ["backport", "list", "net", "--base", "net-next"],
        ["backport", "list", "linux-3.12.y", "--path", "net/nosuch"],
        ["index", "--path", "nosuch"],
        ["backport", "list", "linux-3.12.y", "--upstream", "nowhere"],
        ["show"],
        ["show", "--no-such-option"],
        ["query", "--sql", "SELECT '\udce4'"],
        ["query", "fixes", "-p", "path=\udce4"],
        ["-c", "no-value", "show", "HEAD"],
        ["graph", "--format", "gif"],
    ],
    ids=" ".join,
)
def test_a_request_that_can_not_be_carried_out(
    nettrees: History, kbisect: Run, arguments: list[str]
) -> None:
    complaint(kbisect("-C", nettrees.path, *arguments), 2)


@pytest.mark.parametrize(
    ("name", "words", "hint"),
    [
        ("HEAD^{tree}", "a tree object, not a commit", "give the commit: HEAD"),
        ("v3.12:net/core/dev.c", "a file, not a commit", "give the commit: v3.12"),
        ("v3.11..v3.12", "a range, and one commit is needed", "give one end: v3.12"),
        ("^v3.12", "a range, and one commit is needed", "give one end: v3.12"),
        ("", "a revision is empty", "a branch, a tag"),
        ("0" * 39 + "1", "no commit 0000", "isn't fetched"),
        ("a\nb", "unknown revision: a\\nb", "releases"),
    ],
)
def test_what_is_no_commit_is_called_what_it_is(
    nettrees: History, kbisect: Run, name: str, words: str, hint: str
) -> None:
    told = complaint(kbisect("-C", nettrees.path, "show", "--json", name), 2).splitlines()
    assert words in told[0]
    assert hint in told[1]


def test_a_branch_that_only_a_remote_has_is_offered(
    nettrees: History, tmp_path: Path, kbisect: Run
) -> None:
    """And one that is a tree, a stable branch say, is taken, and that is said."""
    git(tmp_path, "clone", "--quiet", str(nettrees.path), "clone")
    clone = tmp_path / "clone"
    git(clone, "update-ref", "refs/remotes/origin/try-this", "HEAD~3")
    kbisect("-C", clone, "index")
    words = complaint(kbisect("-C", clone, "show", "try-this"), 2)
    assert "did you mean origin/try-this?" in words
    done = kbisect("-C", clone, "show", "linux-3.12.y")
    assert done.returncode == 0
    assert "by refs/remotes/origin/linux-3.12.y" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["index", "--store", "X"], "kbisect --store DIR index"),
        (["bisect", "status", "-C", "X"], "kbisect -C DIR bisect status"),
        (["show", "--no-pager", "HEAD"], "kbisect --no-pager show"),
        (["shwo", "HEAD"], "did you mean show"),
        (["api", "dif"], "did you mean diff"),
        (["index", "--ful"], "did you mean --full"),
        (["bisect", "run", "--timeout", "nan", "./test.sh"], "kbisect bisect run --help"),
    ],
)
def test_a_slip_of_the_command_line_is_put_right(
    kbisect: Run, arguments: list[str], hint: str
) -> None:
    assert f"try: {hint}" in complaint(kbisect(*arguments), 2)


@pytest.mark.parametrize(
    ("pattern", "content", "arguments"),
    [
        ("current", b"../../nowhere", ["api", "history", "sk_buff"]),
        ("current", b"\0\1", ["api", "history", "sk_buff"]),
        ("0*/people.parquet", b"no magic", ["query", "fixes"]),
        ("0*/oids.npy", b"no magic", ["graph"]),
    ],
)
def test_a_damaged_index(
    indexed_copy: History, kbisect: Run, pattern: str, content: bytes, arguments: list[str]
) -> None:
    (damaged,) = (indexed_copy.repository.store / "index").glob(pattern)
    size = damaged.stat().st_size if damaged.suffix else 0
    damaged.write_bytes(content.ljust(size, b"\n"))
    words = complaint(kbisect("-q", "-C", indexed_copy.path, *arguments), 2)
    assert "kbisect index --full" in words


def test_a_bug_in_kbisect_is_told_from_an_error(
    nettrees_copy: History, kbisect: Run, tmp_path: Path
) -> None:
    kbisect("-C", nettrees_copy.path, "index")
    generation = next(nettrees_copy.repository.store.glob("index/0*"))
    meta = json.loads((generation / "meta.json").read_text())
    # No writer of ours makes this; whatever breaks on it is a bug by definition.
    meta["paths"] = [7]
    (generation / "meta.json").write_text(json.dumps(meta))
    done = kbisect("-C", nettrees_copy.path, "show", "v3.12", env={"TMPDIR": str(tmp_path)})
    assert done.returncode == 3
    assert "a bug in kbisect" in done.stderr
    log = next(tmp_path.glob("kbisect-bug-*.log"))
    assert "Traceback" in log.read_text()
    assert str(log) in done.stderr


def test_text_from_a_commit_can_not_drive_the_terminal(indexed_copy: History, kbisect: Run) -> None:
    where = indexed_copy.path
    head = git(where, "cat-file", "commit", "master").partition("\n\n")[0]
    messages = {
        b"net: \x1b]0;owned\x07\x1b[31mred\n": "\\x1b]0;owned\\x07\\x1b[31mred",
        b"net: \xe2\x80\xaetxet\n": "\\u202etxet",
        b"net: a NUL\0here\n": "a NUL",
        b"net: b\xe4d\rbytes\n": "d\\x0dbytes",
    }
    oids = []
    for number, message in enumerate(messages):
        raw = f"{head}\n\n".encode() + message
        written = git(where, "hash-object", "-wt", "commit", "--literally", "--stdin", stdin=raw)
        oids.append(written.strip())
        git(where, "update-ref", f"refs/heads/hostile-{number}", oids[-1])
    assert kbisect("-C", where, "index").returncode == 0
    for oid, shown in zip(oids, messages.values(), strict=True):
        done = kbisect("-C", where, "show", oid)
        assert shown in done.stdout
        assert not set(done.stdout + done.stderr) & set("\x1b\x07\u202e\0\r")
    subjects = ("query", "--json", "--sql", "SELECT subject FROM commits")
    assert json.loads(kbisect("-C", where, *subjects).stdout)["rows"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, kbisect.cli.main as m\n"
        "try: m.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'networkx', 'pygit2', 'duckdb', 'matplotlib', 'numpy', 'pyarrow'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "backport" in done.stdout


def test_each_error_class_wants_a_hint() -> None:
    from kbisect.errors import KbisectError

    with pytest.raises(ValueError, match="without a hint"):
        KbisectError("it broke", hint="")
