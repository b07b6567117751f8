# SPDX-License-Identifier: GPL-2.0-or-later
"""Triples: two versions of a header, and the kinds of the changes between them."""

from __future__ import annotations

import pytest

from kbisect.api import difference
from kbisect.api.extraction import extract
from kbisect.api.findings import Compatibility, Finding
from kbisect.api.sides import Side

HARMLESS = (Compatibility.COMPATIBLE, Compatibility.ANNOTATION_ONLY)

# caption: (old, new, {name: kind})
TRIPLES: dict[str, tuple[str, str, dict[str, str]]] = {
    "a field goes, comes, changes its type": (
        "struct s { int a; int b; };",
        "struct s { long a; int c; };",
        {"s.a": "field-retyped", "s.b": "field-removed", "s.c": "field-added"},
    ),
    "a field's configuration (nfct, v2.6.22)": (
        "struct s {\n#ifdef CONFIG_NETFILTER\nint nfct;\n#endif\n};",
        "struct s {\n#if defined(CONFIG_NF_CONNTRACK) || defined(CONFIG_NF_CONNTRACK_MODULE)\n"
        "int nfct;\n#endif\n};",
        {"s.nfct": "condition-changed"},
    ),
    "the struct's configuration is not the field's": (
        "#ifdef CONFIG_A\nstruct s { int a; };\n#endif",
        "#ifdef CONFIG_B\nstruct s { int a; };\n#endif",
        {"struct s": "condition-changed"},
    ),
    "a stub for the other configuration": (
        "#ifdef CONFIG_A\nint f(int x);\n#endif",
        "#ifdef CONFIG_A\nint f(int x);\n#else\nstatic inline int f(int x) { return 0; }\n#endif",
        {"f": "condition-changed"},
    ),
    "both configurations before and after": (
        "#ifdef CONFIG_A\nint f(int x);\n#else\n#define f(x) 0\n#endif",
        "#ifndef CONFIG_A\n#define f(x) 0\n#else\nextern int f(int x);\n#endif",
        {},
    ),
    "parameters, and their names": (
        "int f(struct sock *sk, int len); int g(int old_name);",
        "int f(struct net *net, struct sock *sk, int len); int g(int new_name);",
        {"f": "function-signature"},
    ),
    "a return type": ("int f(void);", "void f(void);", {"f": "function-signature"}),
    "a callback's parameters": (
        "struct ops { int (*create)(struct socket *sock, int protocol); };",
        "struct ops { int (*create)(struct net *net, struct socket *sock, int protocol); };",
        {"ops.create": "callback-signature"},
    ),
    "a function becomes a macro (alloc_netdev, v2.6.23)": (
        "extern struct net_device *alloc_netdev(int size, const char *name, void *setup);",
        "extern struct net_device *alloc_netdev_mq(int size, const char *name, void *setup, int n);"
        "\n#define alloc_netdev(size, name, setup) \\\n\talloc_netdev_mq(size, name, setup, 1)\n",
        {"alloc_netdev": "kind-changed", "alloc_netdev_mq": "function-added"},
    ),
    "a macro's parameters": (
        "#define m(a) (a)\n#define k(a) (a)\n",
        "#define m(a, b) ((a) + (b))\n#define k(renamed) (renamed)\n",
        {"m": "macro-signature"},
    ),
    "a field behind an alias macro (sk_prot, v2.6.14)": (
        "struct sock { struct proto *sk_prot; };",
        "struct sock_common { struct proto *skc_prot; };\nstruct sock {\n"
        "struct sock_common __sk_common;\n#define sk_prot __sk_common.skc_prot\n};",
        {
            "sock.sk_prot": "field-moved",
            "sock.__sk_common": "field-added",
            "struct sock_common": "struct-added",
            "sk_prot": "macro-added",
        },
    ),
    "a struct behind an alias macro (dev_mc_list, v2.6.23)": (
        "struct dev_mc_list { struct dev_mc_list *next; int dmi_b; };",
        "struct dev_addr_list { struct dev_addr_list *next; int da_b; };\n"
        "#define dev_mc_list dev_addr_list\n#define dmi_b da_b\n",
        {
            "struct dev_mc_list": "struct-renamed",
            "dev_mc_list.next": "field-retyped",
            "dev_mc_list.dmi_b": "field-moved",
            "dev_addr_list.da_b": "field-added",
            "dev_mc_list": "macro-added",
            "dmi_b": "macro-added",
        },
    ),
    "annotations only (__rcu, __be32, gfp_t)": (
        "struct s { struct dst *d; __u32 addr; int flags; }; void *get(unsigned int prio);",
        "struct s { struct dst __rcu *d; __be32 addr; gfp_t flags; }; void *get(gfp_t prio);",
        {
            "s.d": "field-retyped",
            "s.addr": "field-retyped",
            "s.flags": "field-retyped",
            "get": "function-signature",
        },
    ),
    "other words for one machine type (xt_quota_info, v2.6.39)": (
        "struct s { u_int8_t a; aligned_u64 quota; u_char c[4]; }; int f(u_short x);",
        "struct s { __u8 a; __aligned_u64 quota; u8 c[4]; }; int f(u16 x);",
        {
            "s.a": "field-retyped",
            "s.quota": "field-retyped",
            "s.c": "field-retyped",
            "f": "function-signature",
        },
    ),
    "layout is no API": (
        "struct s { int a; char b; };",
        "struct s { int a ____cacheline_aligned_in_smp; char b __attribute__((packed)); }"
        " __aligned(8);",
        {},
    ),
    "an enumerator goes, its neighbour comes from a macro": (
        "enum { A, B };\n#define C 3\n",
        "enum { A, C };",
        {"B": "enumerator-removed", "C": "kind-changed"},
    ),
    "a typedef of a function": (
        "typedef unsigned int nf_hookfn(struct sk_buff **skb);",
        "typedef unsigned int nf_hookfn(struct sk_buff *skb);",
        {"nf_hookfn": "typedef-retyped"},
    ),
    "a named union goes as a whole": (
        "struct s { union { int *a; char *raw; } h; int x; };",
        "struct s { int x; };",
        {"s.h": "field-removed"},
    ),
    "an anonymous union is no change": (
        "struct s { int a; int b; };",
        "struct s { union { int a; int b; }; };",
        {},
    ),
    "comments, white space and #if 0 are no change": (
        "struct s { int a; };",
        "struct s { /* struct t */\n\tint\ta; // int b;\n#if 0\nint c;\n#endif\n};",
        {},
    ),
    "struct_group leaves fields where they are": (
        "struct s { int a; int b; };",
        "struct s { struct_group(both, int a; int b; ); };",
        {"s.both": "field-added"},
    ),
    "a flexible array, a bitmap": (
        "struct s { unsigned long map[4]; int tail[]; };",
        "struct s { DECLARE_BITMAP(map, 200); DECLARE_FLEX_ARRAY(int, tail); };",
        {"s.map": "field-retyped"},
    ),
}


def side(text: str, path: str = "include/net/a.h") -> Side:
    return Side.of([extract(path, text.encode())])


def changes(old: str, new: str) -> dict[str, Finding]:
    one, other = side(old), side(new)
    assert difference.gaps(one, other) == []
    return {finding.name: finding for finding in difference.compare(one, other)}


@pytest.mark.parametrize("caption", TRIPLES)
def test_triple(caption: str) -> None:
    old, new, kinds = TRIPLES[caption]
    assert {name: finding.kind for name, finding in changes(old, new).items()} == kinds


@pytest.mark.parametrize("caption", TRIPLES)
def test_a_version_with_itself_is_no_change(caption: str) -> None:
    for text in TRIPLES[caption][:2]:
        assert changes(text, text) == {}


@pytest.mark.parametrize("caption", TRIPLES)
def test_the_other_way_round_is_the_mirror(caption: str) -> None:
    """What went one way comes the other way. A rename known from an alias macro has no mirror."""
    old, new, _ = TRIPLES[caption]
    forth = changes(old, new).values()
    back = changes(new, old).values()
    if any(finding.old and finding.new and finding.old.key != finding.new.key for finding in forth):
        return
    came = {finding.name for finding in forth if finding.kind.endswith("-added")}
    went = {finding.name for finding in forth if finding.kind.endswith("-removed")}
    assert came == {finding.name for finding in back if finding.kind.endswith("-removed")}
    assert went == {finding.name for finding in back if finding.kind.endswith("-added")}
    stayed = {f.name for f in forth} - came - went
    assert stayed == {f.name for f in back} - came - went


@pytest.mark.parametrize(
    "name",
    [
        "a function becomes a macro (alloc_netdev, v2.6.23)",
        "a field behind an alias macro (sk_prot, v2.6.14)",
        "a struct behind an alias macro (dev_mc_list, v2.6.23)",
        "annotations only (__rcu, __be32, gfp_t)",
        "other words for one machine type (xt_quota_info, v2.6.39)",
        "a stub for the other configuration",
    ],
)
def test_what_breaks_nobody_is_not_called_breaking(name: str) -> None:
    old, new, _ = TRIPLES[name]
    assert all(finding.compatibility in HARMLESS for finding in changes(old, new).values())


def test_a_function_moves_to_another_header() -> None:
    old = Side.of([extract("include/linux/ip.h", b"int inet_sk(int x);\nint stays(void);")])
    apart = Side.of(
        [
            extract("include/linux/ip.h", b"int stays(void);"),
            extract("include/net/inet_sock.h", b"int inet_sk(int x);"),
        ]
    )
    found = {finding.name: finding for finding in difference.compare(old, apart)}
    assert found["inet_sk"].kind == "function-moved"
    assert found["inet_sk"].new_header == "include/net/inet_sock.h"
    assert found["inet_sk"].compatibility is Compatibility.BREAKING
    through = Side.of(
        [
            extract("include/linux/ip.h", b"#include <net/inet_sock.h>\nint stays(void);"),
            extract("include/net/inet_sock.h", b"int inet_sk(int x);"),
        ]
    )
    found = {finding.name: finding for finding in difference.compare(old, through)}
    assert found["inet_sk"].compatibility is Compatibility.COMPATIBLE


def test_the_uapi_half_is_the_same_header() -> None:
    """Linux kernel commit 607ca46e97a1 (in v3.7) moved files, and nothing a user includes."""
    old = side("struct a { int x; };\nint f(void);", "include/linux/if_ether.h")
    new = Side.of(
        [
            extract("include/linux/if_ether.h", b"int f(void);"),
            extract("include/uapi/linux/if_ether.h", b"struct a { int x; };"),
        ]
    )
    assert list(difference.compare(old, new)) == []


def test_headers_go_merge_and_are_renamed() -> None:
    text = b"int f(void); int g(void); int h(void);"
    old = Side.of([extract("include/net/tcp_ecn.h", text), extract("include/net/tcp.h", b"")])
    gone = Side.of([extract("include/net/tcp.h", b"")])
    merged = Side.of([extract("include/net/tcp.h", text)])
    renamed = Side.of([extract("include/net/tcp.h", b""), extract("include/net/ecn.h", text)])
    for new, kind, target in (
        (gone, "header-removed", None),
        (merged, "header-removed", "include/net/tcp.h"),
        (renamed, "header-renamed", "include/net/ecn.h"),
    ):
        found = {finding.name: finding for finding in difference.compare(old, new)}
        assert found["include/net/tcp_ecn.h"].kind == kind
        assert found["include/net/tcp_ecn.h"].new_header == target
        assert ("f" in found) is (target is None)


def test_without_a_commit_a_likeness_is_no_rename() -> None:
    found = changes("struct s { int *frames; };", "struct s { int *frame; };")
    assert found["s.frames"].kind == "field-removed"


def test_what_could_not_be_read_any_more_is_not_said_to_be_gone() -> None:
    one = side("struct s { int a; int b; };")
    other = side("struct s {\n<<<<<<< HEAD\nint a;\n=======\n>>>>>>> theirs\nint c; };")
    assert difference.gaps(one, other)
    found = {finding.name: finding.compatibility for finding in difference.compare(one, other)}
    assert found["s.a"] is Compatibility.UNKNOWN
    assert found["s.b"] is Compatibility.BREAKING
