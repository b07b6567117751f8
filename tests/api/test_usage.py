# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of a driver use what changed."""

from __future__ import annotations

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
