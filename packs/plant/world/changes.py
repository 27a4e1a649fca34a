"""Deployments and incidents: the ordinary ones, and those of the stories."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from packs.plant.world.spec import DAY_S, RECORD_DAYS, PlantSpec
from packs.plant.world.stories import Story
from packs.plant.world.table import NO_TIME, Table
from packs.plant.world.vocabulary import PEOPLE, SEVERITIES, TENANTS, Tenant, services_of

_DEPLOYMENTS_A_DAY = 0.3
_APART_S = 6 * 3_600
"""No ordinary deployment of a service this near to its own story."""
_CAUSES = (
    "bad configuration",
    "full disk",
    "network partition",
    "slow database query",
    "third party outage",
    "expired credentials",
    "traffic spike",
    "hardware failure",
    "human error",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class Deployment:
    id: int
    tenant: Tenant
    service: str
    version: str
    deployed_at: int
    deployed_by: str
    outcome: str
    story: str | None = None
    """The story it began (outcome rolled_back) or ended (success)."""


@dataclass(frozen=True, slots=True)
class _Planned:
    at: int
    tenant: Tenant
    service: str
    by: str
    outcome: str
    story: str | None = None


def deployments_of(spec: PlantSpec, stories: Sequence[Story]) -> tuple[Deployment, ...]:
    """All deployments in the order of their times. A rollback deploys the version before the broken one."""
    planned: list[_Planned] = []
    for tenant in TENANTS:
        for service in services_of(tenant):
            planned += _ordinary(spec, tenant, service, stories)
    for story in stories:
        planned += _of_story(story)
    planned.sort(key=lambda each: (each.at, each.tenant, each.service))
    versions: dict[tuple[Tenant, str], tuple[int, str]] = {}
    found: list[Deployment] = []
    for number, each in enumerate(planned, start=1):
        patch, running = versions.get((each.tenant, each.service), (0, ""))
        if each.story is not None and each.outcome == "success":
            version = running
        else:
            patch += 1
            version = _version(each.tenant, each.service, patch)
        # What failed or was rolled back is not what runs afterwards.
        versions[each.tenant, each.service] = patch, version if each.outcome == "success" else running
        found.append(
            Deployment(number, each.tenant, each.service, version, each.at, each.by, each.outcome, each.story)
        )
    return tuple(found)


def _version(tenant: Tenant, service: str, patch: int) -> str:
    major = 1 + len(service) % 4 + (tenant == "globex")
    return f"{major}.{10 + patch // 10}.{patch % 10}"


def _ordinary(spec: PlantSpec, tenant: Tenant, service: str, stories: Sequence[Story]) -> list[_Planned]:
    random = spec.random("deployments", tenant, service)
    count = int(random.poisson(RECORD_DAYS * _DEPLOYMENTS_A_DAY)) + 6
    days = np.sort(random.integers(0, RECORD_DAYS, count))
    minutes = random.integers(8 * 60, 18 * 60, count)
    outcomes = random.choice(["success", "failed", "rolled_back"], count, p=[0.87, 0.08, 0.05])
    outcomes[:2] = "success"
    people = random.choice(list(PEOPLE[tenant]), count)
    own = [
        story.begins_at
        for story in stories
        if story.script.tenant == tenant and story.script.service == service
    ]
    start = spec.end - RECORD_DAYS * DAY_S
    found = []
    for day, minute, outcome, by in zip(days, minutes, outcomes, people, strict=True):
        at = start + int(day) * DAY_S + int(minute) * 60
        if all(abs(at - begins_at) > _APART_S for begins_at in own):
            found.append(_Planned(at, tenant, service, str(by), str(outcome)))
    return found


def _of_story(story: Story) -> list[_Planned]:
    if story.deployed_at is None or story.rolled_back_at is None:
        return []
    tenant, service = story.script.tenant, story.script.service
    by = PEOPLE[tenant][len(service) % len(PEOPLE[tenant])]
    return [
        _Planned(story.deployed_at, tenant, service, by, "rolled_back", story.id),
        _Planned(story.rolled_back_at, tenant, service, story.script.commander, "success", story.id),
    ]


def deployments_table(deployments: Sequence[Deployment]) -> Table:
    return Table(
        "deployments",
        {
            "id": [each.id for each in deployments],
            "tenant_id": [each.tenant for each in deployments],
            "service": [each.service for each in deployments],
            "version": [each.version for each in deployments],
            "deployed_at": np.array([each.deployed_at for each in deployments], dtype=np.int64),
            "deployed_by": [each.deployed_by for each in deployments],
            "outcome": [each.outcome for each in deployments],
        },
    )


@dataclass(frozen=True, slots=True)
class Incident:
    id: int
    tenant: Tenant
    service: str
    severity: str
    opened_at: int
    closed_at: int
    root_cause: str | None
    commander: str
    story: str | None = None


def incidents_of(spec: PlantSpec, stories: Sequence[Story]) -> tuple[Incident, ...]:
    """All incidents in the order of their opening. The open ones are recent and have no cause yet."""
    found = [
        Incident(
            0, story.script.tenant, story.script.service, story.script.severity, story.opened_at,
            story.closed_at, story.script.cause[0], story.script.commander, story.id,
        )
        for story in stories
    ]  # fmt: skip
    random = spec.random("incidents")
    count = max(150, spec.rows("incidents"))
    start = spec.end - RECORD_DAYS * DAY_S
    opened = np.sort(random.integers(start, spec.end - 600, count))
    lasts = np.clip(random.lognormal(4.6, 0.9, count) * 60, 300, 4 * DAY_S).astype(np.int64)
    severities = random.choice(list(SEVERITIES), count, p=[0.06, 0.2, 0.44, 0.3])
    for at, lasting, severity in zip(opened.tolist(), lasts.tolist(), severities.tolist(), strict=True):
        tenant = TENANTS[int(random.random() < 0.42)]
        services, people = services_of(tenant), PEOPLE[tenant]
        is_open = at + lasting >= spec.end or (at >= spec.end - 8 * DAY_S and random.random() < 0.4)
        cause = _CAUSES[int(random.integers(len(_CAUSES)))]
        found.append(
            Incident(
                0, tenant, services[int(random.integers(len(services)))], severity, at,
                NO_TIME if is_open else at + lasting, None if is_open else cause,
                people[int(random.integers(len(people)))],
            )
        )  # fmt: skip
    found.sort(key=lambda each: (each.opened_at, each.tenant, each.service))
    return tuple(_numbered(each, number) for number, each in enumerate(found, start=1))


def _numbered(incident: Incident, number: int) -> Incident:
    return Incident(
        number, incident.tenant, incident.service, incident.severity, incident.opened_at, incident.closed_at,
        incident.root_cause, incident.commander, incident.story,
    )  # fmt: skip


def incidents_table(incidents: Sequence[Incident]) -> Table:
    return Table(
        "incidents",
        {
            "id": [each.id for each in incidents],
            "tenant_id": [each.tenant for each in incidents],
            "service": [each.service for each in incidents],
            "severity": [each.severity for each in incidents],
            "opened_at": np.array([each.opened_at for each in incidents], dtype=np.int64),
            "closed_at": np.array([each.closed_at for each in incidents], dtype=np.int64),
            "root_cause": [each.root_cause for each in incidents],
            "commander": [each.commander for each in incidents],
        },
    )
