# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain what real compilers say of drivers written for older releases, and compile the answers.

Run it by hand, on an indexed repository: `KBISECT_NET_REPO=… KBISECT_STORE=… python -m
tests.api.compiled [-v]`. Each case is a statement that an older release took, compiled by gcc and
clang against the headers of a newer one, and the commits that may be named for it. Where several
commits had a part (an accessor, then the field), each of them is right.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kbisect.api import complaints
from kbisect.api.complaints import Trouble
from kbisect.api.explanation import Explainer, Explanation
from kbisect.api.lifetimes import Past
from kbisect.git.repository import Repository
from kbisect.history import names, store

CASES = {
    "v2.6.36": (
        ("skb->nh.iph->check = 0;", "b0e380b1d8a8 eddc9ec53be2"),
        ("skb->nh.raw = skb->data;", "b0e380b1d8a8 c1d2bbe1cd6c"),
        ("skb->h.th->dest = 0;", "b0e380b1d8a8 aa8223c7bb0b"),
        ("skb->h.uh->len = 0;", "b0e380b1d8a8 4bedb45203ea"),
        ("skb->mac.raw = skb->data;", "b0e380b1d8a8 459a98ed8818"),
        ("struct private *own = dev->priv;", "b74ca3a896b9"),
        ("dev->open = my_open;", "e3804cbebb67 d314774cf2cd"),
        ("dev->hard_start_xmit = my_xmit;", "e3804cbebb67 008298231abb"),
        ("dev->get_stats = my_stats;", "e3804cbebb67 d314774cf2cd"),
        ("object = skb->dst;", "adf30907d638"),
        ("rt = skb->rtable;", "511c3f92ad5b"),
        ("number = skb->iif;", "8964be4a9a5c"),
        ("number = inet->daddr;", "c720c7e8383a"),
        ("number = inet->sport;", "c720c7e8383a"),
        ("number = inet->num;", "c720c7e8383a"),
        ("netif_rx_schedule(dev, napi);", "288379f05028"),
        ("netif_rx_complete(dev, napi);", "288379f05028"),
        ("number = dev->mc_count;", "22bedad3ce11 4cd24eaf0c6e"),
        ("number = dev->uc_count;", "31278e714713"),
        ("wake_up(sk->sk_sleep);", "43815482370c aa3951451652"),
        ("skb_linearize(skb, GFP_ATOMIC);", "364c6badde0d"),
        ("skb_unlink(skb);", "8728b834b226"),
        ('dev = dev_get_by_name("eth0");', "881d966b48b0"),
        ("dev = __dev_get_by_index(number);", "881d966b48b0"),
        ("number = ip_route_output_key(&rt, fl);", "f206351a50ea"),
        ("object = &rt->u.dst;", "d8d1f30b95a6"),
        ("skb_shinfo(skb)->tso_size = 0;", "7967168cefdb"),
        ("object = &dev->class_dev;", "43cb76d91ee8"),
        ("SET_MODULE_OWNER(dev);", "10d024c1b2fd"),
        ("dev->poll = my_poll;", "bea3348eef27"),
        ("dev->weight = 64;", "bea3348eef27"),
        ("netif_poll_disable(dev);", "bea3348eef27"),
        ("dev = skb->input_dev;", "c01003c20563"),
        ("number = skb->nfmark;", "82e91ffef60e"),
        ("spin_lock(&dev->xmit_lock);", "932ff279a43a"),
        ("skb->ip_summed = CHECKSUM_HW;", "84fa7933a33f"),
        ("dev_mc_delete(dev, dev->dev_addr, 6, 0);", "22bedad3ce11"),
        ("struct tcp_func *functions = 0; functions->queue_xmit = 0;", "8292a17a399f"),
        ("struct ethtool_ops ops = { .get_rxhash = 0 };", "59089d8d162d"),
        ("struct net_proto_family family = { .create = my_create };", "3f378b684453 1b8d7ae42d02"),
        ("number = dst->info;", "3becd578c5c9"),
        ("object = &dev->queue_lock;", "dc2b48475a0a 555353cfa1ae"),
    ),
    "v3.0": (
        ("object = dev->br_port;", "f350a0a87374 ab95bfe01f98"),
        ("number = dst->metrics[0];", "defb3519a641 62fa8a846d7d"),
        ("fl->fl4_dst = number;", "9cce96df5b76 6281dcc94a96"),
        ("number = ip_route_output_key(net, &rt, fl);", "b23dd4fe42b4 9d6ec938019c"),
        ("number = rt->rt_tos;", "475949d8e86b"),
        ("struct ethtool_ops ops = { .phys_id = 0 };", "1ab7b6ac2709"),
        ("object = inet->opt;", "f6d8bd051c39"),
        ("number = rt->fl.fl4_dst;", "5e2b61f78411"),
        ("object = rt->idev;", "72cdd1d971c0"),
        ("dev = dev_get_by_flags(net, 1, 1);", "bb69ae049fcc"),
        ("number = ip_check_mc(object, number, number, 1);", "dbdd9a52e38a"),
        ("number = atomic_read(&dev->refcnt);", "29b4433d991c"),
        ("dst = skb->_skb_dst;", "7fee226ad239"),
        ("number = dst->rate_last;", "92d868292634"),
    ),
}
HEADERS = {
    "v2.6.36": (
        ("net/wireless.h", "d32365537259"),
        ("linux/if_shaper.h", "f1862b0ae229"),
        ("net/ip_mp_alg.h", "e06e7c615877"),
        ("net/tcp_ecn.h", "bdf1ee5d3bd3"),
        ("net/syncppp.h", "72364706c3b7"),
    ),
}
# What the headers need to be read without a build, in our words.
CONFIG = """
X86 X86_64 64BIT MMU NET INET NETDEVICES IPV6 SMP FLATMEM FLAT_NODE_MEM_MAP ZONE_DMA ZONE_DMA32
MODULES NETFILTER PHYLIB NET_NS SYSFS PROC_FS XFRM GENERIC_BUG BUG RPS VLAN_8021Q TREE_RCU
HZ=250 X86_L1_CACHE_SHIFT=6 X86_INTERNODE_CACHE_SHIFT=6 NR_CPUS=8 PHYSICAL_START=0x1000000
PAGE_OFFSET=0xffff880000000000 NODES_SHIFT=0 BASE_SMALL=0 LOG_BUF_SHIFT=17
DEFAULT_MMAP_MIN_ADDR=4096
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
struct private;
extern int my_open(struct net_device *), my_xmit(struct sk_buff *, struct net_device *);
extern int my_poll(struct net_device *, int *), my_create(struct socket *, int);
extern struct net_device_stats *my_stats(struct net_device *);
#define CASE(number) static void case_##number(struct sk_buff *skb, struct net_device *dev, \\
	struct sock *sk, struct inet_sock *inet, struct rtable *rt, struct dst_entry *dst, \\
	struct flowi *fl, struct net *net, struct napi_struct *napi, void *object, u32 number_)
"""
COMPILERS = {"gcc": ("gcc", "-fmax-errors=0"), "clang": ("clang", "-ferror-limit=0")}


@dataclass(frozen=True, slots=True)
class Kernel:
    """The headers of one release, ready to compile against."""

    folder: Path

    @classmethod
    def unpacked(cls, repository: str, commit: str, folder: Path) -> Kernel:
        """Take the headers from a repository and add what a build would have made."""
        paths = ("include", "arch/x86/include")
        done = subprocess.run(
            ["git", "-C", repository, "archive", commit, *paths], capture_output=True, check=True
        )
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            archive.extractall(folder, filter="data")
        made = folder / "include" / "generated"
        made.mkdir()
        options = (word.partition("=") for word in CONFIG.split())
        lines = (f"#define CONFIG_{name} {value or 1}\n" for name, _, value in options)
        (made / "autoconf.h").write_text("".join(lines))
        (made / "bounds.h").write_text("#define NR_PAGEFLAGS 22\n#define MAX_NR_ZONES 4\n")
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
    """How many lines were explained, by the right commit, with an answer, and one that compiles."""

    lines: int = 0
    right: int = 0
    answered: int = 0
    compiled: int = 0


def driver(statements: list[str]) -> tuple[str, list[int]]:
    """Return a source with a function for each statement, and the line of each."""
    text, places = _BEGIN, []
    for number, statement in enumerate(statements):
        text += f"CASE({number})\n{{\n\tint number = number_;\n"
        places.append(text.count("\n") + 1)
        text += f"\t{statement}\n}}\n"
    return text, places


def main() -> int:
    """Print the table; with -v each line that went wrong."""
    repository = Repository.open(os.environ["KBISECT_NET_REPO"], os.environ["KBISECT_STORE"])
    explainer = Explainer(Past(repository, store.load(repository.store)))
    count = Count()
    for release in sorted({*CASES, *HEADERS}):
        folder = Path(tempfile.mkdtemp(prefix="kbisect-headers-"))
        try:
            commit = names.resolve(repository, release)
            kernel = Kernel.unpacked(os.environ["KBISECT_NET_REPO"], commit, folder)
            for compiler in COMPILERS:
                _statements(explainer, kernel, release, compiler, count)
                _headers(explainer, kernel, release, compiler, count)
        finally:
            shutil.rmtree(folder)
    for title, number in (
        ("explained by the right commit", count.right),
        ("with an answer", count.answered),
        ("whose answer compiles", count.compiled),
    ):
        print(f"{title:<32}{number:>4} of {count.lines}  {number / count.lines:6.1%}")
    return 0


def _statements(
    explainer: Explainer, kernel: Kernel, release: str, compiler: str, count: Count
) -> None:
    cases = CASES.get(release, ())
    text, places = driver([statement for statement, _ in cases])
    by_line = _by_line(explainer, kernel.compile(compiler, text))
    answers = []
    for (statement, _), place in zip(cases, places, strict=True):
        found = by_line.get(place)
        answers.append(_answered(statement, found) if found is not None else "")
    again, moved = driver([answer or ";" for answer in answers])
    bad = _wrong(kernel.compile(compiler, again))
    for (statement, commits), place, answer, line in zip(
        cases, places, answers, moved, strict=True
    ):
        _tell(
            count,
            f"{release} {compiler}: {statement}",
            by_line.get(place),
            commits,
            answer,
            compiles=line not in bad,
        )


def _headers(
    explainer: Explainer, kernel: Kernel, release: str, compiler: str, count: Count
) -> None:
    for header, commits in HEADERS.get(release, ()):
        said = kernel.compile(compiler, f"#include <{header}>\n")
        found = next(iter(_by_line(explainer, said).values()), None)
        # A header that nothing took the place of wants no answer but to be left out.
        answer = found.write or ";" if found is not None and found.finding is not None else ""
        rest = answer if answer.startswith("#include") else ""
        _tell(
            count,
            f"{release} {compiler}: {header}",
            found,
            commits,
            answer,
            compiles=not _wrong(kernel.compile(compiler, f"{_BEGIN}{rest}\n")),
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
    write = found.write
    if write.startswith("static ") and "=" not in write and not statement.startswith("static "):
        name = write.split("(")[0].split()[-1].lstrip("*")
        own = write.replace("static ", "extern ", 1).replace(f"{name}(", f"new_{name}(", 1)
        return f"{own}; {statement.replace(name, f'new_{name}')}"
    return write


def _tell(
    count: Count,
    title: str,
    found: Explanation | None,
    commits: str,
    answer: str,
    *,
    compiles: bool,
) -> None:
    named = found.finding.commit if found is not None and found.finding is not None else None
    right = (named or "")[:12] in commits.split()
    count.lines += 1
    count.right += right
    count.answered += bool(answer)
    good = bool(answer) and compiles
    count.compiled += good
    if "-v" in sys.argv[1:] and not (right and good):
        marks = ("+" if right else "-") + ("+" if good else "-" if answer else "0")
        print(f"{marks} {title}")
        print(
            f"     {(named or 'none')[:12]} {found.name if found is not None else 'nothing said'}"
        )
        print(f"     {answer or 'no answer'}")


if __name__ == "__main__":
    sys.exit(main())
