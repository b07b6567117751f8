# SPDX-License-Identifier: GPL-2.0-or-later
"""Compilers' messages, as gcc, clang and modpost print them; and any text at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.api.complaints import Complaint, Trouble, read
from kbisect.api.conversion import Conversion, call, customary, left_out, rewritten, spelt

# caption: (log, trouble, owner, name)
FORMS: dict[str, tuple[str, Trouble, str, str]] = {
    "gcc, with its quotes and the code": (
        "a.c:4:12: error: ‘struct sk_buff’ has no member named ‘nh’; did you mean ‘sk’?\n"
        "    4 |         skb->nh.iph->check = 0;\n      |            ^~\n",
        *(Trouble.MEMBER, "sk_buff", "nh"),
    ),
    "gcc of the time": (
        "/src/a.c:4: error: 'struct sk_buff' has no member named 'nh'",
        *(Trouble.MEMBER, "sk_buff", "nh"),
    ),
    "gcc, a typedef": (
        "a.c:1:2: error: 'sk_buff_t' {aka 'struct sk_buff'} has no member named 'nh'",
        *(Trouble.MEMBER, "sk_buff", "nh"),
    ),
    "clang": (
        "a.c:4:7: error: no member named 'nh' in 'struct sk_buff'\n"
        "        skb->nh.iph->check = 0;\n        ~~~  ^\n",
        *(Trouble.MEMBER, "sk_buff", "nh"),
    ),
    "clang, an initializer": (
        "a.c:9:3: error: field designator 'ndo_x' does not refer to any field in type"
        " 'const struct net_device_ops'",
        *(Trouble.MEMBER, "net_device_ops", "ndo_x"),
    ),
    "gcc, a function": (
        "a.c:4:2: error: implicit declaration of function 'skb_padd';"
        " [-Werror=implicit-function-declaration]",
        *(Trouble.FUNCTION, "", "skb_padd"),
    ),
    "clang, a function": (
        "a.c:4:2: error: call to undeclared function 'skb_padd'; ISO C99 and later do not support"
        " implicit function declarations",
        *(Trouble.FUNCTION, "", "skb_padd"),
    ),
    "gcc, a constant": (
        "a.c:4:2: error: 'CHECKSUM_HW' undeclared (first use in this function)",
        *(Trouble.NAME, "", "CHECKSUM_HW"),
    ),
    "gcc, arguments": (
        "a.c:4:2: error: too few arguments to function 'dev_get_by_name'",
        *(Trouble.FEW, "", "dev_get_by_name"),
    ),
    "gcc, a callback's arguments": (
        "a.c:4:2: error: too many arguments to function 'dev->netdev_ops->ndo_open'",
        *(Trouble.MANY, "", "ndo_open"),
    ),
    "clang, arguments: the code has the name": (
        "a.c:4:20: error: too few arguments to function call, expected 2, have 1\n"
        "        dev_get_by_name(name);\n        ~~~~~~~~~~~~~~~     ^\n",
        *(Trouble.FEW, "", "dev_get_by_name"),
    ),
    "gcc, a macro's arguments": (
        'a.c:4:2: error: macro "INIT_WORK" passed 3 arguments, but takes just 2',
        *(Trouble.MANY, "", "INIT_WORK"),
    ),
    "gcc, a callback": (
        "a.c:4:20: error: initialization of 'int (*)(int)' from incompatible pointer type"
        " 'int (*)(void)' [-Wincompatible-pointer-types]\n    4 |         .ndo_open = f,\n"
        "a.c:4:20: note: (near initialization for 'ops.ndo_open')",
        *(Trouble.CALLBACK, "", "ndo_open"),
    ),
    "clang, a callback": (
        "a.c:4:20: error: incompatible function pointer types initializing 'int (*)(int)' with an"
        " expression of type 'int (void)'\n        .ndo_open = f,\n                    ^\n",
        *(Trouble.CALLBACK, "", "ndo_open"),
    ),
    "clang, a table in one line, at the left margin": (
        "a.c:8:44: warning: incompatible function pointer types initializing 'int (*)(int)' with an"
        " expression of type 'int (void)' [-Wincompatible-function-pointer-types]\n"
        "static struct ops o = { .gone = 0, .open = my };\n"
        "                                           ^~\n",
        *(Trouble.CALLBACK, "ops", "open"),
    ),
    "a type": ("a.c:4:2: error: unknown type name 'u_int'", Trouble.TYPE, "", "u_int"),
    "a struct": (
        "a.c:4:2: error: invalid use of undefined type 'struct tcp_func'",
        *(Trouble.TYPE, "", "tcp_func"),
    ),
    "gcc, a header": (
        "a.c:2:10: fatal error: net/tcp_ecn.h: No such file or directory",
        *(Trouble.HEADER, "", "net/tcp_ecn.h"),
    ),
    "clang, a header": (
        "a.c:2:10: fatal error: 'net/tcp_ecn.h' file not found",
        *(Trouble.HEADER, "", "net/tcp_ecn.h"),
    ),
    "a redefinition": ("a.c:2:5: error: redefinition of 'ip_hdr'", Trouble.TWICE, "", "ip_hdr"),
    "clang, a constant": (
        "a.c:13:8: error: redefinition of enumerator 'AAA'",
        *(Trouble.TWICE, "", "AAA"),
    ),
    "make's other jobs in between are no code": (
        "a.c:4:20: error: too few arguments to function call, expected 2, have 1\n"
        "  CC [M]  drivers/net/two.o\n"
        "        one(name);\n        ~~~     ^\n",
        *(Trouble.FEW, "", "one"),
    ),
    "gcc, a member of what is no struct now": (
        "a.c:4:24: error: request for member 'flags' in something not a structure or union\n"
        "    4 |  skb_shinfo(skb)->tx_flags.flags = 0;\n      |                           ^\n",
        *(Trouble.OBJECT, "", "tx_flags"),
    ),
    "clang, the same": (
        "a.c:4:27: error: member reference base type '__u8' (aka 'unsigned char') is not a"
        " structure or union\n        skb_shinfo(skb)->tx_flags.flags = 0;\n"
        "        ~~~~~~~~~~~~~~~~~~~~~~~~~~^~~~~~\n",
        *(Trouble.OBJECT, "", "tx_flags"),
    ),
    "gcc, what an unknown function returns": (
        "a.c:4:17: error: invalid type argument of '->' (have 'int')\n"
        "    4 |     if (skb_tx(skb)->hardware)\n      |                    ^~\n",
        *(Trouble.OBJECT, "", "skb_tx"),
    ),
    "modpost": (
        'ERROR: modpost: "skb_pad" [drivers/net/acme.ko] undefined!',
        *(Trouble.SYMBOL, "", "skb_pad"),
    ),
    "colours": (
        "\x1b[01m\x1b[Ka.c:4:2:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[K‘\x1b[01m\x1b[K"
        "struct sk_buff\x1b[m\x1b[K’ has no member named ‘\x1b[01m\x1b[Knh\x1b[m\x1b[K’",
        *(Trouble.MEMBER, "sk_buff", "nh"),
    ),
    "another language": (
        "a.c:4:2: Fehler: »struct sk_buff« hat kein Element namens »nh«",
        *(Trouble.OTHER, "", ""),
    ),
}


@pytest.mark.parametrize("caption", FORMS)
def test_the_compilers_forms(caption: str) -> None:
    log, trouble, owner, name = FORMS[caption]
    (found,) = read(log)
    assert (found.trouble, found.owner, found.name) == (trouble, owner, name)


def test_a_macro_of_ones_own_is_a_warning_only() -> None:
    """Compatibility headers define what came later; an error is one that a build stops at."""
    old = 'a.c:4:9: {}: "ETH_FCS_LEN" redefined'
    new = "a.c:4:9: {}: 'ETH_FCS_LEN' macro redefined [-Wmacro-redefined]"
    for form in (old, new):
        assert read(form.format("warning")) == []
        assert read(form.format("error"))[0].trouble is Trouble.TWICE


def test_a_log_gives_each_place_once_and_its_code() -> None:
    log = (
        "make[1]: Entering directory '/src'\n  CC [M]  a.o\na.c: In function 'f':\n"
        + FORMS["gcc, with its quotes and the code"][0] * 2
        + "a.c:9:1: warning: unused variable 'x' [-Wunused-variable]\n"
        + FORMS["modpost"][0]
    )
    first, second = read(log)
    assert first == Complaint(
        Trouble.MEMBER,
        "'struct sk_buff' has no member named 'nh'; did you mean 'sk'?",
        *("nh", "sk_buff", "a.c", 4, 12, "skb->nh.iph->check = 0;"),
    )
    assert second.trouble is Trouble.SYMBOL


@settings(max_examples=200, deadline=1000)
@given(st.text(max_size=300))
def test_any_text_is_read_to_the_end(text: str) -> None:
    read(text)
    read(f"a.c:1:2: error: {text}\n{text}")


def test_long_lines_end() -> None:
    for text in ("'" * 50_000, "a" * 100_000, "a.c:1:2: error: '" + "(" * 50_000, ": " * 40_000):
        read(text)


IP_HDR = Conversion("net/a.c", "iph = skb->nh.iph;", "iph = ip_hdr(skb);", "1" * 40)


@pytest.mark.parametrize(
    ("line", "name", "before", "after", "wanted"),
    [
        ("skb->nh.iph->check = 0;", "nh", IP_HDR.before, IP_HDR.after, "ip_hdr(skb)->check = 0;"),
        (
            "p->skb->mac.raw = p->skb->data;",
            "mac",
            "skb->mac.raw = skb->data;",
            "skb_reset_mac_header(skb);",
            "skb_reset_mac_header(p->skb);",
        ),
        (
            "x = f(a, g(b, c));",
            "f",
            "y = f(p, q);",
            "y = f(&init_net, p, q);",
            "x = f(&init_net, a, g(b, c));",
        ),
        (
            "n = find(net, &rt, fl);",
            "find",
            "err = find(&init_net, &rt, &f);",
            "rt = find(&init_net, &f);",
            "rt = find(net, fl);",
        ),
        (
            "n = find(net, fl);",
            "find",
            "rt = find(n, &f);",
            "rt = find(n, &f.ip4);",
            "n = find(net, &fl->ip4);",
        ),
        ("struct mc *one;", "mc", "struct mc *list;", "struct ha *ha;", "struct ha *one;"),
        ("old_pad(a, 0);", "old_pad", "old_pad(s, 0);", "skb_pad(s);", "skb_pad(a);"),
        ("x = HW;", "HW", "y = HW;", "y = PARTIAL;", "x = PARTIAL;"),
        ("mc *m = p->d->mc_list;", "mc_list", "mc *m = d->mc_list;", "mc *m;", "mc *m;"),
    ],
)
def test_a_line_is_rewritten_as_others_were(
    line: str, name: str, before: str, after: str, wanted: str
) -> None:
    found = rewritten(line, name, [Conversion("net/a.c", before, after, "1" * 40)])
    assert found is not None
    assert found[0] == wanted


def test_a_detour_that_one_file_took_is_its_own() -> None:
    """Commit 22bedad3ce11 (in v2.6.35) has `dev->master->mc` in bonding."""
    line = "m = dev->mc_list;"
    sites = [Conversion("net/a.c", "a = b->mc_list;", "a = b->master->mc;", "1" * 40)]
    assert rewritten(line, "mc_list", sites * 2) is None
    sites.append(replace(sites[0], path="net/b.c"))
    found = rewritten(line, "mc_list", sites)
    assert found is not None
    assert found[0] == "m = dev->master->mc;"


def test_the_example_is_the_call_that_most_lines_became() -> None:
    loops = [
        Conversion("a.c", f"for (m = {dev}->mc_list; m; m = m->next)", f"each_mc(ha, {dev})", "1")
        for dev in ("dev", "bond->dev")
    ]
    other = Conversion("b.c", "n = dev->mc_list;", "n = first(dev);", "1")
    assert customary([other, *loops]) == loops[0]
    assert customary([other, loops[0]]) is None


def test_a_line_is_left_out_where_all_callers_of_its_shape_left_it_out() -> None:
    gone = [
        Conversion("a.c", "SET_OWNER(dev);", "", ""),
        Conversion("b.c", "SET_OWNER(p->dev);", "", ""),
    ]
    assert left_out("SET_OWNER(net_dev);", "SET_OWNER", gone) == gone
    assert left_out("x = SET_OWNER(dev);", "SET_OWNER", gone) == []
    kept = Conversion("c.c", "SET_OWNER(x);", "own(x);", "")
    assert left_out("SET_OWNER(net_dev);", "SET_OWNER", [*gone, kept]) == []


def test_what_fits_nothing_is_not_rewritten() -> None:
    assert rewritten("other(x);", "nh", [IP_HDR]) is None
    whole = Conversion("a.c", "skb->mac.raw = skb->data;", "skb_reset_mac_header(skb);", "")
    assert rewritten("skb->mac.raw = skb->data - 14;", "mac", [whole]) is None
    # Neither a call nor a bit can be assigned to.
    bit = Conversion("a.c", "if (w->custom)", "if (w->flags & CUSTOM)", "")
    assert rewritten("w->custom = 1;", "custom", [bit]) is None
    found = rewritten("if (p->custom)", "custom", [bit])
    assert found is not None
    assert found[0] == "if (p->flags & CUSTOM)"
    assert rewritten("skb->nh.iph = p;", "nh", [IP_HDR]) is None


@settings(deadline=1000)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_lines_can_be_tried(line: str, before: str, after: str) -> None:
    rewritten(line + " f(x) ", "f", [Conversion("a.c", before + " f(x)", after, "")])
    call(line, "f")
    spelt(line.split())
