"""What grows with the business: alerts, orders, grants of permissions, the log of changes."""

from collections.abc import Mapping, Sequence

import numpy as np

from packs.plant.world.calendar import moments, picked, tenants_at_random
from packs.plant.world.places import Host
from packs.plant.world.spec import DAY_S, PlantSpec
from packs.plant.world.stories import Story
from packs.plant.world.table import NO_TIME, Table
from packs.plant.world.vocabulary import (
    ALERT_RULES,
    CANARIES,
    CURRENCIES,
    ORDER_STATUSES,
    PEOPLE,
    PERMISSIONS,
    TENANTS,
    Tenant,
)

_RULE_WEIGHTS = (24, 18, 12, 10, 16, 4, 12, 4)
_CURRENCY_WEIGHTS = {"acme": (60, 30, 10), "globex": (25, 30, 45)}
_WON_PER_DOLLAR = 1_350
_NOTES = ("nightly cleanup", "backfill", "manual correction", "import", "schema migration", "support request")
_SETS = {
    "orders": "status=cancelled",
    "tickets": "status=closed",
    "hosts": "region=eu-central",
    "alerts": "state=cleared",
    "teams": "parent_id=3",
    "deployments": "outcome=success",
}


def alerts_table(
    spec: PlantSpec,
    hosts: Sequence[Host],
    stories: Sequence[Story],
    placed: Mapping[tuple[Tenant, str], tuple[Host, ...]],
) -> Table:
    """All alerts in the order in which they fired, each story's own among them."""
    random = spec.random("alerts")
    count = spec.rows("alerts")
    fired = moments(spec, random, count)
    lasts = np.clip(random.lognormal(3.2, 1.0, count) * 60, 60, 2 * DAY_S).astype(np.int64)
    is_over = (fired + lasts < spec.end) & (random.random(count) >= 0.01)
    state = np.where(is_over, "cleared", picked(random, ("firing", "acknowledged"), count, 60, 40))
    own_hosts = [
        next(
            host
            for host in (*placed[story.script.tenant, story.script.service], *hosts)
            if host.role == story.script.host_role and host.tenant == story.script.tenant
        )
        for story in stories
    ]
    host_id = np.concatenate(
        [random.integers(1, len(hosts) + 1, count), np.array([host.id for host in own_hosts])]
    )
    fired = np.concatenate([fired, np.array([story.alert_at for story in stories], dtype=np.int64)])
    order = np.argsort(fired, kind="stable")
    tenant_of = np.array([""] + [host.tenant for host in hosts], dtype=object)
    cleared = np.where(is_over, fired[:count] + lasts, NO_TIME)
    rules = np.array([story.script.rule for story in stories], dtype=object)
    return Table(
        "alerts",
        {
            "id": np.arange(1, len(order) + 1),
            "tenant_id": tenant_of[host_id][order],
            "host_id": host_id[order],
            "rule": np.concatenate([picked(random, ALERT_RULES, count, *_RULE_WEIGHTS), rules])[order],
            "state": np.concatenate([state, np.array(["cleared"] * len(stories), dtype=object)])[order],
            "fired_at": fired[order],
            "cleared_at": np.concatenate(
                [cleared, np.array([story.cleared_at for story in stories], dtype=np.int64)]
            )[order],
        },
    )


def orders_table(spec: PlantSpec) -> Table:
    """All orders in the order of their creation; amounts in units of their currency, won without decimals."""
    random = spec.random("orders")
    count = spec.rows("orders")
    created = moments(spec, random, count)
    tenant = tenants_at_random(random, count, 0.45)
    currency = np.where(
        tenant == 0,
        picked(random, CURRENCIES, count, *_CURRENCY_WEIGHTS["acme"]),
        picked(random, CURRENCIES, count, *_CURRENCY_WEIGHTS["globex"]),
    )
    dollars = np.round(np.clip(random.lognormal(3.9, 0.8, count), 2.0, 4_000.0), 2)
    amount = np.where(currency == "KRW", np.round(dollars * _WON_PER_DOLLAR, -2), dollars)
    age_days = (spec.end - created) / DAY_S
    fresh = picked(random, ORDER_STATUSES, count, 35, 35, 18, 2, 8, 2)
    settled = picked(random, ORDER_STATUSES, count, 1, 3, 6, 78, 8, 4)
    updated = created + (random.random(count) * np.minimum(age_days, 6.0) * (DAY_S - 1)).astype(np.int64)
    return Table(
        "orders",
        {
            "id": np.arange(1, count + 1),
            "tenant_id": np.array(TENANTS, dtype=object)[tenant],
            "customer_ref": [
                f"C-{number}" for number in random.integers(10_000, 10_000 + count // 3, count).tolist()
            ],
            "amount": amount,
            "currency": currency,
            "status": np.where(age_days < 5, fresh, settled),
            "created_at": created,
            "updated_at": updated,
        },
    )


def grants_table(spec: PlantSpec) -> Table:
    """Who was given which permission when, and when it was taken back."""
    random = spec.random("grants")
    count = spec.rows("grants_history")
    granted = moments(spec, random, count)
    tenant = tenants_at_random(random, count, 0.45)
    held_s = (random.gamma(1.6, 14.0, count) * DAY_S).astype(np.int64) + 3_600
    is_revoked = (granted + held_s < spec.end) & (random.random(count) < 0.8)
    people = [PEOPLE[TENANTS[at]] for at in tenant.tolist()]
    return Table(
        "grants_history",
        {
            "id": np.arange(1, count + 1),
            "tenant_id": np.array(TENANTS, dtype=object)[tenant],
            "granted_to": [
                names[at] for names, at in zip(people, random.integers(0, 10, count).tolist(), strict=True)
            ],
            "permission": picked(random, PERMISSIONS, count),
            "granted_at": granted,
            "revoked_at": np.where(is_revoked, granted + held_s, NO_TIME),
        },
    )


def change_log_table(spec: PlantSpec) -> Table:
    """Which table was changed, how many rows were updated and deleted, what was set, and why."""
    random = spec.random("change_log")
    count = spec.rows("change_log")
    tenant = tenants_at_random(random, count, 0.45)
    changed = picked(random, tuple(_SETS), count)
    notes = picked(random, _NOTES, count)
    names = np.array(TENANTS, dtype=object)[tenant]
    marked = [
        f"{note} {CANARIES[name]}" if number % 100 == 0 else note
        for number, (note, name) in enumerate(zip(notes.tolist(), names.tolist(), strict=True))
    ]
    return Table(
        "change_log",
        {
            "id": np.arange(1, count + 1),
            "tenant_id": names,
            "table": changed,
            "update": random.poisson(14.0, count),
            "delete": np.where(random.random(count) < 0.3, random.poisson(5.0, count), 0),
            "set": [_SETS[each] for each in changed.tolist()],
            "note": marked,
            "at": moments(spec, random, count),
        },
    )
