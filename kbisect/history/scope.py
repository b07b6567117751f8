# SPDX-License-Identifier: GPL-2.0-or-later
"""Which paths make a commit count. Pure.

The default is `net/`, `drivers/net/` and the public headers that belong to them: all of
`include/net/`, and those of `include/linux/` and `include/uapi/linux/` in the table below. The
table follows the F: lines of the networking entries in MAINTAINERS: those whose list is netdev or
that of a part of it (wireless, netfilter, can, …), with the headers of their drivers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

FOLDERS = ("net", "drivers/net", "include/net")
HEADER_FOLDERS = ("include/linux", "include/uapi/linux")

# Names below include/linux/ and include/uapi/linux/, as globs. `*` crosses no `/`. A name stands
# for both folders, since Linux kernel commit 607ca46e97a1 ("UAPI: (Scripted) Disintegrate
# include/linux") (in v3.7) moved the half that user space sees.
HEADERS = """
skbuff*.h netdev*.h etherdevice.h eth_mac.h ethtool*.h rtnetlink.h netlink*.h genetlink.h
connector.h cn_proc.h socket.h sockios.h sockptr.h net.h filter.h sock_diag.h unix_diag.h
packet_diag.h xdp_diag.h un.h net_*.h ptp_*.h timestamping.h mii_timestamper.h neighbour.h
fib_rules.h gen_stats.h netpoll.h netconf.h errqueue.h seq_file_net.h snmp.h of_net.h
u64_stats_sync.h dynamic_queue_limits.h dim.h indirect_call_wrapper.h skb_array.h devlink.h dpll.h
dcbnl.h bpf.h bpf_common.h bpf-cgroup*.h bpf-netns.h bpfilter.h psample.h handshake.h tls.h
inet*.h igmp*.h ip.h ip6_*.h ip_*.h ipv6*.h in.h in6.h in_route.h tcp*.h udp.h dccp.h tfrc.h icmp*.h
mroute*.h pim.h sctp.h route.h nexthop.h l2tp.h mpls*.h mptcp*.h rds.h tipc*.h xfrm.h ipsec.h
pfkeyv2.h openvswitch.h vm_sockets*.h vsockmon.h virtio_vsock.h ioam6*.h seg6*.h rpl*.h ila.h
lwtunnel.h kcm.h smc.h smc_diag.h fou.h gtp.h pfcp.h ovpn.h wireguard.h hsr_netlink.h
batadv_packet.h
batman_adv.h qrtr.h mctp.h rxrpc.h dns_resolver.h divert.h zconf.h dn.h
atm.h atm_*.h atmapi.h atmarp.h atmbr2684.h atmclip.h atmdev.h atmioc.h atmlec.h atmmpc.h atmppp.h
atmsap.h atmsvc.h sonet.h
ax25.h x25.h llc.h rose.h netrom.h irda.h ipx.h atalk.h phonet.h lapb.h nfc.h nfc/*.h baycom.h
bpqether.h hdlcdrv.h scc.h yam.h hdlc.h hdlc/*.h cycx_*.h sdla*.h wanrouter.h wanpipe.h concap.h
isdn.h isdn_*.h isdn/*.h isdnif.h hysdn_if.h mISDN*.h capi.h kernelcapi.h b1lli.h gigaset_dev.h
if.h if_*.h mii*.h mdio*.h mdio/*.h of_mdio.h acpi_mdio.h fwnode_mdio.h linkmode.h phy.h phylink.h
phy_*.h phylib_*.h sfp.h pcs*/*.h pse-pd/*.h dsa/*.h avf/*.h net/*/*.h cfm_bridge.h
arcdevice.h com20020.h fddidevice.h hippidevice.h trdevice.h fcdevice.h ibmtr.h
brcmphy.h marvell_phy.h micrel_phy.h smscphy.h sungem_phy.h dm9000.h ks8842.h smc911x.h smc91x.h
smsc911x.h mv643xx_eth.h pxa168_eth.h davinci_emac.h fec.h bfin_mac.h sh_eth.h stmmac.h mlx4/*.h
mlx5/*.h qed/*.h platform_data/wiznet.h platform_data/mv88e6xxx.h platform_data/microchip-ksz.h
ppp*.h slip.h virtio_net.h veth.h vxlan.h usb/usbnet.h usb/rndis_host.h usb/cdc_ncm.h
wireless.h nl80211*.h nl802154.h ieee802*.h rfkill*.h wl12xx.h ath9k_platform.h spi/libertas_spi.h
spi/wl12xx.h wimax.h wimax/*.h wwan.h can.h can/*.h can/*/*.h caif/*.h ssb/*.h bcma/*.h
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
