# SPDX-License-Identifier: GPL-2.0-or-later
"""A line rewritten by another's conversion, and where that tells nothing."""

from __future__ import annotations

import pytest

from kbisect.api import conversion
from kbisect.api.conversion import Conversion


def _site(before: str, after: str) -> Conversion:
    return Conversion("net/core/dev.c", before, after, "0" * 40)


def test_a_member_that_callers_set_to_less_is_read_through_it() -> None:
    """As cfg80211_scan_request.ifidx, which commit 463d01832385 (in v2.6.32) made dev."""
    sites = [
        _site("creq->ifidx = dev->ifindex;", "creq->dev = dev;"),
        _site("request->ifidx = wdev->netdev->ifindex;", "request->dev = wdev->netdev;"),
    ]
    assert conversion.read_back("n = r->ifidx;", "ifidx", sites) == "n = r->dev->ifindex;"
    assert conversion.read_back("r->ifidx = n;", "ifidx", sites) == ""
    other = _site("r->ifidx = dev->other;", "r->dev = dev;")
    assert conversion.read_back("n = r->ifidx;", "ifidx", [*sites, other]) == ""


@pytest.mark.parametrize(
    ("site", "wanted"),
    [
        (_site("x = old(skb)->flags;", "x = new(skb)->flags;"), "y = new(p)->hardware;"),
        (_site("x = old(skb)->flags;", "x = new(skb)->tx_flags;"), None),
    ],
)
def test_a_call_whose_members_are_others_is_not_just_renamed(
    site: Conversion, wanted: str | None
) -> None:
    """As skb_tx, whose union commit 2244d07bfa20 (in v2.6.37) made flags of skb_shinfo."""
    found = conversion.rewritten("y = old(p)->hardware;", "old", [site])
    assert (found[0] if found is not None else None) == wanted


def test_an_argument_that_came_may_be_true_or_false() -> None:
    """As of ieee80211_scan_completed, by commit 2a5193119269 (in v2.6.30)."""
    site = _site("done(priv->hw);", "done(priv->hw, false);")
    found = conversion.rewritten("done(mine);", "done", [site], lambda stranger: False)
    assert found is not None
    assert found[0] == "done(mine, false);"


def test_an_initialiser_is_left_out_whatever_its_value() -> None:
    """As inet_protosw.capability, by commit 13f18aa05f5a (in v2.6.33)."""
    sites = [_site(".capability = CAP_NET_RAW,", ""), _site("if (a->capability > 0)", "if (raw)")]
    line = "struct inet_protosw mine = { .capability = -1 };"
    assert conversion.left_out(line, "capability", sites) == sites[:1]
    assert conversion.left_out("n = a->capability;", "capability", sites) == []


def test_a_statement_is_left_out_of_a_line() -> None:
    sites = [_site("list_del(&p->all);", "")]
    assert conversion.left_out("q = p; list_del(&q->all);", "all", sites) == sites


def test_what_asks_whether_a_member_is_set_tells_nothing_of_its_value() -> None:
    """As net_device.br_port, whose tests commit f350a0a87374 (in v2.6.36) made tests of a flag."""
    site = _site("if (dev->br_port)", "if (dev->priv_flags & IFF_BRIDGE_PORT)")
    assert conversion.rewritten("port = dev->br_port;", "br_port", [site]) is None
    found = conversion.rewritten("if (mine->br_port)", "br_port", [site])
    assert found is not None
    assert found[0] == "if (mine->priv_flags & IFF_BRIDGE_PORT)"


def test_a_member_that_became_a_bit_is_not_just_renamed() -> None:
    """As wiphy.disable_beacon_hints, by commit 5be83de54c16 (in v2.6.33)."""
    bit = _site("if (w->quiet)", "if (w->flags & WIPHY_FLAG_QUIET)")
    assert conversion.became_bit("quiet", [bit])
    assert not conversion.became_bit("quiet", [_site("if (w->quiet)", "if (w->silent)")])
    assert not conversion.became_bit("old", [_site("if (w->old & 1)", "if (w->flags & 1)")])


def test_true_may_be_written_as_a_number() -> None:
    """As of wiphy.custom_regulatory, by commit 5be83de54c16 (in v2.6.33)."""
    site = _site("hw->wiphy->custom = true;", "hw->wiphy->flags |= WIPHY_FLAG_CUSTOM;")
    found = conversion.rewritten("mine->custom = 1;", "custom", [site])
    assert found is not None
    assert found[0] == "mine->flags |= WIPHY_FLAG_CUSTOM;"
    assert conversion.rewritten("mine->custom = 0;", "custom", [site]) is None
