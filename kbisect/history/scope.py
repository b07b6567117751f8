# SPDX-License-Identifier: GPL-2.0-or-later
"""Which paths make a commit count. Pure.

The default is `net/`, `drivers/net/` and the public headers that belong to them: all of
`include/net/`, and those of `include/linux/` and `include/uapi/linux/` in the table below. The
table follows the F: lines of the networking entries in MAINTAINERS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FOLDERS = ("net", "drivers/net", "include/net")
HEADER_FOLDERS = ("include/linux", "include/uapi/linux")

# Names below include/linux/ and include/uapi/linux/, as globs. `*` crosses no `/`.
HEADERS = """
skbuff.h netdevice.h netdev_features.h etherdevice.h ethtool*.h rtnetlink.h netlink*.h genetlink.h
socket.h sockios.h net.h filter.h sock_diag.h net_tstamp.h ptp_*.h neighbour.h fib_rules.h
gen_stats.h netpoll.h netconf.h net_namespace.h net_dropmon.h errqueue.h seq_file_net.h of_net.h
u64_stats_sync.h dynamic_queue_limits.h inet*.h igmp*.h
ip.h ipv6*.h in.h in6.h in_route.h tcp*.h udp.h dccp.h icmp*.h mroute*.h sctp.h route.h ip_vs.h
ip6_tunnel.h l2tp.h mpls*.h mptcp.h rds.h tipc*.h xfrm.h ipsec.h openvswitch.h vm_sockets.h
atm.h atm_*.h atmapi.h atmarp.h atmbr2684.h atmclip.h atmdev.h atmioc.h
atmlec.h atmmpc.h atmppp.h atmsap.h atmsvc.h
ax25.h x25.h llc.h rose.h netrom.h irda.h ipx.h atalk.h phonet.h if_phonet.h lapb.h nfc.h
if.h if_*.h mii*.h mdio*.h phy.h phylink.h phy_*.h sfp.h pcs*/*.h
fddidevice.h hippidevice.h trdevice.h fcdevice.h
ppp*.h slip.h virtio_net.h vxlan.h veth.h usb/usbnet.h wireless.h nl80211*.h nl802154.h
ieee802*.h rfkill*.h can.h can/*.h caif/*.h ssb/*.h bcma/*.h brcmphy.h marvell_phy.h micrel_phy.h
netfilter.h netfilter_*.h netfilter/*.h netfilter/*/*.h netfilter_*/*.h
pkt_sched.h pkt_cls.h tc_act/*.h tc_ematch/*.h
"""
_HEADER = re.compile(
    r"include/(?:uapi/)?linux/(?:"
    + "|".join(re.escape(glob).replace(r"\*", "[^/]*") for glob in HEADERS.split())
    + r")\Z"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of paths: folders (or single files), with or without the table of headers."""

    folders: tuple[str, ...] = FOLDERS
    with_headers: bool = True

    @classmethod
    def of(cls, paths: Iterable[str]) -> Scope:
        """Return the scope of some paths the user named; the default one for none."""
        named = tuple(dict.fromkeys(path.strip("/") for path in paths))
        return cls(named, with_headers=False) if named else cls()

    @property
    def git_paths(self) -> tuple[str, ...]:
        """What to ask git for: folders only, to be filtered by `contains` afterwards."""
        return (*self.folders, *HEADER_FOLDERS) if self.with_headers else self.folders

    def contains(self, path: str) -> bool:
        """Whether a change of this path makes a commit count."""
        if any(path.startswith(folder + "/") or path == folder for folder in self.folders):
            return True
        return self.with_headers and is_network_header(path)


def is_network_header(path: str) -> bool:
    """Whether `path` is one of the public headers of networking."""
    return path.startswith("include/net/") or _HEADER.match(path) is not None
