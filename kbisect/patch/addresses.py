# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses of people and lists: taken apart, put together and mapped as get_maintainer.pl does.

It isn't RFC 5322: a name with a dot or an umlaut is put in quotes, a line that no grammar knows is
still read, and two addresses are one person's if either name or address is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_MUST_QUOTE = re.compile(r"[^\w \-]", re.ASCII)
_NAMED = re.compile(r"([^<]+)<(.+@.*)>")
_IN_ANGLES = re.compile(r"\s*<(.+@\S*)>")
_BARE = re.compile(r"(.+@\S*)")


@dataclass(frozen=True, slots=True)
class Address:
    """A name, ready to be written (in quotes where it must be), and an address."""

    name: str
    email: str

    @classmethod
    def read(cls, text: str) -> Address:
        """Take `Ada Test <ada@example.org>` apart; what has no address has an empty one."""
        name = email = ""
        if found := _NAMED.match(text):
            name, email = found[1], found[2]
        elif found := _IN_ANGLES.match(text) or _BARE.match(text):
            email = found[1]
        return cls(_quoted(name.strip()), email.strip())

    def __str__(self) -> str:
        return f"{_quoted(self.name.strip())} <{self.email}>" if self.name else self.email


def _quoted(name: str) -> str:
    name = name.removeprefix('"').removesuffix('"')
    if not _MUST_QUOTE.search(name):
        return name
    escaped = re.sub(r'(?<!\\)"', r"\\\"", name)
    return f'"{escaped}"'


# --- several addresses on a line, by RFC 822 ------------------------------------------------------
# Compiled (and kept by re) when a line first has a comma: few have, and it takes a while.

_SPECIALS = r'()<>@,;:\\".\[\]'
_ATOM = rf'[^{_SPECIALS} \x00-\x1f\x7f]+(?:[ \t]+|\Z|(?=[\["{_SPECIALS}]))'
_WORD = rf'(?:{_ATOM}|"(?:[^"\r\\]|\\.)*"[ \t]*)'
_DOMAIN_PART = rf"(?:{_ATOM}|\[(?:[^\[\]\r\\]|\\.)*\][ \t]*)"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.[ \t]*{_DOMAIN_PART})*"
_SPEC = rf"{_WORD}(?:\.[ \t]*{_WORD})*@[ \t]*{_DOMAIN}"
_MAILBOX = rf"[ \t]*(?:{_SPEC}|(?:{_WORD})*<[ \t]*{_SPEC}>[ \t]*)"
_LIST = rf"(?:{_MAILBOX})?(?:,(?:{_MAILBOX})?)*"
_EACH = rf"(?:^|,[ \t]*)({_MAILBOX})"
_COMMENT = r'((?:[^"\\(]|\\.)*(?:"(?:[^"\\]|\\.)*"(?:[^"\\(]|\\.)*)*)\((?:[^()\\]|\\.)*\)'


def split(line: str) -> list[str]:
    """Return the addresses of an M: or R: line; the whole line where it is no list."""
    if "," not in line or max(line) > "\xff":
        return [line]
    plain, count = line, 1
    while count:
        plain, count = re.subn(_COMMENT, r"\1 ", plain, count=1)
    if re.fullmatch(_MAILBOX, plain) or not re.fullmatch(_LIST, plain):
        return [line]
    return [found[1] for found in re.finditer(_EACH, plain)]


# --- one person, many addresses -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mailmap:
    """`.mailmap`: what was written → the real name, the real address."""

    names: dict[str, str] = field(default_factory=dict)
    emails: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Mailmap:
        """Read a file's text; a line of no known form is passed over."""
        found = cls()
        for raw in text.split("\n"):
            line = raw.partition("#")[0].strip()
            parts = re.fullmatch(
                r"(?P<name>[^<]*)<(?P<email>[^>]+)>(?:\s*(?P<old>[^<]*?)\s*<(?P<wrong>[^>]+)>)?",
                line,
            )
            if parts:
                found._add(parts["name"].rstrip(), parts["email"], parts["old"], parts["wrong"])
        return found

    def _add(self, name: str, email: str, old: str | None, wrong: str | None) -> None:
        real = Address.read(f"{name} <{email}>") if name else Address("", email)
        if wrong is None:
            if name:
                self.names[real.email] = real.name
            return
        key = str(Address.read(f"{old} <{wrong}>")) if old else wrong
        if name:
            self.names[key] = real.name
        self.emails[key] = real.email

    def mapped(self, text: str) -> str:
        """Return an address as its owner wants it."""
        read = Address.read(text)
        whole = str(read)
        key = whole if whole in self.names or whole in self.emails else read.email
        return str(Address(self.names.get(key, read.name), self.emails.get(key, read.email)))


class People:
    """Those met so far: the next of the same name or address is the same person."""

    def __init__(self, mailmap: Mailmap) -> None:
        self._mailmap = mailmap
        self._by_name: dict[str, Address] = {}
        self._by_email: dict[str, Address] = {}

    def known(self, text: str) -> str:
        """Return an address in the form in which its owner was met first."""
        met = Address.read(self._mailmap.mapped(str(Address.read(text))))
        name, email = met.name.lower(), met.email.lower()
        first = (self._by_name.get(name) if name else None) or self._by_email.get(email)
        if first is None:
            first = self._by_name[name] = self._by_email[email] = met
        return self._mailmap.mapped(str(first))


def emails(texts: Iterable[str]) -> set[str]:
    """Return the bare addresses of header lines, in lower case."""
    from email.utils import getaddresses

    return {email.lower() for _, email in getaddresses(list(texts)) if email}
