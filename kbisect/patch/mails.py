# SPDX-License-Identifier: GPL-2.0-or-later
"""Mail as lists send it: mailboxes, encodings, attachments, charsets that lie.

What `git am` takes is read as `git mailinfo` reads it: a line that begins with `From ` and ends in
a date parts two mails, carriage returns at line ends go, the commit message is decoded and the diff
stays bytes.
"""

from __future__ import annotations

import email
import email.errors
import email.policy
import email.utils
import re
from dataclasses import dataclass, field, replace
from email.header import decode_header
from email.message import Message

from kbisect.errors import UsageError
from kbisect.patch import diffs

# A date that no mail has, so that `file` knows what it is.
_FORMAT_PATCH = re.compile(rb"From ([0-9a-f]{40}) Mon Sep 17 00:00:00 2001$")
_FROM_LINE = re.compile(rb"From \S.*\d\d?:\d\d(?::\d\d)?\b.*(?:19[7-9]|2\d\d)\d\b.*$")
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:(?:[ \t]|$)")
HTML = "it has a part in HTML, which was passed over"
CRLF_TAKEN = "its lines end in CRLF: taken off, as git am does without --keep-cr"
CRLF_KEPT = "its diff ends lines in CRLF, encoded: kept, as git am does without --quoted-cr=strip"
"""Remarks."""
_ON_THE_WAY = ("Received", "Return-Path", "List-Id", "X-Mailer")
_CODED = {"base64", "quoted-printable"}
_PATCH_NAME = re.compile(r"\.(?:patch|diff)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, decoded.

    Attributes
    ----------
    subject : on one line, with its `[PATCH …]`
    author : `Ada Test <ada@example.org>`; an in-body From: wins
    sender : whose mail it is, the From: header
    date : as written
    to, cc : header lines
    message_id, parents : without angle brackets; parents are In-Reply-To and References
    message : text before `---`, without in-body headers
    notes : text between `---` and the diff
    diff : from the first file on; empty in a cover letter or a reply
    text : the headers and the text as a person would save it, for whoever looks for words
    remarks : what was odd about it
    is_delivered : a server has had it in hands, so its date is when it was sent
    commit : the one that `git format-patch` made it of, empty where its first line was lost
    """

    subject: str
    author: str
    sender: str
    date: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    message_id: str
    parents: tuple[str, ...]
    message: str
    notes: str
    diff: bytes
    text: str
    remarks: tuple[str, ...] = ()
    is_delivered: bool = False
    commit: str = ""


def read(raw: bytes, name: str = "the input", *, keep_cr: bool = False) -> list[Mail]:
    """Read a mailbox, a single mail, or a bare diff (a mail without headers).

    Parameters
    ----------
    name : what it is called in errors
    keep_cr : leave carriage returns at line ends: git wrote them itself, no mail server did

    Raises
    ------
    UsageError
        It is none of these.
    """
    if raw.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03")):
        raise UsageError(f"{name} is compressed", hint="unpack it first")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        raise UsageError(f"{name} is empty", hint="give a patch, a mailbox or a revision")
    parts = _split(raw, keep_cr=keep_cr)
    if len(parts) == 1 and not _HEADER.match(parts[0].text.lstrip()):
        lines = parts[0].text.split(b"\n")
        if diffs.start(lines) == len(lines):
            raise UsageError(
                f"{name} is neither a mail nor a diff",
                hint="give a patch as `git format-patch` or a mail reader saves it",
            )
        return [parts[0].told(_bare(lines))]
    return [part.told(_mail(part.text)) for part in parts]


@dataclass(slots=True)
class _Part:
    """A mail of a mailbox: the commit that git wrote into its first line, its lines as they are."""

    commit: str
    lines: list[bytes] = field(default_factory=list)
    has_lost_cr: bool = False

    @property
    def text(self) -> bytes:
        return b"\n".join(self.lines).lstrip(b"\n")

    def told(self, mail: Mail) -> Mail:
        """Return the mail that was read of it, with what only its raw lines told."""
        remarks = (*mail.remarks, CRLF_TAKEN) if self.has_lost_cr else mail.remarks
        return replace(mail, commit=self.commit, remarks=remarks)


def _split(raw: bytes, *, keep_cr: bool) -> list[_Part]:
    """Part a mailbox; carriage returns at the ends of lines go, as `git mailsplit` does it."""
    parts = [_Part("")]
    for line in raw.split(b"\n"):
        plain = line.removesuffix(b"\r")
        if plain.startswith(b"From ") and _FROM_LINE.match(plain):
            made_of = _FORMAT_PATCH.match(plain)
            parts.append(_Part(made_of[1].decode() if made_of else ""))
        else:
            parts[-1].lines.append(line if keep_cr else plain)
            parts[-1].has_lost_cr |= plain != line and not keep_cr
    for part in parts[:-1]:
        part.lines.append(b"")  # the line before the next mail has an end, too
    return [part for part in parts if part.text.strip()]


def _bare(lines: list[bytes]) -> Mail:
    at = diffs.start(lines)
    said = b"\n".join(lines[:at])
    diff = b"\n".join(lines[at:])
    message, remark = _decoded(said, None)
    text = message + "\n" + diff.decode("utf-8", "replace")
    return Mail(
        *("", "", "", ""), *((), ()), *("", ()), message.strip(), "", diff, text, (*remark,)
    )


def _mail(raw: bytes) -> Mail:
    parsed = email.message_from_bytes(raw, policy=email.policy.compat32)
    remarks: list[str] = []
    body, charset = _body(parsed, remarks)
    said, notes, diff = _parted(body)
    message, remark = _decoded(said, charset)
    remarks += remark
    after, _ = _decoded(notes, charset)
    headers, message = _in_body(message)
    sender = _header(parsed, "from")
    subject = headers.get("subject") or _header(parsed, "subject")
    if b"\r\n" in diff and str(parsed.get("content-transfer-encoding", "")).lower() in _CODED:
        remarks.append(CRLF_KEPT)
    names = ("from", "to", "cc", "subject", "date", "message-id")
    shown = [f"{name.title()}: {value}" for name in names if (value := _header(parsed, name))]
    text = "\n".join([*shown, "", message]) + f"\n---\n{after}"
    return Mail(
        subject=subject,
        author=headers.get("from") or sender,
        sender=sender,
        date=headers.get("date") or _header(parsed, "date"),
        to=_headers(parsed, "to"),
        cc=_headers(parsed, "cc"),
        message_id=_header(parsed, "message-id").strip("<> \t"),
        parents=tuple(
            dict.fromkeys(
                re.findall(
                    r"<([^<>\s]+)>",
                    f"{_header(parsed, 'references')} {_header(parsed, 'in-reply-to')}",
                )
            )
        ),
        message=message,
        notes=after.strip("\n"),
        diff=diff,
        text=text + diff.decode("utf-8", "replace"),
        remarks=tuple(dict.fromkeys(remarks)),
        is_delivered=any(name in parsed for name in _ON_THE_WAY),
    )


# --- headers --------------------------------------------------------------------------------------


def _headers(message: Message, name: str) -> tuple[str, ...]:
    # As they stand in the mail: get_all() gives up the bytes of an 8-bit header.
    return tuple(_plain(str(value)) for key, value in message.raw_items() if key.lower() == name)


def _header(message: Message, name: str) -> str:
    found = _headers(message, name)
    return found[0] if found else ""


def _plain(value: str) -> str:
    """Decode one header: RFC 2047, or raw 8-bit (which the parser gives as surrogates)."""
    unfolded = re.sub(r"\r?\n[ \t]*", " ", value)
    raw = unfolded.encode("utf-8", "surrogateescape")
    if not raw.isascii():
        return " ".join(_decoded(raw, None)[0].split())
    try:
        parts = decode_header(unfolded)
    except (ValueError, email.errors.HeaderParseError):
        parts = [(unfolded, None)]
    text = "".join(
        _decoded(part, charset)[0] if isinstance(part, bytes) else part for part, charset in parts
    )
    return " ".join(text.split())


def _in_body(message: str) -> tuple[dict[str, str], str]:
    """Take From:, Date: and Subject: off the top of the text, as `git am` does."""
    found: dict[str, str] = {}
    lines = message.lstrip("\n").split("\n")
    while lines and (line := re.match(r"(From|Date|Subject):\s+(.+)", lines[0])):
        if line[1].lower() in found:
            break
        found[line[1].lower()] = line[2].strip()
        del lines[0]
    return found, "\n".join(lines).strip("\n") if found else message.strip("\n")


# --- bodies ---------------------------------------------------------------------------------------


def _body(message: Message, remarks: list[str]) -> tuple[bytes, str | None]:
    """Return the text parts, one behind the other, and the first one's charset."""
    texts: list[bytes] = []
    charset: str | None = None
    for part in message.walk():
        kind = part.get_content_type()
        name = str(part.get_filename() or "")
        if part.is_multipart() or kind == "text/html":
            if kind == "text/html":
                remarks.append(HTML)
            continue
        if not kind.startswith("text/") and not _PATCH_NAME.search(name):
            remarks.append(f"it has a part of type {kind}, which was passed over")
            continue
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        if str(part.get_param("format", "")).lower() == "flowed":
            content = _unflowed(content, str(part.get_param("delsp", "")).lower() == "yes")
            remarks.append("it was sent as format=flowed")
        if name and _PATCH_NAME.search(name):
            remarks.append("its patch is an attachment")
        charset = charset or part.get_content_charset()
        texts.append(content)
    # An attachment begins on a line of its own. The last line's end tells whether it was cut off.
    ended = [text if text.endswith(b"\n") else text + b"\n" for text in texts[:-1]]
    return b"".join((*ended, *texts[-1:])), charset


def _unflowed(text: bytes, delete_space: bool) -> bytes:
    lines: list[bytes] = []
    held = b""
    for line in text.split(b"\n"):
        plain = line.removesuffix(b"\r")
        if plain == b"-- ":
            lines += [held, plain] if held else [plain]
            held = b""
            continue
        plain = plain.removeprefix(b" ")
        if plain.endswith(b" "):
            held += plain[:-1] if delete_space else plain
        else:
            lines.append(held + plain)
            held = b""
    return b"\n".join([*lines, held] if held else lines)


def _parted(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Part a body into message, notes and diff."""
    lines = body.split(b"\n")
    first = diffs.start(lines)
    rule = next((at for at, line in enumerate(lines[:first]) if line.rstrip() == b"---"), first)
    said, notes, diff = lines[:rule], lines[rule + 1 : first], lines[first:]
    return b"\n".join(said), b"\n".join(notes), b"\n".join(diff)


def _decoded(text: bytes, charset: str | None) -> tuple[str, list[str]]:
    """Decode by what was declared if it fits, then UTF-8, then Latin-1, which always fits."""
    for name in (charset, "utf-8"):
        try:
            if name:
                return text.decode(name), []
        except (LookupError, ValueError):  # no such charset; bytes it has not; a NUL in its name
            continue
    declared = f"its charset is not {charset}" if charset else "it declares no charset"
    return text.decode("latin-1"), [f"{declared}: read as Latin-1"]
