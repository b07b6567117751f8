# SPDX-License-Identifier: GPL-2.0-or-later
"""Which headers are the public network API. Pure: a table.

Everything below include/net is. Of include/linux and include/uapi/linux, where all of the kernel
lives, it is the headers named here: those that MAINTAINERS gives to networking, and those that
belong to its drivers. A name stands for both folders, since Linux kernel commit 607ca46e97a1
("UAPI: (Scripted) Disintegrate include/linux") (in v3.7) moved the half that user space sees.
"""

from __future__ import annotations

import re
from functools import cache

FOLDERS = ("include/net", "include/linux", "include/uapi/linux")

# Whole folders below include/linux.
_FOLDERS = """
    avf bridge caif can dsa hdlc isdn mdio netfilter netfilter_arp netfilter_bridge
    netfilter_decnet netfilter_ipv4 netfilter_ipv6 nfc pcs phy pse-pd rxrpc tc_act tc_ematch wimax
"""

# Single headers below include/linux, by regular expression, without .h.
_HEADERS = """
    6lowpan arcdevice atalk atm atm_\\w+ atm(api|arp|br2684|clip|dev|ioc|lec|mpc|ppp|sap|svc) ax25
    batadv_packet batman_adv baycom bond(ing)? bpf bpf-cgroup bpf-netns bpf_common bpfilter
    bpqether brcmphy can caif cn_proc connector concap com20020 cfm_bridge cycx_x25 dcbnl dccp
    devlink divert dm9000 dn dns_resolver dpll dsa dynamic_queue_limits errqueue ether(device|nl)
    ethtool\\w* eth_mac fcdevice fddidevice fib_rules filter fou framer gen_stats gene?tlink\\w*
    gtp gsmmux? handshake hdlc hdlcdrv hippidevice hsr_netlink hysdn_if ibmtr icmp icmpv6
    ieee80211(-\\w+)? ieee802154 if if_\\w+ if_team igmp ila in in6 in_route inet inet_diag
    inet_lro inetdevice ioam6\\w* ip ip6?_\\w+ ip_mp_alg ipsec ipv6 ipv6_route ipx irda isdn
    isdn_\\w+ isdnif jhash kcm kcov? l2tp lapb libwx linkmode llc lwtunnel marvell_phy micrel_phy
    mdio mdio-\\w+ mhi mii mii_timestamper mISDN\\w+ mpls mpls_\\w+ mptcp mroute mroute6
    mroute_base mv643xx_eth ndisc neighbour net net_\\w+ netconf netdev netdev_features
    netdev(ice)? netdevice_xmit netlink netlink_diag netpoll netfilter netfilter_\\w+ netrom
    nexthop nfc nl80211(-\\w+)? nl802154 of_mdio of_net openvswitch packet_diag pfkeyv2 pfcp
    phonet phy phy_\\w+ phylib_\\w+ phylink pim pkt_cls pkt_sched ppp-comp ppp-ioctl ppp_\\w+
    psample psp ptp_\\w+ ptp_mock qrtr random_ether rds rfkill(-\\w+)? route rose rswitch
    rtnetlink rxrpc sctp sdla seg6\\w* sfp skb_array skbuff(_ref)? slip smc smc911x smc91x
    smc_diag smsc911x smscphy snmp sock_diag socket sockios sockptr sonet spi_eth stmmac
    sungem_phy tcp tcp_\\w+ tfrc timestamping tipc\\w* tls toshiba_net trdevice u64_stats_sync udp
    un unix_diag veth virtio_net virtio_vsock vhost_net vm_sockets\\w* vsock\\w* wanrouter wimax
    wireless wireguard wl12xx wwan x25 xdp_diag xfrm zconf
"""


@cache
def _names() -> re.Pattern[str]:
    folders = "|".join(_FOLDERS.split())
    headers = "|".join(_HEADERS.split())
    return re.compile(rf"include/(?:uapi/)?linux/(?:(?:{folders})/.+|(?:{headers}))\.h\Z")


def is_public(path: str) -> bool:
    """Whether a path is a header of the public network API."""
    if path.startswith("include/net/"):
        return path.endswith(".h")
    return _names().match(path) is not None


def include_name(path: str) -> str:
    """Return the header's name as an `#include` line has it: the uapi half has its old one.

    >>> include_name("include/uapi/linux/if_ether.h")
    'linux/if_ether.h'
    """
    return path.removeprefix("include/").removeprefix("uapi/")
