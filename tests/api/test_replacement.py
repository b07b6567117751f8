# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver writes instead, by the declarations alone."""

from __future__ import annotations

import pytest

from kbisect.api import replacement
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Compatibility, Finding


def _moved(new_name: str | None, *replacements: str) -> Finding:
    old = Declaration(
        What.FIELD,
        "open",
        "net_device",
        "include/linux/netdevice.h",
        1,
        "int (*open)(struct net_device *dev)",
        "int",
        parameters=("struct net_device *",),
    )
    return Finding(
        "field-renamed",
        "net_device.open",
        Compatibility.BREAKING,
        old.header,
        old,
        None,
        new_name,
        replacements=replacements,
    )


@pytest.mark.parametrize(
    "finding",
    [
        _moved("net_device_ops.ndo_open", "netdev_ops"),
        _moved(None, "netdev_ops", "net_device_ops.ndo_open"),
    ],
)
def test_a_function_goes_into_the_table_that_its_field_moved_to(finding: Finding) -> None:
    """Commit d314774cf2cd (in v2.6.29): `dev->netdev_ops = my_open` would be no table."""
    assert replacement.table(finding, "dev->open = my_open;", "open") == (
        "net_device_ops",
        "static const struct net_device_ops my_net_device_ops = { .ndo_open = my_open };",
    )


def test_a_field_of_the_same_struct_is_no_table() -> None:
    finding = _moved("net_device.begin")
    assert replacement.table(finding, "dev->open = my_open;", "open") == ("", "")


def _called(name: str, *parameters: str) -> Declaration:
    header = "include/net/x.h"
    return Declaration(What.FUNCTION, name, "", header, 1, "", "int", parameters=parameters)


@pytest.mark.parametrize(
    ("old", "new", "line", "wanted"),
    [
        (("void",), ("struct net *",), "n = f();", "n = g(&init_net);"),
        (("u32", "int"), ("struct net *", "u32", "int"), "f(a, b(1));", "g(&init_net, a, b(1));"),
        (("struct sk_buff *",), ("struct sk_buff **",), "n = f(p->skb);", "n = g(&p->skb);"),
        (("struct sk_buff *",), ("struct sk_buff **",), "n = f(next(skb));", ""),
        (("int", "int"), ("int",), "f(1, 2);", "g(1);"),
        (("int",), ("int", "gfp_t"), "f(1);", "g(1, GFP_ATOMIC);"),
        (("int",), ("int", "int"), "f(1);", ""),
        (("const struct sock *",), ("struct sock *",), "f(sk);", "g(sk);"),
        (("int", "..."), ("struct net *", "int", "..."), "f(1);", ""),
        (("int",), ("u32",), "f(1, 2);", ""),
    ],
)  # fmt: skip
def test_a_call_is_fitted_where_the_declarations_tell_each_argument(
    old: tuple[str, ...], new: tuple[str, ...], line: str, wanted: str
) -> None:
    one, other = _called("f", *old), _called("g", *new)
    finding = Finding("function-renamed", "f", Compatibility.BREAKING, one.header, one, other, "g")
    assert replacement.fitted(finding, line) == wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("RTE_ETH_RSS", "x = RTE_ETH_RSS;"),
        ("(RTE_ETH_RSS)", "x = RTE_ETH_RSS;"),
        ("RTE_DEPRECATED(ETH_RSS) RTE_ETH_RSS", "x = RTE_ETH_RSS;"),
        ("1", ""),
        ("a->b", ""),
    ],
)
def test_a_macro_that_was_another_name_gives_it(body: str, wanted: str) -> None:
    """DPDK's commit 683f93efb808 (in v22.11) took names that had warned for a year."""
    old = Declaration(What.MACRO, "ETH_RSS", "", "lib/x.h", 1, f"#define ETH_RSS {body}", body)
    finding = Finding("macro-removed", "ETH_RSS", Compatibility.BREAKING, old.header, old)
    assert replacement.substituted(finding, (), "x = ETH_RSS;", "ETH_RSS") == wanted
