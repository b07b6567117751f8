# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's file: whole lines or nothing, one writer."""

import errno
import os
from pathlib import Path

import pytest

from kbisect.bisect.events import Started, Told
from kbisect.bisect.verdict import Verdict
from kbisect.errors import UsageError
from kbisect.lab.journal import Campaigns, Journal

START = Started(1.0, bad="b" * 40, goods=("a" * 40,))
TOLD = Told(2.0, "c" * 40, Verdict.GOOD)


def test_a_cut_line_is_dropped_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append(START)
    journal.append(TOLD)
    path.write_bytes(path.read_bytes()[:-7])
    journal = Journal(path)
    assert journal.events == [START]
    assert journal.cut
    journal.append(TOLD)
    assert Journal(path).events == [START, TOLD]
    assert not Journal(path).cut


@pytest.mark.parametrize("strikes", ["at once", "in the middle", "at the end"])
def test_a_write_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strikes: str
) -> None:
    """The real full disk is in tests/cli/test_bisect.py; here every place where it can strike."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append(START)
    whole = path.read_bytes()
    write, calls = os.write, 0

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def half(handle: int, data: bytes) -> int:
        nonlocal calls
        calls += 1
        return write(handle, data[:10]) if calls == 1 else full()

    with monkeypatch.context() as patch:
        name, broken = {
            "at once": ("write", full),
            "in the middle": ("write", half),
            "at the end": ("fsync", full),
        }[strikes]
        patch.setattr(os, name, broken)
        with pytest.raises(OSError, match="No space") as caught:
            journal.append(TOLD)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == whole
    journal.append(TOLD)
    assert Journal(path).events == [START, TOLD]


def test_one_writer(tmp_path: Path) -> None:
    campaigns = Campaigns(tmp_path)
    words = f"process {os.getpid()}"
    with campaigns.locked(), pytest.raises(UsageError, match=words), campaigns.locked():
        pass
    with campaigns.locked():
        pass


def test_the_last_campaign_is_moved_aside(tmp_path: Path) -> None:
    campaigns = Campaigns(tmp_path)
    assert campaigns.open() is None
    assert campaigns.archive() is None
    for expected in ("0001", "0002"):
        journal = campaigns.begin(START)
        assert journal.events == [START]
        journal.append(TOLD)
        place = campaigns.archive()
        assert place is not None
        assert place.name == expected
        assert Journal(place / "journal.jsonl").events == [START, TOLD]
    assert campaigns.open() is None
