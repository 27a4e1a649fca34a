"""What stands still: hosts, teams, and which service runs on which hosts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from packs.plant.world.spec import PlantSpec
from packs.plant.world.table import Table
from packs.plant.world.vocabulary import (
    HOST_COUNTS,
    REGIONS,
    TEAM_PARENTS,
    TENANTS,
    Tenant,
    services_of,
)

_ROLES_OF_A_SERVICE = {"web": 1, "api": 2, "worker": 1, "db": 1, "cache": 1}
_FRONT = frozenset({"gateway", "checkout", "cart", "catalog", "search", "accounts"})
"""Services that also run on web hosts."""


@dataclass(frozen=True, slots=True)
class Host:
    id: int
    tenant: Tenant
    hostname: str
    region: str
    role: str
    cpu_cores: int
    mem_gb: int
    last_seen_at: int


def hosts_of(spec: PlantSpec) -> tuple[Host, ...]:
    """All hosts. Both tenants name theirs alike (`db-1`, `web-2`), and they differ in everything else."""
    found: list[Host] = []
    for tenant in TENANTS:
        random = spec.random("hosts", tenant)
        for role, count in HOST_COUNTS[tenant].items():
            for number in range(1, count + 1):
                # One in twelve fell silent some hours or days ago.
                silent = random.random() < 1 / 12
                quiet_s = int(random.integers(3_600, 9 * 86_400) if silent else random.integers(5, 280))
                found.append(
                    Host(
                        id=len(found) + 1,
                        tenant=tenant,
                        hostname=f"{role}-{number}",
                        region=REGIONS[int(random.integers(len(REGIONS)))],
                        role=role,
                        cpu_cores=int(random.choice([4, 8, 16, 32] if role != "db" else [16, 32, 64])),
                        mem_gb=int(random.choice([8, 16, 32, 64] if role != "db" else [64, 128, 256])),
                        last_seen_at=spec.end - quiet_s,
                    )
                )
    return tuple(found)


def hosts_table(hosts: tuple[Host, ...]) -> Table:
    return Table(
        "hosts",
        {
            "id": [host.id for host in hosts],
            "tenant_id": [host.tenant for host in hosts],
            "hostname": [host.hostname for host in hosts],
            "region": [host.region for host in hosts],
            "role": [host.role for host in hosts],
            "cpu_cores": [host.cpu_cores for host in hosts],
            "mem_gb": [host.mem_gb for host in hosts],
            "last_seen_at": np.array([host.last_seen_at for host in hosts], dtype=np.int64),
        },
    )


def placements(spec: PlantSpec, hosts: tuple[Host, ...]) -> Mapping[tuple[Tenant, str], tuple[Host, ...]]:
    """Tenant and service → the hosts it runs on, by name."""
    found: dict[tuple[Tenant, str], tuple[Host, ...]] = {}
    for tenant in TENANTS:
        for service in services_of(tenant):
            random = spec.random("placement", tenant, service)
            chosen: list[Host] = []
            for role, count in _ROLES_OF_A_SERVICE.items():
                if role == "web" and service not in _FRONT:
                    continue
                fitting = [host for host in hosts if host.tenant == tenant and host.role == role]
                picked = random.choice(len(fitting), size=min(count, len(fitting)), replace=False)
                chosen += [fitting[int(at)] for at in picked]
            found[tenant, service] = tuple(sorted(chosen, key=lambda host: host.id))
    return found


def teams_table() -> Table:
    """The same tree of teams in both tenants, under ids of their own."""
    ids = {
        (tenant, name): number
        for number, (tenant, name) in enumerate(
            ((tenant, name) for tenant in TENANTS for name in TEAM_PARENTS), start=1
        )
    }
    parents = [
        None if TEAM_PARENTS[name] is None else ids[tenant, str(TEAM_PARENTS[name])] for tenant, name in ids
    ]
    return Table(
        "teams",
        {
            "id": list(ids.values()),
            "tenant_id": [tenant for tenant, _ in ids],
            "name": [name for _, name in ids],
            "parent_id": parents,
        },
    )
