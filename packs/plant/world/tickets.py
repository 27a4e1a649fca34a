"""Tickets: what people write when something does not work, in English and Korean."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from packs.plant.world.calendar import moments, picked, tenants_at_random
from packs.plant.world.spec import PlantSpec
from packs.plant.world.stories import Story
from packs.plant.world.table import NO_TIME, Table
from packs.plant.world.vocabulary import (
    CANARIES,
    PEOPLE,
    PRIORITIES,
    QUEUES,
    SLA_MINUTES,
    TENANTS,
    services_of,
)

_SUBJECTS: tuple[tuple[str, str, str], ...] = (
    ("{service} is slow", "Since this morning {service} needs several seconds for each request.", "latency"),
    ("Errors in {service}", "{service} answers with errors for some customers. Please have a look.", "errors"),
    ("Cannot log in to {service}", "Access to {service} is refused although the account is active.", "access"),
    ("Access to {service} needed", "I need read access to {service} for the quarterly report.", "access"),
    ("Question about an invoice", "The invoice of last month lists {service} twice. Is that right?", "billing"),
    ("{service} dashboard is empty", "The dashboard of {service} has shown nothing since yesterday.", "monitoring"),
    ("Disk of a {service} host is filling up", "A host of {service} has less than 10 % of its disk left.", "disk"),
    ("Refund is missing", "A customer waits for a refund; {service} shows it as done.", "refund"),
    ("Packet loss towards {service}", "We see packet loss on the way to {service} from the office.", "network"),
    ("Password reset for {service}", "The reset mail for {service} never arrives.", "access"),
    ("Certificate of {service} runs out", "The certificate of {service} runs out within two weeks.", "certificate"),
    ("{service} 응답 지연", "{service} 응답이 평소보다 느립니다. 확인 부탁드립니다.", "latency"),
    ("{service} 오류 문의", "{service} 이용 중 오류가 발생합니다.", "errors"),
    ("{service} 접근 권한 요청", "업무를 위해 {service} 접근 권한이 필요합니다.", "access"),
)  # fmt: skip
_QUEUE_WEIGHTS = (30, 12, 20, 14, 13, 11)
_PRIORITY_WEIGHTS = (30, 42, 20, 8)
_DONE_AFTER = {"low": 4_000.0, "medium": 1_500.0, "high": 260.0, "urgent": 70.0}
"""Minutes that half of the tickets take at most, by priority."""
_CANARY_EVERY = 40


def tickets_table(spec: PlantSpec, stories: Sequence[Story]) -> Table:
    """All tickets in the order of their creation, each story's own among them."""
    random = spec.random("tickets")
    count = spec.rows("tickets")
    created = moments(spec, random, count)
    tenant = tenants_at_random(random, count, 0.42)
    priority = picked(random, PRIORITIES, count, *_PRIORITY_WEIGHTS)
    half = np.array([_DONE_AFTER[each] for each in priority])
    done_at = created + np.maximum(random.lognormal(0.0, 1.1, count) * half * 60, 120).astype(np.int64)
    forgotten = random.random(count) < 0.03
    is_done = (done_at < spec.end) & ~forgotten
    resolved = np.where(is_done, done_at, NO_TIME)
    status = np.where(
        is_done,
        picked(random, ("resolved", "closed"), count, 35, 65),
        picked(random, ("open", "in_progress", "pending"), count, 45, 35, 20),
    )
    touched = created + (random.random(count) * (spec.end - 1 - created)).astype(np.int64)
    updated = np.where(is_done, done_at, np.maximum(created, touched))
    subject = random.integers(0, len(_SUBJECTS), count)
    rows = {
        "tenant": tenant,
        "created_at": created,
        "updated_at": updated,
        "resolved_at": resolved,
        "status": status,
        "priority": priority,
        "queue": picked(random, QUEUES, count, *_QUEUE_WEIGHTS),
        "sla_minutes": np.array([SLA_MINUTES[each] for each in priority]),
        **_texts(random, tenant, status, subject),
    }
    return _with_stories(rows, stories)


def _texts(random: np.random.Generator, tenant: Any, status: Any, subject: Any) -> dict[str, Any]:
    titles, bodies, tags, assignees = [], [], [], []
    for number, (at, chosen, state) in enumerate(
        zip(tenant.tolist(), subject.tolist(), status.tolist(), strict=True)
    ):
        name = TENANTS[at]
        services, people = services_of(name), PEOPLE[name]
        service = services[int(random.integers(len(services)))]
        title, body, tag = _SUBJECTS[chosen]
        mark = f" Reference {CANARIES[name]}." if number % _CANARY_EVERY == 0 else ""
        titles.append(title.format(service=service))
        bodies.append(body.format(service=service) + mark)
        tags.append(f"{service},{tag}")
        nobody = state == "open" and random.random() < 0.5
        assignees.append(None if nobody else people[int(random.integers(len(people)))])
    return {
        "title": np.array(titles, dtype=object),
        "body": np.array(bodies, dtype=object),
        "tags": np.array(tags, dtype=object),
        "assignee": np.array(assignees, dtype=object),
    }


def _with_stories(rows: dict[str, Any], stories: Sequence[Story]) -> Table:
    own = {
        "tenant": np.array([TENANTS.index(story.script.tenant) for story in stories]),
        "created_at": np.array([story.ticket_at for story in stories], dtype=np.int64),
        "updated_at": np.array([story.resolved_at for story in stories], dtype=np.int64),
        "resolved_at": np.array([story.resolved_at for story in stories], dtype=np.int64),
        "status": np.array(["closed" for _ in stories], dtype=object),
        "priority": np.array(["urgent" for _ in stories], dtype=object),
        "queue": np.array([story.script.queue for story in stories], dtype=object),
        "sla_minutes": np.array([SLA_MINUTES["urgent"] for _ in stories]),
        "title": np.array([story.script.ticket for story in stories], dtype=object),
        "body": np.array([_body(story) for story in stories], dtype=object),
        "tags": np.array([f"{story.script.service},incident" for story in stories], dtype=object),
        "assignee": np.array([story.script.commander for story in stories], dtype=object),
    }
    joined = {name: np.concatenate([rows[name], own[name]]) for name in rows}
    order = np.argsort(joined["created_at"], kind="stable")
    columns = {name: values[order] for name, values in joined.items()}
    columns["id"] = np.arange(1, len(order) + 1)
    columns["tenant_id"] = np.array(TENANTS, dtype=object)[columns.pop("tenant")]
    return Table("tickets", columns)


def _body(story: Story) -> str:
    return f"Affected: {story.script.service}. Later found: {story.script.cause[0]}."
