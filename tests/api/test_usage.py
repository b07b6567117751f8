# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of a driver use what changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.api import difference
from kbisect.api.extraction import extract
from kbisect.api.sides import Side
from kbisect.api.usage import hits

OLD = b"struct flowi { int nl; };\n#define fl4_dst nl\n#define fl4_len nl\n"
NEW = b"struct flowi { int nl; int fl4_len; };\n"
DRIVER = b"""\
static int f(void)
{
	struct flowi fl = {
		.fl4_dst = 1,
	};
	fl.fl4_dst = fl.fl4_len;
	return fl.fl4_dst;
}
"""


def test_a_macro_for_a_member_is_a_use_too() -> None:
    """Commit 9cce96df5b76 (in v2.6.39) took fl4_dst; what is a field now works."""
    old, new = (Side.of([extract("include/net/flow.h", text)]) for text in (OLD, NEW))
    found = hits({"f.c": DRIVER}, difference.compare(old, new))
    assert [(hit.line, hit.finding.name, hit.sure) for hit in found] == [
        (4, "fl4_dst", False),
        (6, "fl4_dst", False),
        (7, "fl4_dst", False),
    ]


def _names(old: bytes, new: bytes, driver: bytes) -> list[tuple[int, str, bool]]:
    one, other = (Side.of([extract("include/net/x.h", text)]) for text in (old, new))
    found = hits({"f.c": driver}, difference.compare(one, other))
    return [(hit.line, hit.finding.name, hit.sure) for hit in found]


def test_a_number_of_another_width_breaks_no_caller() -> None:
    """Commit 9bb8582efb55 (in v2.6.22) made a VLAN's id a u16."""
    new = b"void set(struct vlan_group *g, u16 id);\nint get(int *id);\n"
    old = b"void set(struct vlan_group *g, int id);\nint get(int id);\n"
    assert _names(old, new, b"void f(void)\n{\n\tset(g, 1);\n\tget(1);\n}\n") == [(4, "get", True)]


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ("p->page_offset = 1;", []),  # u16 became u32: whoever's it is
        ("p->page = 0;", [(3, "skb_frag.page", False)]),
        ("frag->page = 0; p->page = 0;", [(3, "skb_frag.page", True)]),
    ],
)
def test_a_guess_is_told_where_it_would_break(use: str, found: list[object]) -> None:
    old = b"struct skb_frag { struct page *page; u16 page_offset; };\n"
    new = b"struct skb_frag { u32 page_offset; };\n"
    driver = f"void f(struct skb_frag *frag)\n{{\n\t{use}\n}}\n".encode()
    assert _names(old, new, driver) == found


@pytest.mark.parametrize(
    ("use", "breaks"),
    [
        ("show(dev->addr);", False),
        ("x = dev->addr[5];", False),
        ("x = sizeof(dev->addr);", True),
        ("read(&dev->addr);", True),
    ],
)
def test_an_array_that_became_a_pointer_is_read_as_before(use: str, breaks: bool) -> None:
    """Commit f001fde5eadd (in v2.6.31) did that to net_device.dev_addr."""
    old = b"struct net_device { unsigned char addr[32]; };\n"
    new = b"struct net_device { unsigned char *addr; };\n"
    driver = f"void f(struct net_device *dev)\n{{\n\t{use}\n}}\n".encode()
    assert bool(_names(old, new, driver)) is breaks


def test_a_struct_may_be_named_by_a_macro() -> None:
    """Commit 22bedad3ce11 (in v2.6.35) took dev_mc_list, a macro since v2.6.23."""
    old = b"struct dev_addr_list { int x; };\n#define dev_mc_list dev_addr_list\n"
    new = b"struct dev_addr_list { int x; };\n"
    driver = b"void f(void)\n{\n\tstruct dev_mc_list *mc;\n}\n"
    assert _names(old, new, driver) == [(3, "dev_mc_list", True)]


@settings(max_examples=100, deadline=2000)
@given(st.text(alphabet="f(){}->.;=,fl4_dst \n#\"'/*:&[]", max_size=200), st.binary(max_size=60))
def test_any_driver_is_read_to_the_end(text: str, rest: bytes) -> None:
    _names(OLD, NEW, b"struct flowi fl;\n" + text.encode() + rest)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("u8 *limit;\n\tlimit = q->addr;", False),
        ("u8 limit = 1;", False),
        ("for (n = 0; n < limit; n++)\n\t\tg(n);", True),
        ("return limit;", True),
        ("g(n * limit);", True),
    ],
)
def test_a_variable_of_a_macros_name_is_no_use_of_it(lines: str, found: bool) -> None:
    driver = f"int f(int n)\n{{\n\t{lines}\n}}\n"
    assert bool(_names(b"#define limit 4\n", b"", driver.encode())) is found
