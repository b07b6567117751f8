# SPDX-License-Identifier: GPL-2.0-or-later
"""A driver author's questions, on the small tree with releases: what Linux did in v2.6.22."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kbisect.api.complaints import read
from kbisect.api.explained import Verdict
from kbisect.api.explanation import Explainer
from kbisect.api.lifetimes import Past
from kbisect.api.probes import otherwise, probe
from kbisect.errors import UsageError
from kbisect.git.repository import Repository
from kbisect.history import index as indexing
from kbisect.history import store
from tests.api.test_history import HEADER, Tree, _move_callers
from tests.conftest import Run, git

Ask = Callable[..., dict[str, Any]]

DRIVER = """\
#include <linux/skbuff.h>

static int acme_xmit(struct sk_buff *skb, struct acme *nh)
{
	/* skb->nh in a comment */
	skb->nh.iph->check = 0;
	nh->nh = 1;
	return skb_pad(skb, 2);
}
"""


class Released(Tree):
    """v2.6.21, then the union goes (v2.6.22-rc1), then skb_pad changes (v2.6.22)."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        git(path, "tag", "v2.6.21")
        self.accessor, self.renamed = _move_callers(self)
        git(path, "tag", "v2.6.22-rc1")
        self.edit(self.header, ("extern struct sk_buff *skb_pad", "extern int skb_pad"))
        self.edit(self.header, ("int pad);", "int pad, int gfp);"))
        self.caller.write_text(
            self.caller.read_text().replace("see(", "skb_pad(skb, 1, GFP);\n\tsee(", 1)
        )
        self.padded = self.commit("pad in place")
        git(path, "tag", "v2.6.22")
        indexing.update(self.repository)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Released:
    return Released(tmp_path_factory.mktemp("questions") / "linux")


@pytest.fixture
def ask(tree: Released, kbisect: Run) -> Ask:
    def run(*arguments: str | Path) -> dict[str, Any]:
        done = kbisect("-C", tree.path, "api", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        assert document.pop("schema") == f"kbisect.api-{arguments[0]}/1"
        return document

    return run


def test_a_field_has_a_life_and_what_it_became(tree: Released, ask: Ask) -> None:
    for _ in range(2):  # read, then from the cache
        lives = {life["name"]: life for life in ask("history", "sk_buff")["lives"]}
        assert lives["sk_buff.len"]["until"] is None
        gone = lives["sk_buff.nh"]
        assert (gone["since"], gone["until"]) == (None, "v2.6.22-rc1")
        assert gone["until_commit"] == tree.renamed
        assert gone["became"] == "sk_buff.network_header"
        assert lives["sk_buff.nh.iph"]["until"] == "v2.6.22-rc1"
        came = lives["sk_buff.network_header"]
        assert (came["since"], came["since_commit"]) == ("v2.6.22-rc1", tree.renamed)
    (event,) = ask("history", "skb_pad")["events"]
    assert (event["kind"], event["commit"]) == ("function-signature", tree.padded)
    assert event["release"] == "v2.6.22"
    assert {life["name"] for life in ask("history", "sk_buff.nh")["lives"]} == {
        "sk_buff.nh",
        "sk_buff.nh.iph",
        "sk_buff.nh.raw",
    }


def test_a_complaint_is_explained_with_the_line_to_write(tree: Released, ask: Ask) -> None:
    log = (
        "acme.c:6:8: error: 'struct sk_buff' has no member named 'nh'\n"
        "    6 |         skb->nh.iph->check = 0;\n"
    )
    (found,) = ask("explain", log)["explanations"]
    assert found["commit"] == tree.renamed
    assert found["release"] == "v2.6.22-rc1"
    assert found["write"] == "ip_hdr(skb)->check = 0;"
    assert found["example"]["commit"] == tree.accessor
    assert found["guard"] == "#if LINUX_VERSION_CODE < KERNEL_VERSION(2,6,22)"
    past = Past(tree.repository, store.load(tree.repository.store))
    told = list(
        Explainer(past).explain(
            [
                *read("a.c:1:2: error: too few arguments to function 'skb_pad'\n  skb_pad(s, 2);"),
                *read("a.c:1:2: error: implicit declaration of function 'ip_hdr'"),
                *read("a.c:1:2: error: implicit declaration of function 'acme_setup'"),
            ]
        )
    )
    assert [each.verdict for each in told] == [Verdict.CHANGED, Verdict.NEW, Verdict.UNKNOWN]
    assert told[0].finding is not None
    assert told[0].finding.commit == tree.padded
    assert told[1].release == "v2.6.22-rc1"


def test_a_log_from_a_pipe_counts_what_it_did_not_understand(
    tree: Released, kbisect: Run, tmp_path: Path
) -> None:
    log = (
        "acme.c:6:8: error: 'struct sk_buff' has no member named 'nh'\n"
        "acme.c:7:8: Fehler: »struct sk_buff« hat kein Element namens »nh«\n"
        "acme.c:8:8: error: implicit declaration of function 'acme_setup'\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "kbisect", "-C", tree.path, "api", "explain", "-"],
        input=log,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'gone in   v2.6.22-rc1, {tree.renamed[:12]} ("kill the union")' in done.stdout
    assert "not in the indexed API: your own symbol?" in done.stdout
    assert "3 errors, 1 explained." in done.stdout
    assert "LC_ALL=C" in done.stdout


def test_a_log_is_read_from_its_file_as_from_a_pipe(
    tree: Released, kbisect: Run, tmp_path: Path
) -> None:
    log = tmp_path / "build.log"
    log.write_text("acme.c:6:8: error: 'struct sk_buff' has no member named 'nh'\n")
    from_file = kbisect("-C", tree.path, "api", "explain", log)
    as_message = kbisect("-C", tree.path, "api", "explain", log.read_text())
    assert from_file.returncode == 0, from_file.stderr
    assert "gone in   v2.6.22-rc1" in from_file.stdout
    assert from_file.stdout == as_message.stdout


def test_a_driver_is_checked_line_by_line(tree: Released, ask: Ask, tmp_path: Path) -> None:
    driver = tmp_path / "acme.c"
    driver.write_text(DRIVER)
    hits = ask("check", driver, "--from", "v2.6.21", "--to", "v2.6.22")["hits"]
    assert [(hit["line"], hit["change"]["name"], hit["sure"]) for hit in hits] == [
        (6, "sk_buff.nh", True),
        (8, "skb_pad", True),
    ]
    assert hits[0]["write"] == "ip_hdr(skb)->check = 0;"
    assert ask("check", driver, "--from", "v2.6.22", "--to", "v2.6.22")["hits"] == []


def test_a_check_needs_the_version_the_code_was_written_for(
    tree: Released, kbisect: Run, tmp_path: Path
) -> None:
    driver = tmp_path / "a.c"
    driver.write_text("int x;\n")
    done = kbisect("-C", tree.path, "api", "check", driver)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"try: kbisect api check {driver} --from" in done.stderr


def test_a_dictionary_entry(tree: Released, ask: Ask) -> None:
    entry = ask("show", "sk_buff.network_header")["entry"]
    assert entry["decl"] == "unsigned char *network_header"
    assert (entry["since"], entry["commit"]) == ("v2.6.22-rc1", tree.renamed)
    assert entry["accessors"] == ["ip_hdr()"]
    old = ask("show", "struct sk_buff", "--at", "v2.6.21")["entry"]
    names = [field["name"] for field in old["fields"]]
    assert names == [
        f"sk_buff.{name}" for name in ("next", "nh.iph", "nh.raw", "nh", "len", "nfct")
    ]
    assert old["fields"][-1]["condition"] == "CONFIG_NETFILTER"
    assert old["line"] == HEADER.splitlines().index("struct sk_buff {") + 1


def test_an_entry_says_whose_place_it_took_and_who_uses_that_still(
    tree: Released, ask: Ask, kbisect: Run
) -> None:
    (former,) = ask("show", "sk_buff.network_header")["entry"]["formerly"]
    assert (former["name"], former["commit"]) == ("sk_buff.nh", tree.renamed)
    assert former["uses_left"] == {"certain": 0, "possible": 0}
    done = kbisect("-C", tree.path, "api", "show", "sk_buff.nh")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"it went in v2.6.22-rc1, {tree.renamed[:12]}; no use left" in done.stderr


def test_definitions_and_references_are_those_of_grep(tree: Released, ask: Ask) -> None:
    found = ask("xref", "ip_hdr", "v2.6.22-rc1")
    assert [place["file"] for place in found["definitions"]] == ["include/linux/skbuff.h"]
    grep = git(tree.path, "grep", "-nw", "ip_hdr", "v2.6.22-rc1", "--", "net").splitlines()
    listed = [f"{place['file']}:{place['line']}:{place['text']}" for place in found["references"]]
    assert [f"v2.6.22-rc1:{line}" for line in listed] == grep
    fields = ask("xref", "sk_buff.network_header", "--worktree")
    assert len(fields["definitions"]) == 1
    assert len(fields["references"]) == 4


def test_since_when_something_holds(tree: Released, ask: Ask) -> None:
    first = ask("probe", "function skb_pad matches gfp")["first"]
    assert (first["release"], first["commit"]) == ("v2.6.22", tree.padded)
    assert ask("probe", "function skb_pad")["first"]["release"] is None
    turns = ask("probe", "field nh of sk_buff")["turns"]
    assert [(turn["holds"], turn["commit"]) for turn in turns] == [
        (True, None),
        (False, tree.renamed),
    ]
    assert ask("probe", "field nothing of sk_buff")["first"] is None
    first = ask("probe", "header linux/skbuff.h matches ip_hdr")["first"]
    assert (first["release"], first["commit"]) == ("v2.6.22-rc1", tree.accessor)


def test_names_that_never_were_get_the_nearest(tree: Released, kbisect: Run) -> None:
    for arguments in (
        ("history", "skb_padd"),
        ("history", "sk_buff.lens"),
        ("history", ""),
        ("show", "skb_padd"),
        ("probe", "what is it"),
        ("probe", "function skb_pad matches ("),
        ("explain", "hello"),
        ("explain", "no/such.log"),
        ("xref", "skb_pad", "nowhere"),
    ):
        done = kbisect("-C", tree.path, "api", *arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        assert "try:" in done.stderr
        assert done.stdout == ""
    assert "did you mean skb_pad?" in kbisect("-C", tree.path, "api", "history", "skb_padd").stderr
    assert "no file no/such.log" in kbisect("-C", tree.path, "api", "explain", "no/such.log").stderr


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """What Linux did to netif_rx_schedule: an argument goes in v2.6.29, the name in v2.6.30."""
    made = Tree(tmp_path_factory.mktemp("steps") / "linux")
    names = (("extern struct", "extern int poke(int dev, int napi);\nextern struct"),)
    made.edit(made.header, *names)
    made.caller.write_text("\tpoke(one, two);\n\tpoke(three, four);\n")
    made.commit("begin")
    git(made.path, "tag", "v2.6.28")
    made.edit(made.header, ("poke(int dev, int napi)", "poke(int napi)"))
    made.caller.write_text("\tpoke(two);\n\tpoke(four);\n")
    made.commit("drop the device")
    git(made.path, "tag", "v2.6.29")
    made.edit(made.header, ("poke(int napi)", "napi_poke(int napi)"))
    made.caller.write_text("\tnapi_poke(two);\n\tnapi_poke(four);\n")
    made.commit("rename poke to napi_poke")
    git(made.path, "tag", "v2.6.30")
    indexing.update(made.repository)
    return made


MESSAGE = "a.c:1:2: error: implicit declaration of function 'poke'\n    1 | poke(dev, mine);"


def test_a_call_is_written_through_every_change_it_missed(steps: Tree) -> None:
    past = Past(steps.repository, store.load(steps.repository.store))
    (told,) = Explainer(past).explain(read(MESSAGE))
    assert told.finding is not None
    assert told.finding.kind == "function-renamed"
    assert told.advice.write == "napi_poke(mine);"
    assert told.use == "poke(dev, mine);"


def test_a_driver_is_brought_through_every_change_of_a_call(
    steps: Tree, kbisect: Run, tmp_path: Path
) -> None:
    driver = tmp_path / "a.c"
    driver.write_text("void f(int dev, int mine)\n{\n\tpoke(dev, mine);\n}\n")
    here = ("-C", steps.path, "api", "check", driver, "--from", "v2.6.28", "--to", "v2.6.30")
    (hit,) = json.loads(kbisect(*here, "--json").stdout)["hits"]
    assert hit["write"] == "napi_poke(mine);"


def test_a_struct_may_live_on_as_a_macro_of_its_name(tmp_path: Path) -> None:
    """As dev_mc_list did from v2.6.23 on, until commit 22bedad3ce11 (in v2.6.35)."""
    made = Tree(tmp_path / "linux")
    made.edit(made.header, ("struct sk_buff {", "struct mc { int x; };\nstruct sk_buff {"))
    made.commit("begin")
    git(made.path, "tag", "v2.6.22")
    made.edit(made.header, ("struct mc { int x; };", "struct addr { int x; };\n#define mc addr"))
    made.commit("call it addr")
    git(made.path, "tag", "v2.6.23")
    made.edit(made.header, ("#define mc addr\n", ""))
    gone = made.commit("drop the old name")
    git(made.path, "tag", "v2.6.24")
    indexing.update(made.repository)
    past = Past(made.repository, store.load(made.repository.store))
    message = "a.c:1:2: error: invalid use of undefined type 'struct mc'"
    (told,) = Explainer(past).explain(read(message))
    assert told.finding is not None
    assert (told.verdict, told.finding.commit, told.release) == (Verdict.GONE, gone, "v2.6.24")


def test_two_changes_of_one_line_are_written_together(
    tree: Released, kbisect: Run, tmp_path: Path
) -> None:
    driver = tmp_path / "a.c"
    use = "skb_pad(skb, skb->nh.iph->check);"
    driver.write_text(f"int f(struct sk_buff *skb)\n{{\n\treturn {use}\n}}\n")
    here = ("-C", tree.path, "api", "check", driver, "--from", "v2.6.21", "--to", "v2.6.22")
    hits = json.loads(kbisect(*here, "--json").stdout)["hits"]
    assert {hit["change"]["name"] for hit in hits} == {"skb_pad", "sk_buff.nh"}
    assert {hit["write"] for hit in hits} == {"return skb_pad(skb, ip_hdr(skb)->check);"}
    told = kbisect(*here).stdout
    assert told.count("  - ") == told.count("  + ") == 1
    assert "1 line in 1 file" in told


@pytest.mark.parametrize(
    ("message", "declaration"),
    [
        ("too many arguments to function 'napi_poke'", "extern int napi_poke(int napi)"),
        ("'struct sk_buff' has no member named 'len'", "unsigned int	len"),
    ],
)
def test_what_is_there_as_it_always_was_is_not_called_moved(
    steps: Tree, message: str, declaration: str
) -> None:
    past = Past(steps.repository, store.load(steps.repository.store))
    (told,) = Explainer(past).explain(read(f"a.c:1:2: error: {message}"))
    assert (told.verdict, told.known_until) == (Verdict.SAME, "v2.6.30")
    assert (told.advice.write, told.guard) == ("", "")
    assert told.declaration is not None
    assert told.declaration.text == " ".join(declaration.split())


def test_an_error_that_follows_from_another_in_its_line_says_so(steps: Tree) -> None:
    log = (
        "a.c:7:2: error: implicit declaration of function 'poke'\n"
        "a.c:7:7: error: 'mac' undeclared (first use in this function)\n"
        "a.c:8:2: error: 'mac' undeclared (first use in this function)\n"
    )
    past = Past(steps.repository, store.load(steps.repository.store))
    assert [told.follows for told in Explainer(past).explain(read(log))] == ["", "poke", ""]


def test_a_probe_knows_every_text_and_who_wrote_it(tmp_path: Path) -> None:
    """As of netdev_for_each_mc_addr, whose body commit 22bedad3ce11 (in v2.6.35) wrote anew."""
    made = Tree(tmp_path / "linux")
    made.edit(made.header, ("struct sk_buff {", "#define each(x) \\\n\told(x)\nstruct sk_buff {"))
    made.commit("begin")
    git(made.path, "tag", "v2.6.33")
    made.edit(made.header, ("\told(x)", "\tnew(x)"))
    anew = made.commit("write it anew")
    made.edit(
        made.header, ("struct sk_buff {", "struct ops {\n\tint (*a)(int);\n};\nstruct sk_buff {")
    )
    begun = made.commit("begin a table")
    made.edit(made.header, ("\tint (*a)(int);\n", "\tint (*a)(int);\n\tint (*b)(int);\n"))
    more = made.commit("more of it")
    git(made.path, "tag", "v2.6.34")
    indexing.update(made.repository)
    past = Past(made.repository, store.load(made.repository.store))
    (turn,) = probe(past, "macro each matches new")
    assert (turn.commit, turn.text) == (anew, "#define each(x) new(x)")
    (turn,) = probe(past, "macro each")
    assert (turn.release, turn.text) == (None, "#define each(x) old(x)")
    turns = [probe(past, f"method {name} of ops")[0].commit for name in "ab"]
    assert turns == [begun, more]
    assert otherwise(past, "function each") == "macro each"
    assert otherwise(past, "macro each") is None


def test_a_pattern_that_would_be_tried_for_ever_is_given_up(
    tree: Released, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Past(tree.repository, store.load(tree.repository.store))
    monkeypatch.setattr("kbisect.api.probes._PATIENCE", 0.2)
    with pytest.raises(UsageError, match="takes too long"):
        probe(past, r"function skb_pad matches (\w+)+(\s*\w*)*!")
    assert probe(past, "function skb_pad matches gfp")


def test_headers_of_the_folders_that_are_indexed_count(tmp_path: Path, kbisect: Run) -> None:
    """As in DPDK, whose network headers are below lib/."""
    header = tmp_path / "lib/ethdev/rte_ethdev.h"
    header.parent.mkdir(parents=True)
    git(tmp_path, "init", "--quiet")
    for release, text in (("v21.11", "int a;"), ("v22.11", "int b;\n\tint a;")):
        header.write_text(
            f"struct rte_eth_conf {{\n\t{text}\n}};\n__rte_experimental\nint f(void);\n"
        )
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "--quiet", "--message", release)
        git(tmp_path, "tag", release)
    indexing.update(Repository.open(tmp_path), paths=["lib"])
    api = ("-C", tmp_path, "api")
    shown = kbisect(*api, "show", "rte_eth_conf", "--json")
    (_, second) = json.loads(shown.stdout)["entry"]["fields"]
    assert second["name"] == "rte_eth_conf.a"
    assert "v22.11" in kbisect(*api, "history", "rte_eth_conf.b").stdout
    changes = json.loads(kbisect(*api, "diff", "v21.11", "v22.11", "--json").stdout)
    assert [change["name"] for change in changes["changes"]] == ["rte_eth_conf.b"]
    assert changes["unclassified"] == []


def test_a_member_without_its_struct_is_offered_with_it(steps: Tree, kbisect: Run) -> None:
    said = kbisect("-C", steps.path, "api", "history", "nfct").stderr
    assert "did you mean sk_buff.nfct?" in said


def test_uses_elsewhere_are_found_when_asked_for(tmp_path: Path, kbisect: Run) -> None:
    made = Tree(tmp_path / "linux")
    other = made.path / "drivers" / "infiniband" / "a.c"
    other.parent.mkdir(parents=True)
    other.write_text("\tskb_pad(a, 1);\n")
    made.commit("elsewhere")
    here = ("-C", made.path, "api", "xref", "skb_pad")
    few, every = kbisect(*here), kbisect(*here, "--all")
    assert "(--all: everywhere)" in few.stderr
    grep = git(made.path, "grep", "-n", "-w", "skb_pad").splitlines()
    assert sorted(every.stdout.splitlines()) == sorted(grep)
    assert sorted(few.stdout.splitlines()) == sorted(x for x in grep if "infiniband" not in x)


def test_a_member_that_was_kept_for_a_while_has_the_heir_it_had_then(tmp_path: Path) -> None:
    """As vlan_rx_register of net_device: conditional since v2.6.29, gone in v2.6.31."""
    made = Tree(tmp_path / "linux")
    field = "	int (*start)(int);\n"
    made.edit(made.header, ("	unsigned int	len;\n", f"	unsigned int	len;\n{field}"))
    made.caller.write_text("".join(f"	skb->start = begin_{n};\n" for n in range(12)))
    made.commit("begin")
    git(made.path, "tag", "v2.6.28")
    made.edit(
        made.header,
        (field, f"	const struct ops *ops;\n#ifdef CONFIG_OLD\n{field}#endif\n"),
        ("struct sk_buff {", "struct ops {\n	int (*do_start)(int);\n};\nstruct sk_buff {"),
    )
    made.caller.write_text("".join(f"	.do_start = begin_{n},\n" for n in range(12)))
    made.commit("put them into a table")
    git(made.path, "tag", "v2.6.29")
    made.edit(made.header, (f"#ifdef CONFIG_OLD\n{field}#endif\n", ""))
    gone = made.commit("no more of it")
    git(made.path, "tag", "v2.6.30")
    indexing.update(made.repository)
    past = Past(made.repository, store.load(made.repository.store))
    message = (
        "a.c:1:2: error: 'struct sk_buff' has no member named 'start'\n 1 | skb->start = mine;"
    )
    (told,) = Explainer(past).explain(read(message))
    assert told.finding is not None
    assert told.finding.commit == gone
    table = "static const struct ops my_ops = { .do_start = mine };"
    assert told.advice.write == f"{table} skb->ops = &my_ops;"


def test_many_names_are_looked_for_as_one_is(steps: Tree) -> None:
    past = Past(steps.repository, store.load(steps.repository.store))
    log = "".join(
        f"a.c:{n}:2: error: implicit declaration of function '{name}'\n"
        for n, name in enumerate(["poke", *(f"no_{n}" for n in range(100))], 1)
    )
    told = list(Explainer(past).explain(read(log)))
    assert [each.verdict for each in told] == [Verdict.GONE, *[Verdict.UNKNOWN] * 100]


def test_a_damaged_cache_is_made_anew(steps: Tree, kbisect: Run) -> None:
    whole = kbisect("-C", steps.path, "api", "history", "poke", "--json").stdout
    kept = steps.repository.store / "api"
    files = [path for path in kept.rglob("*") if path.is_file()]
    assert files
    for path in files:
        path.write_bytes(b'{"half of')
    done = kbisect("-C", steps.path, "api", "history", "poke", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["events"] == json.loads(whole)["events"]


@pytest.mark.parametrize(
    "asked", [("history", "poke"), ("explain", MESSAGE), ("probe", "function napi_poke")]
)
def test_a_damaged_index_is_made_anew_or_said(
    steps: Tree, tmp_path: Path, asked: tuple[str, ...], kbisect: Run
) -> None:
    kept = tmp_path / "store"
    shutil.copytree(steps.repository.store, kept)
    for path in kept.rglob("*.parquet"):
        path.write_bytes(b"PAR1 and then nothing")
    done = kbisect("-C", steps.path, "--store", kept, "api", *asked)
    assert done.returncode in (0, 2), done.stderr
    if done.returncode:
        assert "try: kbisect index" in done.stderr
        assert done.stdout == ""


def test_a_header_that_the_new_name_needs_is_said(tmp_path: Path, kbisect: Run) -> None:
    """As <linux/icmp.h> of icmp_hdr(), which skb->h.icmph became in v2.6.22."""
    made = Tree(tmp_path / "linux")
    other = made.header.with_name("icmp.h")
    other.write_text("extern int icmp_len(struct sk_buff *skb);\n")
    made.caller.write_text("\tuse(skb->len);\n\tsee(skb->len);\n")
    made.commit("begin")
    git(made.path, "tag", "v2.6.21")
    made.edit(made.header, ("\tunsigned int\tlen;\n", ""))
    made.caller.write_text("\tuse(icmp_len(skb));\n\tsee(icmp_len(skb));\n")
    made.commit("ask the function")
    git(made.path, "tag", "v2.6.22")
    indexing.update(made.repository)
    log = tmp_path / "log"
    message = "a.c:1:2: error: 'struct sk_buff' has no member named 'len'"
    log.write_text(f"{message}\n    1 | \tuse(mine->len);\n")
    here = ("-C", made.path, "api", "explain", log)
    (row,) = json.loads(kbisect(*here, "--json").stdout)["explanations"]
    assert (row["write"], row["includes"]) == ("use(icmp_len(mine));", ["linux/icmp.h"])
    assert "#include <linux/icmp.h>" in kbisect(*here).stdout
    made.edit(made.header, ("struct sk_buff {", "#include <linux/icmp.h>\nstruct sk_buff {"))
    made.commit("get it with the other")
    git(made.path, "tag", "v2.6.23")
    indexing.update(made.repository)
    (row,) = json.loads(kbisect(*here, "--json").stdout)["explanations"]
    assert row["includes"] == []
