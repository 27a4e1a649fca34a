"""Which addresses a call may be dialled to. A whitelist for IPv6, the registry of special purposes for IPv4.

Source: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates), and the addresses where
clouds answer with credentials. `ipaddress.is_global` is not used: it is true of NAT64, 6to4 and multicast.
"""

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Reach(StrEnum):
    """How far an address is from what may be dialled."""

    PUBLIC = "public"
    INTERNAL = "internal"
    """Private, loopback, shared or unique local: dialled only under an explicit exception."""
    NEVER = "never"
    """Metadata, link-local, multicast, reserved, translated: no exception opens these."""


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


_METADATA = _networks(
    "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128",
    "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128",
)  # fmt: skip
_INTERNAL = _networks(
    "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1/128", "fc00::/7"
)
_SPECIAL = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
    "192.88.99.0/24", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    # Within 2000::/3: protocol assignments and Teredo, documentation, 6to4, AS112, the former 6bone.
    "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20",
)  # fmt: skip
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def reach_of(address: Address) -> Reach:
    """How far this address may be dialled."""
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return Reach.NEVER
    if _within(address, _METADATA):
        return Reach.NEVER
    if _within(address, _INTERNAL):
        return Reach.INTERNAL
    if _within(address, _SPECIAL):
        return Reach.NEVER
    if isinstance(address, IPv6Address):
        tunnelled = (int(address) >> 32) & 0xFFFFFFFF in _ISATAP
        return Reach.PUBLIC if address in _GLOBAL_UNICAST and not tunnelled else Reach.NEVER
    return Reach.PUBLIC


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def parsed_address(text: object) -> Address | None:
    """An address in its one proper spelling; None for everything else, zones included."""
    if not isinstance(text, str) or not text.isascii() or "%" in text or "/" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None
