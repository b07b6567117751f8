# SPDX-License-Identifier: GPL-2.0-or-later
"""What nipa says of a posting, and what we say: rule by rule, read in its tests as of 2026-08-20.

nipa's results are 0 (success), 250 (warning) and 1 (failure); they are ours as pass, warn and fail.
Where we say something else, the row says why:

================== ==============================================================================
series_format      ours also fails for missing patches and for a cover letter with git's
                   placeholders; pull requests aren't read
fixes_present      ours advises a tag for a -next patch whose title says that it fixes (the
                   documentation asks for it)
verify_signedoff   nipa asks for the committer's; a mail has none before it is applied, so ours
                   warns if the last to sign isn't who sends it; Co-developed-by is the
                   documentation's
cc_maintainers     nipa also asks the history where MAINTAINERS is silent, keeps a list of dead
                   addresses and of companies, and asks the archive who has fallen silent: ours
                   does none of these, and so may name more
check_selftest     the order of lines in Makefile, .gitignore and config isn't looked at
maintainers        the same counts (75 files, 500 files), by the tree's own patterns
checkpatch         only when asked; the same options but --codespell, as far as the script has them
================== ==============================================================================

What needs a build, a checkout or another tool has no rule here: build_*, kdoc, dt_binding_check,
dtbs_check, pylint, ruff, shellcheck, yamllint, ynl, signed, ai-review.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kbisect.git.repository import Repository
from kbisect.patch import check, rules, series
from kbisect.patch.rules import Level
from tests.conftest import git
from tests.patch.conftest import FILES, commit
from tests.patch.test_check import NOW, OPEN, SOB, diff, mail

OURS = {0: {Level.PASS}, 250: {Level.WARN}, 1: {Level.FAIL}}
DUMMY = "drivers/net/dummy.c"
SELFTEST = "tools/testing/selftests/net/"


def _tagged(said: str, digits: int = 12, gap: str = " ", before: str = "") -> dict[str, str]:
    """Write a Fixes: tag of `acme: count drops and more`."""
    return {"message": f"Why.\n\nFixes: {before}{{target:.{digits}}}{gap}{said}\n{SOB}"}


def _code(path: str, *lines: str, old: tuple[str, ...] = ()) -> dict[str, str]:
    return {"change": diff(path, *lines, old=old)}


def _new(path: str, line: str = "x") -> dict[str, str]:
    return {"change": f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+{line}\n"}


CASES = [
    ("series_format", 0, {}),
    ("series_format", 250, {"subject": "[PATCH] dummy: add b"}),
    ("fixes_present", 0, {}),
    ("fixes_present", 1, {"subject": "[PATCH net] dummy: add b"}),
    ("fixes_present", 0, {"subject": "[PATCH net] x", **_code("Documentation/a.rst", "a")}),
    ("verify_fixes", 0, {}),
    ("verify_fixes", 0, _tagged('("acme: count drops and more")')),
    ("verify_fixes", 0, _tagged('("acme: count drops")')),
    ("verify_fixes", 0, _tagged("(“acme: count drops and more”)")),
    ("verify_fixes", 0, _tagged('(“acme: count drops and more")')),
    ("verify_fixes", 0, _tagged("('acme: count drops and more')")),
    ("verify_fixes", 0, _tagged("acme: count drops and more")),
    ("verify_fixes", 0, _tagged('("acme: count ...")')),
    ("verify_fixes", 0, _tagged('("... and more")')),
    ("verify_fixes", 0, _tagged('("acme: ... and more")')),
    ("verify_fixes", 1, _tagged('("acme:...and more")')),
    ("verify_fixes", 1, _tagged('("acme: count lost")')),
    ("verify_fixes", 1, _tagged('("acme: count drops and more"')),
    ("verify_fixes", 1, _tagged('("acme: count drops and more)')),
    ("verify_fixes", 1, _tagged('("acme: count drops and more")', digits=11)),
    ("verify_fixes", 1, _tagged('("acme: count drops and more")', gap="")),
    ("verify_fixes", 1, _tagged('("acme: count drops and more")', before="commit ")),
    ("verify_fixes", 1, _tagged("")),
    ("verify_fixes", 1, {"message": f"Why.\n\nFixes: it\n{SOB}"}),
    ("verify_fixes", 1, {"message": f'Why.\n\nFixes: {"9" * 12} ("x")\n{SOB}'}),
    (
        "verify_fixes",
        1,
        {"message": f'Why.\n\nFixes: {{target:.12}} ("acme: count drops")\n\n{SOB}'},
    ),
    ("verify_fixes", 1, {"message": f'Fixes: {{target:.12}} ("acme: count drops")\n\n{SOB}'}),
    ("verify_signedoff", 0, {}),
    ("verify_signedoff", 0, {"message": "Why.\n\nsigned-off-by: Other <ada@example.org>"}),
    ("verify_signedoff", 0, {"message": "Why.\n\nSigned-off-by: Ada Test <new@example.org>"}),
    ("verify_signedoff", 1, {"message": "Why."}),
    ("verify_signedoff", 1, {"message": "Why.\n\nSigned-off-by: Eli Test <eli@example.org>"}),
    ("cc_maintainers", 0, {}),
    ("cc_maintainers", 0, {"cc": "Eli <ELI@example.org>, netdev@vger.kernel.org"}),
    ("cc_maintainers", 0, {"cc": "old.eli@example.org, netdev@vger.kernel.org"}),
    ("cc_maintainers", 1, {"cc": "netdev@vger.kernel.org"}),
    ("source_inline", 0, {}),
    ("source_inline", 1, _code(DUMMY, "static inline int b(void)")),
    ("source_inline", 250, _code(DUMMY, "inline int c(void)", old=("inline int b(void)",))),
    ("source_inline", 0, _code(DUMMY, "int b; /* inline here */")),
    ("source_inline", 0, _code("include/a.h", "static inline int b(void)")),
    ("header_inline", 0, {}),
    ("header_inline", 1, _code("include/a.h", "static int b(void)")),
    ("header_inline", 1, _code("include/a.h", "int b(void) { return 1; }")),
    ("header_inline", 0, _code("include/a.h", "static inline int b(void)")),
    ("header_inline", 0, _code("include/a.h", "static __always_inline int b(void)")),
    ("header_inline", 0, _code("include/a.h", "static int b(void) \\")),
    ("header_inline", 0, _code("include/a.h", "int b(void);")),
    ("deprecated_api", 0, {}),
    ("deprecated_api", 1, _code(DUMMY, "module_param(b, int, 0);")),
    ("deprecated_api", 250, _code(DUMMY, "module_param(b);", old=("module_param(a);",))),
    ("deprecated_api", 250, _code(DUMMY, "\tdev_put(b);")),
    ("deprecated_api", 0, _code(DUMMY, "\tdev_put(b);", old=("\tdev_put(a);",))),
    ("deprecated_api", 0, _code(DUMMY, "dev_put(b)")),  # at the margin: a definition
    ("deprecated_api", 0, _code(DUMMY, "\tnetdev_put(b);")),
    ("deprecated_api", 250, _code(DUMMY, "\tint *b __free(kfree) = c;")),
    ("deprecated_api", 0, _code("lib/a.c", "\tint *b __free(kfree) = c;")),
    ("maintainers", 0, {}),
    ("maintainers", 0, _new("drivers/net/new.c")),
    ("maintainers", 0, _new("Documentation/new.rst")),
    ("maintainers", 1, _new("nobody/new.c")),
    ("check_selftest", 0, {}),
    ("check_selftest", 1, _new(f"{SELFTEST}new.sh")),
    ("check_selftest", 1, _new(f"{SELFTEST}new.c")),
    ("check_selftest", 0, _new(f"{SELFTEST}old.sh")),
    ("check_selftest", 0, _new(f"{SELFTEST}new.bpf.c")),
    ("check_selftest", 0, _new("tools/testing/selftests/mm/new.sh")),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, str]:
    """A tree, and the commit `acme: count drops and more` in it."""
    top: Path = tmp_path_factory.mktemp("nipa")
    git(top, "init", "--quiet", "--initial-branch=net")
    mailmap = "Eli Test <eli@example.org> <old.eli@example.org>\n"
    more = {".mailmap": mailmap, f"{SELFTEST}Makefile": "TEST_PROGS := old.sh\n"}
    commit(top, FILES | more, "acme: begin")
    target = commit(top, {"lib/a.c": "int a;\nint b;\n"}, "acme: count drops and more")
    git(top, "branch", "net-next")
    return Repository.open(top), target


@pytest.mark.parametrize(
    ("rule", "code", "posting"), CASES, ids=[f"{at}-{case[0]}" for at, case in enumerate(CASES)]
)
def test_we_say_what_nipa_says(
    tree: tuple[Repository, str], rule: str, code: int, posting: dict[str, str]
) -> None:
    repository, target = tree
    if "message" in posting:
        posting = posting | {"message": posting["message"].format(target=target)}
    read = series.read(mail(**posting).encode())
    verdict = check.check(repository, read, repository.resolve("net-next"), OPEN, lambda: NOW)
    said = [each for each in verdict.results if each.rule.name == rule]
    assert {each.level for each in said} <= OURS[code], said


def test_every_rule_that_nipa_has_is_in_the_table() -> None:
    named = {rule.name for rule in rules.ALL if rule.nipa} - {"checkpatch"}
    assert named == {case[0] for case in CASES}


@pytest.mark.parametrize(
    ("count", "cover", "code"),
    [(2, False, 0), (3, False, 250), (3, True, 0), (15, True, 0), (16, True, 1), (16, False, 1)],
)
def test_the_size_of_a_series(
    tree: tuple[Repository, str], count: int, cover: bool, code: int
) -> None:
    repository, _ = tree
    mails = [mail(f"[PATCH net-next {n:02}/{count}] dummy: {n}") for n in range(1, count + 1)]
    if cover:
        mails.insert(0, mail(f"[PATCH net-next 00/{count}] dummy: all", change=""))
    read = series.read("".join(mails).encode())
    verdict = check.check(repository, read, repository.resolve("net-next"), OPEN, lambda: NOW)
    [said] = [each for each in verdict.results if each.rule is rules.SERIES_FORMAT]
    assert said.level in OURS[code], said
