# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail in all shapes: git mailinfo is asked what each means."""

from __future__ import annotations

from contextlib import suppress
from email.utils import parseaddr
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.errors import UsageError
from kbisect.patch import diffs, mails, series
from tests.conftest import FIXTURES, History, git
from tests.patch import shapes

# An umlaut in the name; latin-1; only MAINTAINERS; a rename; two files with odd names.
_BITS = (
    *(b"\n", b"\r\n", b"\0", b"From x Mon Jan  1 00:00:00 1970\n", b"\n\n", b"=?utf-8?b?/w==?="),
    *(b"Content-Type: multipart/mixed; boundary=x\n", b"--- a/x\n+++ b/x\n", b"@@ -1 +1 @@\n"),
    *(
        b"GIT binary patch\n",
        b"rename from x\n",
        b"Content-Transfer-Encoding: base64\n",
        b"[",
        b"]",
    ),
    *(b"diff --git a/x b/y\n", b"Content-Type: text/plain; charset=\xff\n", b"PATCH 7/3]"),
)
MARKS = (42, 48, 80, 83, 188)


def mail_of(history: History, mark: int) -> bytes:
    return git(
        history.path, "format-patch", "--stdout", "-1", "--full-index", history.marks[mark]
    ).encode()


@pytest.mark.parametrize("shape", shapes.ALL, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("mark", MARKS)
def test_a_mail_is_read_as_git_reads_it(
    nettrees: History, tmp_path: Path, mark: int, shape: shapes.Shape
) -> None:
    raw = shape(mail_of(nettrees, mark))
    theirs = shapes.mailinfo(raw.split(b"\n", 1)[1] if raw.startswith(b"From ") else raw, tmp_path)
    [ours] = mails.read(raw)
    assert parseaddr(ours.author) == parseaddr(theirs.author)
    assert ours.subject == theirs.subject
    assert ours.message == theirs.message
    assert diffs.parse(ours.diff) == diffs.parse(theirs.diff)


def test_a_thread_is_as_many_mails_as_git_mailsplit_says(tmp_path: Path) -> None:
    place = FIXTURES / "mails" / "thread.mbox"
    count = int(git(tmp_path, "mailsplit", f"-o{tmp_path}", str(place)))
    assert len(mails.read(place.read_bytes())) == count


def test_a_line_that_begins_with_from_parts_no_mail() -> None:
    raw = b"From: a@example.org\nSubject: [PATCH] x\n\nFrom here on it works.\nFrom 8:00 too.\n"
    [only] = mails.read(raw)
    assert "From here on it works." in only.message


@pytest.mark.parametrize("declared", ["", "us-ascii", "utf-8", "x-no-such-charset", "utf-7bit"])
def test_a_charset_that_lies_costs_no_text(declared: str) -> None:
    kind = f"Content-Type: text/plain; charset={declared}\n" if declared else ""
    head = f"From: a@example.org\nSubject: [PATCH] x\n{kind}\n"
    [only] = mails.read(head.encode() + b"Gr\xfc\xdfe\n")
    assert only.message == "Grüße"
    assert any("read as Latin-1" in remark for remark in only.remarks)


def test_utf_8_is_read_where_nothing_is_declared() -> None:
    [only] = mails.read("From: Jörg <a@example.org>\nSubject: Grüße\n\nGrüße\n".encode())
    assert (only.author, only.subject, only.message) == ("Jörg <a@example.org>", "Grüße", "Grüße")
    assert only.remarks == ()


def test_an_attached_patch_is_read_and_said() -> None:
    raw = (
        b"From: a@example.org\nSubject: [PATCH] x\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/plain\n\nSee below.\n\n"
        b"--b\nContent-Type: application/octet-stream; name=x.patch\n"
        b"Content-Disposition: attachment; filename=x.patch\nContent-Transfer-Encoding: base64\n\n"
        b"LS0tIGEveAorKysgYi94CkBAIC0xICsxIEBACi1hCitiCg==\n"
        b"--b\nContent-Type: text/html\n\n<p>See below.\n--b--\n"
    )
    [only] = mails.read(raw)
    assert only.message == "See below."
    assert only.diff == b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    assert any("attachment" in remark for remark in only.remarks)
    assert any("HTML" in remark for remark in only.remarks)


@pytest.mark.parametrize(
    ("delsp", "text", "expected"),
    [
        ("no", b"one \ntwo\n-- \n> q\n", "one two\n-- \n> q"),
        ("yes", b"one \ntwo\n", "onetwo"),
    ],
)
def test_flowed_lines_are_joined(delsp: str, text: bytes, expected: str) -> None:
    kind = f"text/plain; format=flowed; delsp={delsp}"
    head = f"From: a@example.org\nSubject: x\nContent-Type: {kind}\n\n"
    [only] = mails.read(head.encode() + text)
    assert only.message.rstrip() == expected.rstrip()


def test_a_bare_diff_is_a_mail_without_headers() -> None:
    [only] = mails.read(b"some words\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")
    assert only.message == "some words"
    assert only.author == ""
    assert only.diff.startswith(b"--- a/x")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"just words\nand more\n", "neither a mail nor a diff"),
        (b"\x00\x01\x02\xff", "neither a mail nor a diff"),
    ],
)
def test_what_is_no_mail_is_refused(raw: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        mails.read(raw)


_THREAD = (FIXTURES / "mails" / "thread.mbox").read_bytes()
_SLICES = st.tuples(
    st.integers(0, len(_THREAD)),
    st.integers(0, 60),
    st.binary(max_size=12) | st.sampled_from(_BITS),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_SLICES, min_size=1, max_size=4))
def test_whatever_a_mailbox_holds_it_is_read_or_refused(
    changes: list[tuple[int, int, bytes]],
) -> None:
    raw = _THREAD
    for at, size, new in changes:
        raw = raw[:at] + new + raw[at + size :]
    with suppress(UsageError):
        found = series.read(raw)
        assert found.patches
        for patch in found.patches:
            assert patch.message
            assert patch.files


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(UsageError):
        mails.read(raw)


@pytest.mark.parametrize("charset", ["x-none", "a\0b", "rot13", "undefined", "idna"])
def test_a_charset_that_is_none_is_read_as_latin_1(charset: str) -> None:
    head = (
        f'From: a@example.org\nSubject: [PATCH] x\nContent-Type: text/plain; charset="{charset}"\n'
    )
    [mail] = mails.read(head.encode() + b"\nGr\xfc\xdfe.\n---\n")
    assert mail.message == "Grüße."
