# SPDX-License-Identifier: GPL-2.0-or-later
"""Series out of mailboxes: the newest version, in order, with what was answered."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kbisect.errors import UsageError
from kbisect.patch import loading, series, subjects
from kbisect.patch.series import Series
from kbisect.patch.subjects import Subject
from tests.conftest import FIXTURES, History, git

THREAD = (FIXTURES / "mails" / "thread.mbox").read_bytes()


def test_a_thread_gives_its_newest_series_in_order() -> None:
    found = series.read(THREAD)
    assert [patch.title for patch in found.patches] == [
        "demo: add a counter",
        "demo: declare it",
        "demo: Zählung beschreiben",
    ]
    assert (found.total, found.missing, found.first.version) == (3, (), 3)
    assert found.first.title == "demo: count what happens"
    assert found.base == "1" * 40
    assert found.others == ("v2 with 2 patches",)


def test_answers_are_counted_and_their_tags_kept() -> None:
    found = series.read(THREAD)
    assert found.replies == 2
    assert found.tags == (
        "Reviewed-by: Cy Test <cy@example.org>",
        "Acked-by: Bo Test <bo@example.org>",
    )


def test_the_author_in_the_text_wins_over_the_sender() -> None:
    first = series.read(THREAD).patches[0]
    assert first.mail.author == "Dee Test <dee@example.org>"
    assert first.mail.sender == "Ada Test <ada@example.org>"
    assert not first.message.startswith("From:")


def test_a_missing_patch_is_named_and_refused_where_all_are_needed() -> None:
    mails = THREAD.split(b"From mboxrd@z")
    kept = b"From mboxrd@z".join(mail for mail in mails if b"v3 net-next 2/3]" not in mail)
    found = series.read(kept)
    assert found.missing == (2,)
    with pytest.raises(UsageError, match="2/3 missing"):
        found.require_whole()


def test_git_am_takes_the_same_series(tmp_path: Path) -> None:
    """The thread's series, applied by git am, has our titles, authors and messages."""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "none")
    mails = {mail.split(b"Message-ID: <")[1].split(b"@")[0]: mail for mail in _mails()}
    for name in (b"v3-1", b"v3-2", b"v3-3"):
        git(tmp_path, "am", "--quiet", "-", stdin=mails[name])
    log = git(tmp_path, "log", "--reverse", "--format=%an <%ae>%n%B%x00", "HEAD~3..")
    theirs = [entry.strip() for entry in log.split("\0") if entry.strip()]
    found = series.read(THREAD)
    assert theirs == [f"{each.mail.author}\n{each.message}".strip() for each in found.patches]


def _mails() -> list[bytes]:
    parts = THREAD.split(b"From mboxrd@z")[1:]
    return [b"From mboxrd@z" + part for part in parts]


def test_what_format_patch_writes_is_read(nettrees: History) -> None:
    mbox = git(nettrees.path, "format-patch", "--stdout", "--cover-letter", "v3.13-rc1..v3.13-rc2")
    expected = git(
        nettrees.path, "log", "--no-merges", "--reverse", "--format=%s", "v3.13-rc1..v3.13-rc2"
    ).splitlines()
    found = series.read(mbox.encode())
    titles = {patch.title for patch in found.patches}
    # One commit changes nothing that a mail could carry.
    assert titles <= set(expected)
    assert len(titles) >= len(set(expected)) - 1
    assert found.cover is not None


def test_loose_patches_keep_their_order(nettrees: History) -> None:
    one, two = (
        git(nettrees.path, "format-patch", "--stdout", "-1", nettrees.marks[mark])
        for mark in (42, 124)
    )
    found = series.read((two + one).encode())
    assert [patch.title.split(":")[0] for patch in found.patches] == ["wlan9", "acme"]
    assert found.total == 2


def test_a_revision_a_range_and_a_merge(nettrees: History) -> None:
    repository = nettrees.repository
    alone = loading.of_commits(repository, nettrees.marks[42])
    assert (alone.source, alone.total) == ("repository", 1)
    assert alone.base == git(nettrees.path, "rev-parse", f"{nettrees.marks[42]}^").strip()
    with pytest.raises(UsageError, match="is a merge"):
        loading.of_commits(repository, nettrees.marks[37])
    with pytest.raises(UsageError, match="holds no commits"):
        loading.of_commits(repository, "v3.12..v3.11")
    with pytest.raises(UsageError, match="neither a file nor a revision"):
        loading.of_commits(repository, "no-such-thing")


def test_what_the_shell_pipes_in_is_a_file(nettrees: History, tmp_path: Path) -> None:
    """As in `kbisect patch read <(git format-patch --stdout -1)`."""
    pipe = tmp_path / "63"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(THREAD,), daemon=True)
    writer.start()
    found = loading.load(lambda: nettrees.repository, [str(pipe)], bytes)
    writer.join(10)
    assert found.total == 3


def test_talk_alone_is_no_series() -> None:
    with pytest.raises(UsageError, match="only 1 mail of talk"):
        series.read(b"From: a@example.org\nSubject: Re: [PATCH] x\n\nNo.\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "[PATCH v3 net-next 02/11] acme: count",
            Subject("acme: count", ("net-next",), 3, 2, 11, True, is_numbered=True),
        ),
        ("[PATCH net] a: b", Subject("a: b", ("net",), is_patch=True)),
        ("[PATCHv2,bpf-next] a: b", Subject("a: b", ("bpf-next",), 2, is_patch=True)),
        ("[net-next PATCH V2] a: b", Subject("a: b", ("net-next",), 2, is_patch=True)),
        ("[PATCH][net-next] a: b", Subject("a: b", ("net-next",), is_patch=True)),
        (
            "[RFC PATCH net-next 0/3] a",
            Subject("a", ("net-next",), 1, 0, 3, True, True, is_numbered=True),
        ),
        ("[PATCH RESEND net] a", Subject("a", ("net",), is_patch=True, is_resend=True)),
        ("Re: [PATCH net] a", Subject("a", ("net",), is_patch=True, is_reply=True)),
        ("RE: AW: a", Subject("a", is_reply=True)),
        ("[PATCH] [IPV4]: an old style", Subject("[IPV4]: an old style", is_patch=True)),
        ("acme: [sic] a", Subject("acme: [sic] a")),
        ("", Subject("")),
    ],
)
def test_subjects(text: str, expected: Subject) -> None:
    assert subjects.read(text) == expected


def test_an_import_is_no_patch(office: History, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loading.of_commits(office.repository, office.marks[1]).paths
    monkeypatch.setattr(loading, "_WHOLE_TREE", 3)
    with pytest.raises(UsageError, match="a whole tree, not a patch"):
        loading.of_commits(office.repository, office.marks[1])


def _written(nettrees: History, place: Path, *options: str) -> list[str]:
    """Write two patches with git format-patch; return the files."""
    asked = (*options, "-2", nettrees.marks[51], "-o", str(place))
    return git(nettrees.path, "format-patch", *asked).split()


def _load(nettrees: History, *given: str) -> Series:
    return loading.load(lambda: nettrees.repository, given, bytes)


@pytest.mark.parametrize("options", [("--numbered",), ("--no-numbered",), ("--cover-letter",)])
def test_several_files_are_one_series(
    nettrees: History, tmp_path: Path, options: tuple[str, ...]
) -> None:
    files = _written(nettrees, tmp_path, *options)
    whole = _load(nettrees, f"{nettrees.marks[51]}~2..{nettrees.marks[51]}")
    found = _load(nettrees, *files)
    assert [patch.title for patch in found.patches] == [patch.title for patch in whole.patches]
    assert [(p.subject.number, p.subject.total) for p in found.patches] == [(1, 2), (2, 2)]
    assert found.is_complete
    assert (found.cover is not None) == ("--cover-letter" in options)


def test_several_revisions_are_one_series_in_the_order_given(nettrees: History) -> None:
    oid = nettrees.marks[51]
    found = _load(nettrees, f"{oid}~1", oid)
    whole = _load(nettrees, f"{oid}~2..{oid}")
    assert [patch.title for patch in found.patches] == [patch.title for patch in whole.patches]
    assert [patch.subject.number for patch in found.patches] == [1, 2]
    assert (found.source, found.total) == ("repository", 2)


def test_files_of_another_series_are_told_and_left_aside(nettrees: History, tmp_path: Path) -> None:
    one = _written(nettrees, tmp_path / "a", "--numbered")
    other = tmp_path / "other.patch"
    other.write_text(Path(one[0]).read_text().replace("[PATCH 1/2] ", "[PATCH 1/2] another "))
    found = _load(nettrees, *one, str(other))
    assert len(found.patches) == 2
    assert [each.startswith("another 1/2: another ") for each in found.others] == [True]


def test_what_cannot_be_one_series_is_refused_by_name(nettrees: History, tmp_path: Path) -> None:
    one, two = _written(nettrees, tmp_path, "--numbered")
    with pytest.raises(UsageError, match=r"gone\.patch is no file, but others are"):
        _load(nettrees, one, "gone.patch")
    with pytest.raises(UsageError, match="is named twice"):
        _load(nettrees, one, one)
    Path(two).write_text(Path(two).read_text().replace("\n+", "\n+x\n+", 1))
    with pytest.raises(UsageError, match=subjects.read(_subject(two)).title):
        _load(nettrees, one, two)


def _subject(file: str) -> str:
    lines = Path(file).read_text().splitlines()
    return next(line for line in lines if line.startswith("Subject:")).partition(" ")[2]


def test_a_mail_that_was_cut_off_is_refused_wherever_the_cut_is(tmp_path: Path) -> None:
    """Between two files the rest is a patch by itself; in the last line of all nobody can tell."""
    git(tmp_path, "init", "--quiet")
    for text in ("one\n", "two\n"):
        for name in ("a.c", "b.c"):
            (tmp_path / name).write_text(text)
        (tmp_path / f"{text[:3]}.c").write_text("int new;\n")
        git(tmp_path, "add", "--all")
        git(tmp_path, "commit", "--quiet", "-m", text)
    raw = git(tmp_path, "format-patch", "--stdout", "-1").encode()
    whole = series.read(raw)
    assert len(whole.patches[0].files) == 3
    start, end = raw.index(b"@@ "), raw.index(b"\n-- \n")
    for at in range(start, raw.index(b"+int new")):
        with pytest.raises(UsageError):
            series.read(raw[:at])
    assert series.read(raw[: end + 1]).patches[0].files == whole.patches[0].files
