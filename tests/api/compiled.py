# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain what real compilers say of drivers written for older releases, and compile the answers.

Run it by hand, on an indexed repository: `KBISECT_NET_REPO=… KBISECT_STORE=… python -m
tests.api.compiled [-v|-vv] [SET…]`. Each case (`cases`) is a statement that an older release took,
compiled by gcc and clang against the headers of a newer one. The commit named for it must be one
of those listed, or, for the cases that were held out, take the name from a header by git's own
word: by a removed line that has it, or (counted apart) by another text of its declaration. An
answer that is to do without counts as one that compiles if git shows no line in the place of one
that went, and no public header that declares the name.
"""

from __future__ import annotations

import difflib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kbisect.api import complaints, replacement
from kbisect.api.complaints import Trouble
from kbisect.api.explained import Explanation
from kbisect.api.explanation import Explainer
from kbisect.api.findings import Finding
from kbisect.api.lifetimes import Past
from kbisect.git.repository import Repository
from kbisect.history import names, store
from tests.api.cases import CASES, FOURTH, HEADERS, HELD_OUT, HELD_OUT_HEADERS, SECOND, THIRD

# What the headers need to be read without a build, in our words.
CONFIG = """
X86 X86_64 X86_64_SMP 64BIT MMU NET INET NETDEVICES IPV6 SMP FLATMEM FLAT_NODE_MEM_MAP ZONE_DMA
ZONE_DMA32 MODULES NETFILTER BRIDGE_NETFILTER PHYLIB NET_NS SYSFS PROC_FS XFRM GENERIC_BUG BUG RPS
VLAN_8021Q TREE_RCU
HZ=250 X86_L1_CACHE_SHIFT=6 X86_INTERNODE_CACHE_SHIFT=6 NR_CPUS=8 PHYSICAL_START=0x1000000
PAGE_OFFSET=0xffff880000000000 NODES_SHIFT=0 BASE_SMALL=0 LOG_BUF_SHIFT=17
DEFAULT_MMAP_MIN_ADDR=4096 GENERIC_ISA_DMA PHYSICAL_ALIGN=0x1000000 X86_CMPXCHG X86_TSC
RWSEM_GENERIC_SPINLOCK RCU_FANOUT=64
"""
_BEGIN = """\
#include <linux/skbuff.h>
#include <linux/netdevice.h>
#include <linux/ethtool.h>
#include <linux/igmp.h>
#include <net/sock.h>
#include <net/inet_sock.h>
#include <net/route.h>
#include <net/ip.h>
#include <net/xfrm.h>
#include <net/ip6_route.h>
#include <net/genetlink.h>
#include <net/sch_generic.h>
#include <net/arp.h>
#include <net/cfg80211.h>
#include <net/mac80211.h>
#include <net/bluetooth/bluetooth.h>
#include <net/bluetooth/hci_core.h>
#include <linux/phy.h>
#include <linux/etherdevice.h>
#include <linux/icmpv6.h>
#include <linux/if_vlan.h>
#include <linux/if_bridge.h>
#include <linux/netfilter.h>
#include <linux/inetdevice.h>
#include <net/ip_fib.h>
#include <net/tcp.h>
#include <net/udp.h>
#include <net/neighbour.h>
#include <net/netlink.h>
#include <net/scm.h>
#include <net/protocol.h>
#include <net/addrconf.h>
struct private;
struct hh_cache;
struct ifmap;
struct ieee80211_hw;
struct ieee80211_sta;
struct ieee80211_vif;
extern int my_header(struct sk_buff *, struct net_device *, unsigned short, void *, void *,
	unsigned);
extern int my_ioctl(struct net_device *, struct ifreq *, int), my_mtu(struct net_device *, int);
extern void my_list(struct net_device *);
extern unsigned int my_hook(unsigned int, struct sk_buff **, const struct net_device *,
	const struct net_device *, int (*)(struct sk_buff *));
extern int my_open(struct net_device *), my_xmit(struct sk_buff *, struct net_device *);
extern int my_poll(struct net_device *, int *), my_create(struct socket *, int);
extern struct net_device_stats *my_stats(struct net_device *);
extern void my_avoid(struct sock *, u32, u32, int);
extern int my_newlink(struct net_device *, struct nlattr **, struct nlattr **);
extern void my_check(struct sock *, int, struct sk_buff *);
extern int my_set(struct sock *, int, int, char __user *, int);
extern int my_cache(struct neighbour *, struct hh_cache *);
extern int my_ampdu(struct ieee80211_hw *, unsigned, const u8 *, u16, u16 *);
extern int my_aggregate(struct ieee80211_hw *, struct ieee80211_vif *, unsigned,
	struct ieee80211_sta *, u16, u16 *);
extern int my_config(struct net_device *, struct ifmap *);
extern void my_kill(struct net_device *, unsigned short);
extern int my_reject(struct xfrm_state *, struct sk_buff *, struct flowi *);
extern struct sk_buff *my_segment(struct sk_buff *, int);
#define CASE(number) static void case_##number(struct sk_buff *skb, struct net_device *dev, \\
	struct sock *sk, struct inet_sock *inet, struct rtable *rt, struct dst_entry *dst, \\
	struct flowi *fl, struct net *net, struct napi_struct *napi, void *object, u32 number_)
"""
# Where the headers of x86 were: the last since v2.6.28.
_ARCHITECTURE = ("include/asm-x86_64", "include/asm-x86", "arch/x86/include")
COMPILERS = {"gcc": ("gcc", "-fmax-errors=0"), "clang": ("clang", "-ferror-limit=0")}


@dataclass(frozen=True, slots=True)
class Kernel:
    """The headers of one release, ready to compile against."""

    folder: Path

    @classmethod
    def unpacked(cls, repository: str, commit: str, folder: Path) -> Kernel:
        """Take the headers from a repository and add what a build would have made."""
        had = subprocess.run(
            ["git", "-C", repository, "ls-tree", "-d", "--name-only", commit, *_ARCHITECTURE],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        done = subprocess.run(
            ["git", "-C", repository, "archive", commit, "include", *had],
            capture_output=True,
            check=True,
        )
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        if "arch/x86/include" not in had:
            (folder / "include" / "asm").symlink_to(had[0].removeprefix("include/"))
        made = folder / "include" / "generated"
        made.mkdir(exist_ok=True)
        options = (word.partition("=") for word in CONFIG.split())
        lines = (f"#define CONFIG_{name} {value or 1}\n" for name, _, value in options)
        (made / "autoconf.h").write_text("".join(lines))
        older = folder / "include" / "linux"
        (older / "autoconf.h").write_text("")
        (older / "utsrelease.h").write_text("")
        bounds = "#define NR_PAGEFLAGS 22\n#define MAX_NR_ZONES 4\n"
        for place in (made, older):
            (place / "bounds.h").write_text(bounds)
        (made / "asm-offsets.h").write_text("")
        (made / "utsrelease.h").write_text('#define UTS_RELEASE "x"\n')
        for number in range(5, 30):
            other = folder / "include" / "linux" / f"compiler-gcc{number}.h"
            other.write_text("#include <linux/compiler-gcc4.h>\n")
        return cls(folder)

    def compile(self, compiler: str, text: str) -> str:
        """Return what the compiler says, as a build shows it."""
        program, *flags = COMPILERS[compiler]
        source = self.folder / "driver.c"
        source.write_text(text)
        built_in = subprocess.run(
            [program, "-print-file-name=include"], capture_output=True, text=True, check=True
        ).stdout.strip()
        command = [
            *(program, *flags, "-fsyntax-only", "-std=gnu89", "-O2", "-nostdinc"),
            *("-isystem", built_in, "-include", "include/generated/autoconf.h"),
            *("-Iinclude", "-Iarch/x86/include", "-D__KERNEL__", "-DMODULE", "-DKBUILD_MODNAME=0"),
            *("-DKBUILD_BASENAME=0", "-Werror=implicit-function-declaration"),
            *("-Wno-pointer-sign", "-Wno-unused", "driver.c"),
        ]
        done = subprocess.run(
            command,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )
        return done.stderr


@dataclass(slots=True)
class Count:
    """How many lines were explained, by the right commit, with an answer, and one that compiles.

    `by_text` are those right ones whose commit has no removed line with the name, `dropped` those
    compiled ones whose answer is to do without.
    """

    lines: int = 0
    right: int = 0
    answered: int = 0
    compiled: int = 0
    by_text: int = 0
    dropped: int = 0


def driver(statements: Iterable[str], headers: Iterable[str] = ()) -> tuple[str, list[int]]:
    """Return a source with a function for each statement, and the line of each."""
    text, places = "".join(f"#include <{header}>\n" for header in headers) + _BEGIN, []
    for number, statement in enumerate(statements):
        text += f"CASE({number})\n{{\n\tint number = number_;\n"
        places.append(text.count("\n") + 1)
        text += f"\t{statement}\n}}\n"
    return text, places


def main() -> int:
    """Print the table of each set; with -v each line that went wrong, with -vv every line."""
    repository = Repository.open(os.environ["KBISECT_NET_REPO"], os.environ["KBISECT_STORE"])
    index = store.load(repository.store)
    sets: tuple[tuple[str, Cases, Cases], ...] = (
        ("looked at", CASES, HEADERS),
        ("held out", _unnamed(HELD_OUT), _unnamed(HELD_OUT_HEADERS)),
        ("second", _unnamed(SECOND), {}),
        ("third", _unnamed(THIRD), {}),
        ("fourth", _unnamed(FOURTH), {}),
    )
    asked = {word for word in sys.argv[1:] if not word.startswith("-")}
    for title, cases, headers in sets:
        if asked and title not in asked:
            continue
        count = Count()
        for release in sorted({*cases, *headers}):
            folder = Path(tempfile.mkdtemp(prefix="kbisect-headers-"))
            try:
                commit = names.resolve(repository, release)
                kernel = Kernel.unpacked(os.environ["KBISECT_NET_REPO"], commit, folder)
                explainer = Explainer(Past(repository, index, release))
                for compiler in COMPILERS:
                    asker = _Asked(explainer, kernel, f"{release} {compiler}", compiler, count)
                    asker.statements(cases.get(release, ()))
                    asker.headers(headers.get(release, ()))
            finally:
                shutil.rmtree(folder)
        print(f"{title}: {count.lines} lines")
        for words, number in (
            ("explained by the right commit", count.right),
            ("  by the declaration's text", count.by_text),
            ("with an answer", count.answered),
            ("whose answer compiles", count.compiled),
            ("  which is to do without", count.dropped),
        ):
            print(f"  {words:<32}{number:>4}  {number / count.lines:6.1%}")
    return 0


Cases = Mapping[str, Sequence[tuple[str, str]]]


def _unnamed(cases: Mapping[str, Sequence[str]]) -> Cases:
    return {release: [(text, "") for text in listed] for release, listed in cases.items()}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One compiler and one release's headers, and what is counted there."""

    explainer: Explainer
    kernel: Kernel
    place: str
    compiler: str
    count: Count

    def statements(self, cases: Sequence[tuple[str, str]]) -> None:
        """Ask about each statement that doesn't compile, and compile what is answered."""
        text, places = driver([statement for statement, _ in cases])
        said = self.kernel.compile(self.compiler, text)
        wrong = _wrong(said)
        by_line = _by_line(self.explainer, said)
        answers = []
        for (statement, _), place in zip(cases, places, strict=True):
            found = by_line.get(place)
            answers.append(_answered(statement, found) if found is not None else "")
        headers = {header for each in by_line.values() for header in each.advice.includes}
        again, moved = driver([answer or ";" for answer in answers], sorted(headers))
        bad = _wrong(self.kernel.compile(self.compiler, again))
        for (statement, commits), place, answer, line in zip(
            cases, places, answers, moved, strict=True
        ):
            if place in wrong or commits:
                self._tell(statement, by_line.get(place), commits, answer, compiles=line not in bad)

    def headers(self, cases: Sequence[tuple[str, str]]) -> None:
        """Ask about each header that isn't there."""
        for header, commits in cases:
            said = self.kernel.compile(self.compiler, f"#include <{header}>\n")
            found = next(iter(_by_line(self.explainer, said).values()), None)
            # A header that nothing took the place of wants no answer but to be left out.
            answer = (
                found.advice.write or ";" if found is not None and found.finding is not None else ""
            )
            rest = answer if answer.startswith("#include") else ""
            again = self.kernel.compile(self.compiler, f"{_BEGIN}{rest}\n")
            self._tell(header, found, commits, answer, compiles=not _wrong(again))

    def _tell(
        self, text: str, found: Explanation | None, commits: str, answer: str, *, compiles: bool
    ) -> None:
        finding = found.finding if found is not None else None
        named = (finding.commit or "") if finding is not None else ""
        if commits:
            right = named[:12] in commits.split()
        else:
            plainly = finding is not None and _removes(finding)
            by_text = finding is not None and not plainly and _changes_text(finding)
            right = plainly or by_text
            self.count.by_text += by_text
        good = bool(answer) and compiles
        self.count.lines += 1
        self.count.right += right
        self.count.answered += bool(answer)
        self.count.compiled += good
        self.count.dropped += good and found is not None and found.advice.ending is not None
        if "-vv" in sys.argv[1:] or ("-v" in sys.argv[1:] and not (right and good)):
            marks = ("+" if right else "-") + ("+" if good else "-" if answer else "0")
            print(f"{marks} {self.place}: {text}")
            print(f"     {named[:12] or 'none'} {found.name if found is not None else 'nothing'}")
            print(f"     {answer or 'no answer'}")


def _git(*arguments: str) -> str:
    where = os.environ["KBISECT_NET_REPO"]
    done = subprocess.run(["git", "-C", where, *arguments], capture_output=True, check=False)
    return done.stdout.decode("utf-8", "replace")


def _removes(finding: Finding) -> bool:
    """Whether git shows that the commit takes the name's line from a header."""
    if not finding.commit:
        return False
    shown = _git("show", "--format=", "-M100%", finding.commit, "--", "include")
    if finding.kind.startswith("header"):
        return f"--- a/{finding.name}" in shown or f"rename from {finding.name}" in shown
    return bool(re.search(rf"^-.*\b{replacement.word(finding)}\b", shown, re.MULTILINE))


def _changes_text(finding: Finding) -> bool:
    """Whether git shows another declaration of the name before the commit than after it.

    The line that changed may be a later one of a prototype, or the one with the struct's name.
    """
    if not finding.commit or finding.kind.startswith("header"):
        return False
    before, after = (
        _declared(_git("show", f"{commit}:{finding.header}"), finding)
        for commit in (f"{finding.commit}^", finding.commit)
    )
    return bool(before) and before != after


def _declared(header: str, finding: Finding) -> set[str]:
    """Return the statements of a header that have the name; of a member only its struct's."""
    name = replacement.word(finding)
    text = re.sub(r"/\*.*?\*/", " ", header, flags=re.DOTALL)
    if "." in finding.name:
        owner = finding.name.split(".")[0]
        body = re.search(rf"^(?:struct|union) {owner} \{{.*?^\}}", text, re.MULTILINE | re.DOTALL)
        text = body[0] if body else ""
    return {
        " ".join(each.split())
        for each in re.split(r"[;{]", text)
        if re.search(rf"\b{name}\b", each)
    }


def _is_gone(finding: Finding) -> bool:
    """Whether git shows that a name went and nothing took its place."""
    name, commit = replacement.word(finding), finding.commit or ""
    member = "." in finding.name
    use = rf"(?:->|\.)\s*{name}\b" if member else rf"^\s.*\b{name}\b"
    for hunk in re.split(r"^@@.*$", _git("show", "--format=", "-U0", commit), flags=re.MULTILINE):
        lines = hunk.split("\ndiff --git")[0].splitlines()
        went = [line[1:] for line in lines if line[:1] == "-" and re.search(use, line[1:])]
        came = [line[1:].strip() for line in lines if line[:1] == "+"]
        for line in went:
            if line.strip()[:1] not in "/*" and difflib.get_close_matches(line.strip(), came):
                return False
    return member or not _git(
        "grep", "-w", "-l", name, commit, "--", "include/net", "include/linux"
    )


def _wrong(said: str) -> set[int]:
    """Return the lines of the driver that don't compile."""
    return {each.line for each in complaints.read(said) if each.file.endswith("driver.c")}


def _by_line(explainer: Explainer, said: str) -> dict[int, Explanation]:
    found: dict[int, Explanation] = {}
    for each in explainer.explain(complaints.read(said)):
        own = each.complaint.file.endswith("driver.c")  # the headers have warnings of their own
        if own and each.complaint.trouble is not Trouble.OTHER:
            found.setdefault(each.complaint.line, each)
    return found


def _answered(statement: str, found: Explanation) -> str:
    """Return the statement as it should be; a prototype is declared, and the line stays."""
    write = found.advice.write
    if found.finding is not None and found.advice.left_out:
        write = _without(statement, replacement.word(found.finding))
    elif found.finding is not None and found.advice.ending is not None:
        gone = _is_gone(found.finding)
        write = _without(statement, replacement.word(found.finding)) if gone else ""
    if write.startswith("static ") and "=" not in write and not statement.startswith("static "):
        name = write.split("(")[0].split()[-1].lstrip("*")
        own = write.replace("static ", "extern ", 1).replace(f"{name}(", f"new_{name}(", 1)
        return f"{own}; {statement.replace(name, f'new_{name}')}"
    return write


def _without(line: str, name: str) -> str:
    """Return a line of several statements without the one that has a name."""
    parts = [line] if "for (" in line else re.findall(r"[^;]*;", line)
    return " ".join(part for part in parts if not re.search(rf"\b{name}\b", part)) + ";"


if __name__ == "__main__":
    sys.exit(main())
