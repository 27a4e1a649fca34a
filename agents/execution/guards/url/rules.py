"""What a source may reach: any public address, or a list; internal addresses only under an explicit exception."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Any, Literal

from agents.execution.guards.url.addresses import Address, Network, Reach, parsed_address, reach_of
from agents.execution.guards.url.guard import Target, host_name, refused
from agents.execution.guards.verdict import Refuse

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_INTERNAL_NAMES = ("localhost", "local", "localdomain", "internal", "intranet", "lan", "corp", "home", "private",
                   "home.arpa", "localhost.localdomain", "arpa", "onion", "invalid")  # fmt: skip
"""Ends of names that no public host bears (RFC 6761, 6762, 8375, and the name ICANN keeps for private use)."""

_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal", "metadata",
                             "instance-data", "metadata.azure.internal", "metadata.tencentyun.com"})  # fmt: skip

_PLAIN_PORTS = frozenset({80, 443})
_OTHER_PROTOCOLS = frozenset({
    1080, 1433, 1521, 1719, 1720, 1723, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 5060, 5061,
    5432, 5671, 5672, 5900, 5984, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 7001, 7077, 9042,
    9092, 9200, 9300, 10080, 10250, 10255, 11211, 15672, 27017, 27018, 50070,
})  # fmt: skip
"""Ports of databases, brokers, consoles and other protocols: called only when an entry names the port."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list. `host` is a name, `*.domain`, or an address; `network` stands for a range instead."""

    host: str = ""
    port: int | None = None
    scheme: str | None = None
    internal: bool = False
    """Opens internal addresses, the loopback too."""
    private: bool = False
    """Opens internal addresses, but the loopback only for a name that means it."""
    network: Network | None = None

    def matches(self, target: Target) -> bool:
        """Is this the host, port and scheme of the entry?"""
        if self.scheme is not None and self.scheme != target.scheme:
            return False
        if self.port is not None and self.port != target.port:
            return False
        if self.network is not None:
            return target.address is not None and _in(target.address, self.network)
        if self.host.startswith("*."):
            return target.address is None and target.host.endswith(self.host[1:])
        return target.host == self.host

    def opens(self, target: Target, address: Address) -> bool:
        """Does the entry let this target be dialled at an internal address?"""
        if self.network is not None:
            return _in(address, self.network)
        if not self.matches(target):
            return False
        return self.internal or (self.private and (not address.is_loopback or _is_localhost(self.host)))


@dataclass(frozen=True, slots=True)
class UrlRules:
    """Pure and hashable. `exceptions` open internal addresses in either mode; metadata and link-local never."""

    mode: Literal["public", "allowlist"] = "public"
    allowlist: tuple[Entry, ...] = ()
    exceptions: tuple[Entry, ...] = ()

    def judge(self, target: Target) -> Refuse | None:
        """May the host be asked for at all? Before any look-up."""
        if target.host in _METADATA_NAMES:
            return refused("a host that hands out credentials")
        matching = [entry for entry in (*self._listed, *self.exceptions) if entry.matches(target)]
        if self.mode == "allowlist" and not matching:
            return refused("a host that is not on the list", "An administrator can add it to the source.")
        if not any(entry.port == target.port for entry in matching) and not _usual(target.port):
            return refused(f"the port {target.port} of another protocol")
        if target.address is not None:
            return self.judge_addresses(target, (target.address,))
        if any(entry.network is None and not entry.host.startswith("*.") for entry in matching):
            return None
        internal = "." not in target.host or any(target.host.endswith("." + end) for end in _INTERNAL_NAMES)
        if internal and not (matching and self.mode == "allowlist"):
            return refused("a name that only an internal host bears")
        return None

    def judge_addresses(self, target: Target, addresses: Sequence[Address]) -> Refuse | None:
        """May the target be dialled at these, all of them? One bad address spoils the answer."""
        for address in addresses:
            reach = reach_of(address)
            if reach is Reach.PUBLIC:
                continue
            if reach is Reach.INTERNAL and self._opens(target, address):
                continue
            return refused(f"{_kind(address, reach)} address {address}")
        return None

    def may_dial(self, address: Address) -> bool:
        """The last look before a socket is made, when only the address is known."""
        reach = reach_of(address)
        return reach is Reach.PUBLIC or (reach is Reach.INTERNAL and self._has_exceptions)

    @property
    def _listed(self) -> tuple[Entry, ...]:
        return self.allowlist if self.mode == "allowlist" else ()

    @property
    def _has_exceptions(self) -> bool:
        return any(
            entry.internal or entry.private or entry.network is not None
            for entry in (*self._listed, *self.exceptions)
        )

    def _opens(self, target: Target, address: Address) -> bool:
        return any(entry.opens(target, address) for entry in (*self._listed, *self.exceptions))


def _usual(port: int) -> bool:
    return port in _PLAIN_PORTS or (port >= 1_024 and port not in _OTHER_PROTOCOLS)


def _in(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith((".localhost", ".localdomain"))


def _kind(address: Address, reach: Reach) -> str:
    if address.is_loopback:
        return "the loopback"
    if address.is_link_local:
        return "the link-local"
    if address.is_multicast:
        return "the multicast"
    return "the internal" if reach is Reach.INTERNAL else "the reserved"


def entry_of(written: Any) -> Entry | None:
    """A line of a list as it was written; None for what is none, so that it matches nothing.

    A name that only an internal host can bear, an address, and an entry that names host, port and scheme are
    explicit enough to open internal addresses; the loopback is opened by its own address or name. A wildcard opens
    them only with `internal: true`.
    """
    if isinstance(written, str):
        return _entry_of_text(written)
    if not isinstance(written, Mapping) or written.keys() - {"host", "port", "scheme", "internal"}:
        return None
    port, scheme, internal = written.get("port"), written.get("scheme"), written.get("internal", False)
    if isinstance(port, str) and port.isascii() and port.isdigit():
        port = int(port)
    if port is not None and (isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65_536):
        return None
    if scheme is not None and scheme not in ("http", "https"):
        return None
    base = _entry_of_text(written.get("host"))
    if base is None or base.network is not None or not isinstance(internal, bool):
        return None
    explicit = port is not None and scheme is not None and not base.host.startswith("*.")
    return Entry(base.host, port, scheme, internal or base.internal, private=base.private or explicit)


def _entry_of_text(text: object) -> Entry | None:
    if not isinstance(text, str):
        return None
    text = text.strip().lower()
    if "/" in text:
        try:
            return Entry(network=ip_network(text))
        except ValueError:
            return None
    literal = parsed_address(text.removeprefix("[").removesuffix("]"))
    if literal is not None:
        return Entry(str(literal), internal=True)
    stem = text.removeprefix("*.")
    named = host_name(stem)
    if isinstance(named, Refuse):
        return None
    if stem != text:
        return Entry("*." + named)
    only_internal = "." not in named or any(
        named == end or named.endswith("." + end) for end in _INTERNAL_NAMES
    )
    return Entry(named, private=only_internal)


def entries_of(written: Iterable[Any]) -> tuple[Entry, ...]:
    """The proper lines of a list."""
    return tuple(entry for each in written if (entry := entry_of(each)) is not None)


def exceptions_of(written: Iterable[Any]) -> tuple[Entry, ...]:
    """The proper lines of a list of internal exceptions: hosts, addresses and ranges, never wildcards."""
    return tuple(
        entry if entry.network is not None else replace(entry, internal=True)
        for entry in entries_of(written)
        if not entry.host.startswith("*.")
    )
