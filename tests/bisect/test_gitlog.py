# SPDX-License-Identifier: GPL-2.0-or-later
"""`git bisect log`, read and written. Real git reads ours in tests/cli/test_bisect.py."""

import pytest

from kbisect.bisect import gitlog
from kbisect.bisect.events import Finished, Outcome, Started, Told
from kbisect.bisect.state import State
from kbisect.bisect.verdict import Verdict
from kbisect.errors import UsageError

A, B, C = "a" * 40, "b" * 40, "c" * 40


def test_what_is_written_is_read() -> None:
    state = State(
        Started(0, bad=B, goods=(A,)),
        (Told(1, C, Verdict.SKIP),),
        Finished(Outcome.RANGE, suspects=(C, B), at=2),
    )
    text = gitlog.render(state, {A: "it's", B: 'a "good" one'})
    assert gitlog.parse(text).verdicts == (
        (B, Verdict.BAD),
        (A, Verdict.GOOD),
        (C, Verdict.SKIP),
    )
    assert f"# good: [{A}] it's\n" in text
    assert f"# possible first bad commit: [{C}]\n" in text


def test_git_own_words() -> None:
    read = gitlog.parse(
        "git bisect start '--term-new' 'broken' '--term-old' 'fine' '--first-parent' 'v2' 'v1'"
        " '--' 'net/'\n"
        "# broken: [abc] x\ngit-bisect broken abc\ngit bisect old def\ngit bisect skip 1 2\n"
    )
    assert read.first_parent
    assert read.paths == ("net/",)
    assert read.verdicts == (
        ("v2", Verdict.BAD),
        ("v1", Verdict.GOOD),
        ("abc", Verdict.BAD),
        ("def", Verdict.GOOD),
        ("1", Verdict.SKIP),
        ("2", Verdict.SKIP),
    )


@pytest.mark.parametrize("text", ["rm -rf /", "git bisect", "git bisect run x", "git bisect bad '"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="line 1"):
        gitlog.parse(text)
