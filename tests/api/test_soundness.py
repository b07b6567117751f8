# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines are never written: a wrong one is worse than none."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kbisect.api import soundness
from kbisect.api.declarations import Declaration
from kbisect.api.extraction import extract

HEADER = b"""\
struct addr { struct addr *next; };
struct list { int count; struct node head; };
struct device { struct list uc; struct device *master; struct addr *first; u32 table[4];
	unsigned long words; };
struct gone { struct addr *mc_list; u32 metrics[4]; int flag; };
int take(int a, int b);
int took(int b);
"""
DECLARED = extract("include/linux/x.h", HEADER).declarations


def fields(struct: str) -> Mapping[str, Declaration]:
    return {each.name: each for each in DECLARED if each.owner == struct}


def old(name: str) -> Declaration:
    """A member that `device` had; `gone` keeps its declaration for the test."""
    from dataclasses import replace

    return replace(fields("gone")[name], owner="device")


@pytest.mark.parametrize(
    ("name", "use", "text", "sound"),
    [
        ("mc_list", "mc = dev->mc_list;", "mc = dev->first;", True),
        ("mc_list", "mc = dev->mc_list;", "mc = dev->uc;", False),  # no pointer
        ("mc_list", "mc = dev->mc_list;", "mc = dev->master->uc;", False),
        ("mc_list", "mc = dev->mc_list;", "mc = dev->queue;", False),  # no such member
        ("mc_list", "mc = dev->mc_list;", "mc = dev->way;", True),  # a macro
        ("mc_list", "mc = dev->mc_list->next;", "mc = dev->first->next;", True),
        ("metrics", "x = dev->metrics[1];", "x = dev->table[1];", True),
        ("metrics", "x = dev->metrics[1];", "x = dev->words[1];", False),
        ("flag", "if (dev->flag)", "if (is_flag(dev))", True),
        ("flag", "n = dev->flag;", "n = dev->uc.count;", True),
    ],
)
def test_a_member_that_is_none_or_of_another_type_is_not_written(
    name: str, use: str, text: str, sound: bool
) -> None:
    found = soundness.has_members(use, text, old(name), fields, lambda macro: macro == "way")
    assert found is sound


@pytest.mark.parametrize(
    ("use", "text", "sound"),
    [
        ("tv = skb->stamp;", "tv = tv;", False),
        ("tv = skb->stamp;", "tv = stamp(skb);", True),
        ("for (i = 0, m = d->l; m; m = m->n)", "for (i = 0, m; m; m = m->n)", False),
        ("for (i = 0, m = d->l; m; m = m->n)", "for (i = 0, m = d->k; m; m = m->n)", True),
        ("for (m = d->l; m; m = m->n)", "each_of(m, d)", True),
    ],
)
def test_a_variable_is_set_as_before(use: str, text: str, sound: bool) -> None:
    assert soundness.keeps_assignments(use, text) is sound


@pytest.mark.parametrize(
    ("use", "text", "sound"),
    [
        ("take(1, 2);", "took(2);", True),
        ("take(1,", "took(1,", False),  # its other argument is in the next line
    ],
)
def test_a_call_that_goes_on_keeps_its_arguments(use: str, text: str, sound: bool) -> None:
    named = {each.name: each for each in DECLARED if not each.owner}
    assert soundness.keeps_call(use, text, named["take"], named.get) is sound


@pytest.mark.parametrize(
    ("use", "inside"),
    [
        ('printk("%s\\n", name_of(x));', True),
        ("put(rt->name_of);", False),
        ("if (name_of(x))", False),
        ("name_of(x);", False),
    ],
)
def test_one_argument_of_several_takes_no_statement_with_it(use: str, inside: bool) -> None:
    assert soundness.is_argument(use, "name_of") is inside
