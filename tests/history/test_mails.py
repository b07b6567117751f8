# SPDX-License-Identifier: GPL-2.0-or-later
"""Which mail a trailer leads to."""

from __future__ import annotations

import json

import pytest

from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history.mails import mails
from kbisect.history.messages import Trailer
from tests.conftest import History, Run, git


@pytest.mark.parametrize(
    ("key", "value", "identity"),
    [
        (
            "Link",
            "https://lore.kernel.org/r/20210101.1-2-ada@example.org",
            "20210101.1-2-ada@example.org",
        ),
        ("Link", "https://lore.kernel.org/netdev/a.b@example.org/T/#u", "a.b@example.org"),
        ("Link", "https://lkml.kernel.org/r/a$b@example.org [1]", "a$b@example.org"),
        (
            "Link",
            "https://patch.msgid.link/20240102-fix-v2-1-0@example.org",
            "20240102-fix-v2-1-0@example.org",
        ),
        ("Link", "https://lore.kernel.org/r/a%2Fb%40example.org", "a/b@example.org"),
        ("Closes", "https://lore.kernel.org/all/x@example.org/", "x@example.org"),
        ("Message-Id", "<a/b@example.org>", "a/b@example.org"),
        ("Message-ID", "plain@example.org", "plain@example.org"),
    ],
)
def test_a_trailer_that_leads_to_a_mail(key: str, value: str, identity: str) -> None:
    (found,) = mails([Trailer(key, value)])
    assert (found.message_id, found.key) == (identity, key)
    assert found.url == f"https://lore.kernel.org/r/{identity.replace('/', '%2F')}/"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Link", "https://bugzilla.kernel.org/show_bug.cgi?id=1"),
        ("Link", "https://lore.kernel.org/netdev/"),
        ("Reported-by", "Ada <ada@example.org>"),
        ("Link", "https://elsewhere.example.org/r/a@example.org"),
    ],
)
def test_a_trailer_that_leads_to_none(key: str, value: str) -> None:
    assert mails([Trailer(key, value)]) == []


def test_a_mail_named_twice_is_one() -> None:
    said = [
        Trailer("Message-Id", "<a@example.org>"),
        Trailer("Link", "https://lore.kernel.org/r/a@example.org"),
    ]
    assert [mail.key for mail in mails(said)] == ["Message-Id"]


def test_show_names_the_mails(small: History, kbisect: Run) -> None:
    message = "net: mend\n\nLink: https://patch.msgid.link/1.2-ada@example.org\n"
    git(small.path, "commit", "--quiet", "--allow-empty", f"--message={message}")
    indexing.update(Repository.open(small.path))
    told = json.loads(kbisect("-C", small.path, "show", "HEAD", "--json").stdout)
    url = "https://lore.kernel.org/r/1.2-ada@example.org/"
    assert told["mails"] == [{"message_id": "1.2-ada@example.org", "url": url, "key": "Link"}]
    assert url in kbisect("-C", small.path, "show", "HEAD").stdout
