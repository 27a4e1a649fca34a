"""Where a guarded connection goes: names resolved once, every address judged, and nothing else dialled."""

import asyncio
import socket
from typing import Any, Protocol

from aiohttp.abc import AbstractResolver, ResolveResult

from agents.execution.guards.url.addresses import Address, parsed_address
from agents.execution.guards.url.guard import Target, refused
from agents.execution.guards.url.rules import UrlRules
from agents.execution.guards.verdict import Refuse


class DialRefused(OSError):
    """The guard says no to where a connection would go."""

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Resolver(Protocol):
    """From a name to all its addresses."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Texts of addresses, best first. Raises OSError when there is none."""
        ...


class SystemResolver:
    """What the machine's own resolver says."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return tuple(dict.fromkeys(str(each[4][0]) for each in found))


class GuardedResolver(AbstractResolver):
    """Stands inside the connector: it is asked once for each connection, and what it answers is dialled."""

    def __init__(self, rules: UrlRules, resolver: Resolver) -> None:
        self._rules = rules
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The name's addresses if every one of them may be dialled. Raises `DialRefused` or OSError."""
        texts = await self._resolver.addresses(host)
        addresses = [address for text in texts if (address := parsed_address(text)) is not None]
        if not addresses or len(addresses) < len(texts):
            raise OSError("the name has no proper address")
        # The connector does not say which scheme; the whole target was judged with its own before.
        refusals = [
            self._rules.judge_addresses(Target(scheme, host, port, "/", ""), addresses)
            for scheme in ("http", "https")
        ]
        for refusal in refusals:
            if refusal is None:
                return [_result(host, port, address) for address in addresses]
        raise DialRefused(refusals[0] or refused("no address"))

    async def close(self) -> None:
        """Nothing to release."""


def _result(host: str, port: int, address: Address) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=str(address),
        port=port,
        family=socket.AF_INET6 if address.version == 6 else socket.AF_INET,
        proto=0,
        flags=socket.AI_NUMERICHOST,
    )


def socket_maker(rules: UrlRules) -> Any:
    """Makes sockets for the connector, after a last look at the very address they will be connected to."""

    def make(address_info: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, place = address_info
        address = parsed_address(place[0])
        if address is None or not rules.may_dial(address):
            raise DialRefused(refused(f"a connection to {place[0]}"))
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        return made

    return make
