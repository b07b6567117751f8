# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver writes instead, by the declarations alone."""

from __future__ import annotations

import pytest

from kbisect.api import replacement
from kbisect.api.declarations import Declaration, What
from kbisect.api.findings import Compatibility, Finding


def _moved(new_name: str | None, *replacements: str) -> Finding:
    old = Declaration(
        What.FIELD,
        "open",
        "net_device",
        "include/linux/netdevice.h",
        1,
        "int (*open)(struct net_device *dev)",
        "int",
        parameters=("struct net_device *",),
    )
    return Finding(
        "field-renamed",
        "net_device.open",
        Compatibility.BREAKING,
        old.header,
        old,
        None,
        new_name,
        replacements=replacements,
    )


@pytest.mark.parametrize(
    "finding",
    [
        _moved("net_device_ops.ndo_open", "netdev_ops"),
        _moved(None, "netdev_ops", "net_device_ops.ndo_open"),
    ],
)
def test_a_function_goes_into_the_table_that_its_field_moved_to(finding: Finding) -> None:
    """Commit d314774cf2cd (in v2.6.29): `dev->netdev_ops = my_open` would be no table."""
    assert replacement.table(finding, "dev->open = my_open;", "open") == (
        "net_device_ops",
        "static const struct net_device_ops my_net_device_ops = { .ndo_open = my_open };",
    )


def test_a_field_of_the_same_struct_is_no_table() -> None:
    finding = _moved("net_device.begin")
    assert replacement.table(finding, "dev->open = my_open;", "open") == ("", "")
