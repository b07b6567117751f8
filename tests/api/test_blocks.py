# SPDX-License-Identifier: GPL-2.0-or-later
"""A header read in blocks is the header read at once, whatever was read before."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from kbisect.api import chunks, extraction, levels
from kbisect.api.declarations import Declaration

# Whole declarations, halves of them, and what stands between: in any order.
CORPUS = [
    "#ifndef _A_H", "#define _A_H", "#ifdef CONFIG_NET", "#else", "#endif", "#if 0",
    "#elif defined(CONFIG_A) && !defined(B)",
    "#define MAX(a, b) \\\n\t((a) > (b) ? \\\n (a) : (b))",
    "struct s {\n\tint a;", "\tint b:1;", "};", "} __attribute__((packed));",
    "struct t { int x; };",
    "/* a comment", "that goes on */", "/** @a: { */", "// }", "enum e { A, B = 2 };", "{", "}",
    "static inline int f(struct s *s)\n{\n\treturn s->a;\n}", "extern int g(void);",
    'extern "C" {', "typedef int (*h)(int);", "int k(", "int a);", "\\", '"', "'", "<<<<<<< HEAD",
    "struct_group(name, int a; int b;);", "DECLARE_BITMAP(map, 8);", "union { int c; } u;",
    "#define", "#include <linux/skbuff.h>", "\xe9\x00\x0c", "#ifdef __cplusplus",
]  # fmt: skip
TEXTS = st.lists(
    st.tuples(st.sampled_from(CORPUS), st.sampled_from(["\n", "\n\n", "\n\n\n", " "])), max_size=24
).map(lambda parts: "".join(words + end for words, end in parts).encode("latin-1"))


def at_once(source: bytes) -> tuple[list[Declaration], list[tuple[int, str]]]:
    pieces, _ = chunks.part(source, levels.BEGIN, last=True)
    part = extraction._part(pieces)
    return list(part.declarations), sorted(part.gaps)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_blocks_declare_what_the_whole_declares(source: bytes) -> None:
    header = extraction.extract("", source)
    gaps = sorted((gap.line, gap.text) for gap in header.gaps)
    found = sorted(header.declarations, key=lambda one: one.line)
    assert (found, gaps) == at_once(source)


@given(TEXTS, TEXTS)
@settings(max_examples=200, deadline=None)
def test_what_differs_between_two_versions_is_in_the_difference(old: bytes, new: bytes) -> None:
    sides = [{(d.key, d.signature, d.condition) for d in at_once(text)[0]} for text in (old, new)]
    found = extraction.differing("", extraction.divided(old), extraction.divided(new))
    mine, yours = ({(d.key, d.signature, d.condition) for d in side} for side in found)
    assert sides[0] - sides[1] <= mine <= sides[0]
    assert sides[1] - sides[0] <= yours <= sides[1]


def test_a_block_that_stays_is_read_once() -> None:
    blocks = [extraction.divided(b"int a(void);\n\n" + end) for end in (b"int b(void);", b"x")]
    assert blocks[0][0][1] is blocks[1][0][1]


def test_input_that_never_ends_a_declaration_takes_no_longer_than_its_length() -> None:
    for text in (
        b"/*" + b" x\n\n" * 200_000,
        b"{\n\n" * 100_000,
        b"#if A\n\n" * 50_000,
        b"#define M \\\n" + b"\tx \\\n" * 500_000,
        b"<<<<<<< HEAD\n\n=======\n\n>>>>>>> x\n\n" * 20_000,
        b"int f(\n\n" * 100_000,
    ):
        begun = time.process_time()
        extraction.extract("include/net/a.h", text)
        assert time.process_time() - begun < 20
