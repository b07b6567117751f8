# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that changed between two declarations."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from kbisect.report.terminal import printable
from kbisect.report.wording import beside


def test_only_the_words_that_changed_are_marked() -> None:
    was, now = beside(
        "int skb_pad(struct sk_buff *skb)", "int skb_pad(struct sk_buff *skb, int pad)"
    )
    assert was == "int skb_pad(struct sk_buff *skb)"
    assert now == "int skb_pad(struct sk_buff *skb<ins>, int pad</ins>)"


def test_what_has_little_in_common_is_left_alone() -> None:
    assert beside("union nh", "sk_buff_data_t network_header") == (
        "union nh",
        "sk_buff_data_t network_header",
    )


@given(st.text(), st.text())
def test_without_the_marks_both_are_what_they_were(old: str, new: str) -> None:
    was, now = (unescape(re.sub("</?(?:del|ins)>", "", side)) for side in beside(old, new))
    assert (was, now) == (printable(old), printable(new))
    assert not re.search("<(?!/?(?:del|ins)>)", "".join(beside(old, new)))
