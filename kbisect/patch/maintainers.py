# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets a patch: the policy of scripts/get_maintainer.pl (of v6.12), at any revision.

MAINTAINERS, `.mailmap`, `.get_maintainer.conf` and `.get_maintainer.ignore` are read from the
revision itself. Of the configuration only what says where MAINTAINERS is counts: U-Boot keeps one
in each board's folder. Sections of one depth come in an order the script leaves to chance; here the
more specific comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.git.snapshot import Snapshot
from kbisect.history import maintainers as parsing
from kbisect.history.maintainers import THE_REST, Fault, Maintainers
from kbisect.history.sections import Entry, Section
from kbisect.patch.addresses import Address, Mailmap, People, split
from kbisect.patch.mentions import named_in, people_in
from kbisect.patch.signers import Signers

_CHIEF = "Linus Torvalds <torvalds@linux-foundation.org>"
_TITLE = 50
_NO_FILE = "dev/null"
_ROLES = {
    "supported": "supporter",
    "maintained": "maintainer",
    "odd fixes": "odd fixer",
    "orphan": "orphan minder",
    "obsolete": "obsolete minder",
    "buried alive in reporters": "chief penguin",
}


class Kind(StrEnum):
    """As what somebody gets a patch."""

    MAINTAINER = "maintainer"
    REVIEWER = "reviewer"
    LIST = "list"
    SIGNER = "signer"
    BLAMED = "blamed"
    IN_FILE = "in-file"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who gets the patch.

    Attributes
    ----------
    address : `"Ada T. Test" <ada@example.org>`, ready for a header
    kind : Kind, of the first role
    roles : as get_maintainer.pl words them, `maintainer:NETWORKING [TCP]`, the first first
    section : title of the section that names them, None for what history or a file says
    """

    address: str
    kind: Kind
    roles: tuple[str, ...]
    section: str | None

    @property
    def email(self) -> str:
        """The bare address, in lower case."""
        return Address.read(self.address).email.lower()


@dataclass(frozen=True, slots=True)
class Subsystem:
    """A section that the patch falls in: its status, its trees (T:), its bug tracker (B:)."""

    title: str
    status: str | None
    trees: tuple[str, ...]
    bugs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Who gets a patch.

    Attributes
    ----------
    recipients : people first, then lists, in get_maintainer.pl's order
    subsystems : the sections asked, most specific first
    paths : the files asked about
    uncovered : those of them that no section but THE REST takes
    """

    recipients: tuple[Recipient, ...]
    subsystems: tuple[Subsystem, ...]
    paths: tuple[str, ...]
    uncovered: tuple[str, ...]


class Desk:
    """MAINTAINERS at one revision, ready to be asked.

    Parameters
    ----------
    repository : Repository
    oid : full oid of a commit
    """

    def __init__(self, repository: Repository, oid: str) -> None:
        self.repository = repository
        self.snapshot = Snapshot(repository.gitdir, oid)
        self._files = self.snapshot.read(
            [".mailmap", ".get_maintainer.conf", ".get_maintainer.ignore", "MAINTAINERS"]
        )
        places = ["MAINTAINERS"]
        if b"--find-maintainer-files" in self._files.get(".get_maintainer.conf", b""):
            places = self.snapshot.named("MAINTAINERS")
            self._files |= self.snapshot.read(places)
        texts = [self._text(place) for place in places if place in self._files]
        if not texts:
            raise UsageError(
                f"{oid[:12]} has no MAINTAINERS file",
                hint="name a revision that has, with --at REV",
            )
        # An empty line between: a file's first line is no entry of the one before.
        self.maintainers: Maintainers = parsing.parse("\n\n".join(texts), self._is_folder)
        self.mailmap = Mailmap.read(self._text(".mailmap"))
        self.signers = Signers(
            repository, oid, self.mailmap, self._text(".get_maintainer.ignore").split("\n")
        )

    def _text(self, path: str) -> str:
        return self._files.get(path, b"").decode("utf-8", "replace")

    def _is_folder(self, path: str) -> bool:
        return self.snapshot.kinds([path])[path] == "tree"

    @cached_property
    def faults(self) -> list[Fault]:
        """What is wrong in MAINTAINERS, by line (of all such files, one after another)."""
        return self.maintainers.faults()

    def of_paths(
        self, paths: Sequence[str], *, history: bool = True, keywords: bool = False
    ) -> Answer:
        """Ask for files and folders, in the order given.

        Parameters
        ----------
        history : ask it who worked on a file that no maintained section names
        keywords : look for K: patterns in the files too (the script did so before v6.6, and
            U-Boot's does)
        """
        kinds = self.snapshot.kinds(paths)
        asked = [_spelled(path, kinds[path]) for path in paths]
        found: list[parsing.Keyword] = []
        if keywords:
            for path, content in self.snapshot.read(p for p in asked if p != "MAINTAINERS").items():
                if kinds.get(path) == "blob":
                    found += self.maintainers.keywords(content.decode("utf-8", "replace"))
        return self._ask(asked, found, (), history=history)

    def of_patch(self, text: str, *, history: bool = True, fixes: bool = True) -> Answer:
        """Ask for a mailed patch, its text as it is sent.

        Parameters
        ----------
        history : as for `of_paths`
        fixes : a Fixes: tag asks those who signed the commit it names
        """
        paths, fixed = named_in(text)
        found = self.maintainers.keywords(text, is_patch=True)
        return self._ask(paths, found, fixed if fixes else (), history=history)

    def _ask(
        self,
        paths: Sequence[str],
        keywords: Sequence[parsing.Keyword],
        fixes: Iterable[str],
        *,
        history: bool,
    ) -> Answer:
        answer = _Gathered(self.mailmap)
        inexact = []
        uncovered = []
        for path in paths:
            matches = self.maintainers.sections_of(path)
            for match in matches:
                answer.add_section(match.section, "")
            if not any(match.section.title not in {THE_REST, ""} for match in matches):
                uncovered.append(path)
            if not path.endswith("MAINTAINERS") and not any(match.is_exact for match in matches):
                inexact.append(path)
        # In the order of their lines, which is the string order of the script's line numbers.
        unique = {keyword.entry.line: keyword for keyword in keywords}
        for line in sorted(unique):
            keyword = unique[line]
            answer.add_section(keyword.section, f":Keyword:{keyword.entry.value}")
        answer.merge()
        if history:
            for who, role in self.signers.of_paths(inexact):
                answer.add_person(who, role, Kind.SIGNER)
        written = self.snapshot.read(path for path in paths if path.endswith(".yaml"))
        for path in paths:
            for who in people_in(written.get(path, b"").decode("utf-8", "replace")):
                answer.add_person(self.mailmap.mapped(who), "in file", Kind.IN_FILE)
        for who, role in self.signers.of_commits(fixes):
            answer.add_person(who, role, Kind.BLAMED)
        # A file that comes or goes has this name on one side.
        real = [path for path in paths if path != _NO_FILE]
        return answer.whole(real, [path for path in uncovered if path != _NO_FILE])


@dataclass(slots=True)
class _Entry:
    address: str
    kind: Kind
    roles: list[str]
    section: str | None


class _Gathered:
    """Recipients as they are found; the first word on somebody counts."""

    def __init__(self, mailmap: Mailmap) -> None:
        self._met = People(mailmap)
        self._people: list[_Entry] = []
        self._lists: list[_Entry] = []
        self._names: set[str] = set()
        self._emails: set[str] = set()
        self._known_lists: set[str] = set()
        self._sections: dict[int, Section] = {}
        self._added: set[tuple[int, str]] = set()

    def add_section(self, section: Section, suffix: str) -> None:
        # A section that was taken once has nothing new to give.
        if (section.line, suffix) in self._added:
            return
        self._added.add((section.line, suffix))
        self._sections.setdefault(section.line, section)
        title = _shortened(section.title)
        status = (section.status or "unknown").lower()
        for before, entry in zip((None, *section.entries), section.entries, strict=False):
            if entry.tag == "M":
                role = f"{_ROLES.get(status, status)}:{title}{suffix}"
                named = _named(entry.value, before)
                self._add(named, role, Kind.MAINTAINER, section.title)
            elif entry.tag == "R":
                self._add(entry.value, f"reviewer:{title}{suffix}", Kind.REVIEWER, section.title)
            elif entry.tag == "L":
                self._add_list(entry.value, title, suffix, section.title)

    def _add(self, value: str, role: str, kind: Kind, section: str) -> None:
        for text in split(value):
            self._push(Address.read(text), role, kind, section)

    def _push(self, who: Address, role: str, kind: Kind, section: str | None) -> None:
        name, email = who.name.lower(), who.email.lower()
        if not email or (name and name in self._names) or email in self._emails:
            return
        self._people.append(_Entry(str(who), kind, [role] if role else [], section))
        self._emails.add(email)
        if name:
            self._names.add(name)

    def _add_list(self, value: str, title: str, suffix: str, section: str) -> None:
        address, _, note = value.partition(" ") if " " in value else value.partition("\t")
        if "subscribers-only" in note or address.lower() in self._known_lists:
            return
        self._known_lists.add(address.lower())
        openness = "moderated list" if "moderated" in note else "open list"
        role = openness + (f":{title}" if title != THE_REST else "") + suffix
        self._lists.append(_Entry(address, Kind.LIST, [role], section))

    def merge(self) -> None:
        """Write everybody as `.mailmap` has it, and leave out the chief."""
        for entry in (*self._people, *self._lists):
            entry.address = self._met.known(entry.address)
        self._people = [entry for entry in self._people if _CHIEF not in entry.address]

    def add_person(self, text: str, role: str, kind: Kind) -> None:
        """Add what history says of somebody, or a role to one who is there already."""
        who = Address.read(self._met.known(text) if kind is not Kind.IN_FILE else text)
        self._push(who, "", kind, None)
        for entry in self._people:
            there = Address.read(entry.address)
            if (who.name == there.name or who.email == there.email) and role not in entry.roles:
                entry.roles.append(role)

    def whole(self, paths: Sequence[str], uncovered: Sequence[str]) -> Answer:
        seen: dict[str, Recipient] = {}
        for entry in (*self._people, *self._lists):
            seen.setdefault(
                entry.address,
                Recipient(entry.address, entry.kind, tuple(entry.roles), entry.section),
            )
        subsystems = tuple(
            Subsystem(
                section.title,
                section.status,
                tuple(section.values("T")),
                tuple(section.values("B")),
            )
            for section in self._sections.values()
        )
        return Answer(tuple(seen.values()), subsystems, tuple(paths), tuple(uncovered))


def _spelled(path: str, kind: str | None) -> str:
    """Write a path as patterns expect it: a folder ends in a slash, a file doesn't."""
    if kind is None:
        return path
    return path.rstrip("/") + ("/" if kind == "tree" else "")


def _named(value: str, before: Entry | None) -> str:
    """Give a bare address the name of the P: line above it.

    So MAINTAINERS named people before Linux kernel commit 076cfaaece1c ("MAINTAINERS: integrate
    P:/M: lines"); today a P: line holds the path or address of a document.
    """
    read = Address.read(value)
    if read.name or before is None or before.tag != "P" or "/" in before.value:
        return value
    return str(Address(before.value, read.email))


def _shortened(title: str) -> str:
    return title if len(title) <= _TITLE else title[: _TITLE - 3].rstrip() + "..."
