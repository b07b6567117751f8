# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read from a header, what is reported as not understood, and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.api import conditions
from kbisect.api.extraction import extract
from kbisect.api.spelling import normal


def fields(text: str, owner: str = "s") -> dict[str, str]:
    header = extract("include/net/a.h", text.encode())
    assert header.gaps == ()
    return {
        declaration.name: declaration.type
        for declaration in header.declarations
        if declaration.owner == owner
    }


def test_fields_have_their_path_and_their_type() -> None:
    text = """
struct s {
	struct sk_buff *next, *prev;
	char cb[48] __aligned(8);
	__u8 cloned:1, nohdr : 2, :0;
	union { __wsum csum; struct { __u16 csum_start; }; };
	struct { struct { int y; } x; } u;
	const char *const *names;
	int (*create)(struct net *net, int), refcnt;
	__u32 :32;
	__u8 :1, :1, overflow:1, :0, nodelen:5;
#define IN_BETWEEN 1
	struct list_head	list ____cacheline_aligned_in_smp;
	unsigned long	features
		/* the end */ ;
};"""
    assert fields(text) == {
        "next": "struct sk_buff *",
        "prev": "struct sk_buff *",
        "cb": "char[48]",
        "cloned": "__u8:1",
        "nohdr": "__u8:2",
        "csum": "__wsum",
        "csum_start": "__u16",
        "u": "struct",
        "u.x": "struct",
        "u.x.y": "int",
        "names": "const char *const *",
        "create": "int",
        "refcnt": "int",
        "overflow": "__u8:1",
        "nodelen": "__u8:5",
        "list": "struct list_head",
        "features": "unsigned long",
    }


def test_members_that_macros_declare_are_members() -> None:
    text = """
struct s {
	DECLARE_BITMAP(map, 4);
	DECLARE_HASHTABLE	(qdisc_hash, 4);
	DEFINE_SNMP_STAT(struct tcp_mib, tcp_statistics);
	__bpf_md_ptr(struct seq_file *, seq);
	__be16 __unused;
	NET_DEV_STAT(rx_packets);
	tc_gen;
};"""
    assert fields(text) == {
        "map": "unsigned long[4]",
        "qdisc_hash": "struct hlist_head[1<<(4)]",
        "tcp_statistics": "struct tcp_mib *",
        "seq": "struct seq_file *",
        "__unused": "__be16",
        "rx_packets": "unsigned long",
        "__rx_packets": "atomic_long_t",
        **dict.fromkeys(("index", "capab"), "__u32"),
        **dict.fromkeys(("action", "refcnt", "bindcnt"), "int"),
    }


def test_names_in_parentheses_are_names() -> None:
    found = extract("include/net/a.h", b"int (f)(int a);\nint (*variable)(int a);").declarations
    assert [(declaration.name, declaration.parameters) for declaration in found] == [
        ("f", ("int",))
    ]


def test_a_condition_through_a_declaration_is_reported() -> None:
    text = b"int f(int a\n#ifdef CONFIG_A\n, int b\n#else\n, long c\n#endif\n);\nint g(void);\n"
    header = extract("include/net/a.h", text)
    assert [declaration.name for declaration in header.declarations] == ["f", "g"]
    assert [(gap.line, gap.text[:11]) for gap in header.gaps] == [(1, "#if inside:")]


def test_one_member_not_understood_costs_one_member() -> None:
    text = b"struct s {\n\tint a;\n\tODD_MACRO(x, y) z w;\n\tint b;\n};\nint f(void);\n"
    header = extract("include/net/a.h", text)
    names = [declaration.name for declaration in header.declarations]
    assert names == ["s", "a", "b", "f"]
    assert [(gap.line, gap.text) for gap in header.gaps] == [(3, "ODD_MACRO(x, y) z w;")]


def test_lines_are_those_of_the_file() -> None:
    text = (
        b"/* one\n * two */\n\n#define A 1\n\nint f(int a,\n  int b);\nstruct s {\n\n\tint x;\n};\n"
    )
    found = extract("include/net/a.h", text).declarations
    assert {declaration.name: declaration.line for declaration in found} == {
        "A": 4,
        "f": 6,
        "s": 8,
        "x": 10,
    }


def test_guards_and_the_kernels_side_of_a_header() -> None:
    text = b"""#ifndef _A_H
#define _A_H
#ifdef __KERNEL__
int f(void);
#else
int user_space(void);
#endif
#ifdef __cplusplus
extern "C" {
#endif
int g(void);
#ifdef __cplusplus
}
#endif
#ifndef MAX_X
#define MAX_X 3
#endif
#endif
"""
    header = extract("include/net/a.h", text)
    found = {declaration.name: declaration.condition for declaration in header.declarations}
    assert found == {"f": (), "g": (), "MAX_X": ()}
    assert header.gaps == ()


@pytest.mark.parametrize(
    ("line", "condition"),
    [
        ("defined(CONFIG_A) || defined(CONFIG_A_MODULE)", ("CONFIG_A",)),
        ("IS_ENABLED(CONFIG_A) && !defined CONFIG_B", ("CONFIG_A", "!CONFIG_B")),
        ("IS_MODULE(CONFIG_A)", ("CONFIG_A_MODULE",)),
        ("0", None),
        ("defined(__KERNEL__) || 0", ("__KERNEL__ || 0",)),
        ("((CONFIG_A && (B || C)))", ("CONFIG_A", "B || C")),
    ],
)
def test_conditions_are_read(line: str, condition: tuple[str, ...] | None) -> None:
    assert conditions.parse(line) == condition


def test_a_definition_for_either_case_is_always_there() -> None:
    assert conditions.union([("A", "B"), ("A", "!B")]) == {frozenset({"A"})}
    assert conditions.union([("A",), ()]) == {frozenset()}
    assert conditions.implies(conditions.union([("A", "B")]), conditions.union([("A",)]))


WORDS = r"""
struct union enum s { } ( ) ; , : * = int a b [ ] 8 /* */ // " ' \ extern "C" typedef 0 CONFIG_A
&& || ! __rcu struct_group( DECLARE_BITMAP( __attribute__(( )) ... <<<<<<< >>>>>>>
"""
LINES = ["\n", "\n#if", "\n#ifdef CONFIG_A\n", "\n#else\n", "\n#elif B\n", "\n#endif\n"]
LINES += ["\n#define A(x)", "\n#include <a.h>\n", "\\\n"]
C_WORDS = st.sampled_from([*WORDS.split(), *LINES])


@settings(max_examples=300, deadline=2000)
@given(st.lists(C_WORDS, max_size=80).map(" ".join))
def test_any_words_are_read_to_the_end(text: str) -> None:
    header = extract("include/net/a.h", text.encode())
    lines = text.count("\n") + 1
    assert all(1 <= declaration.line <= lines for declaration in header.declarations)
    assert all(1 <= gap.line <= lines for gap in header.gaps)


@settings(max_examples=200, deadline=2000)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_to_the_end(content: bytes) -> None:
    extract("include/net/a.h", content)


@settings(deadline=1000)
@given(st.text(max_size=60))
def test_normal_text_stays_normal(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@pytest.mark.parametrize(
    "content",
    [
        b"#define X " + b"a " * 500_000,
        b"{" * 50_000,
        b"#if A\n" * 20_000,
        b"#if A\n" + b"#elif B\n" * 20_000,
        b"struct s {" * 3_000,
        b"struct s {" + b"struct {int a;" * 5_000 + b"} x;" * 5_000 + b"};",
        b"(" * 100_000,
        b"int x\n" * 100_000,
        b"/*" * 200_000,
        b'"' * 200_001,
        b"struct s { union { int a; } b; };\n" * 5_000,
        b"DECLARE_BITMAP(" * 20_000,
        b"struct_group(a," * 3_000 + b"int x;" + b")" * 3_000,
    ],
    ids=lambda content: content[:12].decode(),
)
def test_huge_or_deep_input_ends(content: bytes) -> None:
    extract("include/net/a.h", content)
