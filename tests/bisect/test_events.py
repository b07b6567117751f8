# SPDX-License-Identifier: GPL-2.0-or-later
"""Events to lines and back; their fold."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.bisect import events
from kbisect.bisect.events import Finished, Outcome, Started, Told, Undone
from kbisect.bisect.state import fold
from kbisect.bisect.verdict import Cause, Role, Verdict
from kbisect.errors import UsageError

times = st.floats(0, 2e9)
oids = st.text("0123456789abcdef", min_size=40, max_size=40)
words = st.text(max_size=20)
any_event = st.one_of(
    st.builds(
        Started,
        at=times,
        bad=st.none() | oids,
        goods=st.lists(oids, max_size=3).map(tuple),
        script=st.none() | words,
        arguments=st.lists(words, max_size=3).map(tuple),
        timeout=st.none() | times,
        candidates=st.none() | st.integers(0, 10**6),
    ),
    st.builds(
        events.Tested,
        at=times,
        oid=oids,
        role=st.sampled_from(Role),
        verdict=st.sampled_from(Verdict),
        cause=st.sampled_from(Cause),
        exit_code=st.none() | st.integers(0, 255),
        timed_out=st.booleans(),
        crash=st.none() | words,
        seconds=times,
    ),
    st.builds(Told, at=times, oid=oids, verdict=st.sampled_from(Verdict)),
    st.builds(Undone, at=times),
    st.builds(
        Finished,
        at=times,
        outcome=st.sampled_from(Outcome),
        culprit=st.none() | oids,
        suspects=st.lists(oids, max_size=3).map(tuple),
        reason=words,
    ),
)
START = Started(at=1.0, bad="b" * 40, goods=("a" * 40,))


def told(letter: str, verdict: Verdict = Verdict.GOOD) -> Told:
    return Told(2.0, letter * 40, verdict)


@settings(deadline=None)
@given(any_event)
def test_a_line_reads_as_the_event_it_was(event: events.Event) -> None:
    line = events.encode(event)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert events.decode(line) == event


@settings(deadline=None)
@given(st.lists(any_event, max_size=6), st.data())
def test_a_journal_cut_anywhere_keeps_its_whole_lines(
    written: list[events.Event], data: st.DataObject
) -> None:
    text = "".join(map(events.encode, written))
    cut = data.draw(st.integers(0, len(text)))
    read, rest = events.load(text[:cut])
    whole = text[:cut].count("\n")
    assert read == written[:whole]
    assert bool(rest) == (cut > 0 and text[cut - 1] != "\n")


@pytest.mark.parametrize(
    "change",
    [{"event": "dreamt"}, {"at": "soon"}, {"oid": 7}, {"verdict": "ugly"}, {"more": 1}],
)
def test_a_line_that_is_no_event_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(events.encode(told("a"))) | change
    with pytest.raises(UsageError):
        events.decode(json.dumps(fields))


def test_a_newer_journal_is_refused() -> None:
    line = json.dumps({"v": events.VERSION + 1, "event": "whatever"})
    with pytest.raises(UsageError, match="version") as caught:
        events.decode(line)
    assert "newer" in caught.value.hint


def test_undo_takes_back_the_last_verdict_and_the_end() -> None:
    end = Finished(Outcome.CULPRIT, "c" * 40, at=3.0)
    state = fold([START, told("c"), told("d"), end, Undone(4.0)])
    assert state is not None
    assert state.finished is None
    assert state.answers == (told("c"),)
    state = fold([START, told("c"), Undone(4.0), Undone(5.0)])
    assert state is not None
    assert state.answers == ()


def test_a_journal_without_a_start_is_refused() -> None:
    assert fold([]) is None
    with pytest.raises(UsageError):
        fold([told("a")])
    with pytest.raises(UsageError):
        fold([START, START])
