# SPDX-License-Identifier: GPL-2.0-or-later
"""What counts as a use of a name."""

from __future__ import annotations

from kbisect.api.references import Code, Place, in_code

SOURCE = b"""\
/* poke(1); */
poke(1);  /* poke(2) */
asm("mov \\n\\
     nop \\n\\
     poke");
puts("poke");
// poke(3);
poke(4);
"""


def test_comments_and_strings_are_no_uses_and_shift_no_lines() -> None:
    lines = SOURCE.decode().splitlines()
    with_word = [Place("a.c", at, text) for at, text in enumerate(lines, 1) if "poke" in text]
    assert [place.line for place in in_code("poke", with_word, Code({"a.c": SOURCE}))] == [2, 8]
