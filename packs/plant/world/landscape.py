"""The service graph: which service calls which, runs on which hosts and belongs to which team."""

from collections.abc import Mapping
from dataclasses import dataclass

from packs.plant.world.places import Host
from packs.plant.world.vocabulary import CALLS, OWNERS, TEAM_PARENTS, TENANTS, Tenant, services_of

_TIER_1 = frozenset({"gateway", "checkout", "payments", "accounts"})
_LANGUAGES = ("go", "java", "python", "typescript", "kotlin")


@dataclass(frozen=True, slots=True)
class Node:
    """`key` is unique over both tenants; `name` is what people say."""

    key: str
    label: str
    tenant: Tenant
    name: str
    properties: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Edge:
    """From key to key; never from one tenant to the other."""

    label: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Landscape:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def landscape_of(hosts: tuple[Host, ...], placed: Mapping[tuple[Tenant, str], tuple[Host, ...]]) -> Landscape:
    """Nodes Service, Host and Team; edges CALLS, RUNS_ON, OWNED_BY, PART_OF."""
    nodes = [_service(tenant, service) for tenant in TENANTS for service in services_of(tenant)]
    nodes += [
        Node(
            _key("host", host.tenant, host.hostname), "Host", host.tenant, host.hostname,
            {"region": host.region, "role": host.role},
        )
        for host in hosts
    ]  # fmt: skip
    nodes += [Node(_key("team", t, name), "Team", t, name, {}) for t in TENANTS for name in TEAM_PARENTS]
    edges = [
        Edge("CALLS", _key("service", tenant, caller), _key("service", tenant, called))
        for tenant in TENANTS
        for caller, all_called in CALLS[tenant].items()
        for called in all_called
    ]
    edges += [
        Edge("RUNS_ON", _key("service", tenant, service), _key("host", tenant, host.hostname))
        for (tenant, service), on in placed.items()
        for host in on
    ]
    edges += [
        Edge("OWNED_BY", _key("service", tenant, service), _key("team", tenant, team))
        for tenant in TENANTS
        for service, team in OWNERS[tenant].items()
    ]
    edges += [
        Edge("PART_OF", _key("team", tenant, team), _key("team", tenant, parent))
        for tenant in TENANTS
        for team, parent in TEAM_PARENTS.items()
        if parent is not None
    ]
    return Landscape(tuple(nodes), tuple(edges))


def callers_of(tenant: Tenant, service: str) -> tuple[str, ...]:
    """The services that call this one directly, by name."""
    return tuple(sorted(caller for caller, called in CALLS[tenant].items() if service in called))


def _key(kind: str, tenant: Tenant, name: str) -> str:
    return f"{tenant}/{kind}/{name}"


def _service(tenant: Tenant, name: str) -> Node:
    language = _LANGUAGES[(len(name) * 3 + (tenant == "globex")) % len(_LANGUAGES)]
    tier = 1 if name in _TIER_1 else 2
    return Node(_key("service", tenant, name), "Service", tenant, name, {"tier": tier, "language": language})
