# SPDX-License-Identifier: GPL-2.0-or-later
"""When a rename is a fact: what kernel commits did, in small."""

from __future__ import annotations

import pytest

from kbisect.api.conversion import Conversion, rewritten
from kbisect.api.declarations import Declaration, What
from kbisect.api.evidence import Interest, Use, read_hunk
from kbisect.api.proof import Evidence, Key, Step, Surroundings
from kbisect.api.renames import pairs


def field(name: str, type_text: str, owner: str = "s") -> Declaration:
    return Declaration(
        What.FIELD, name, owner, "include/net/a.h", 1, f"{type_text} {name}", type_text
    )


def is_fact(
    old: Declaration,
    new: Declaration,
    *,
    aligned: bool = True,
    turned: int = 0,
    alike: int = 0,
    total: int = 0,
    members: frozenset[str] = frozenset(),
) -> bool:
    """Pair two fields of the same neighbours that met in one commit's hunk."""
    name = new.name.rsplit(".", 1)[-1]
    step = Step(old, new, "c" * 40, "net: a change", True, aligned)
    evidence = Evidence(
        [step],
        {old.key: {name: turned}} if turned else {},
        {old.key: {name: alike}} if alike else {},
        {old.key: total} if total else {},
    )
    near = {one.key: ("before", "after") for one in (old, new)}
    around = Surroundings(near, {"s": members}, {"s": members})
    found = pairs([old], [new], evidence, around).get(old.key)
    return found is not None and found.is_fact


@pytest.mark.parametrize(
    ("why", "old", "new", "counts"),
    [
        ("callers say so", field("id", "int"), field("ident", "int"), {"alike": 9, "total": 10}),
        ("its name is kept", field("refcnt", "atomic_t"), field("pcpu_refcnt", "int *"), {}),
        ("a union is unwrapped", field("nh", "union"), field("network_header", "int"), {}),
        (
            "a list is linked otherwise",
            field("next", "struct s *"),
            field("dev_list", "struct list_head"),
            {"total": 48},
        ),
        ("only underscores came", field("next_bitmap", "__le32 *"),
         field("_next_bitmap", "__le32 *"), {"aligned": 0, "total": 2}),
        ("a lock is of another sort", field("sem", "struct semaphore"),
         field("mtx", "struct mutex"), {}),
    ],
)  # fmt: skip
def test_what_stands_in_the_place_and_agrees_is_a_rename(
    why: str, old: Declaration, new: Declaration, counts: dict[str, int]
) -> None:
    counts = {"turned": counts.get("alike", 0), **counts}
    aligned = bool(counts.pop("aligned", 1))
    assert is_fact(old, new, aligned=aligned, **counts), why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("why", "old", "new", "counts"),
    [
        ("a reserved byte gets a use", field("reserved2", "u8"), field("vlan_index", "u8"), {}),
        ("a filler gets a use", field("fill", "u16"), field("filter", "u16"), {}),
        ("a flag becomes a count", field("valid", "u32"), field("refcount", "atomic_t"),
         {"total": 11}),
        ("callers went elsewhere", field("sk_sleep", "wait_queue_head_t *"),
         field("sk_wq", "struct socket_wq *"), {"turned": 5, "total": 240}),
        ("a bool became a bit", field("netnsok", "bool"), field("flags", "u32"),
         {"aligned": 0, "turned": 2, "total": 3}),
        ("a count became a struct that has it", field("uc_count", "int"),
         field("uc", "struct netdev_hw_addr_list"), {"aligned": 0, "turned": 11, "total": 30}),
    ],
)  # fmt: skip
def test_what_only_stands_in_the_place_is_no_rename(
    why: str, old: Declaration, new: Declaration, counts: dict[str, int]
) -> None:
    aligned = bool(counts.pop("aligned", 1))
    assert not is_fact(old, new, aligned=aligned, **counts), why  # type: ignore[arg-type]


def test_a_member_of_one_half_of_a_union_does_not_become_one_of_the_other() -> None:
    members = frozenset({"status", "control", "status.rates"})
    old, new = field("status.retries", "int"), field("control.rates", "int")
    assert not is_fact(old, new, aligned=False, turned=5, total=9, members=members)


def uses(removed: bytes, added: bytes, old: Declaration) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []

    def tell(_: Key, use: Use, alike: bool) -> None:
        found.append((use.became, alike))

    read_hunk(Interest([old]), [removed], [added], tell)
    return found


def test_an_accessor_may_have_the_name_of_its_field() -> None:
    old = field("sk_sleep", "wait_queue_head_t *", "sock")
    seen = uses(b"\twake_up(sk->sk_sleep);", b"\twake_up(sk_sleep(sk));", old)
    assert seen == [("sk_sleep()", False)]


def test_the_object_whose_field_went_is_not_what_it_became() -> None:
    old = field("br_port", "struct net_bridge_port *", "net_device")
    seen = uses(b"\tif (skb->dev->br_port)", b"\tif (br_port_exists(skb->dev))", old)
    assert seen == [("br_port_exists()", False)]


def test_a_use_is_alike_when_what_follows_is() -> None:
    old = field("flags_ok", "bool")
    assert uses(b"\tw->flags_ok = true;", b"\tw->is_ok = true;", old) == [("is_ok", True)]
    assert uses(b"\tw->flags_ok = true;", b"\tw->flags |= OK;", old) == [("flags", False)]


def test_lines_that_only_move_convert_nothing() -> None:
    old = field("open", "int")
    found: list[str] = []
    read_hunk(
        Interest([old]),
        [b"\tdev->open = 1;", b"\tdev->timeout = 2;"],
        [b"\t\tdev->timeout = 2;"],
        lambda _, use, alike: found.append(use.became),
    )
    assert not any(found)


def test_a_callback_in_the_place_of_another_with_another_function_is_not_what_it_became() -> None:
    old = Declaration(What.FIELD, "open", "ops", "a.h", 1, "int (*open)(int)", "int", ("int",))
    assert uses(b"\t.open = my_open,", b"\t.poll = hard_wait,", old) == [("", False)]
    assert uses(b"\t.open = my_open,", b"\t.start = my_open,", old) == [("start", True)]


def test_two_fields_become_one_where_most_callers_of_each_went() -> None:
    olds = field("tso_size", "u16"), field("ufo_size", "u16")
    news = field("gso_size", "u16"), field("gso_type", "u16")
    steps = [
        Step(old, new, "c" * 40, "net: merge", True, olds.index(old) == news.index(new))
        for old in olds
        for new in news
    ]
    callers = {olds[0].key: {"gso_size": 39}, olds[1].key: {"gso_size": 6, "gso_type": 6}}
    alike = {olds[0].key: {"gso_size": 39}, olds[1].key: {"gso_size": 6, "gso_type": 1}}
    evidence = Evidence(steps, callers, alike, {olds[0].key: 43, olds[1].key: 14})
    members = frozenset({"gso_size", "gso_type"})
    found = pairs(olds, news, evidence, Surroundings({}, {}, {"s": members}))
    assert {pair.old.name: pair.new.name for pair in found.values() if pair.is_fact} == {
        "tso_size": "gso_size",
        "ufo_size": "gso_size",
    }


@pytest.mark.parametrize(("kept", "is_one"), [(2, False), (4, True)])
def test_a_struct_whose_callers_use_another_is_that_one_only_if_its_members_are(
    kept: int, is_one: bool
) -> None:
    """Linux kernel commit 8318d78a44d4 (in v2.6.26) took the modes away and brought bands."""
    old, new = (
        Declaration(What.STRUCT, name, "", "include/net/a.h", 1, f"struct {name}")
        for name in ("hw_mode", "supported_band")
    )
    evidence = Evidence(
        [Step(old, new, "c" * 40, "wireless: bands", False, False)],
        {old.key: {"supported_band": 32}},
        {old.key: {"supported_band": 32}},
        {old.key: 38},
    )
    theirs = {"hw_mode": frozenset("abcde")}, {"supported_band": frozenset("abcde"[:kept] + "xyz")}
    pair = pairs([old], [new], evidence, Surroundings({}, *theirs))[old.key]
    assert pair.is_fact is is_one


def test_a_line_is_rewritten_for_an_accessor_named_as_its_field() -> None:
    done = Conversion("a.c", "wake_up(sk->sk_sleep);", "wake_up(sk_sleep(sk));", "c" * 40)
    written = rewritten("if (waitqueue_active(tp->sk->sk_sleep))", "sk_sleep", [done])
    assert written == ("if (waitqueue_active(sk_sleep(tp->sk)))", done)


def test_a_line_is_not_given_the_variables_of_another_driver() -> None:
    done = Conversion("a.c", "skb_unlink(skb);", "skb_unlink(skb, &their_queue);", "c" * 40)
    assert rewritten("skb_unlink(x);", "skb_unlink", [done]) is not None
    assert rewritten("skb_unlink(x);", "skb_unlink", [done], lambda name: False) is None
