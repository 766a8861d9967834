"""Tell which kind of network an address lies in, so that a redirect cannot lead from the world into ours.

A redirect to `169.254.169.254` or `127.0.0.1` would make hubdata read a cloud's credentials or a local service for
whoever controls the upstream. Addresses that carry an IPv4 address inside (mapped, NAT64, 6to4, Teredo) are judged
by what is inside.
"""

from enum import Enum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052


class Reach(Enum):
    """Where an address lies. OTHER is what no upstream has: multicast, unspecified, reserved, documentation."""

    GLOBAL = "global"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    LINK_LOCAL = "link-local"
    OTHER = "other"


def reach_of(address: str) -> Reach:
    """Return where the IP address `address` lies. Raises ValueError when it is not one."""
    ip = _unwrap(ip_address(address.partition("%")[0]))
    if ip.is_loopback:
        return Reach.LOOPBACK
    if ip.is_link_local:
        return Reach.LINK_LOCAL
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return Reach.OTHER
    if ip.is_global:
        return Reach.GLOBAL
    return Reach.PRIVATE


def is_loopback_host(host: str) -> bool:
    """Tell whether a URL's host is this machine by name or by number, without asking a resolver."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return reach_of(name) is Reach.LOOPBACK
    except ValueError:
        return False


def _unwrap(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    return ip
