# SPDX-License-Identifier: GPL-2.0-or-later
"""One patch mail in the many shapes in which lists deliver it, and git's own reading of each."""

from __future__ import annotations

import base64
import email
import quopri
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

Shape = Callable[[bytes], bytes]


def parts(raw: bytes) -> tuple[bytes, bytes]:
    """Part a mail of `git format-patch` into its headers and its body."""
    head, _, body = raw.partition(b"\n\n")
    lines = [
        line for line in head.split(b"\n") if not line.lower().startswith((b"mime-", b"content-"))
    ]
    return b"\n".join(lines), body


def plain(raw: bytes) -> bytes:
    return raw


def in_base64(raw: bytes) -> bytes:
    head, body = parts(raw)
    coded = base64.encodebytes(body)
    return _with(head, b"text/plain; charset=UTF-8", b"base64", coded)


def in_quoted_printable(raw: bytes) -> bytes:
    head, body = parts(raw)
    coded = quopri.encodestring(body)
    return _with(head, b"text/plain; charset=UTF-8", b"quoted-printable", coded)


def with_carriage_returns(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")


def flowed(raw: bytes) -> bytes:
    """format=flowed, done right: each line that begins with a blank, `From ` or `>` is stuffed."""
    head, body = parts(raw)
    stuffed = [
        b" " + line if line[:1] in {b" ", b">"} or line.startswith(b"From ") else line
        for line in (line.rstrip(b" ") if line != b"-- " else line for line in body.split(b"\n"))
    ]
    return _with(head, b"text/plain; charset=UTF-8; format=flowed", b"8bit", b"\n".join(stuffed))


def signed(raw: bytes) -> bytes:
    """multipart/signed: the text, and a signature to be passed over."""
    signature = MIMEText("-----BEGIN PGP SIGNATURE-----\n\nnone\n", "plain")
    signature.replace_header("Content-Type", "application/pgp-signature; name=signature.asc")
    return _multipart(raw, "signed", [signature])


def with_a_footer(raw: bytes) -> bytes:
    """multipart/mixed: the text, and what a list appends."""
    return _multipart(raw, "mixed", [MIMEText("_____\na list's footer\n", "plain")])


def with_8_bit_headers(raw: bytes) -> bytes:
    """Headers in UTF-8, not encoded: not allowed, and seen every day."""
    head, body = parts(raw)
    parsed = email.message_from_bytes(raw)
    lines = []
    for line in head.split(b"\n"):
        name = line.partition(b":")[0].decode()
        if name in {"From", "Subject"}:
            words = email.header.make_header(email.header.decode_header(parsed[name]))
            lines.append(f"{name}: {words}".encode())
        elif line[:1] not in b" \t":
            lines.append(line)
    return _with(b"\n".join(lines), b"text/plain; charset=UTF-8", b"8bit", body)


def _with(head: bytes, kind: bytes, encoding: bytes, body: bytes) -> bytes:
    return (
        head
        + b"\nMIME-Version: 1.0\nContent-Type: "
        + kind
        + b"\nContent-Transfer-Encoding: "
        + encoding
        + b"\n\n"
        + body
    )


def _multipart(raw: bytes, kind: str, others: list[Message]) -> bytes:
    head, body = parts(raw)
    whole = MIMEMultipart(kind, boundary="=-part")
    text = MIMEText("", "plain", "utf-8")
    text.set_payload(quopri.encodestring(body).decode("ascii"))
    text.replace_header("Content-Transfer-Encoding", "quoted-printable")
    for part in (text, *others):
        whole.attach(part)
    return head + b"\n" + whole.as_bytes()


ALL: tuple[Shape, ...] = (
    plain,
    in_base64,
    in_quoted_printable,
    with_carriage_returns,
    flowed,
    signed,
    with_a_footer,
    with_8_bit_headers,
)


@dataclass(frozen=True)
class Reading:
    """What `git mailinfo` makes of a mail."""

    author: str
    subject: str
    message: str
    diff: bytes


def mailinfo(raw: bytes, folder: Path) -> Reading:
    """Ask git."""
    message, patch = folder / "message", folder / "patch"
    # git am gives it what git mailsplit wrote: without carriage returns.
    done = subprocess.run(
        ["git", "mailinfo", "-u", "-k", str(message), str(patch)],
        input=raw.replace(b"\r\n", b"\n"),
        capture_output=True,
        check=True,
    )
    said = dict(line.split(": ", 1) for line in done.stdout.decode().splitlines() if ": " in line)
    whole = patch.read_bytes()
    at = whole.find(b"diff --git ")
    return Reading(
        f"{said['Author']} <{said['Email']}>",
        said["Subject"],
        message.read_text("utf-8").strip("\n"),
        whole[at:] if at >= 0 else b"",
    )
